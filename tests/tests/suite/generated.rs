//! What is generated from the policy and the types, and kept in the repository: it is up to date,
//! and it is right. `UPDATE_GENERATED=1` writes it anew.

use chrono::{DateTime, TimeDelta, Utc};
use insight::documentation::DocumentedPolicy;
use leadwatch_tests::seeded::{beginning, seeded, seeded_value};
use policy::directory::Directory;
use policy::{Policy, PublishedPolicy, WorkflowId, schema};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// The text that is kept under a name is the one that is generated.
fn is_kept(name: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/policies").join(name);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&path, generated).expect("it can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == generated,
        "{name} is out of date: UPDATE_GENERATED=1 cargo test -p leadwatch-tests --test suite generated::"
    );
}

fn sound(document: &Value) -> Policy {
    Policy::parse(&document.to_string()).expect("a sound policy")
}

fn directory() -> Directory {
    Directory::parse(&seeded("directory.yaml")).expect("the seeded directory")
}

fn at(days: i64) -> DateTime<Utc> {
    beginning() + TimeDelta::days(days)
}

/// The documentation of a policy that nobody has published.
fn described(policy: &Value) -> String {
    let published = PublishedPolicy::next(None, sound(policy), "", at(0));
    let directory = directory();
    DocumentedPolicy { published: &published, earlier: &[], directory: Some(&directory), is_dated: false }
        .markdown()
}

#[test]
fn the_documentation_of_the_default_policy_is_up_to_date() {
    is_kept("default.md", &described(&seeded_value("default.yaml")));
}

#[test]
fn the_schemas_are_up_to_date() {
    is_kept("policy.schema.json", &format!("{:#}\n", schema::policy()));
    is_kept("directory.schema.json", &format!("{:#}\n", schema::directory()));
}

#[test]
fn the_documents_name_their_schemas_to_editors() {
    for (name, of) in [("default.yaml", "policy"), ("directory.yaml", "directory")] {
        let first = format!("# yaml-language-server: $schema=./{of}.schema.json");
        assert_eq!(seeded(name).lines().next(), Some(first.as_str()));
    }
}

#[test]
fn another_implementation_reads_the_schemas_and_accepts_the_documents() {
    for (schema, name) in [(schema::policy(), "default.yaml"), (schema::directory(), "directory.yaml")] {
        let validator = jsonschema::draft7::new(&schema).expect("a schema of draft 7");
        let errors: Vec<String> =
            validator.iter_errors(&seeded_value(name)).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{name}");
    }
    let mut full = seeded_value("default.yaml");
    full["quiet_hours"] = json!({"from": "22:00", "to": "07:30", "except": ["held"]});
    full["states"][0]["stages"] = json!(["open"]);
    full["workflows"]["sla-breach"]["markets"] = json!({"us": [{"step": "imminent", "at": "70%"}]});
    full["workflows"]["sla-breach"]["messages"] = json!({"sla-warning": {"title": "{lead}"}});
    let validator = jsonschema::draft7::new(&schema::policy()).expect("a schema of draft 7");
    assert!(validator.is_valid(&full), "everything that a policy may say");
    sound(&full);
}

#[test]
fn what_the_schemas_refuse_the_documents_own_checks_refuse_too() {
    let mistakes = [
        ("/colour", json!("blue")),
        ("/states/0/kind", json!("wroking")),
        ("/workflows/sla-breach/steps/0/at", json!("80")),
        ("/workflows/sla-breach/steps/0/at", json!("0%")),
        ("/workflows/sla-breach/steps/0/at", json!("10001%")),
        ("/workflows/sla-breach/steps/0/do/0", json!("tell-onwer")),
        ("/workflows/sla-breach/windows/0/window", json!("1d")),
        ("/workflows/sla-breach/windows/0/window", json!("30m1h")),
        ("/workflows/sla-breach/max_reassignments", json!(-1)),
        ("/workflows/sla-breach/messages", json!({"sla-warnin": {"text": "x"}})),
        ("/workflows/high-value/deal_size_over/0/currency", json!("usd")),
        ("/workflows/high-value/deal_size_over/0/amount", json!("-1")),
        ("/workflows/churn-risk/about", json!({"what": "x", "when": "y"})),
        ("/quiet_hours", json!({"from": "24:00", "to": "07:00"})),
        ("/intake/history_after", json!("later")),
        ("/retention/personal_data", json!("0d")),
        ("/retention/personal_data", json!("36501d")),
        ("/retention/personal_data", json!("24h")),
        ("/retention", json!({})),
    ];
    let validator = jsonschema::draft7::new(&schema::policy()).expect("a schema of draft 7");
    for (pointer, value) in mistakes {
        let mut document = seeded_value("default.yaml");
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer has a name");
        match document.pointer_mut(parent).expect("the place is there") {
            Value::Array(items) => items[name.parse::<usize>().expect("an index")] = value.clone(),
            other => other[name] = value.clone(),
        }
        assert!(!validator.is_valid(&document), "the schema refuses {pointer} = {value}");
        assert!(Policy::parse(&document.to_string()).is_err(), "and so does the policy");
    }
}

#[test]
fn the_documentation_says_what_a_market_has_of_its_own() {
    let mut policy = seeded_value("default.yaml");
    policy["states"][0]["stages"] = json!(["open|new", "lead_in"]);
    policy["quiet_hours"] = json!({"from": "20:00", "to": "07:00", "except": ["lead-given"]});
    policy["workflows"]["sla-breach"]["markets"] = json!({"dach": [
        {"step": "imminent", "at": "90%"}, {"step": "breached", "off": true},
        {"step": "late", "at": "120%", "do": ["tell-owner", "tell-manager"]},
    ]});
    policy["workflows"]["sla-breach"]["messages"] = json!({"sla-warning": {"text": "{lead} *waits*"}});
    let windows = policy["workflows"]["sla-breach"]["windows"].as_array_mut().expect("windows");
    windows.push(json!({"market": "dach", "state": "NEW", "window": "30m", "calendar": "always"}));
    policy["workflows"]["compliance-flag"]["officers"] = json!(2);
    let text = described(&policy);
    for said in [
        "| `NEW` | working | A rep works the lead: its clocks run. | `open\\|new`, `lead_in` |",
        "from 20:00 to 07:00, in each person's own time zone, nobody gets direct messages, except `lead-given`.",
        "#### Steps in market `dach`\n\nSwitched off here: `breached`.\n",
        "| `imminent` | 90 % of the window | the owner gets a direct message (`sla-warning`). |",
        "| `late` | 120 % of the window | the owner gets a direct message (`sla-warning`); the manager gets a message \
         on the team's channel (`sla-breached`). |",
        "In market `dach`:\n\n| state | `cold_list` | `inbound_web` | `paid_social` | `partner` | any other source |\n\
         | --- | --- | --- | --- | --- | --- |\n| `NEW` | 30m | 30m | 30m | 30m | 30m |\n",
        "Not on the market's calendar: `NEW` in market `dach` around the clock.",
        "| `sla-warning` | built in | {lead} \\*waits\\* |",
        "2 officers must agree.",
    ] {
        assert!(text.contains(said), "{said}\nis not in\n{text}");
    }
}

#[test]
fn the_documentation_says_what_changed_since_when() {
    let mut document = seeded_value("default.yaml");
    let first = PublishedPolicy::next(None, sound(&document), "ana", at(0));
    document["workflows"]["high-value"]["score"] = json!(90);
    let second = PublishedPolicy::next(Some(&first), sound(&document), "ben", at(10));
    document["workflows"]["sla-breach"]["steps"][0]["at"] = json!("90%");
    let third = PublishedPolicy::next(Some(&second), sound(&document), "cem", at(20));
    let edition =
        DocumentedPolicy { published: &third, earlier: &[&first, &second], directory: None, is_dated: true };
    let text = edition.markdown();
    // What it says beyond the documentation of the same policy that nobody published.
    let unpublished = described(&document);
    let known: BTreeSet<&str> = unpublished.lines().collect();
    let news: Vec<&str> = text.lines().filter(|line| !known.contains(line)).collect();
    insta::assert_snapshot!("what_a_history_adds", news.join("\n"));
    let high_value = edition.workflow(WorkflowId::HighValue);
    assert_eq!((high_value.version.version, high_value.version.since_revision), (2, 2));
    assert_eq!(high_value.version.changes, ["high-value: score: 85 → 90"]);
    assert_eq!(high_value.version.since, Some(at(10)));
    assert_eq!(high_value.earlier.len(), 1);
    // Without the revision before nobody can say what changed, and nothing is made up.
    let alone = DocumentedPolicy { published: &third, earlier: &[], directory: None, is_dated: true };
    assert_eq!(alone.workflow(WorkflowId::HighValue).version.changes, Vec::<String>::new());
    assert!(!alone.markdown().contains("What changed since") && !alone.markdown().contains("85 → 90"));
}

#[test]
fn the_documentation_names_only_what_the_record_has() {
    let facts = ["lead/event.rs", "notification.rs"].map(|name| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/rules/src").join(name);
        std::fs::read_to_string(path).expect("the facts of a lead")
    });
    let text = described(&seeded_value("default.yaml"));
    let table = text.split("| type | what happened |").nth(1).expect("the types of entries");
    let table = table.split("\n\n").next().expect("a table");
    let types: Vec<&str> = table.split('`').skip(1).step_by(2).collect();
    assert!(types.len() > 15);
    for name in types {
        let named = format!("rename = \"{name}\"");
        assert!(facts.iter().any(|facts| facts.contains(&named)), "`{name}` is a fact of a lead");
    }
}
