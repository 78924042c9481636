//! Quiet hours at their borders, over midnight, and where the clocks change.

use super::*;
use crate::notification::Role;
use policy::directory::DirectoryDocument;
use serde_json::{Value, json};

fn time(text: &str) -> TimeOfDay {
    text.parse().unwrap()
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn until(zone: &str, from: &str, to: &str, at: &str) -> Option<String> {
    let zone = TimeZoneDatabase::bundled().get(zone).unwrap();
    let end = end_of_quiet(&zone, time(from), time(to), instant(at))?;
    Some(end.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
}

fn is(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn they_begin_with_their_first_instant_and_end_before_their_last() {
    let of_berlin = |at: &str| until("Europe/Berlin", "20:00", "07:00", at);
    assert_eq!(of_berlin("2026-03-02T18:59:59.999Z"), None);
    assert_eq!(of_berlin("2026-03-02T19:00:00Z"), is("2026-03-03T06:00:00Z"));
    assert_eq!(of_berlin("2026-03-02T23:00:00Z"), is("2026-03-03T06:00:00Z"));
    assert_eq!(of_berlin("2026-03-03T05:59:59.999Z"), is("2026-03-03T06:00:00Z"));
    assert_eq!(of_berlin("2026-03-03T06:00:00Z"), None);
}

#[test]
fn they_can_lie_within_a_day() {
    let at_noon = |at: &str| until("Europe/Berlin", "12:00", "13:30", at);
    assert_eq!(at_noon("2026-03-02T10:59:59Z"), None);
    assert_eq!(at_noon("2026-03-02T11:00:00Z"), is("2026-03-02T12:30:00Z"));
    assert_eq!(at_noon("2026-03-02T12:30:00Z"), None);
}

#[test]
fn the_same_instant_is_night_for_one_and_day_for_another() {
    let at = "2026-03-03T02:00:00Z";
    assert_eq!(until("Europe/Berlin", "22:00", "06:00", at), is("2026-03-03T05:00:00Z"));
    assert_eq!(until("America/New_York", "22:00", "06:00", at), None);
    assert_eq!(until("Asia/Kolkata", "22:00", "08:00", at), is("2026-03-03T02:30:00Z"));
}

#[test]
fn a_night_with_a_change_of_the_clocks_ends_by_the_clock_on_the_wall() {
    // Berlin goes forward on 2026-03-29 and back on 2026-10-25.
    let night = |at: &str| until("Europe/Berlin", "22:00", "06:00", at);
    assert_eq!(night("2026-03-28T22:00:00Z"), is("2026-03-29T04:00:00Z"));
    assert_eq!(night("2026-10-24T21:00:00Z"), is("2026-10-25T05:00:00Z"));
}

#[test]
fn an_end_that_is_skipped_is_the_instant_of_the_change() {
    // 02:30 does not exist on 2026-03-29; 02:00 in winter is 03:00 in summer.
    let night = |at: &str| until("Europe/Berlin", "22:00", "02:30", at);
    assert_eq!(night("2026-03-29T00:59:59Z"), is("2026-03-29T01:00:00Z"));
    assert_eq!(night("2026-03-29T01:00:00Z"), None);
    // Samoa left out 2011-12-30 altogether: the night of the 29th goes on in the small hours of the 31st.
    let samoa = |to: &str| until("Pacific/Apia", "22:00", to, "2011-12-30T09:00:00Z");
    assert_eq!(samoa("06:00"), is("2011-12-30T16:00:00Z"));
    assert_eq!(samoa("23:30"), is("2011-12-30T09:30:00Z"));
}

#[test]
fn an_end_that_is_repeated_is_its_first_showing() {
    // 02:00 to 03:00 comes twice on 2026-10-25, at 00:00Z and at 01:00Z.
    let night = |at: &str| until("Europe/Berlin", "22:00", "02:30", at);
    assert_eq!(night("2026-10-25T00:10:00Z"), is("2026-10-25T00:30:00Z"));
    assert_eq!(night("2026-10-25T00:30:00Z"), None);
    // The wall clock is before 02:30 again, and the night is over all the same.
    assert_eq!(night("2026-10-25T01:10:00Z"), None);
}

#[test]
fn a_beginning_that_is_repeated_is_its_first_showing_and_a_skipped_one_the_change() {
    let back = |at: &str| until("Europe/Berlin", "02:30", "08:00", at);
    assert_eq!(back("2026-10-25T00:29:59Z"), None);
    assert_eq!(back("2026-10-25T00:30:00Z"), is("2026-10-25T07:00:00Z"));
    assert_eq!(back("2026-10-25T01:10:00Z"), is("2026-10-25T07:00:00Z"));
    assert_eq!(back("2026-03-29T00:59:59Z"), None);
    assert_eq!(back("2026-03-29T01:00:00Z"), is("2026-03-29T06:00:00Z"));
}

#[test]
fn nights_that_meet_where_a_gap_closed_between_them_are_one() {
    // 02:15 and 02:30 are both the instant of the change on that day.
    let day = |at: &str| until("Europe/Berlin", "02:30", "02:15", at);
    assert_eq!(day("2026-03-28T12:00:00Z"), is("2026-03-30T00:15:00Z"));
    assert_eq!(day("2026-03-27T12:00:00Z"), is("2026-03-28T01:15:00Z"));
}

#[test]
fn the_zone_is_the_persons_own_or_that_of_the_team_they_are_in_or_manage() {
    let directory = directory(json!({"rep-bob": {"time_zone": "Asia/Tokyo"}}));
    let zone = |person: &str| time_zone_of(&directory, &person.into());
    assert_eq!(zone("rep-ana"), Some("America/New_York"));
    assert_eq!(zone("mgr-max"), Some("America/New_York"));
    assert_eq!(zone("rep-bob"), Some("Asia/Tokyo"));
    // In no team, not in the directory, in a team whose market works round the clock.
    for nowhere in ["vp-ruth", "rep-nobody", "rep-eva", "mgr-mia"] {
        assert_eq!(zone(nowhere), None, "{nowhere}");
    }
}

#[test]
fn own_hours_win_and_what_is_excepted_does_not_wait() {
    let own = json!({
        "rep-bob": {"quiet_hours": {"from": "12:00", "to": "13:00"}},
        "vp-ruth": {"quiet_hours": {"from": "00:00", "to": "23:59"}},
    });
    let directory = directory(own);
    let quiet = json!({"from": "20:00", "to": "08:00", "except": ["held"]});
    let (noon, night) = ("2026-03-02T17:30:00Z", "2026-03-03T04:00:00Z");
    let told = |quiet: &Value, person: &str, message, at: &str| {
        let mut policy = Policy::parse(include_str!("../../../../infra/policies/default.yaml")).unwrap();
        policy.quiet_hours = serde_json::from_value(quiet.clone()).unwrap();
        let to = Recipient::Person { role: Role::Owner, person: person.into() };
        not_before(&policy, &directory, &to, message, instant(at))
    };
    let morning = Some(instant("2026-03-03T13:00:00Z"));
    assert_eq!(told(&quiet, "rep-ana", Message::SlaWarning, night), morning);
    assert_eq!(told(&quiet, "rep-ana", Message::Held, night), None);
    assert_eq!(told(&quiet, "rep-ana", Message::SlaWarning, noon), None);
    assert_eq!(told(&quiet, "rep-bob", Message::SlaWarning, night), None);
    assert_eq!(told(&quiet, "rep-bob", Message::SlaWarning, noon), Some(instant("2026-03-02T18:00:00Z")));
    // Own hours need no policy's; without a zone there are none.
    assert!(told(&Value::Null, "rep-bob", Message::Held, noon).is_some());
    assert_eq!(told(&quiet, "vp-ruth", Message::HighValue, noon), None);
    assert_eq!(told(&quiet, "rep-nobody", Message::SlaWarning, night), None);
}

#[test]
fn channels_are_told_at_any_hour() {
    let directory = directory(json!({}));
    let mut policy = Policy::parse(include_str!("../../../../infra/policies/default.yaml")).unwrap();
    policy.quiet_hours = serde_json::from_value(json!({"from": "00:00", "to": "23:59"})).unwrap();
    let channel = Recipient::TeamChannel { team: "us-sales".into(), manager: "mgr-max".into() };
    for to in [channel, Recipient::ComplianceDesk, Recipient::OperationsDesk] {
        let at = instant("2026-03-02T17:30:00Z");
        assert_eq!(not_before(&policy, &directory, &to, Message::SlaBreached, at), None);
    }
}

/// The seeded directory with these fields of people; the team of `dach` works round the clock.
fn directory(people: Value) -> Directory {
    let seeded: DirectoryDocument =
        serde_saphyr::from_str(include_str!("../../../../infra/policies/directory.yaml")).unwrap();
    let mut document = serde_json::to_value(&seeded).unwrap();
    document["markets"]["dach"]["calendar"] = json!("always");
    for (id, fields) in people.as_object().unwrap() {
        document["people"][id].as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    }
    Directory::check(serde_json::from_value(document).unwrap()).unwrap()
}
