//! What has to be so in every history.

mod queues;
mod replay;

pub use replay::Replay;

use insight::simulate::{AnyEntry, Simulation};
use policy::ids::Subject;
use rules::account::{self, Account};
use rules::aggregate::fold;
use rules::entry::Entry;
use rules::lead::{Lead, LeadFact};

/// Checks everything that has to be so in every history.
pub fn check_history(simulation: &Simulation, entries: &[AnyEntry]) {
    check_folds(simulation, entries);
    check_loads(simulation);
    queues::check(simulation);
    let mut replay = Replay::new(simulation.directory());
    for entry in entries {
        check_round_trip(entry);
        replay.follow(entry);
    }
}

/// A lead is erased once, and nothing personal is recorded of it afterwards.
fn check_erasure(history: &[&Entry<LeadFact>]) {
    let is_erasure = |e: &&&Entry<LeadFact>| matches!(e.fact, LeadFact::Erased { .. });
    assert!(history.iter().filter(is_erasure).count() <= 1, "{history:?}");
    let after = history.iter().skip_while(|e| !is_erasure(e));
    for entry in after {
        let json = serde_json::to_value(entry).expect("an entry is JSON");
        assert_eq!(json.pointer("/data/personal"), None, "{json}");
    }
}

/// The audit folds to the leads and accounts; its places have no gap, and it never goes back in time.
pub fn check_folds(simulation: &Simulation, entries: &[AnyEntry]) {
    for (id, lead) in simulation.leads() {
        let of_lead: Vec<&Entry<LeadFact>> = entries
            .iter()
            .filter_map(|e| match e {
                AnyEntry::Lead(entry) if entry.subject == Subject::Lead(id.clone()) => Some(entry),
                _ => None,
            })
            .collect();
        assert!(of_lead.is_sorted_by_key(|e| e.at), "the history of {id} goes back in time");
        assert!(of_lead.iter().zip(1..).all(|(e, n)| e.seq == n), "the history of {id} has a gap");
        assert!(of_lead.is_sorted_by_key(|e| e.commit), "the commits of {id} are out of order");
        check_erasure(&of_lead);
        assert_eq!(fold::<Lead>(of_lead).expect("a history folds").as_ref(), Some(lead));
        let json = serde_json::to_string(lead).expect("a lead is JSON");
        assert_eq!(serde_json::from_str::<Lead>(&json).expect("and back"), *lead);
    }
    for (id, account) in simulation.accounts() {
        let of_account: Vec<_> = entries
            .iter()
            .filter_map(|e| match e {
                AnyEntry::Account(entry) if entry.subject == Subject::Account(id.clone()) => Some(entry),
                _ => None,
            })
            .collect();
        assert!(of_account.is_sorted_by_key(|e| e.at), "the history of {id} goes back in time");
        assert_eq!(fold::<Account>(of_account).expect("a history folds").as_ref(), Some(account));
        let json = serde_json::to_string(account).expect("an account is JSON");
        assert_eq!(serde_json::from_str::<account::Account>(&json).expect("and back"), *account);
    }
}

/// What a rep carries is the number of open leads that they own.
fn check_loads(simulation: &Simulation) {
    for (team, roster) in simulation.rosters() {
        for (rep, standing) in &roster.standings {
            let carried = simulation.leads().values().filter(|l| l.carried_by() == Some(rep)).count();
            assert_eq!(standing.load as usize, carried, "the load of {rep} of {team}");
        }
    }
}

fn check_round_trip(entry: &AnyEntry) {
    let json = serde_json::to_string(entry).expect("an entry is JSON");
    let back = match entry {
        AnyEntry::Lead(_) => AnyEntry::Lead(serde_json::from_str(&json).expect("a lead's entry")),
        AnyEntry::Account(_) => AnyEntry::Account(serde_json::from_str(&json).expect("an account's entry")),
        AnyEntry::Rep(_) => AnyEntry::Rep(serde_json::from_str(&json).expect("a rep's entry")),
    };
    assert_eq!(back, *entry);
    assert_eq!(serde_json::to_string(&back).expect("JSON again"), json);
}
