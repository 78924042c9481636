//! The same id with other content is not a repetition: it is refused and recorded, and its matches count.

use crate::support::*;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use futures::future::join_all;
use policy::Verdict;
use policy::ids::{AccountId, PersonId, Subject};
use rules::account::{AccountChanges, AccountCommand, AccountInput, Signal};
use rules::entry::Actor;
use rules::lead::{Command, Erasure, Input, Lead, LeadEvent, LeadFact, NamedParty, ReviewDecision};
use rules::outcome::Outcome;
use rules::patch::Patch;
use rules::personal::Contact;
use rules::roster::Availability;
use rules::screening::{Criterion, CriterionKind, Match, MatchDetails};
use rules::unread::Unread;
use store::Committed;

fn found(match_id: &str, note: &str) -> Match {
    Match {
        criterion: Criterion {
            kind: CriterionKind::Sanctions,
            match_id: match_id.to_owned(),
            list: "OFAC-SDN".to_owned(),
            list_version: "1".to_owned(),
            strength: Some(92),
        },
        details: Some(MatchDetails { note: Some(note.to_owned()), ..MatchDetails::default() }),
    }
}

fn with_contact(cause: &str, now: DateTime<Utc>, name: &str) -> Command {
    event("L-1", cause, now, |e| {
        e.contact = Patch::Set(Contact { name: Some(name.to_owned()), ..Contact::default() });
    })
}

/// The number of refusals in the lead's record because of a reused id.
fn refusals(done: &[Committed<Lead>]) -> usize {
    let entries = done.iter().flat_map(|done| &done.entries);
    entries.filter(|entry| matches!(&entry.fact, LeadFact::InputRefused { what, .. } if what == "id")).count()
}

fn is_reused(done: &Committed<Lead>) -> bool {
    matches!(done.outcome, Outcome::Reused { .. }) && !done.duplicate
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_content_under_a_used_id_is_refused_and_recorded_once_for_each() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), Some("a"), now).await.unwrap();
    bench.store.execute(&score("L-1", "k", now, 10), Some("k"), now).await.unwrap();
    let mut done = Vec::new();
    for said in [20, 20, 30, 20] {
        done.push(bench.store.execute(&score("L-1", "k", now, said), Some("k"), at("14:05")).await.unwrap());
    }
    assert!(done.iter().all(is_reused), "{done:?}");
    assert_eq!(refusals(&done), 2, "once for each other content");
    let lead = bench.check_fold("L-1").await;
    assert_eq!(lead.profile.score, Some(10));
    let first = bench.store.execute(&score("L-1", "k", now, 10), Some("k"), at("14:09")).await.unwrap();
    assert_eq!((first.outcome, first.duplicate), (Outcome::Applied, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_match_under_a_used_id_holds_the_lead_that_the_event_names() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    for lead in ["L-1", "L-2"] {
        bench.store.execute(&arrival(lead, now, Some("rep-ana")), Some(lead), now).await.unwrap();
    }
    bench.store.execute(&score("L-1", "k", now, 10), Some("k"), now).await.unwrap();
    let flagged = |lead: &str| {
        event(lead, "k", now, |e| {
            e.matches = vec![found("ofac-9", "Another person")];
            e.flagged_by = Some("cleo".to_owned());
        })
    };
    for lead in ["L-1", "L-2", "L-404"] {
        let done = bench.store.execute(&flagged(lead), Some("k"), at("14:05")).await.unwrap();
        assert!(!done.notifications.is_empty(), "{lead}: compliance is told");
        let lead = bench.check_fold(lead).await;
        assert!(lead.is_held(), "{lead:?}");
        assert_eq!(lead.review.unwrap().flagged_by, ["cleo"]);
    }
    let again = bench.store.execute(&flagged("L-1"), Some("k"), at("14:06")).await.unwrap();
    assert!(is_reused(&again) && again.entries.is_empty() && again.notifications.is_empty());
    // Only the personal data of the match differs.
    let noted = event("L-1", "k", now, |e| e.matches = vec![found("ofac-9", "A third person")]);
    for (at, is_recorded) in [("14:07", true), ("14:08", false)] {
        let done = bench.store.execute(&noted, Some("k"), self::at(at)).await.unwrap();
        assert!(is_reused(&done), "{done:?}");
        assert_eq!(refusals(std::slice::from_ref(&done)) == 1, is_recorded, "{done:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_racing_contents_under_one_id_the_second_is_refused() {
    for round in 0..6 {
        let bench = Bench::seeded().await;
        let now = at("14:00");
        bench.store.execute(&arrival("L-1", now, Some("rep-ana")), Some("a"), now).await.unwrap();
        let races = [10, 20].map(|said| {
            let store = bench.another_store();
            tokio::spawn(async move {
                store.execute(&score("L-1", "k", now, said), Some("k"), now).await.unwrap()
            })
        });
        let done: Vec<Committed<Lead>> = join_all(races).await.into_iter().map(Result::unwrap).collect();
        let first: Vec<_> = done.iter().filter(|done| done.outcome == Outcome::Applied).collect();
        assert_eq!(
            (first.len(), done.iter().filter(|done| is_reused(done)).count()),
            (1, 1),
            "{round}: {done:?}"
        );
        assert_eq!(refusals(&done), 1);
        bench.check_fold("L-1").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn personal_data_is_compared_by_its_seal_and_cannot_be_guessed() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), Some("a"), now).await.unwrap();
    bench.store.execute(&with_contact("k", now, "Kim"), Some("k"), now).await.unwrap();
    let again = bench.store.execute(&with_contact("k", now, "Kim"), Some("k"), at("14:01")).await.unwrap();
    assert_eq!((again.outcome, again.duplicate), (Outcome::Applied, true));
    let other = bench.store.execute(&with_contact("k", now, "Robin"), Some("k"), at("14:02")).await.unwrap();
    assert!(is_reused(&other), "{other:?}");
    // The digest without personal data is the same for every contact.
    let asked =
        |item: std::collections::HashMap<String, AttributeValue>| item["asked"].as_s().unwrap().clone();
    bench.store.execute(&with_contact("j", now, "Robin"), Some("j"), at("14:03")).await.unwrap();
    let items = [bench.raw("SEEN#k", "SEEN").await.unwrap(), bench.raw("SEEN#j", "SEEN").await.unwrap()];
    let [one, two] = items.map(asked);
    assert_eq!(one, two);

    let (reference, reason) = ("DSR-1".to_owned(), "asked for".to_owned());
    let input = Input::Erase(Erasure { reference, reason });
    let erase = Command { lead: "L-1".into(), actor: Actor::staff("cora"), cause: "x".to_owned(), input };
    bench.store.execute(&erase, None, at("14:04")).await.unwrap();
    let again = bench.store.execute(&with_contact("k", now, "Kim"), Some("k"), at("14:05")).await.unwrap();
    assert!(again.duplicate, "a repetition stays one after the erasure");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dedupe_item_of_an_earlier_version_answers_as_before() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), Some("a"), now).await.unwrap();
    bench.store.execute(&with_contact("k", now, "Kim"), Some("k"), now).await.unwrap();
    let mut item = bench.raw("SEEN#k", "SEEN").await.unwrap();
    item.retain(|name, _| !name.starts_with("asked"));
    bench.client.put_item().table_name(LEADS).set_item(Some(item)).send().await.unwrap();
    let done = bench.store.execute(&with_contact("k", now, "Robin"), Some("k"), at("14:01")).await.unwrap();
    assert_eq!((done.outcome, done.duplicate), (Outcome::Applied, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_flag_is_a_repetition_and_a_flag_with_other_content_is_not() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), Some("a"), now).await.unwrap();
    let flag = |kind: CriterionKind, note: &str, now: DateTime<Utc>| {
        let mut found = found("manual-key", note);
        found.criterion.kind = kind;
        found.criterion.list_version = now.to_rfc3339();
        let event = LeadEvent { matches: vec![found], ..LeadEvent::at(now) };
        let input = Input::Event(Box::new(event));
        Command { lead: "L-1".into(), actor: Actor::staff("ana"), cause: "flag".to_owned(), input }
    };
    let ask = async |flag: Command, now| bench.store.execute(&flag, Some("flag"), now).await.unwrap();
    ask(flag(CriterionKind::Pep, "A mayor", now), now).await;
    let again = ask(flag(CriterionKind::Pep, "A mayor", at("15:00")), at("15:00")).await;
    assert!(again.duplicate, "{again:?}");
    let noted = ask(flag(CriterionKind::Pep, "A minister", at("15:01")), at("15:01")).await;
    assert!(is_reused(&noted), "{noted:?}");
    let other = ask(flag(CriterionKind::Sanctions, "A mayor", at("15:02")), at("15:02")).await;
    assert!(is_reused(&other), "{other:?}");
    let kinds: Vec<_> =
        bench.check_fold("L-1").await.review.unwrap().criteria.iter().map(|c| c.criterion.kind).collect();
    let counted = [CriterionKind::Pep, CriterionKind::Pep, CriterionKind::Sanctions];
    assert_eq!(kinds, counted, "what is said under a used key counts all the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reversed_decision_under_the_same_key_is_refused() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    let flagged = event("L-1", "a", now, |e| {
        e.changes.market = Patch::Set("us".into());
        e.matches = vec![found("ofac-9", "Somebody")];
    });
    let revision =
        bench.store.execute(&flagged, Some("a"), now).await.unwrap().state.unwrap().review.unwrap().revision;
    let decide = |verdict: Verdict, also: &str| {
        let input = Input::Decide(ReviewDecision {
            verdict,
            reason_code: "false-match".to_owned(),
            reason: "born in another year".to_owned(),
            officer: "cora".to_owned(),
            also_known_as: vec![also.to_owned()],
            person: None,
            revision,
        });
        Command { lead: "L-1".into(), actor: Actor::staff("cora"), cause: "d".to_owned(), input }
    };
    let ask = async |decision: Command| bench.store.execute(&decision, Some("d"), at("14:10")).await.unwrap();
    assert_eq!(ask(decide(Verdict::Clear, "cora@a.test")).await.outcome, Outcome::Applied);
    // A later change of the directory does not change the officer's decision.
    assert!(ask(decide(Verdict::Clear, "cora@b.test")).await.duplicate);
    assert!(is_reused(&ask(decide(Verdict::Reject, "cora@a.test")).await));
    assert!(!bench.check_fold("L-1").await.is_disqualified());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_other_write_under_a_used_id_is_refused_too() {
    let bench = Bench::seeded().await;
    let (now, ana, actor) = (at("14:00"), PersonId::from("rep-ana"), Actor::staff("ops"));
    let set = async |available, until: &str, now| {
        let availability = Availability { available, until: Some(at(until)) };
        bench.set_availability(&ana, &availability, &actor, ("c", Some("k1")), now).await
    };
    let first = set(false, "18:00", now).await.unwrap();
    assert_eq!(
        set(false, "18:00", at("19:00")).await.unwrap(),
        first,
        "over by now, and still the first answer"
    );
    let other = set(true, "18:00", now).await;
    assert!(matches!(other, Err(Outcome::Reused { .. })), "{other:?}");
    let past = Availability { available: false, until: Some(at("13:00")) };
    let refused = bench.set_availability(&ana, &past, &actor, ("c", None), now).await;
    assert!(matches!(refused, Err(Outcome::Invalid { .. })), "{refused:?}");

    let account = |input| AccountCommand {
        account: AccountId::from("A-1"),
        actor: Actor::source("crm"),
        cause: "e".to_owned(),
        input,
    };
    let signal = |evidence: &str| {
        account(AccountInput::Signal {
            occurred_at: now,
            signal: Signal::UsageDown,
            evidence: Some(evidence.to_owned()),
            unread: Unread::default(),
        })
    };
    let ask = async |command| bench.store.execute_account(&command, Some("e"), now).await.unwrap();
    ask(signal("1")).await;
    assert!(ask(signal("1")).await.duplicate);
    let refused = ask(signal("2")).await;
    assert!(matches!(refused.outcome, Outcome::Reused { .. }) && refused.entries.len() == 1, "{refused:?}");
    let changes = AccountChanges { name: Patch::Set("Acme".into()), ..AccountChanges::default() };
    let renamed =
        ask(account(AccountInput::Update { occurred_at: now, changes, unread: Unread::default() })).await;
    assert!(matches!(renamed.outcome, Outcome::Reused { .. }), "{renamed:?}");
    assert_eq!(renamed.state.unwrap().name, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_input_without_effect_uses_up_its_id() {
    let bench = Bench::seeded().await;
    let (now, ana, actor) = (at("14:00"), PersonId::from("rep-ana"), Actor::staff("ops"));
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), Some("a"), now).await.unwrap();
    bench.store.execute(&score("L-1", "k", now, 10), Some("k"), now).await.unwrap();
    let again =
        async |said| bench.store.execute(&score("L-1", "n", now, said), Some("n"), now).await.unwrap();
    let first = again(10).await;
    assert!(first.entries.is_empty() && !first.duplicate, "{first:?}");
    let repeated = again(10).await;
    assert_eq!((repeated.outcome, repeated.duplicate), (first.outcome, true));
    assert!(is_reused(&again(20).await));
    assert_eq!(bench.check_fold("L-1").await.profile.score, Some(10));

    let set = async |available, key| {
        let availability = Availability { available, until: None };
        bench.set_availability(&ana, &availability, &actor, ("c", Some(key)), now).await
    };
    set(true, "k1").await.unwrap();
    let so_already = set(true, "k2").await.unwrap();
    let away = set(false, "k3").await.unwrap();
    assert_ne!(so_already, away);
    assert_eq!(set(true, "k2").await.unwrap(), away, "a late repetition changes nothing");
    let other = set(false, "k2").await;
    assert!(matches!(other, Err(Outcome::Reused { .. })), "{other:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_refused_again_with_other_matches_counts_again() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), Some("a"), now).await.unwrap();
    let refused = |why: &str, matches| {
        let (field, why) = ("/lead/score".to_owned(), why.to_owned());
        let input =
            Input::RefusedAtDoor { field, why, matches, flagged_by: None, named: NamedParty::default() };
        Command { lead: "L-1".into(), actor: Actor::source("crm"), cause: "k#refused".to_owned(), input }
    };
    let ask = async |command: Command| {
        let key = store::key_by_content(&command).unwrap();
        bench.store.execute(&command, Some(&key), now).await.unwrap()
    };
    assert!(!ask(refused("must be a number", Vec::new())).await.duplicate);
    assert!(ask(refused("must be a number", Vec::new())).await.duplicate);
    let held = ask(refused("must be a number", vec![found("ofac-9", "Somebody")])).await;
    assert!(!held.duplicate && held.state.unwrap().is_held());
    let history = bench.history(&Subject::Lead("L-1".into())).await;
    assert_eq!(history.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_event_is_recognized_after_the_sources_rights_changed() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), Some("a"), now).await.unwrap();
    let said = |score: u16, may_write_contact: bool| {
        let whole = event("L-1", "k", now, |e| {
            e.changes.score = Patch::Set(score);
            e.contact = Patch::Set(Contact { name: Some("Kim".to_owned()), ..Contact::default() });
        });
        let content = store::content_of(&whole).unwrap();
        let mut limited = whole;
        if let Input::Event(event) = &mut limited.input {
            event.said = Some(content);
            if !may_write_contact {
                event.contact = Patch::Keep;
            }
        }
        limited
    };
    let ask = async |command: Command| bench.store.execute(&command, Some("k"), at("14:01")).await.unwrap();
    assert_eq!(ask(said(10, true)).await.outcome, Outcome::Applied);
    assert!(ask(said(10, false)).await.duplicate);
    assert!(is_reused(&ask(said(11, false)).await));
}
