//! The model without one of its safeguards. Each omission causes a violation, unless two safeguards do the
//! same.

use super::explore::{assert_it_holds, explore};
use super::properties::{ALL_DONE, FOLDS, ONCE, ONE_IS_FIRST, ONE_SEND, ROOM, STAYS, TOGETHER, TRUE};
use super::steps::Bundle;
use super::steps::Cause::{Event, Wake};
use super::transaction::Safeguard;

/// Without one of these, a property is violated.
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
    // A rep who gets the lead would also guard it; of two leads, one gets none.
    assert_missed(&Bundle::of(&[Event, Event]), &[Safeguard::DedupeCondition], &[ONCE]);
}

#[test]
fn either_the_lead_or_the_audit_must_guard_against_a_lost_update() {
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
fn without_the_attempts_own_id_two_believe_to_be_first() {
    assert_missed(&Bundle::of(&[Event]), &[Safeguard::AttemptId], &[ONE_IS_FIRST]);
}

#[test]
fn an_outbox_item_written_after_the_commit_can_be_lost() {
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
    let bundle = Bundle { faults: 1, ..Bundle::of(&[Event]) };
    assert_missed(&bundle, &[Safeguard::Claim], &[ONE_SEND]);
}

#[test]
fn without_a_claim_a_withdrawal_races_with_a_send() {
    let bundle = Bundle { faults: 1, may_be_held: true, ..Bundle::of(&[Event]) };
    assert_missed(&bundle, &[Safeguard::ClaimFirst], &[TRUE]);
}

#[test]
fn releasing_the_claim_of_another_lets_a_third_one_send() {
    let bundle = Bundle { faults: 3, ..Bundle::of(&[Event]) };
    assert_missed(&bundle, &[Safeguard::OwnClaim], &[ONE_SEND]);
}

#[test]
fn without_its_condition_a_delivery_is_recorded_twice() {
    let bundle = Bundle { crashes: 1, faults: 1, may_be_held: true, ..Bundle::of(&[Event]) };
    assert_missed(&bundle, &[Safeguard::DeliveryCondition], &[TOGETHER]);
}

#[test]
fn without_the_reps_condition_two_leads_get_the_last_place() {
    assert_missed(&Bundle::of(&[Event, Event]), &[Safeguard::RepCondition], &[ROOM]);
}
