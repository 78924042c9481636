//! Lists through the indexes, and the due index: its contents, how keys move, and how a sweep reads it.

use crate::support::wire::Fault;
use crate::support::*;
use chrono::TimeDelta;
use policy::ids::{LeadId, Source, Subject};
use policy::impact::{Scope, Sources};
use rules::lead::{Command, Erasure, Input, Lead, LeadEvent, Resolution, ResolutionAction};
use rules::patch::Patch;
use rules::screening::{Criterion, CriterionKind, Match};
use std::collections::BTreeSet;
use store::{DueItem, DueSubject, FIRST_LEASE};

fn sanctioned(id: &str) -> Match {
    let criterion = Criterion {
        kind: CriterionKind::Sanctions,
        match_id: id.to_owned(),
        list: "OFAC".to_owned(),
        list_version: "1".to_owned(),
        strength: None,
    };
    Match { criterion, details: None }
}

fn ids(leads: &[Lead]) -> Vec<&str> {
    leads.iter().map(|lead| lead.id.as_str()).collect()
}

/// Leads of one account: every third without a market, the others with one owner.
async fn many(bench: &Bench, count: usize) {
    for n in 0..count {
        let now = at("08:00") + TimeDelta::seconds(n as i64);
        let command = event(&format!("L-{n:03}"), &format!("evt-{n}"), now, |e| {
            e.changes.account_id = Patch::Set("A-1".into());
            if n % 3 > 0 {
                e.changes.market = Patch::Set("us".into());
                e.owner = Patch::Set("mgr-max".into());
            }
            if n % 2 == 0 {
                e.matches = vec![sanctioned(&format!("m-{n}"))];
            }
        });
        bench.store.execute(&command, None, now).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_list_is_paged_through_without_a_lead_missed_or_seen_twice() {
    let bench = Bench::seeded().await;
    many(&bench, 27).await;
    let store = &bench.store;
    for limit in [1, 4, 9, 100] {
        let by_account =
            all(|c| async move { store.leads_by_account(&"A-1".into(), limit, c.as_ref()).await }).await;
        let everybody: Vec<String> = (0..27).map(|n| format!("L-{n:03}")).collect();
        assert_eq!(ids(&by_account), everybody);

        let with_market: Vec<&String> =
            everybody.iter().enumerate().filter(|(n, _)| n % 3 > 0).map(|x| x.1).collect();
        let by_market =
            all(|c| async move { store.leads_by_market(&"us".into(), limit, c.as_ref()).await }).await;
        assert_eq!(ids(&by_market), with_market);
        let unheld: Vec<&String> = with_market.into_iter().filter(|id| !even(id)).collect();
        let by_owner =
            all(|c| async move { store.leads_by_owner(&"mgr-max".into(), limit, c.as_ref()).await }).await;
        assert_eq!(ids(&by_owner), unheld, "a held lead was not given to its would-be owner");

        let held = all(|c| async move { store.compliance_reviews(limit, c.as_ref()).await }).await;
        assert_eq!(ids(&held), everybody.iter().filter(|id| even(id)).collect::<Vec<_>>());
        assert!(held.is_sorted_by_key(|lead| lead.review.as_ref().unwrap().opened_at), "the oldest first");
        let operations = all(|c| async move { store.operations_reviews(limit, c.as_ref()).await }).await;
        assert_eq!(operations.len(), 9);
        assert!(operations.is_sorted_by_key(|lead| lead.operations.as_ref().unwrap().since));
    }
}

fn even(id: &str) -> bool {
    id.trim_start_matches("L-").parse::<u32>().unwrap() % 2 == 0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unprocessed_keys_are_read_again() {
    let bench = Bench::seeded().await;
    many(&bench, 5).await;
    for _ in 0..3 {
        bench.wire.fail("BatchGetItem", Fault::LeftOver);
    }
    let page = bench.store.leads_by_account(&"A-1".into(), 10, None).await.unwrap();
    assert_eq!(page.items.len(), 5);
    bench.wire.fail("BatchGetItem", Fault::LeftOver);
    let now = at("09:00");
    bench.store.execute(&score("L-001", "s", now, 50), None, now).await.unwrap();
    assert_eq!(bench.check_fold("L-001").await.profile.score, Some(50));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handled_lead_leaves_the_queues() {
    let bench = Bench::seeded().await;
    let now = at("08:00");
    bench.store.execute(&event("L-1", "a", now, |_| {}), None, now).await.unwrap();
    assert_eq!(bench.store.operations_reviews(10, None).await.unwrap().items.len(), 1);
    let mut command = wake("L-1", "resolution");
    command.input = Input::Resolve(Resolution {
        action: ResolutionAction::SetMarket { market: "us".into() },
        note: "told by phone".to_owned(),
        seen: None,
    });
    bench.store.execute(&command, None, now).await.unwrap();
    assert_eq!(bench.store.operations_reviews(10, None).await.unwrap().items, []);
    let raw = bench.raw_lead("L-1").await;
    assert!(!raw.contains_key("operations_queue") && !raw.contains_key("operations_since"));
    assert!(raw.contains_key("market_key") && raw.contains_key("owner_key"));
}

/// The leads, accounts and notifications that fall due.
async fn due(bench: &Bench, after: Option<&str>, until: &str) -> Vec<DueItem> {
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let page = bench.store.due(after.map(at), at(until), cursor.as_ref()).await.unwrap();
        // Reps with a free place have their own test.
        items.extend(page.items.into_iter().filter(|item| !matches!(item.subject, DueSubject::Rep(_))));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return items,
        }
    }
}

fn wake_key(
    raw: &std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>,
) -> Option<String> {
    raw.get("wake_at").map(|v| v.as_s().unwrap().clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_due_index_holds_only_items_with_a_timer() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), None, now).await.unwrap();
    bench.store.execute(&arrival("L-2", now, Some("rep-ana")), None, now).await.unwrap();
    let won = event("L-2", "won", now, |e| e.state = Some("WON".into()));
    bench.store.execute(&won, None, now).await.unwrap();
    let raw = bench.raw_lead("L-2").await;
    assert!(!raw.contains_key("due_shard") && !raw.contains_key("wake_at"));
    let found = due(&bench, None, "23:00").await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].subject, DueSubject::Lead("L-1".into()));
    assert_eq!((found[0].wake_at, found[0].handed_at), (at("14:48"), None));
    assert_eq!(due(&bench, Some("14:47:59"), "14:48").await.len(), 1, "up to and with the end");
    assert_eq!(due(&bench, Some("14:48"), "23:00").await.len(), 0, "after the beginning");
    assert_eq!(due(&bench, None, "14:47").await.len(), 0);
    assert_eq!(due(&bench, Some("15:00"), "14:00").await.len(), 0, "an empty range is empty");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_due_key_stays_when_the_next_time_is_later_and_moves_when_it_is_earlier_or_past() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), None, now).await.unwrap();
    let key = async || wake_key(&bench.raw_lead("L-1").await);
    assert_eq!(key().await.unwrap(), "2026-03-02T14:48:00.000Z");

    // Later (a window of 24 hours instead of one): the key stays, and the caller gets the new time.
    let contacted = event("L-1", "e", at("14:10"), |e| e.state = Some("CONTACTED".into()));
    let executed = bench.store.execute(&contacted, None, at("14:10")).await.unwrap();
    let next = executed.wake_at.unwrap();
    assert!(next > at("23:00"));
    assert_eq!(key().await.unwrap(), "2026-03-02T14:48:00.000Z");

    // The wake has nothing to do, and rearms.
    let woken = bench.store.execute(&wake("L-1", "w"), None, at("14:48")).await.unwrap();
    assert_eq!((woken.entries.len(), woken.wake_at), (0, Some(next)));
    let (subject, commit) = (Subject::Lead("L-1".into()), woken.state.unwrap().commit);
    assert!(
        !bench.store.rearm(&subject, commit - 1, woken.wake_at).await.unwrap(),
        "somebody committed since"
    );
    assert_eq!(key().await.unwrap(), "2026-03-02T14:48:00.000Z");
    assert!(bench.store.rearm(&subject, commit, woken.wake_at).await.unwrap());
    assert_eq!(key().await.unwrap(), "2026-03-03T09:22:00.000Z");
    assert_eq!(bench.check_fold("L-1").await.commit, commit, "re-arming is no commit");

    // Earlier: the key moves at once.
    let back = event("L-1", "e2", at("15:00"), |e| e.state = Some("NEW".into()));
    bench.store.execute(&back, None, at("15:00")).await.unwrap();
    assert_eq!(key().await.unwrap(), "2026-03-02T15:48:00.000Z");

    // In the past: the key moves although the next time is later.
    bench.store.execute(&wake("L-1", "w2"), None, at("15:48")).await.unwrap();
    assert_eq!(key().await.unwrap(), "2026-03-02T16:00:00.000Z");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overdue_item_is_marked_only_if_its_due_key_is_unchanged() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), None, now).await.unwrap();
    let seen = due(&bench, None, "15:00").await.remove(0);
    assert!(bench.store.mark_handed(&seen, at("14:50")).await.unwrap());
    assert_eq!(due(&bench, None, "15:00").await[0].handed_at, Some(at("14:50")));
    // A commit that leaves the key leaves the mark too.
    bench.store.execute(&score("L-1", "s", at("14:10"), 10), None, at("14:10")).await.unwrap();
    assert_eq!(due(&bench, None, "15:00").await[0].handed_at, Some(at("14:50")));
    // A commit that moves the key removes the mark.
    bench.store.execute(&wake("L-1", "w"), None, at("14:51")).await.unwrap();
    let moved = due(&bench, None, "16:00").await;
    assert!(moved.contains(&DueItem {
        subject: DueSubject::Lead("L-1".into()),
        wake_at: at("15:00"),
        handed_at: None
    }));
    assert!(!bench.store.mark_handed(&seen, at("14:52")).await.unwrap());
    let gone = DueItem { subject: DueSubject::Lead("L-404".into()), ..seen };
    assert!(!bench.store.mark_handed(&gone, at("14:52")).await.unwrap());
    assert_eq!(bench.store.lead(&LeadId::from("L-404")).await.unwrap(), None, "a mark makes no item");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unclaimed_notification_falls_due() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), None, now).await.unwrap();
    let told = bench.store.execute(&score("L-1", "s", now, 90), None, now).await.unwrap();
    let found = due(&bench, None, "14:15").await;
    let expected: BTreeSet<_> = told.notifications.into_iter().map(|n| DueSubject::Outbox(n.id)).collect();
    assert_eq!(found.iter().map(|i| i.subject.clone()).collect::<BTreeSet<_>>(), expected);
    assert!(found.iter().all(|i| i.wake_at == now + FIRST_LEASE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notification_falls_due_at_the_end_of_quiet_hours() {
    let bench = Bench::seeded().await;
    let (quiet, at_home) = (
        "name: Tests\nquiet_hours: { from: '20:00', to: '08:00' }",
        "email: ana@example.test, time_zone: UTC",
    );
    let policy = policy::Policy::parse(&POLICY.replace("name: Tests", quiet)).unwrap();
    let directory = directory(&DIRECTORY.replace("email: ana@example.test", at_home));
    bench.publish_directory(directory.document(), at("00:00")).await.unwrap();
    bench.publish(&policy, at("00:00"), None).await.unwrap();
    // The queue delays a notification as long as it can; the sweep gets it only if the message was lost.
    for (lead, now, left_to_the_sweep, due_at) in
        [("L-1", "07:40", true, "08:00"), ("L-2", "07:45", false, "08:01"), ("L-3", "08:00", false, "08:01")]
    {
        let now = at(now);
        bench.store.execute(&arrival(lead, now, Some("rep-ana")), None, now).await.unwrap();
        let told = bench.store.execute(&score(lead, lead, now, 90), None, now).await.unwrap();
        let told: Vec<_> = told.notifications.iter().filter(|n| n.id.as_str().contains(lead)).collect();
        let owners = told.first().expect("the owner is to be told");
        assert_eq!(owners.not_before, (now < at("08:00")).then(|| at("08:00")), "{lead}");
        assert_eq!(owners.is_left_to_the_sweep(now), left_to_the_sweep, "{lead}");
        let item = bench.store.outbox(&owners.id).await.unwrap().expect("it is in the outbox");
        assert_eq!(item.wake_at, Some(at(due_at)), "{lead}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_at_one_time_is_read_page_by_page() {
    let bench = Bench::seeded().await;
    let count = 900;
    for n in 0..count {
        let item =
            |name: &str, text: String| (name.to_owned(), aws_sdk_dynamodb::types::AttributeValue::S(text));
        // Two shards have more than one page.
        let item = [
            item("pk", format!("LEAD#L-{n}")),
            item("sk", "LEAD".to_owned()),
            item("due_shard", format!("DUE#{}", n % 3)),
            item("wake_at", "2026-03-02T09:00:00.000Z".to_owned()),
        ];
        bench.client.put_item().table_name(LEADS).set_item(Some(item.into())).send().await.unwrap();
    }
    let first = bench.store.due(None, at("10:00"), None).await.unwrap();
    assert_eq!(first.items.len(), 300);
    assert!(first.complete_until < at("09:00"), "more can come of that instant");
    let found = due(&bench, None, "10:00").await;
    assert_eq!(found.len(), count);
    assert_eq!(found.iter().map(|i| &i.subject).collect::<BTreeSet<_>>().len(), count);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_sweeps_only_one_moves_the_cursor() {
    let bench = Bench::seeded().await;
    let store = &bench.store;
    assert_eq!(store.sweep_cursor().await.unwrap(), None);
    assert!(store.advance_sweep_cursor(None, at("14:00")).await.unwrap());
    assert!(!store.advance_sweep_cursor(None, at("15:00")).await.unwrap());
    assert!(store.advance_sweep_cursor(Some(at("14:00")), at("14:01")).await.unwrap());
    assert!(!store.advance_sweep_cursor(Some(at("14:00")), at("14:02")).await.unwrap());
    assert_eq!(store.sweep_cursor().await.unwrap(), Some(at("14:01")));
}

/// A sweep looks up to a whole millisecond: a later time must not count as sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cursor_stays_within_what_the_sweep_looked_at() {
    let bench = Bench::seeded().await;
    let until = at("14:00") + TimeDelta::microseconds(500);
    let looked = bench.store.due(None, until, None).await.unwrap();
    assert!(bench.store.advance_sweep_cursor(None, looked.complete_until).await.unwrap());
    assert_eq!(bench.store.sweep_cursor().await.unwrap(), Some(at("14:00")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_policy_moves_due_keys_either_way() {
    let bench = Bench::seeded().await;
    let now = at("14:00");
    bench.store.execute(&arrival("L-1", now, Some("rep-ana")), None, now).await.unwrap();
    for (window, due) in [("30m", "14:24"), ("2h", "15:36")] {
        let yaml = POLICY.replace("window: 1h", &format!("window: {window}"));
        let policy = policy::Policy::parse(&yaml).unwrap();
        bench.publish(&policy, now, None).await.unwrap();
        let shown = bench.store.execute(&wake("L-1", "policy"), None, now).await.unwrap();
        assert_eq!(shown.wake_at, Some(at(due)));
        if !shown.wake_moved {
            bench
                .store
                .rearm(&Subject::Lead("L-1".into()), shown.state.unwrap().commit, shown.wake_at)
                .await
                .unwrap();
        }
        let found = bench.store.due(None, at("23:00"), None).await.unwrap().items;
        let lead = found.iter().find(|item| item.subject == DueSubject::Lead("L-1".into()));
        assert_eq!(lead.map(|item| item.wake_at), Some(at(due)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dismissed_leads_are_listed_separately_until_something_changes() {
    let bench = Bench::seeded().await;
    let now = at("08:00");
    bench.store.execute(&event("L-1", "a", now, |_| {}), None, now).await.unwrap();
    let mut dismissed = wake("L-1", "dismissed");
    dismissed.input =
        Input::Resolve(Resolution { action: ResolutionAction::Dismiss, note: "spam".to_owned(), seen: None });
    bench.store.execute(&dismissed, None, now).await.unwrap();
    assert_eq!(bench.store.operations_reviews(10, None).await.unwrap().items.len(), 0);
    let listed = bench.store.dismissed_leads(10, None).await.unwrap().items;
    assert_eq!(ids(&listed), ["L-1"]);
    assert_eq!(listed[0].dismissed.as_ref().map(|d| d.note.as_str()), Some("spam"));
    bench.store.execute(&score("L-1", "b", now, 50), None, now).await.unwrap();
    assert_eq!(bench.store.operations_reviews(10, None).await.unwrap().items.len(), 1);
    assert_eq!(bench.store.dismissed_leads(10, None).await.unwrap().items.len(), 0);
    bench.check_fold("L-1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_free_place_makes_the_rep_due_until_they_are_checked() {
    let bench = Bench::seeded().await;
    let now = at("08:00");
    let given = bench.store.execute(&arrival("L-1", now, Some("rep-ana")), None, now).await.unwrap();
    assert_eq!(given.reps_to_check, Vec::<policy::ids::PersonId>::new());
    let rep = || async { bench.store.rep(&"rep-ana".into()).await.unwrap().unwrap() };
    assert_eq!(rep().await.wake_at(), None);
    let later = now + TimeDelta::minutes(1);
    let closed = event("L-1", "b", later, |e| e.state = Some("WON".into()));
    assert_eq!(given.state.and_then(|lead| lead.owner), Some("rep-ana".into()));
    let done = bench.store.execute(&closed, None, later).await.unwrap();
    assert_eq!(done.reps_to_check, ["rep-ana".into()], "{:?}", done.outcome);
    let item = rep().await;
    assert_eq!((item.wake_at(), item.standing.load), (Some(later), 0));
    let due = bench.store.due(None, later, None).await.unwrap().items;
    assert!(due.iter().any(|item| item.subject == DueSubject::Rep("rep-ana".into())), "{due:?}");
    // Something happened since, so they are checked once more.
    let (subject, version) = (Subject::Rep("rep-ana".into()), item.standing.version);
    assert!(!bench.store.rearm(&subject, version - 1, None).await.unwrap());
    assert_eq!(rep().await.wake_at(), Some(later));
    assert!(bench.store.rearm(&subject, version, None).await.unwrap());
    assert_eq!(rep().await.wake_at(), None);
}

/// A lead in each possible position.
async fn everywhere(bench: &Bench) {
    let now = at("14:00");
    let found = |e: &mut LeadEvent| e.matches = vec![sanctioned("ofac-9")];
    let arrivals = [
        ("L-owned", "rep-ana", "NEW"),
        ("L-on-hold", "rep-ana", "ON_HOLD"),
        ("L-won", "rep-ana", "WON"),
        ("L-contacted", "rep-bob", "CONTACTED"),
        ("L-held-later", "rep-ana", "NEW"),
        ("L-held-on-arrival", "rep-ana", "NEW"),
    ];
    for (id, owner, state) in arrivals {
        let mut command = arrival(id, now, Some(owner));
        if let Input::Event(event) = &mut command.input {
            event.state = Some("NEW".into());
            if id == "L-held-on-arrival" {
                found(event);
            }
        }
        bench.store.execute(&command, None, now).await.unwrap();
        let moves = event(id, &format!("{id} moves"), now, |e| e.state = Some(state.into()));
        bench.store.execute(&moves, None, now).await.unwrap();
    }
    bench.store.execute(&event("L-held-later", "m", now, found), None, now).await.unwrap();
    // It has no known market, so it waits for operations.
    bench.store.execute(&event("L-nowhere", "n", now, |_| {}), None, now).await.unwrap();
    let erasure = Erasure { reference: "DSR-1".to_owned(), reason: "asked for".to_owned() };
    let erase = Command { input: Input::Erase(erasure), ..wake("L-won", "erase") };
    bench.store.execute(&erase, None, now).await.unwrap();
    let lost = event("L-lost", "l", now, |e| e.state = Some("WON".into()));
    bench.store.execute(&lost, None, now).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publication_lists_exactly_the_leads_of_its_scopes() {
    let bench = Bench::seeded().await;
    everywhere(&bench).await;
    let state = |state: &str, sources| Scope::State { market: "us".into(), state: state.into(), sources };
    let web = Source::from("inbound_web");
    let scopes = [
        (state("NEW", Sources::One(web.clone())), 4),
        (state("NEW", Sources::AllBut(BTreeSet::from([web]))), 0),
        (state("CONTACTED", Sources::AllBut(BTreeSet::new())), 1),
        (Scope::Market("us".into()), 6),
        (Scope::Owner("rep-ana".into()), 4),
        (Scope::TakenOver("rep-bob".into()), 1),
        (Scope::HeldUnowned, 1),
        (Scope::InOperations, 1),
        (Scope::Reviews, 2),
        (Scope::Closed, 1),
    ];
    let store = &bench.store;
    let mut leads = Vec::new();
    for id in ["owned", "on-hold", "won", "contacted", "held-later", "held-on-arrival", "nowhere", "lost"] {
        leads.push(store.lead(&format!("L-{id}").as_str().into()).await.unwrap().unwrap());
    }
    for (scope, expected) in scopes {
        let of = &scope;
        let listed = all(|after| async move { store.leads_in_scope(of, 3, after.as_ref()).await }).await;
        let listed: BTreeSet<LeadId> = listed.into_iter().collect();
        let holds = |lead: &&Lead| rules::publication::scope::holds(&scope, lead);
        let held: BTreeSet<LeadId> = leads.iter().filter(holds).map(|lead| lead.id.clone()).collect();
        // Held leads are listed by owner too, who may have just left.
        if scope != Scope::HeldUnowned {
            assert_eq!(listed, held, "{scope:?}");
        }
        assert!(held.is_subset(&listed), "{scope:?}: {listed:?}");
        assert_eq!(held.len(), expected, "{scope:?}: {held:?}");
    }
}
