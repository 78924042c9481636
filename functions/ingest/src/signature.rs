//! The signature of the generic source: Standard Webhooks over the raw body.

use chrono::{DateTime, Utc};
use platform::http::Request;
use platform::problem::Problem;
use platform::secrets::SecretError;
use platform::standard_webhooks::{
    ID_HEADER, SIGNATURE_HEADER, SignatureError, SignedHeaders, SigningKey, TIMESTAMP_HEADER, Verified,
    verify,
};

/// Checks a request's signature against the source's active keys, before its body is parsed.
///
/// # Errors
/// [`SignatureError`], which answers 401.
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

/// Checks a request to a hook. A hook that does not exist gets the same answer as a wrong signature, after
/// the same work, so that nobody can probe for hooks.
///
/// # Errors
/// As for [`check`], and 503 if the keys are unavailable.
pub fn check_hook(
    request: &Request,
    keys: Result<Vec<SigningKey>, SecretError>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    match keys {
        Ok(keys) => check(request, &keys, now).map(|_| ()).map_err(Problem::from),
        Err(SecretError::NotFound { .. }) => {
            let wrong = check(request, SigningKey::stand_in().as_slice(), now).err();
            Err(wrong.unwrap_or(SignatureError::NoMatch).into())
        }
        Err(error) => Err(error.into()),
    }
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
    fn a_hook_that_does_not_exist_answers_like_a_wrong_signature() {
        let body = r#"{"id": "evt_0001"}"#;
        let no_hook = || Err(SecretError::NotFound { id: "hooks/none".to_owned() });
        let other = SigningKey::parse("whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB").unwrap();
        let (signed, altered) = (request(body, body), request(body, "{}"));
        let unsigned = Request::decode(
            serde_json::from_value(json!({"body": body, "requestContext": {"http": {"method": "POST"}}}))
                .unwrap(),
            WEBHOOK_BODY_BYTES_MAX,
        );
        let stale = now() + chrono::TimeDelta::minutes(6);
        for (request, at) in
            [(&signed, now()), (&altered, now()), (&unsigned.unwrap(), now()), (&signed, stale)]
        {
            let unknown = check_hook(request, no_hook(), at).unwrap_err();
            assert_eq!(unknown, check_hook(request, Ok(vec![other.clone()]), at).unwrap_err());
            assert_eq!(unknown.status, 401);
        }
        assert_eq!(check_hook(&signed, Ok(vec![key()]), now()), Ok(()));
        // Anyone who reads this code can sign with the stand-in key.
        let stand_in = SigningKey::stand_in().unwrap();
        let headers: serde_json::Map<_, _> = stand_in
            .headers("evt_0001", now(), body.as_bytes())
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        let event = json!({"headers": headers, "body": body, "requestContext": {"http": {"method": "POST"}}});
        let known = Request::decode(serde_json::from_value(event).unwrap(), WEBHOOK_BODY_BYTES_MAX).unwrap();
        assert_eq!(check_hook(&known, no_hook(), now()).unwrap_err().status, 401);
    }

    #[test]
    fn the_signature_covers_the_bytes_and_not_their_meaning() {
        let request = request(r#"{"id":"evt_0001"}"#, r#"{"id": "evt_0001"}"#);
        assert_eq!(check(&request, &[key()], now()), Err(SignatureError::NoMatch));
    }
}
