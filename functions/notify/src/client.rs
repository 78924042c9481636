//! The HTTP clients of the channels that speak HTTP.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::redirect::Policy;
use reqwest::{Request, Response};

use crate::reach::{PublicOnly, WebhookReach};
use crate::send_error::SendError;

/// Longest wait for a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for one call as a whole.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// What takes a request to its far end and brings the answer back. A deployment has the client of this
/// module; a simulation stands in for the far end itself.
pub trait Transport: Send + Sync {
    /// Makes one call, within the time that one may take.
    ///
    /// # Errors
    /// [`SendError::Transient`] when no answer came; whether the request arrived may not be known.
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>>;
}

impl Transport for reqwest::Client {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        Box::pin(async move { self.execute(request).await.map_err(SendError::from) })
    }
}

/// Builds the client of the channels whose address the deployment itself sets. It follows no redirects: a signed message
/// and a token go where they were addressed, or nowhere.
///
/// # Errors
/// When TLS cannot be set up on this machine.
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    builder(CALL_TIMEOUT).build()
}

/// Builds the client of webhooks, whose addresses are in the directory. What a name resolves to counts, each time
/// anew: a public name can lead to a private machine, and it can do so only from the second time on.
///
/// # Errors
/// As of [`http_client`].
pub fn webhook_client(reach: WebhookReach) -> Result<reqwest::Client, reqwest::Error> {
    webhook_client_within(reach, CALL_TIMEOUT)
}

/// The same client with another time-out.
///
/// # Errors
/// As of [`http_client`].
pub fn webhook_client_within(
    reach: WebhookReach,
    timeout: Duration,
) -> Result<reqwest::Client, reqwest::Error> {
    let builder = builder(timeout);
    match reach {
        WebhookReach::Anywhere => builder.build(),
        // A proxy would resolve names itself, where nobody looks at what they lead to.
        WebhookReach::PublicOnly => builder.no_proxy().dns_resolver(Arc::new(PublicOnly)).build(),
    }
}

fn builder(timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("leadwatch/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
}
