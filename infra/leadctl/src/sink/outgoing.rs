//! Receives outgoing webhooks and checks their signature as a real receiver does.
//!
//! The scheme is Standard Webhooks (<https://www.standardwebhooks.com>): `webhook-signature` holds
//! `v1,` and the base64 HMAC-SHA-256 over `{webhook-id}.{webhook-timestamp}.{body}`.
//! To try out failures, a webhook to a name that begins with `down` gets a 503.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::context::Shared;
use super::store::{Message, Signature};

/// How many bytes of a body are kept.
const BODY_BYTES_MAX: usize = 64 * 1024;

pub(super) async fn receive(
    State(context): Shared,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if name.starts_with("down") {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let signature = check(&context.options.webhook_secret, &headers, &body);
    let shown = body.get(..BODY_BYTES_MAX).unwrap_or(&body);
    context.store.add(Message {
        seq: 0,
        at: String::new(),
        method: "webhook".into(),
        channel: name,
        recipient: None,
        text: String::from_utf8_lossy(shown).into_owned(),
        blocks: None,
        metadata: None,
        headers: text_headers(&headers),
        signature: Some(signature),
    });
    match signature {
        Signature::Valid => StatusCode::OK,
        Signature::Invalid | Signature::Missing => StatusCode::UNAUTHORIZED,
    }
}

fn text_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

fn check(secret: &str, headers: &HeaderMap, body: &[u8]) -> Signature {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(id), Some(timestamp), Some(signatures)) =
        (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"))
    else {
        return Signature::Missing;
    };
    let Ok(key) = STANDARD.decode(secret.trim_start_matches("whsec_")) else { return Signature::Invalid };
    let has_valid =
        signatures.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok()).any(|one| {
            Hmac::<Sha256>::new_from_slice(&key).is_ok_and(|mut mac| {
                mac.update(format!("{id}.{timestamp}.").as_bytes());
                mac.update(body);
                mac.verify_slice(&one).is_ok()
            })
        });
    if has_valid { Signature::Valid } else { Signature::Invalid }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn headers(signature: &str) -> HeaderMap {
        [
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", signature),
        ]
        .into_iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect()
    }

    #[test]
    fn a_valid_signature_is_found_among_others() {
        let valid = headers("v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(check(SECRET, &valid, BODY), Signature::Valid);
        assert_eq!(check(SECRET, &valid, b"{}"), Signature::Invalid);
        assert_eq!(check(SECRET, &HeaderMap::new(), BODY), Signature::Missing);
    }
}
