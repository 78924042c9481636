//! Checks who sees what: every kind of audit entry, lead, account and message, for every reader. The table
//! (`shared/contracts/src/sight/table.rs`) names every member, and a hidden member appears nowhere.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod samples;

use contracts::sight;
use contracts::sight::table::{ACCOUNT, ENTRY, EXPLANATION, LEAD, MESSAGE, TABLE};
use contracts::sight::{PERSONAL, Reader};
use policy::WorkflowId;
use policy::ids::{PublicationId, PublicationKind, Subject};
use rules::entry::{Actor, Entry, WorkflowRef};
use samples::{PERSON, SECRET};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// The person who flagged, decided or published; causes have the name too.
const OFFICER: &str = "u-officer-7";

/// Readers who must not see what compliance knows.
const OTHERS: [Reader; 6] =
    [Reader::Viewer, Reader::Rep, Reader::CustomerSuccess, Reader::Bus, Reader::Person, Reader::TeamChannel];

fn entry<F: Serialize>(subject: Subject, workflow: Option<WorkflowId>, actor: &Actor, fact: F) -> Value {
    let workflow = workflow.map(|id| WorkflowRef { id, version: 1, step: Some("imminent".to_owned()) });
    let entry = Entry {
        subject,
        seq: 1,
        commit: 1,
        at: samples::at(),
        due_at: Some(samples::at()),
        actor: actor.clone(),
        cause: format!("flag/{OFFICER}/L-1/k"),
        workflow,
        policy_revision: 1,
        directory_revision: 1,
        fact,
    };
    serde_json::to_value(entry).expect("an entry is JSON")
}

/// One of each fact about each kind of subject, by an actor.
fn entries(actor: &Actor) -> Vec<Value> {
    let mut entries = Vec::new();
    let publication = PublicationId { kind: PublicationKind::Policy, revision: 2 };
    for fact in samples::lead_facts() {
        entries.push(entry(Subject::Lead("L-1".into()), None, actor, fact));
    }
    for fact in samples::account_facts() {
        entries.push(entry(Subject::Account("A-1".into()), None, actor, fact));
    }
    for fact in samples::rep_facts() {
        entries.push(entry(Subject::Rep("rep-ana".into()), None, actor, fact));
    }
    for fact in samples::publication_facts() {
        entries.push(entry(Subject::Publication(publication), None, actor, fact));
    }
    entries
}

/// The same for the facts that the compliance workflow records.
fn entries_of_compliance(actor: &Actor) -> Vec<Value> {
    let of_compliance = samples::lead_facts().into_iter().filter(|fact| {
        use rules::lead::LeadFact::{
            ComplianceHeld, ComplianceMatchRemembered, ComplianceMatched, Notification, ReopeningAsked,
            ReviewDecided, ReviewReopened, ReviewVoted, ThresholdReached, ThresholdSuperseded,
            WouldBeOwnerNamed,
        };
        use rules::notification::NotificationFact::Requested;
        matches!(
            fact,
            ComplianceHeld { .. }
                | ComplianceMatchRemembered { .. }
                | ComplianceMatched { .. }
                | ReviewDecided { .. }
                | ReviewVoted { .. }
                | ReopeningAsked { .. }
                | ReviewReopened { .. }
                | ThresholdReached(_)
                | ThresholdSuperseded { .. }
                | WouldBeOwnerNamed { .. }
                | Notification(Requested(_))
        )
    });
    let lead = || Subject::Lead("L-1".into());
    of_compliance.map(|fact| entry(lead(), Some(WorkflowId::ComplianceFlag), actor, fact)).collect()
}

/// The innermost members of a document, each once.
fn members(value: &Value) -> BTreeSet<String> {
    fn collect(value: &Value, around: &str, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (name, member) in members {
                    let dot = if around.is_empty() { "" } else { "." };
                    collect(member, &format!("{around}{dot}{name}"), into);
                }
            }
            Value::Array(items) if items.iter().any(Value::is_object) => {
                items.iter().for_each(|item| collect(item, around, into));
            }
            _ => _ = into.insert(around.to_owned()),
        }
    }
    let mut into = BTreeSet::new();
    collect(value, "", &mut into);
    into
}

fn staff() -> Actor {
    Actor::staff(OFFICER)
}

/// Every document in the table, under its name there.
fn documents() -> Vec<(String, Value)> {
    let all = entries(&staff()).into_iter().chain(entries_of_compliance(&staff()));
    let data = all.map(|entry| (sight::kind_of(&entry), entry["data"].clone()));
    let others = [
        (LEAD, json!(samples::lead())),
        (ACCOUNT, json!(samples::account())),
        (MESSAGE, json!(samples::particulars())),
    ];
    data.chain(others.map(|(of, document)| (of.to_owned(), document))).collect()
}

#[test]
fn the_table_names_every_member_of_everything() {
    let mut unnamed = BTreeSet::new();
    for (of, document) in documents() {
        let without = members(&document).into_iter().filter(|member| sight::named(&of, member).is_none());
        unnamed.extend(without.map(|member| format!("`{of}`, member `{member}`")));
    }
    let entry = &entries(&staff())[0];
    let mut around = entry.clone();
    around.as_object_mut().expect("an entry").remove("data");
    for member in members(&around).difference(&BTreeSet::from(["actor.id".into(), "cause".into()])) {
        if sight::named(ENTRY, member).is_none() {
            unnamed.insert(format!("`{ENTRY}`, member `{member}`"));
        }
    }
    let unnamed: Vec<String> = unnamed.into_iter().collect();
    assert!(
        unnamed.is_empty(),
        "These have no audience. Add them to shared/contracts/src/sight/table.rs, then run \
         UPDATE_GENERATED=1 cargo test -p contracts --test sight:\n{}",
        unnamed.join("\n")
    );
}

#[test]
fn the_table_names_nothing_that_does_not_exist() {
    let mut there: BTreeSet<(String, String)> = BTreeSet::new();
    for (of, document) in documents() {
        for member in members(&document) {
            let mut parts = member.as_str();
            there.insert((of.clone(), parts.to_owned()));
            while let Some((around, _)) = parts.rsplit_once('.') {
                there.insert((of.clone(), around.to_owned()));
                there.insert((of.clone(), format!("{around}.*")));
                parts = around;
            }
        }
    }
    let kinds: BTreeSet<&str> = there.iter().map(|(of, _)| of.as_str()).collect();
    let is_there = |of: &str, member: &str| {
        of.starts_with(ENTRY) || of == EXPLANATION || there.contains(&(of.to_owned(), member.to_owned()))
    };
    for (of, _, named) in TABLE {
        assert!(of.starts_with(ENTRY) || *of == EXPLANATION || kinds.contains(of), "there is no `{of}`");
        for member in named.split_whitespace() {
            // A cleared value replaces the members of a set one.
            let is_cleared = (*of, member) == ("lead.updated", "changes.deal_size");
            assert!(is_there(of, member) || is_cleared, "`{of}` has no member `{member}`");
        }
    }
}

#[test]
fn each_reader_sees_exactly_the_members_that_the_table_allows() {
    for entry in entries(&staff()).into_iter().chain(entries_of_compliance(&staff())) {
        let of = sight::kind_of(&entry);
        let said = members(&entry["data"]);
        for reader in Reader::ALL {
            let seen = sight::commit(vec![entry.clone()], &[reader]).remove(0);
            let expected: BTreeSet<String> = said
                .iter()
                .filter(|member| sight::audience(&of, member).includes(reader))
                .filter(|member| !member.split('.').any(|part| part == PERSONAL))
                .cloned()
                .collect();
            let left = members(&seen["data"]);
            let left: BTreeSet<String> = left.into_iter().filter(|member| !member.is_empty()).collect();
            let expected: BTreeSet<String> =
                expected.into_iter().filter(|member| !member.is_empty()).collect();
            assert_eq!(left, expected, "{reader:?} of `{of}`");
            assert_eq!(seen["type"], entry["type"], "the type is no secret: {reader:?} of `{of}`");
        }
    }
}

#[test]
fn others_see_nothing_that_compliance_knows() {
    let by_whom = [staff(), Actor::source("screening-vendor"), Actor::system("clock")];
    for actor in &by_whom {
        for entry in entries(actor).into_iter().chain(entries_of_compliance(actor)) {
            let of = sight::kind_of(&entry);
            for reader in OTHERS {
                let text = json!(sight::commit(vec![entry.clone()], &[reader])).to_string();
                assert!(!text.contains(SECRET), "{reader:?} of `{of}`: {text}");
                assert!(!text.contains("4711"), "the duration of a review, {reader:?} of `{of}`: {text}");
            }
            for reader in Reader::ALL {
                let text = json!(sight::commit(vec![entry.clone()], &[reader])).to_string();
                assert!(!text.contains(PERSON), "{reader:?} of `{of}`: {text}");
            }
        }
    }
    for reader in OTHERS {
        let text = sight::lead(json!(samples::lead()), &[reader]).to_string();
        assert!(!text.contains(SECRET) && !text.contains("screening"), "{reader:?}: {text}");
    }
    for reader in Reader::ALL {
        let shown = [
            sight::lead(json!(samples::lead()), &[reader]),
            sight::account(json!(samples::account()), &[reader]),
        ];
        assert!(!json!(shown).to_string().contains(PERSON), "{reader:?}");
    }
}

#[test]
fn only_those_who_must_know_see_who_acted_in_a_confidential_commit() {
    let sales = || {
        entries(&staff())
            .into_iter()
            .filter(|entry| entry["type"] == "lead.assigned" || entry["type"] == "state.changed")
    };
    let timer = || entries(&Actor::system("clock")).into_iter().filter(|e| e["type"] == "threshold.reached");
    let source = || entries(&Actor::source("screening-vendor")).into_iter().take(1);
    for confidential in
        entries_of_compliance(&staff()).into_iter().chain(entries(&staff()).into_iter().filter(|entry| {
            entry["type"] == "lead.erased"
                || entry["type"] == "input.refused" && sight::kind_of(entry) == "input.refused"
        }))
    {
        let of = sight::kind_of(&confidential);
        let commit: Vec<Value> =
            sales().chain(timer()).chain(source()).chain([confidential.clone()]).collect();
        for reader in OTHERS {
            let text = json!(sight::commit(commit.clone(), &[reader])).to_string();
            assert!(!text.contains(OFFICER), "{reader:?} of a commit with `{of}`: {text}");
            assert!(!text.contains("screening-vendor"), "{reader:?} of a commit with `{of}`: {text}");
        }
        for reader in [Reader::Compliance, Reader::Operations, Reader::Export] {
            let seen = sight::commit(commit.clone(), &[reader]);
            assert!(seen.iter().all(|entry| entry["cause"].as_str().is_some()), "{reader:?}");
            assert_eq!(seen[0]["actor"]["id"], OFFICER, "{reader:?}");
        }
    }
}

#[test]
fn staff_and_not_the_bus_see_who_acted_in_sales() {
    for entry in entries(&staff()) {
        let of = sight::kind_of(&entry);
        let on_the_bus = json!(sight::commit(vec![entry.clone()], &[Reader::Bus])).to_string();
        assert!(!on_the_bus.contains(OFFICER), "`{of}`: {on_the_bus}");
    }
    let assigned = entries(&staff()).into_iter().find(|entry| entry["type"] == "lead.assigned");
    let seen = sight::commit(vec![assigned.expect("an entry")], &[Reader::Viewer]);
    assert_eq!(seen[0]["actor"], json!({"kind": "staff", "id": OFFICER}));
    let created = entries(&Actor::source("hubspot")).remove(0);
    let on_the_bus = sight::commit(vec![created.clone()], &[Reader::Bus]);
    assert_eq!(on_the_bus[0]["actor"], created["actor"], "a source is no person");
}

#[test]
fn a_timer_does_not_name_the_person_whose_request_triggered_it() {
    // A request that came too late leaves only entries that were due before it.
    let settled = |cause: &str| {
        let mut timers: Vec<Value> = entries(&Actor::system("clock"));
        timers.retain(|entry| entry["type"] == "threshold.reached");
        timers.iter_mut().for_each(|entry| entry["cause"] = json!(cause));
        timers
    };
    for reader in OTHERS {
        let decision = format!("decision/{OFFICER}/L-1/3");
        let seen = sight::commit(settled(&decision), &[reader]);
        assert_eq!(seen[0].get("cause"), None, "{reader:?}");
        let own = sight::commit(settled("wake/2026-03-02T14:48:00Z"), &[reader]);
        assert_eq!(own[0]["cause"], "wake/2026-03-02T14:48:00Z", "{reader:?}");
    }
}

#[test]
fn only_those_who_must_know_see_an_unnamed_fact_or_member() {
    let new = json!({"type": "lead.sung-to", "actor": {"kind": "system", "id": "clock"}, "cause": "wake/1",
        "mood": SECRET, "data": {"song": SECRET, "within": {"verse": SECRET}, "personal": {"singer": PERSON}}});
    let known = json!({"type": "lead.assigned", "actor": {"kind": "system", "id": "clock"}, "cause": "wake/1",
        "data": {"to": "rep-ana", "because_of": SECRET}});
    for reader in OTHERS {
        let seen = sight::commit(vec![new.clone(), known.clone()], &[reader]);
        assert!(!json!(seen).to_string().contains(SECRET), "{reader:?}: {seen:?}");
        assert_eq!(seen[1]["data"], json!({"to": "rep-ana"}), "{reader:?}");
    }
    let seen = sight::commit(vec![new], &[Reader::Operations]);
    assert_eq!(seen[0]["data"], json!({"song": SECRET, "within": {"verse": SECRET}}));
}

#[test]
fn readers_of_the_links_see_everything_except_sealed_members() {
    for reader in Reader::ALL.into_iter().filter(|reader| sight::must_know(&[*reader])) {
        for entry in entries(&staff()).into_iter().chain(entries_of_compliance(&staff())) {
            let mut unsealed = entry.clone();
            if let Some(data) = unsealed["data"].as_object_mut() {
                data.remove(PERSONAL);
            }
            assert_eq!(sight::commit(vec![entry], &[reader]), [unsealed], "{reader:?}");
        }
    }
}

#[test]
fn the_audience_of_a_refusal_depends_on_its_subject() {
    let refused = |what: &str| {
        let data = json!({"what": what, "why": "because"});
        json!({"type": "input.refused", "actor": {"kind": "staff", "id": OFFICER}, "cause": "c", "data": data})
    };
    let seen = |what: &str| sight::commit(vec![refused(what)], &[Reader::Viewer]).remove(0);
    for of_sales in
        ["state CONTACTED", "owner rep-bob", "no owner", "hold_until", "assignment to rep-ana", "/lead/score"]
    {
        assert_eq!(seen(of_sales)["data"]["why"], "because", "{of_sales}");
        assert_eq!(seen(of_sales)["actor"]["id"], OFFICER, "{of_sales}");
    }
    for other in [
        "review decision",
        "/lead/flags/sanctions/0/match_id",
        "/lead/contact",
        "/flagged_by",
        "ownership",
        "statement",
        "",
    ] {
        assert_eq!(seen(other)["data"], json!({}), "{other}");
        assert_eq!(seen(other)["actor"], json!({"kind": "staff"}), "{other}");
    }
}

#[test]
fn a_message_holds_what_its_recipient_may_read() {
    for to in samples::recipients() {
        let reader = Reader::of(&to);
        let told = sight::message(&samples::request(to));
        let text = json!(told).to_string();
        assert_eq!(text.contains(SECRET), sight::must_know(&[reader]), "{reader:?}: {text}");
        assert_eq!(told.particulars.company.as_deref(), Some("Acme"), "{reader:?}");
    }
}

#[test]
fn the_page_of_the_table_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/policies/who-sees-what.md");
    let page = sight::page::markdown();
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&path, &page).expect("it can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == page,
        "infra/policies/who-sees-what.md is out of date: UPDATE_GENERATED=1 cargo test -p contracts --test sight"
    );
}
