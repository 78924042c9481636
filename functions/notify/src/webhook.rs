//! Outgoing webhooks: signed as in Standard Webhooks, or as a card for Microsoft Teams.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use platform::standard_webhooks::SigningKey;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request, StatusCode, Url};
use serde_json::{Value, json};

use crate::client::Transport;
use crate::outbound::Outbound;
use crate::reach::WebhookReach;
use crate::send_error::{PRIVATE_ADDRESS, SendError, retry_after};
use crate::teams;
use policy::address;
use policy::address::Reach;

/// Sends signed POSTs.
pub struct Webhook {
    http: Arc<dyn Transport>,
    reach: WebhookReach,
}

impl Webhook {
    /// Takes the client of [`crate::client::webhook_client`] for the same reach, which follows no redirects.
    #[must_use]
    pub fn new(http: Arc<dyn Transport>, reach: WebhookReach) -> Self {
        Self { http, reach }
    }

    /// Makes one attempt. The message's id goes out as `webhook-id`, so that the receiver can drop repeats.
    ///
    /// # Errors
    /// [`SendError::Permanent`] for a forbidden URL, a redirect, and 4xx except 408, 425 and 429.
    /// [`SendError::Transient`] for 5xx and for a failed call.
    pub async fn send(
        &self,
        url: &str,
        key: &SigningKey,
        outbound: &Outbound,
        now: DateTime<Utc>,
    ) -> Result<(), SendError> {
        let body = document(outbound).to_string();
        let headers = key.headers(&outbound.id, now, body.as_bytes());
        self.post(url, &headers, body, now).await
    }

    /// Makes one attempt to post a card to a workflow of Microsoft Teams, which checks no signature: its URL
    /// is the secret.
    ///
    /// # Errors
    /// As for [`Self::send`].
    pub async fn send_to_teams(
        &self,
        url: &str,
        outbound: &Outbound,
        now: DateTime<Utc>,
    ) -> Result<(), SendError> {
        self.post(url, &[], teams::message(outbound).to_string(), now).await
    }

    async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: String,
        now: DateTime<Utc>,
    ) -> Result<(), SendError> {
        let mut request = Request::new(Method::POST, allowed(url, self.reach)?);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in headers {
            let value = HeaderValue::try_from(value)
                .map_err(|_| SendError::Permanent("the request cannot be built".to_owned()))?;
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        *request.body_mut() = Some(body.into());
        let answer = self.http.call(request).await?;
        let status = answer.status();
        let wait = retry_after(answer.headers(), now);
        if status.is_success() {
            return Ok(());
        }
        let reason = format!("HTTP {}", status.as_u16());
        Err(match (status, wait) {
            (StatusCode::TOO_MANY_REQUESTS, Some(retry_after)) => SendError::RateLimited { retry_after },
            (StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS, _) => {
                SendError::Transient { reason, retry_after: wait }
            }
            _ if status.is_server_error() => SendError::Transient { reason, retry_after: wait },
            _ => SendError::Permanent(reason),
        })
    }
}

/// The document that a webhook carries. The same message gives the same bytes whenever it is sent.
#[must_use]
pub fn document(outbound: &Outbound) -> Value {
    let fields: Vec<Value> =
        outbound.fields.iter().map(|(label, value)| json!({"label": label, "value": value})).collect();
    let links: Vec<Value> =
        outbound.links().map(|(label, url)| json!({"label": label, "url": url})).collect();
    json!({
        "type": "leadwatch.notification",
        "version": 1,
        "data": {
            "id": outbound.id,
            "title": outbound.title(),
            "text": outbound.text,
            "fields": fields,
            "links": links,
        },
    })
}

/// Checks a URL by its text. The client checks what its name resolves to.
fn allowed(text: &str, reach: WebhookReach) -> Result<Url, SendError> {
    match address::read(text) {
        Ok((_, Reach::Private)) if reach == WebhookReach::PublicOnly => {
            Err(SendError::Permanent(PRIVATE_ADDRESS.to_owned()))
        }
        Ok((url, _)) => Ok(url),
        Err(error) => Err(SendError::Permanent(format!("the URL {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{CALL_TIMEOUT, webhook_client, webhook_client_within};
    use crate::test_server::{Reply, Server};
    use platform::standard_webhooks::{SignedHeaders, verify};
    use std::time::Duration;

    fn key() -> SigningKey {
        SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_460_000, 0).unwrap()
    }

    fn outbound() -> Outbound {
        Outbound { id: "n-1".to_owned(), title: "Held".to_owned(), ..Outbound::default() }
    }

    fn anywhere(timeout: Duration) -> Webhook {
        let reach = WebhookReach::Anywhere;
        Webhook::new(Arc::new(webhook_client_within(reach, timeout).unwrap()), reach)
    }

    async fn send(reply: Reply) -> (Result<(), SendError>, Server) {
        let server = Server::start(vec![reply]).await;
        let webhook = anywhere(CALL_TIMEOUT);
        (webhook.send(server.url(), &key(), &outbound(), now()).await, server)
    }

    #[tokio::test]
    async fn the_receiver_can_verify_what_it_gets() {
        let (outcome, server) = send(Reply::status(204)).await;
        outcome.unwrap();
        let got = &server.requests()[0];
        let headers = SignedHeaders {
            id: got.header("webhook-id"),
            timestamp: got.header("webhook-timestamp"),
            signature: got.header("webhook-signature"),
        };
        assert_eq!(verify(&[key()], headers, got.body.as_bytes(), now()).unwrap().id, "n-1");
        assert_eq!(got.header("content-type"), Some("application/json"));
        assert_eq!(got.json()["data"]["title"], "Held");
    }

    #[tokio::test]
    async fn each_status_says_whether_another_attempt_can_help() {
        for (status, worth) in [
            (400, false),
            (401, false),
            (404, false),
            (410, false),
            (408, true),
            (425, true),
            (429, true),
            (500, true),
            (503, true),
        ] {
            let (outcome, _server) = send(Reply::status(status)).await;
            assert_eq!(outcome.unwrap_err().is_worth_retrying(), worth, "{status}");
        }
    }

    #[tokio::test]
    async fn a_wait_that_is_asked_for_is_passed_on() {
        let seconds = Duration::from_secs(17);
        let (outcome, _server) = send(Reply::status(429).header("retry-after", "17")).await;
        assert_eq!(outcome, Err(SendError::RateLimited { retry_after: seconds }));
        let (outcome, _server) = send(Reply::status(503).header("retry-after", "17")).await;
        assert_eq!(outcome.unwrap_err().retry_after(), Some(seconds));
    }

    #[tokio::test]
    async fn a_redirect_is_refused_and_not_followed() {
        let elsewhere = Server::start(vec![Reply::status(200)]).await;
        let (outcome, _server) = send(Reply::status(307).header("location", elsewhere.url())).await;
        assert_eq!(outcome, Err(SendError::Permanent("HTTP 307".to_owned())));
        assert!(elsewhere.requests().is_empty());
    }

    #[tokio::test]
    async fn a_receiver_that_does_not_answer_is_transient() {
        let server = Server::start(vec![Reply::never()]).await;
        let webhook = anywhere(Duration::from_millis(200));
        let silent = webhook.send(server.url(), &key(), &outbound(), now()).await;
        assert_eq!(silent, Err(SendError::transient("time-out")));
        let freed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let nobody = webhook.send(&format!("http://{freed}/"), &key(), &outbound(), now()).await;
        assert_eq!(nobody, Err(SendError::transient("no connection")));
    }

    #[tokio::test]
    async fn teams_gets_a_card_and_no_signature() {
        let server = Server::start(vec![Reply::status(202)]).await;
        let webhook = anywhere(CALL_TIMEOUT);
        webhook.send_to_teams(server.url(), &outbound(), now()).await.unwrap();
        let got = &server.requests()[0];
        assert_eq!(got.header("webhook-signature"), None);
        let card = &got.json()["attachments"][0];
        assert_eq!(card["contentType"], "application/vnd.microsoft.card.adaptive");
    }

    #[tokio::test]
    async fn nothing_goes_to_a_private_network_unless_the_deployment_takes_that() {
        let server = Server::start(vec![Reply::status(200)]).await;
        let public_only =
            |reach| Webhook::new(Arc::new(webhook_client(reach).unwrap()), WebhookReach::PublicOnly);
        let private = Err(SendError::Permanent(PRIVATE_ADDRESS.to_owned()));
        let by_text = public_only(WebhookReach::PublicOnly);
        for url in
            [server.url(), "https://127.0.0.1/", "https://0x7f.1/", "https://localhost./", "https://[::1]/"]
        {
            assert_eq!(by_text.send(url, &key(), &outbound(), now()).await, private, "{url}");
            assert_eq!(by_text.send_to_teams(url, &outbound(), now()).await, private, "{url}");
        }
        for url in ["http://example.com/", "http://127.0.0.1@evil.test/", "x"] {
            let refused = by_text.send(url, &key(), &outbound(), now()).await;
            assert!(matches!(refused, Err(SendError::Permanent(_))), "{url}");
        }
        assert!(server.requests().is_empty());
    }

    /// A URL's text does not show what its name resolves to: `localhost` stands for a name that was rebound.
    #[tokio::test]
    async fn a_name_that_resolves_to_a_private_network_is_not_connected_to() {
        let server = Server::start(vec![Reply::status(200)]).await;
        let port = Url::parse(server.url()).unwrap().port().unwrap();
        let url = Url::parse(&format!("http://localhost:{port}/")).unwrap();
        let guarded = webhook_client(WebhookReach::PublicOnly).unwrap();
        let refused = guarded.call(Request::new(Method::POST, url.clone())).await.unwrap_err();
        assert_eq!(refused, SendError::Permanent(PRIVATE_ADDRESS.to_owned()));
        assert!(server.requests().is_empty());
        let open = webhook_client(WebhookReach::Anywhere).unwrap();
        assert!(open.call(Request::new(Method::POST, url)).await.is_ok(), "only the reach refuses it");
    }
}
