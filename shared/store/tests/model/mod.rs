//! A small model of the commit, the outbox and the relay, of which every interleaving is explored:
//! inputs that come twice, functions that die anywhere, answers that are lost, transactions that
//! arrive late, reads that are no snapshot.
//!
//! `transaction` has the writes and conditions of the commit as data, `run` is `Store::run`, `steps`
//! are the functions around it (`ingest`, `escalate`, `notify`, `sweep`) and what goes wrong,
//! `properties` is what has to hold. The model would be worth nothing if it were of something else:
//! `variants` takes its safeguards away one by one, and each has to be missed; `code` holds it
//! against the requests that the store sends.
//!
//! What it leaves out: more than one notification a commit, more than three messages for it, a channel
//! that refuses, reps who lose leads, and time but for its order.
//!
//! What it takes for granted: a function is dead before a claim of its ends (the template's time-out),
//! a message that met a claim comes again after it. An outbox item's lease may be shorter than both: then
//! there are two messages for it, as when the queue delivers one twice.

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
fn two_leads_get_on_when_reads_are_no_snapshot() {
    assert_it_holds(&Bundle::of(&[Event, Event]));
}

#[test]
fn one_lead_survives_two_crashes_and_a_hold_between_any_two_steps() {
    for cause in [Event, Wake] {
        assert_it_holds(&Bundle { crashes: 2, may_be_held: true, ..Bundle::of(&[cause]) });
    }
}

#[test]
fn one_lead_survives_a_crash_and_an_answer_that_is_lost_during_a_hold() {
    for cause in [Event, Wake] {
        assert_it_holds(&Bundle { crashes: 1, troubles: 1, may_be_held: true, ..Bundle::of(&[cause]) });
    }
}

#[test]
fn one_lead_survives_three_troubles_without_a_crash() {
    for cause in [Event, Wake] {
        assert_it_holds(&Bundle { troubles: 3, ..Bundle::of(&[cause]) });
    }
}

#[test]
fn no_path_is_endless() {
    for cause in [Event, Wake] {
        let lead = Bundle::of(&[cause]);
        assert_no_path_is_endless(&Bundle { crashes: 2, ..lead.clone() });
        assert_no_path_is_endless(&Bundle { crashes: 1, troubles: 1, ..lead.clone() });
        assert_no_path_is_endless(&Bundle { troubles: 1, may_be_held: true, ..lead });
    }
    let two = Bundle::of(&[Event, Wake]);
    assert_no_path_is_endless(&Bundle { crashes: 1, reads_a_snapshot: true, ..two });
}
