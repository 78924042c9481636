//! The signature of the generic source: Standard Webhooks over the raw body.

use chrono::{DateTime, Utc};
use platform::http::Request;
use platform::standard_webhooks::{
    ID_HEADER, SIGNATURE_HEADER, SignatureError, SignedHeaders, SigningKey, TIMESTAMP_HEADER, Verified,
    verify,
};

/// Checks a request's signature against the source's active keys, before its body is looked at.
///
/// # Errors
/// [`SignatureError`], which answers 401. That the keys could not be fetched is another matter, and never comes here.
pub fn check<'a>(
    request: &'a Request,
    active: &[SigningKey],
    now: DateTime<Utc>,
) -> Result<Verified<'a>, SignatureError> {
    let headers = SignedHeaders {
        id: request.header(ID_HEADER),
        timestamp: request.header(TIMESTAMP_HEADER),
        signature: request.header(SIGNATURE_HEADER),
    };
    verify(active, headers, request.body(), now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use platform::http::WEBHOOK_BODY_BYTES_MAX;
    use serde_json::json;

    fn key() -> SigningKey {
        SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_460_000, 0).unwrap()
    }

    fn request(body: &str, signed: &str) -> Request {
        let headers: serde_json::Map<_, _> = key()
            .headers("evt_0001", now(), signed.as_bytes())
            .into_iter()
            .map(|(name, value)| (name.to_uppercase(), value.into()))
            .collect();
        let event = json!({
            "headers": headers,
            "body": body,
            "requestContext": {"http": {"method": "POST"}},
        });
        Request::decode(serde_json::from_value(event).unwrap(), WEBHOOK_BODY_BYTES_MAX).unwrap()
    }

    #[test]
    fn a_signed_request_is_accepted_under_its_id() {
        let request = request(r#"{"id": "evt_0001"}"#, r#"{"id": "evt_0001"}"#);
        assert_eq!(check(&request, &[key()], now()).unwrap().id, "evt_0001");
    }

    #[test]
    fn the_signature_is_over_the_bytes_and_not_over_what_they_mean() {
        let request = request(r#"{"id":"evt_0001"}"#, r#"{"id": "evt_0001"}"#);
        assert_eq!(check(&request, &[key()], now()), Err(SignatureError::NoMatch));
    }
}
