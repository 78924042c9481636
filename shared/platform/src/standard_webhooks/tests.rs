//! The published examples, and everything that must not pass.

use super::*;
use proptest::prelude::*;

/// The example of the specification's own libraries.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const SENT: &str = "1614265330";
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn key(secret: &str) -> SigningKey {
    SigningKey::parse(secret).unwrap()
}

fn other_key() -> SigningKey {
    key("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn headers(signature: &str) -> SignedHeaders<'_> {
    SignedHeaders { id: Some(ID), timestamp: Some(SENT), signature: Some(signature) }
}

fn check(signature: &str) -> Result<Verified<'_>, SignatureError> {
    verify(&[key(SECRET)], headers(signature), BODY, at(1_614_265_330))
}

#[test]
fn the_published_examples_compute() {
    assert_eq!(key(SECRET).sign(ID, 1_614_265_330, BODY), SIGNATURE);
    let body = br#"{"email":"test@example.com","username":"test_user"}"#;
    let signature = other_key().sign("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body);
    assert_eq!(signature, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
}

#[test]
fn a_signed_message_is_accepted_with_its_id_and_time() {
    assert_eq!(check(SIGNATURE), Ok(Verified { id: ID, sent_at: at(1_614_265_330) }));
}

#[test]
fn either_of_two_active_secrets_will_do() {
    let now = at(1_614_265_330);
    assert!(verify(&[other_key(), key(SECRET)], headers(SIGNATURE), BODY, now).is_ok());
    assert_eq!(verify(&[other_key()], headers(SIGNATURE), BODY, now), Err(SignatureError::NoMatch));
    assert_eq!(verify(&[], headers(SIGNATURE), BODY, now), Err(SignatureError::NoMatch));
}

#[test]
fn one_good_signature_among_several_is_enough() {
    let foreign = other_key().sign(ID, 1_614_265_330, BODY);
    assert!(check(&format!("v1a,xyz {foreign} v2,abc {SIGNATURE}")).is_ok());
    assert_eq!(check(&foreign), Err(SignatureError::NoMatch));
    let hidden = format!("{}{SIGNATURE}", format!("{foreign} ").repeat(SIGNATURES_MAX));
    assert_eq!(check(&hidden), Err(SignatureError::NoMatch));
}

#[test]
fn an_empty_cut_or_unversioned_signature_is_no_signature() {
    let bare = SIGNATURE.trim_start_matches("v1,");
    for forged in ["v1,", "v1,gw==", "v1", ",", bare, &format!("v2,{bare}"), &SIGNATURE[..20]] {
        assert_eq!(check(forged), Err(SignatureError::NoMatch), "{forged}");
    }
}

#[test]
fn a_changed_body_id_or_time_is_refused() {
    let now = at(1_614_265_330);
    let keys = [key(SECRET)];
    let good = headers(SIGNATURE);
    let cases = [
        (good, &br#"{"test": 2432232315}"#[..]),
        (SignedHeaders { id: Some("msg_other"), ..good }, BODY),
        (SignedHeaders { timestamp: Some("1614265331"), ..good }, BODY),
        (SignedHeaders { timestamp: Some("01614265330"), ..good }, BODY),
    ];
    for (headers, body) in cases {
        assert_eq!(verify(&keys, headers, body, now), Err(SignatureError::NoMatch));
    }
}

#[test]
fn five_minutes_either_way_are_tolerated_and_not_a_second_more() {
    let check = |now| verify(&[key(SECRET)], headers(SIGNATURE), BODY, at(now)).map(|_| ());
    for offset in [-300, 0, 300] {
        assert_eq!(check(1_614_265_330 + offset), Ok(()));
    }
    for offset in [-301, 301] {
        assert_eq!(check(1_614_265_330 + offset), Err(SignatureError::Stale));
    }
}

#[test]
fn a_missing_header_or_odd_time_is_named() {
    let check = |headers| verify(&[key(SECRET)], headers, BODY, at(1_614_265_330)).unwrap_err();
    let good = headers(SIGNATURE);
    assert_eq!(check(SignedHeaders { id: None, ..good }), SignatureError::MissingHeader(ID_HEADER));
    let blank = SignedHeaders { signature: Some(" "), ..good };
    assert_eq!(check(blank), SignatureError::MissingHeader(SIGNATURE_HEADER));
    for odd in ["2021-02-25T15:02:10Z", "1614265330.5", "99999999999999999999", "9223372036854775807"] {
        assert_eq!(check(SignedHeaders { timestamp: Some(odd), ..good }), SignatureError::BadTimestamp);
    }
    let long = "x".repeat(ID_BYTES_MAX + 1);
    assert_eq!(check(SignedHeaders { id: Some(&long), ..good }), SignatureError::IdTooLong);
}

#[test]
fn every_refusal_is_a_401() {
    for error in [SignatureError::Stale, SignatureError::NoMatch, SignatureError::MissingHeader(ID_HEADER)] {
        let problem = Problem::from(error);
        assert_eq!((problem.status, problem.detail), (401, error.to_string()));
    }
}

#[test]
fn a_secret_must_be_of_the_scheme_and_is_never_shown() {
    for refused in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%%%"] {
        assert_eq!(SigningKey::parse(refused).unwrap_err(), SecretFormatError, "{refused}");
    }
    assert_eq!(format!("{:?}", key(SECRET)), "SigningKey(…)");
}

proptest! {
    #[test]
    fn a_signed_message_verifies_with_no_other_key(id in "[a-zA-Z0-9_-]{1,40}", body: Vec<u8>) {
        let now = at(1_700_000_000);
        let signature = key(SECRET).sign(&id, now.timestamp(), &body);
        let sent = now.timestamp().to_string();
        let headers = SignedHeaders { id: Some(&id), timestamp: Some(&sent), signature: Some(&signature) };
        prop_assert!(verify(&[key(SECRET)], headers, &body, now).is_ok());
        prop_assert!(verify(&[other_key()], headers, &body, now).is_err());
    }
}
