//! The one HTTP client, shared by every channel that speaks HTTP.

use std::time::Duration;

use reqwest::redirect::Policy;

/// Longest wait for a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for one call as a whole.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// Builds the client. It follows no redirects: a signed message and a token go where they were addressed, or nowhere.
///
/// # Errors
/// When TLS cannot be set up on this machine.
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    with_timeout(CALL_TIMEOUT)
}

/// The same client with another time-out.
///
/// # Errors
/// As of [`http_client`].
pub fn with_timeout(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .user_agent(concat!("leadwatch/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
        .build()
}
