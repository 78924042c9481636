//! The model without one of its safeguards. Each is missed, but where two do the same.

use super::explore::{assert_it_holds, explore};
use super::properties::{ALL_DONE, FOLDS, ONCE, ONE_IS_FIRST, ONE_SEND, ROOM, STAYS, TOGETHER, TRUE};
use super::steps::Bundle;
use super::steps::Cause::{Event, Wake};
use super::transaction::Safeguard;

/// Without these, one of the properties does not hold.
fn assert_missed(bundle: &Bundle, missing: &[Safeguard], broken: &[&str]) {
    let (_, wrong) = explore(&Bundle { missing: missing.to_vec(), ..bundle.clone() });
    let found = wrong.iter().find(|wrong| broken.contains(&wrong.name) && !wrong.trace.is_empty());
    let found = found.unwrap_or_else(|| panic!("nothing shows that {missing:?} is missing"));
    println!("without {missing:?}: {}", found.story());
}

#[test]
fn without_the_dedupe_item_an_event_is_applied_twice() {
    assert_missed(&Bundle::of(&[Event]), &[Safeguard::Dedupe], &[ONCE]);
}

#[test]
fn without_its_condition_reading_the_dedupe_item_is_not_enough() {
    // A rep who gets the lead would guard it, too; of two leads one gets none.
    assert_missed(&Bundle::of(&[Event, Event]), &[Safeguard::DedupeCondition], &[ONCE]);
}

#[test]
fn the_lead_and_the_audit_each_guard_against_a_lost_update_and_one_of_them_has_to() {
    let (version, audit) = (Safeguard::VersionCondition, Safeguard::AuditCondition);
    for cause in [Event, Wake] {
        let bundle = Bundle { crashes: 1, may_be_held: true, ..Bundle::of(&[cause]) };
        assert_missed(&bundle, &[version, audit], &[FOLDS, STAYS]);
        for missing in [version, audit] {
            assert_it_holds(&Bundle { missing: vec![missing], ..bundle.clone() });
        }
    }
}

#[test]
fn without_the_attempts_own_id_two_take_themselves_for_the_first() {
    assert_missed(&Bundle::of(&[Event]), &[Safeguard::AttemptId], &[ONE_IS_FIRST]);
}

#[test]
fn an_outbox_item_that_is_written_after_the_commit_may_never_be() {
    let bundle = Bundle { crashes: 1, ..Bundle::of(&[Event]) };
    assert_missed(&bundle, &[Safeguard::OutboxInTheCommit], &[TOGETHER]);
}

#[test]
fn without_a_due_key_a_crash_before_the_queue_loses_the_notification() {
    let bundle = Bundle { crashes: 1, ..Bundle::of(&[Event]) };
    assert_missed(&bundle, &[Safeguard::DueKey], &[ALL_DONE]);
}

#[test]
fn without_a_claim_two_messages_are_two_sends() {
    let bundle = Bundle { troubles: 1, ..Bundle::of(&[Event]) };
    assert_missed(&bundle, &[Safeguard::Claim], &[ONE_SEND]);
}

#[test]
fn whoever_withdraws_without_a_claim_withdraws_what_another_one_sends() {
    let bundle = Bundle { troubles: 1, may_be_held: true, ..Bundle::of(&[Event]) };
    assert_missed(&bundle, &[Safeguard::ClaimFirst], &[TRUE]);
}

#[test]
fn whoever_gives_back_the_claim_of_another_lets_a_third_one_send() {
    let bundle = Bundle { troubles: 3, ..Bundle::of(&[Event]) };
    assert_missed(&bundle, &[Safeguard::OwnClaim], &[ONE_SEND]);
}

#[test]
fn without_its_condition_a_delivery_is_recorded_twice() {
    let bundle = Bundle { crashes: 1, troubles: 1, may_be_held: true, ..Bundle::of(&[Event]) };
    assert_missed(&bundle, &[Safeguard::DeliveryCondition], &[TOGETHER]);
}

#[test]
fn without_the_reps_condition_two_leads_get_the_one_place_that_is_left() {
    assert_missed(&Bundle::of(&[Event, Event]), &[Safeguard::RepCondition], &[ROOM]);
}
