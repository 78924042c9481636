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

/// Sends a request and returns the answer. A deployment uses the client of this module; a simulation replaces
/// the network.
pub trait Transport: Send + Sync {
    /// Makes one call, within the client's time-out.
    ///
    /// # Errors
    /// [`SendError::Transient`] if no answer came; the request may have arrived.
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>>;
}

impl Transport for reqwest::Client {
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Response, SendError>> {
        Box::pin(async move { self.execute(request).await.map_err(SendError::from) })
    }
}

/// Builds the client for channels whose address the deployment sets. It follows no redirects, so that a
/// signed message or a token reaches only the address it was meant for.
///
/// # Errors
/// If TLS cannot be set up on this machine.
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    builder(CALL_TIMEOUT).build()
}

/// Builds the client for webhooks, whose addresses are in the directory. It checks what a name resolves to on
/// every call: a public name can resolve to a private machine, and can start to do so at any time.
///
/// # Errors
/// As for [`http_client`].
pub fn webhook_client(reach: WebhookReach) -> Result<reqwest::Client, reqwest::Error> {
    webhook_client_within(reach, CALL_TIMEOUT)
}

/// Builds the same client with another time-out.
///
/// # Errors
/// As for [`http_client`].
pub fn webhook_client_within(
    reach: WebhookReach,
    timeout: Duration,
) -> Result<reqwest::Client, reqwest::Error> {
    let builder = builder(timeout);
    match reach {
        WebhookReach::Anywhere => builder.build(),
        // A proxy would resolve names itself, unchecked.
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
