//! Personal data: nothing is stored in plain text, and no key opens erased texts.

use crate::support::wire::Fault;
use crate::support::*;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use policy::Verdict;
use policy::ids::Subject;
use policy::impact::Scope;
use rules::account::{AccountCommand, AccountInput, Signal};
use rules::entry::Actor;
use rules::lead::{Command, Erasure, ErasureBasis, Input, LeadFact, NamedParty, ReviewDecision};
use rules::outcome::Outcome;
use rules::patch::Patch;
use rules::personal::{Contact, PersonalKind};
use rules::screening::{Criterion, CriterionKind, Match, MatchDetails};
use rules::unread::Unread;
use sealing::DataKey;
use std::collections::BTreeSet;
use store::{PersonalData, Store, StoreError};

/// Planted in every field that can hold personal data.
const NAME: &str = "Zebulon Quist";

fn contact() -> Contact {
    let text = |kind: &str| Some(format!("{NAME} {kind}"));
    let (name, email, phone) = (text("name"), text("email"), text("phone"));
    Contact { name, email, phone, identity: None }.identified()
}

fn found(match_id: &str) -> Match {
    let text = |kind: &str| Some(format!("{NAME} {kind}"));
    Match {
        criterion: Criterion {
            kind: CriterionKind::Sanctions,
            match_id: match_id.to_owned(),
            list: "OFAC-SDN".to_owned(),
            list_version: "1".to_owned(),
            strength: Some(92),
        },
        details: Some(MatchDetails { name: text("listed"), note: text("note"), ..MatchDetails::default() }),
    }
}

/// A lead with a contact.
fn with_contact(id: &str, cause: &str, now: DateTime<Utc>) -> Command {
    event(id, cause, now, |e| {
        e.changes.market = Patch::Set("us".into());
        e.changes.country = Patch::Set("US".into());
        e.contact = Patch::Set(contact());
    })
}

fn erase(id: &str, cause: &str) -> Command {
    let (reference, reason) = ("DSR-2026-17".to_owned(), "asked for by letter".to_owned());
    let input = Input::Erase(Erasure { reference, reason });
    Command { lead: id.into(), actor: Actor::staff("cora"), cause: cause.to_owned(), input }
}

fn decision(id: &str, revision: u64) -> Command {
    let input = Input::Decide(ReviewDecision {
        verdict: Verdict::Clear,
        reason_code: "false-match".to_owned(),
        reason: "born in another year".to_owned(),
        officer: "cora".to_owned(),
        also_known_as: Vec::new(),
        person: None,
        revision,
    });
    Command { lead: id.into(), actor: Actor::staff("cora"), cause: "decision".to_owned(), input }
}

impl Bench {
    /// The key of a subject, while it still exists.
    async fn key(&self, subject: &Subject) -> Option<DataKey> {
        match self.store.personal_data(subject).await.unwrap() {
            PersonalData::Readable { key, .. } => Some(key),
            PersonalData::None | PersonalData::Erased(_) => None,
        }
    }

    async fn personal(&self, id: &str) -> rules::personal::Personal {
        let lead = self.store.lead(&id.into()).await.unwrap().unwrap();
        self.store.personal_of(&lead).await.unwrap()
    }
}

/// All sealed texts in the tables.
fn sealed_texts(dump: &[String]) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let begins = |item: &str| item.split("sealed:v1:").skip(1).map(str::to_owned).collect::<Vec<_>>();
    let text = |rest: String| format!("sealed:v1:{}", rest.split(|c| !is_part(c)).next().unwrap_or_default());
    dump.iter().flat_map(|item| begins(item)).map(text).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_personal_text_is_stored_in_plain_and_erased_texts_stay_closed() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    let (lead, account) = (Subject::Lead("L-1".into()), Subject::Account("A-1".into()));
    // Every input that can carry a name: an arrival, a screening, a refused event, a stale event.
    bench.store.execute(&with_contact("L-1", "e1", now), Some("e1"), now).await.unwrap();
    let stale = with_contact("L-1", "e2", at("13:00"));
    bench.store.execute(&stale, Some("e2"), now).await.unwrap();
    let screened = event("L-1", "e3", now, |e| e.matches = vec![found("m-1")]);
    bench.store.execute(&screened, Some("e3"), now).await.unwrap();
    let mut refused = with_contact("L-1", "e4", now);
    refused.input = Input::RefusedAtDoor {
        field: "/lead/score".to_owned(),
        why: "is not a whole number".to_owned(),
        matches: vec![found("m-2")],
        flagged_by: None,
        named: NamedParty::default(),
    };
    bench.store.execute(&refused, Some("e4"), now).await.unwrap();
    let signal = AccountCommand {
        account: "A-1".into(),
        actor: Actor::source("crm"),
        cause: "s1".to_owned(),
        input: AccountInput::Signal {
            occurred_at: now,
            signal: Signal::StakeholderLeft,
            evidence: Some(format!(r#"{{"left":"{NAME}"}}"#)),
            unread: Unread::default(),
        },
    };
    bench.store.execute_account(&signal, Some("s1"), now).await.unwrap();

    let before = bench.dump().await;
    assert_eq!(before.iter().filter(|item| item.contains("Zebulon") || item.contains("Quist")).count(), 0);
    let (key, of_account) = (bench.key(&lead).await.unwrap(), bench.key(&account).await.unwrap());
    let opened = |key: &DataKey, subject: &Subject| -> BTreeSet<String> {
        let subject = subject.to_string();
        sealed_texts(&before).iter().filter_map(|text| key.open(&subject, text).ok()).collect()
    };
    let planted = ["name", "email", "phone", "listed", "note"].map(|kind| format!("{NAME} {kind}"));
    let identity = format!("name={0} name; email={0} email", NAME.to_lowercase());
    assert_eq!(opened(&key, &lead), planted.into_iter().chain([identity]).collect());
    assert_eq!(opened(&of_account, &account), BTreeSet::from([format!(r#"{{"left":"{NAME}"}}"#)]));
    let personal = bench.personal("L-1").await;
    assert_eq!(personal.contact, Some(contact()));
    assert_eq!(personal.matches["sanctions/OFAC-SDN/m-1"], found("m-1").details.unwrap());

    // While a review is open, the law requires the data.
    let refused = bench.store.execute(&erase("L-1", "x1"), None, now).await.unwrap();
    assert!(matches!(&refused.outcome, Outcome::Conflict { why } if why.contains("open compliance review")));
    assert!(bench.key(&lead).await.is_some());
    let stood = bench.store.lead(&"L-1".into()).await.unwrap().unwrap();
    let revision = stood.review.as_ref().unwrap().revision;
    let decided = bench.store.execute(&decision("L-1", revision), None, now).await.unwrap();
    assert_eq!(decided.outcome, Outcome::Applied);

    let done = bench.store.execute(&erase("L-1", "x2"), None, at("15:00")).await.unwrap();
    assert_eq!(done.outcome, Outcome::Applied);
    let fact = done.entries.iter().find(|entry| matches!(entry.fact, LeadFact::Erased { .. })).unwrap();
    let LeadFact::Erased { basis, reference, kinds, .. } = &fact.fact else { panic!("an erasure") };
    assert_eq!((*basis, reference.as_deref()), (ErasureBasis::Request, Some("DSR-2026-17")));
    assert_eq!(*kinds, BTreeSet::from([PersonalKind::Contact, PersonalKind::Screening]));
    assert_eq!((&fact.actor, fact.at), (&Actor::staff("cora"), at("15:00")));

    // The record still has the sealed texts, but nobody has the key: neither the store, nor a cache, nor the
    // item.
    let after = bench.dump().await;
    assert!(sealed_texts(&after).iter().any(|text| key.open(&lead.to_string(), text).is_ok()));
    let keys: Vec<_> = after.iter().filter(|item| item.starts_with("keys")).collect();
    assert!(!keys.iter().any(|item| item.contains("KEY#lead/L-1")), "{keys:?}");
    assert!(
        keys.iter().any(|item| item.contains("ERASED#lead/L-1") && item.contains("erased_at")),
        "{keys:?}"
    );
    assert!(
        matches!(bench.store.personal_data(&lead).await.unwrap(), PersonalData::Erased(at) if at == self::at("15:00"))
    );
    assert!(bench.personal("L-1").await.is_empty());
    // The decision, its reason and its basis are unchanged.
    let history: Vec<_> =
        bench.history(&lead).await.iter().flat_map(|commit| commit.of_lead().unwrap()).collect();
    let kept = history.iter().find_map(|entry| match &entry.fact {
        LeadFact::ReviewDecided { reason, criteria, .. } => Some((reason.clone(), criteria.len())),
        _ => None,
    });
    assert_eq!(kept, Some(("born in another year".to_owned(), 2)));
    bench.check_fold("L-1").await;
    assert!(bench.key(&account).await.is_some(), "another subject's key is its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_lead_accepts_everything_but_personal_data() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&with_contact("L-1", "e1", now), Some("e1"), now).await.unwrap();
    bench.store.execute(&erase("L-1", "x1"), None, now).await.unwrap();
    bench.wrap.asked();
    let again = event("L-1", "e2", at("14:10"), |e| {
        e.contact = Patch::Set(contact());
        e.changes.score = Patch::Set(91);
        e.matches = vec![found("m-1")];
    });
    let done = bench.store.execute(&again, Some("e2"), at("14:10")).await.unwrap();
    assert_eq!(done.outcome, Outcome::Applied);
    assert_eq!(bench.wrap.asked(), [""; 0], "there is nothing to seal");
    let lead = bench.check_fold("L-1").await;
    assert_eq!(lead.profile.score, Some(91));
    assert!(lead.is_held(), "a match holds an erased lead, too");
    let open = &lead.review.as_ref().unwrap().criteria;
    assert_eq!(open.iter().map(|found| &found.criterion).collect::<Vec<_>>(), [&found("m-1").criterion]);
    assert!(lead.personal.is_empty() && bench.personal("L-1").await.is_empty());
    let last = bench.history(&Subject::Lead("L-1".into())).await.pop().unwrap();
    assert!(!format!("{:?}", last.entries).contains("sealed:"));
    // Nothing is left to erase, and saying so writes nothing.
    let cleared =
        bench.store.execute(&decision("L-1", lead.review.unwrap().revision), None, at("14:11")).await;
    assert_eq!(cleared.unwrap().outcome, Outcome::Applied);
    let repeated = bench.store.execute(&erase("L-1", "x2"), None, at("14:12")).await.unwrap();
    assert_eq!((repeated.outcome, repeated.entries.len()), (Outcome::Unchanged, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_texts_are_sealed_alike_so_that_a_repetition_is_recognized() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&with_contact("L-1", "e1", now), Some("e1"), now).await.unwrap();
    let done =
        bench.store.execute(&with_contact("L-1", "e2", at("14:01")), Some("e2"), at("14:01")).await.unwrap();
    let [entry] = done.entries.as_slice() else { panic!("one fact: {:?}", done.entries) };
    let LeadFact::Updated { personal, confirmed, .. } = &entry.fact else { panic!("{entry:?}") };
    assert!(personal.is_empty() && confirmed.contains(&"contact".to_owned()));
    // The same text of another lead is sealed differently.
    bench.store.execute(&with_contact("L-2", "e3", now), Some("e3"), now).await.unwrap();
    let name = |lead: Option<rules::lead::Lead>| lead.unwrap().personal.contact.unwrap().name.unwrap();
    let (one, other) = (bench.store.lead(&"L-1".into()).await, bench.store.lead(&"L-2".into()).await);
    assert_ne!(name(one.unwrap()), name(other.unwrap()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_key_service_only_personal_data_waits() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&with_contact("L-1", "e1", now), Some("e1"), now).await.unwrap();
    bench.wrap.set_down(true);
    let (items, another) = (bench.dump().await, bench.another_store());
    for id in ["L-1", "L-2"] {
        let error =
            another.execute(&with_contact(id, "e2", at("14:05")), Some("e2"), at("14:05")).await.unwrap_err();
        assert!(matches!(error, StoreError::KeysUnavailable { .. }) && error.is_retryable(), "{error:?}");
    }
    assert_eq!(bench.dump().await, items, "nothing is written");
    bench.wrap.asked();
    another.execute(&score("L-1", "e3", at("14:06"), 40), Some("e3"), at("14:06")).await.unwrap();
    another.execute(&wake("L-1", "w1"), None, at("14:50")).await.unwrap();
    another.execute(&erase("L-1", "x1"), None, at("14:51")).await.unwrap();
    another.execute(&with_contact("L-1", "e4", at("14:52")), Some("e4"), at("14:52")).await.unwrap();
    assert_eq!(bench.wrap.asked(), [""; 0], "an erasure needs no key, nor does anything after it");
    bench.wrap.set_down(false);
    // A request that was answered with 503 comes again.
    another.execute(&with_contact("L-2", "e2", at("14:05")), Some("e2"), at("14:55")).await.unwrap();
    assert_eq!(bench.personal("L-2").await.contact, Some(contact()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_input_that_races_with_an_erasure_loses_its_personal_data() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&with_contact("L-1", "e1", now), Some("e1"), now).await.unwrap();
    let held = bench.wire.hold("TransactWriteItems");
    let store = bench.another_store();
    let late = tokio::spawn(async move {
        let command = event("L-1", "e2", at("14:01"), |e| {
            e.contact =
                Patch::Set(Contact { name: Some("somebody else".to_owned()), ..contact() }.identified());
            e.changes.score = Patch::Set(33);
        });
        store.execute(&command, Some("e2"), at("14:01")).await
    });
    held.arrived().await;
    bench.store.execute(&erase("L-1", "x1"), None, at("14:01")).await.unwrap();
    held.release();
    assert_eq!(late.await.unwrap().unwrap().outcome, Outcome::Applied);
    let lead = bench.check_fold("L-1").await;
    assert!(lead.is_erased() && lead.personal.is_empty());
    assert_eq!(lead.profile.score, Some(33));
    assert!(matches!(
        bench.store.personal_data(&Subject::Lead("L-1".into())).await.unwrap(),
        PersonalData::Erased(_)
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_racing_first_keys_leave_one_key_and_both_texts_readable() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), None, now).await.unwrap();
    let held = [bench.wire.hold("TransactWriteItems"), bench.wire.hold("TransactWriteItems")];
    let races: Vec<_> = (0..2)
        .map(|n| {
            let store = bench.another_store();
            tokio::spawn(async move {
                let command = event("L-1", &format!("r{n}"), at("14:01"), |e| match n {
                    0 => e.contact = Patch::Set(contact()),
                    _ => e.matches = vec![found("m-1")],
                });
                store.execute(&command, Some(&format!("r{n}")), at("14:01")).await.unwrap()
            })
        })
        .collect();
    for held in &held {
        held.arrived().await;
    }
    held.iter().for_each(|held| held.release());
    for race in races {
        assert_eq!(race.await.unwrap().outcome, Outcome::Applied);
    }
    bench.check_fold("L-1").await;
    let personal = bench.personal("L-1").await;
    assert_eq!(personal.contact, Some(contact()));
    assert_eq!(personal.matches["sanctions/OFAC-SDN/m-1"], found("m-1").details.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_with_a_lost_answer_is_written_once() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&with_contact("L-1", "e1", now), Some("e1"), now).await.unwrap();
    bench.wire.fail("TransactWriteItems", Fault::AnswerLost);
    let done = bench.store.execute(&erase("L-1", "x1"), Some("x1"), now).await.unwrap();
    assert_eq!((done.outcome, done.duplicate), (Outcome::Applied, false));
    let history = bench.history(&Subject::Lead("L-1".into())).await;
    let erasures = history.iter().flat_map(|commit| &commit.entries).filter(|e| e["type"] == "lead.erased");
    assert_eq!(erasures.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_table_of_keys_personal_data_is_refused_and_nothing_is_erased() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    let bare = store::Store::new(bench.client.clone(), LEADS, AUDIT);
    let error = bare.execute(&with_contact("L-1", "e1", now), Some("e1"), now).await.unwrap_err();
    assert!(matches!(error, StoreError::Rejected(_)), "{error:?}");
    bare.execute(&arrival("L-1", now, None), None, now).await.unwrap();
    let erased = bare.execute(&erase("L-1", "x1"), None, now).await;
    assert!(matches!(erased, Err(StoreError::ErasureRequired { .. })), "{erased:?}");
    assert!(!bench.check_fold("L-1").await.is_erased());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_in_place_of_another_opens_nothing() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    for id in ["L-1", "L-2"] {
        bench.store.execute(&with_contact(id, &format!("e-{id}"), now), None, now).await.unwrap();
    }
    let get = |id: &str| AttributeValue::S(format!("KEY#lead/{id}"));
    let item = bench.client.get_item().table_name(KEYS).key("pk", get("L-2"));
    let mut item =
        item.key("sk", AttributeValue::S("KEY".into())).send().await.unwrap().item.expect("the key is there");
    item.insert("pk".to_owned(), get("L-1"));
    bench.client.put_item().table_name(KEYS).set_item(Some(item)).send().await.unwrap();
    let lead = bench.store.lead(&"L-1".into()).await.unwrap().unwrap();
    assert!(matches!(bench.store.personal_of(&lead).await, Err(StoreError::Corrupt { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn personal_data_costs_one_key_read_and_at_first_one_write() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&with_contact("L-1", "e1", now), Some("e1"), now).await.unwrap();
    assert_eq!(bench.wrap.asked(), ["generate"]);
    bench.wire.meter();
    let contact = |n: u8| Contact { name: Some(format!("Kim {n}")), ..Contact::default() };
    let says = |cause: &str, n: u8| event("L-1", cause, at("14:01"), |e| e.contact = Patch::Set(contact(n)));
    let company = event("L-1", "e2", at("14:01"), |e| e.changes.company = Patch::Set("Kim".into()));
    let (cold, warm) = (bench.another_store(), &bench.store);
    let mut costs = Vec::new();
    bench.wrap.asked();
    for (store, command) in
        [(warm, company), (warm, says("e3", 1)), (&cold, says("e4", 2)), (&cold, wake("L-1", "w"))]
    {
        store.execute(&command, Some(&command.cause), at("14:01")).await.unwrap();
        let units = bench.units();
        println!("{}: {units:?}, keys: {:?}", command.cause, bench.wrap.asked());
        costs.push(units);
    }
    let read = |n: usize| costs[n].iter().find(|(operation, _)| operation == "BatchGetItem").unwrap().1;
    let written =
        |n: usize| costs[n].iter().find(|(operation, _)| operation == "TransactWriteItems").unwrap().1;
    assert_eq!(read(1), read(0) + 1.0);
    assert_eq!(written(1), written(0), "the key that stands is not written, nor checked");
    assert_eq!(costs[1].len(), 2, "the key is read with all else");
    assert_eq!(read(3), read(0), "a wake reads no key");
    for (id, cause, personal) in [("L-2", "e5", false), ("L-3", "e6", true)] {
        let command = if personal { with_contact(id, cause, now) } else { arrival(id, now, None) };
        bench.store.execute(&command, Some(cause), now).await.unwrap();
        println!("new, personal: {personal}: {:?}", bench.units());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publication_finds_closed_leads_with_personal_data() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    for (id, state) in [("L-1", "WON"), ("L-2", "WON"), ("L-3", "NEW"), ("L-4", "WON")] {
        // One has no market, and is in no market index.
        let command = event(id, &format!("e-{id}"), now, |e| {
            e.state = Some(state.into());
            e.contact = Patch::Set(contact());
            e.changes.market = if id == "L-4" { Patch::Keep } else { Patch::Set("us".into()) };
        });
        bench.store.execute(&command, None, now).await.unwrap();
    }
    bench.store.execute(&erase("L-2", "x1"), None, now).await.unwrap();
    let page = bench.store.leads_in_scope(&Scope::Closed, 10, None).await.unwrap();
    let found: BTreeSet<String> = page.items.iter().map(ToString::to_string).collect();
    assert_eq!(found, BTreeSet::from(["L-1".to_owned(), "L-4".to_owned()]));
}

#[tokio::test]
async fn a_function_that_may_not_destroy_keys_leaves_the_erasure_to_one_that_may() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&with_contact("L-1", "e1", now), None, now).await.unwrap();
    let before = bench.dump().await;
    let writer = bench.store.clone().with_keys(KEYS, bench.wrap.clone());
    for store in [writer, Store::new(bench.client.clone(), LEADS, AUDIT)] {
        let refused = store.execute(&erase("L-1", "x1"), None, at("15:00")).await;
        assert!(matches!(refused, Err(StoreError::ErasureRequired { .. })), "{refused:?}");
        assert_eq!(bench.dump().await, before, "nothing is written");
    }
    let done = bench.store.execute(&erase("L-1", "x1"), None, at("15:00")).await.unwrap();
    assert_eq!(done.outcome, Outcome::Applied);
}
