//! A small model of the commit, the outbox and the relay, which explores every interleaving: duplicate
//! inputs, functions that crash anywhere, lost answers, delayed transactions, reads without a snapshot.
//!
//! `transaction` has the writes and conditions of the commit as data, `run` is `Store::run`, `steps` are the
//! functions around it (`ingest`, `escalate`, `notify`, `sweep`) and the faults, `properties` are the
//! required properties. The model must match the code: `variants` removes each safeguard and expects a
//! violation, and `code` compares the model with the requests that the store sends.
//!
//! It omits several notifications for one commit, more than three messages for one notification, a channel
//! that refuses, reps who lose leads, and time apart from its order.
//!
//! It assumes that a function ends before its claim does (the template's time-out), and that a message
//! delayed by a claim comes after the end of that claim. An outbox item's lease may be shorter than both:
//! then there are two messages, as when the queue delivers one twice.

mod code;
mod explore;
mod properties;
mod run;
mod state;
mod steps;
mod transaction;
mod variants;

use explore::{assert_it_holds, assert_no_path_is_endless};
use steps::Bundle;
use steps::Cause::{Event, Wake};

#[test]
fn two_leads_whose_events_come_twice_survive_any_two_crashes() {
    let bundle = Bundle { crashes: 2, reads_a_snapshot: true, ..Bundle::of(&[Event, Event]) };
    let states = assert_it_holds(&bundle);
    assert!(states > 100_000, "{states} states: the model has become too small to mean anything");
}

#[test]
fn an_event_and_a_threshold_of_two_leads_survive_any_two_crashes() {
    assert_it_holds(&Bundle { crashes: 2, reads_a_snapshot: true, ..Bundle::of(&[Event, Wake]) });
}

#[test]
fn two_leads_survive_reads_without_a_snapshot() {
    assert_it_holds(&Bundle::of(&[Event, Event]));
}

#[test]
fn one_lead_survives_two_crashes_and_a_hold_between_any_two_steps() {
    for cause in [Event, Wake] {
        assert_it_holds(&Bundle { crashes: 2, may_be_held: true, ..Bundle::of(&[cause]) });
    }
}

#[test]
fn one_lead_survives_a_crash_and_a_lost_answer_during_a_hold() {
    for cause in [Event, Wake] {
        assert_it_holds(&Bundle { crashes: 1, faults: 1, may_be_held: true, ..Bundle::of(&[cause]) });
    }
}

#[test]
fn one_lead_survives_three_faults_without_a_crash() {
    for cause in [Event, Wake] {
        assert_it_holds(&Bundle { faults: 3, ..Bundle::of(&[cause]) });
    }
}

#[test]
fn no_path_is_endless() {
    for cause in [Event, Wake] {
        let lead = Bundle::of(&[cause]);
        assert_no_path_is_endless(&Bundle { crashes: 2, ..lead.clone() });
        assert_no_path_is_endless(&Bundle { crashes: 1, faults: 1, ..lead.clone() });
        assert_no_path_is_endless(&Bundle { faults: 1, may_be_held: true, ..lead });
    }
    let two = Bundle::of(&[Event, Wake]);
    assert_no_path_is_endless(&Bundle { crashes: 1, reads_a_snapshot: true, ..two });
}
