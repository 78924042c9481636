//! Where a mistake stands, and that all of them are told.

use leadwatch_tests::seeded::{seeded, seeded_value};
use policy::Policy;
use policy::directory::Directory;
use policy::document::Document;
use serde_json::json;

#[test]
fn a_key_that_is_written_twice_is_named_with_its_line() {
    let twice = seeded("default.yaml").replace("name: Default", "name: Default\nname: Other");
    let error = Policy::parse(&twice).expect_err("a key is written once");
    assert_eq!(error.to_string(), "name: appears twice; keep one (line 4, column 1)");
}

#[test]
fn every_mistake_of_a_document_is_told_at_once() {
    let mut document = seeded_value("default.yaml");
    document["workflows"]["high-value"]["score_margin"] = json!(90);
    document["workflows"]["compliance-flag"]["officers"] = json!(3);
    let error = Policy::parse(&document.to_string()).expect_err("two mistakes");
    let told: Vec<String> =
        error.0.iter().map(|problem| format!("{}: {}", problem.path, problem.problem)).collect();
    assert_eq!(
        told,
        [
            "workflows.compliance-flag.officers: must be 1 or 2, not `3`",
            "workflows.high-value.score_margin: `90` must be less than the score (`85`), or the workflow could never fire again",
        ]
    );
}

/// The default policy with texts replaced, each of which is there once.
fn edited(name: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(seeded(name), |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "`{from}` is there once");
        text.replacen(from, to, 1)
    })
}

/// What is told of a policy for the seeded directory.
fn told(yaml: &str) -> Vec<String> {
    let directory = Directory::parse(&seeded("directory.yaml")).expect("the seeded directory");
    let read = Document::read(yaml).and_then(|document| Policy::examine(&document, Some(&directory)));
    read.expect_err("it is not sound").0.iter().map(ToString::to_string).collect()
}

#[test]
fn mistakes_of_every_kind_are_told_together_each_with_its_line() {
    let yaml = edited(
        "default.yaml",
        &[
            (
                "  - { state: QUALIFIED, kind: working }",
                "  - { state: QUALIFIED, kind: working, stages: [NEW] }",
            ),
            ("    max_reassignments: 2", "    max_reasignments: 2"),
            ("at: 80%, do: [tell-owner]", "at: 80, do: [tell-onwer]"),
            ("step: triage, at: 400%", "step: triage, at: 300%"),
            ("    score: 85", "    score: high"),
            ("    officers: 1", "    officers: 3"),
            (
                "      why: Selling to a customer who is about to leave can cost both the sale and the customer.\n",
                "",
            ),
        ],
    );
    let line = |text: &str| 1 + yaml.lines().position(|line| line.contains(text)).expect("it is there");
    assert_eq!(
        told(&yaml),
        [
            format!(
                "states[2].stages[0]: `NEW` is already a state; remove this stage, or rename the state (line {}, column 49)",
                line("stages: [NEW]")
            ),
            format!(
                "workflows.sla-breach.max_reasignments: `max_reasignments` is not a known field here; did you mean `max_reassignments`? (line {}, column 5)",
                line("max_reasignments")
            ),
            format!(
                "workflows.sla-breach.steps[0].at: `80` is not a percentage from 1% to 10000%; write e.g. `80%` (line {}, column 31)",
                line("imminent")
            ),
            format!(
                "workflows.sla-breach.steps[0].do[0]: `tell-onwer` is not a known value; did you mean `tell-owner`? (line {}, column 40)",
                line("imminent")
            ),
            format!(
                "workflows.stuck-lead.steps[2].at: `300%` must be higher than the step before it (line {}, column 29)",
                line("triage")
            ),
            format!(
                "workflows.high-value.score: `high` is not a whole number from 0 to 65535 (line {}, column 12)",
                line("score: high")
            ),
            format!(
                "workflows.compliance-flag.officers: must be 1 or 2, not `3` (line {}, column 15)",
                line("officers: 3")
            ),
            format!(
                "workflows.churn-risk.about.why: is missing (line {}, column 5)",
                line("churn-risk:") + 1
            ),
        ]
    );
}

#[test]
fn several_fields_that_are_missing_are_each_told() {
    let mut document = seeded_value("default.yaml");
    document["workflows"]["sla-breach"]["steps"][0] = json!({"step": "imminent"});
    document["workflows"]["churn-risk"]["about"] = json!({});
    let told: Vec<String> =
        told(&document.to_string()).iter().map(|t| super::without_place(t).to_owned()).collect();
    assert_eq!(
        told,
        [
            "workflows.churn-risk.about.what: is missing",
            "workflows.churn-risk.about.when: is missing",
            "workflows.churn-risk.about.why: is missing",
            "workflows.sla-breach.steps[0].at: is missing",
            "workflows.sla-breach.steps[0].do: is missing",
        ]
    );
}

#[test]
fn a_mistake_is_not_told_again_for_what_refers_to_it() {
    // What stands in for the name of a state must not make every row that names it wrong.
    let yaml =
        edited("default.yaml", &[("- { state: NEW, kind: working }", "- { state: [NEW], kind: working }")]);
    assert_eq!(told(&yaml), ["states[0].state: a list is not a text (line 5, column 7)"]);
    let yaml = edited("default.yaml", &[("    score: 85", "    score: true")]);
    assert_eq!(
        told(&yaml),
        [format!(
            "workflows.high-value.score: `true` is not a whole number from 0 to 65535 (line {}, column 12)",
            1 + yaml.lines().position(|line| line.contains("score: true")).expect("it is there")
        )]
    );
}

#[test]
fn what_is_no_document_is_told_with_its_place() {
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let cases = [
        ("", "document: is empty (line 1, column 1)"),
        ("just text", "document: `just text` is not a block of `name: value` lines (line 1, column 1)"),
        ("a: [1, 2", "document: is not YAML"),
        (
            "name: A\n---\nname: B\n",
            "document: the file has more than one YAML document; keep one (line 2, column 1)",
        ),
        (&deep, "is nested more than 64 levels deep; flatten it (line 1, column 65)"),
        ("a: &a [*a]", "a[0]: is an alias that refers to itself; write the value out (line 1, column 8)"),
        (
            "a: &a {b: 1}\nc: {<<: *a}",
            "c: merges another block with `<<`; write the fields out (line 2, column 5)",
        ),
        ("? [a]\n: b", "document: uses a list or a block as a name"),
    ];
    for (yaml, expected) in cases {
        let error = Policy::parse(yaml).expect_err(yaml).to_string();
        assert!(error.contains(expected), "{yaml}: {error}");
    }
}

#[test]
fn an_alias_stands_for_what_it_names_and_cannot_grow_without_end() {
    let yaml = edited(
        "default.yaml",
        &[
            ("do: [record-breach, tell-manager]", "do: &both [record-breach, tell-manager]"),
            ("do: [reassign]", "do: *both"),
        ],
    );
    let policy = Policy::parse(&yaml).expect("an alias is fine");
    let steps = &policy.workflows.sla_breach.steps;
    assert_eq!(steps[1].actions, steps[2].actions);
    let mut bomb = "a0: &a0 [x]\n".to_owned();
    for n in 1..40 {
        let many = vec![format!("*a{}", n - 1); 10].join(", ");
        bomb.push_str(&format!("a{n}: &a{n} [{many}]\n"));
    }
    let error = Policy::parse(&bomb).expect_err("it is too large").to_string();
    assert!(error.starts_with("document: has more than 200000 values"), "{error}");
}

#[test]
fn a_file_that_is_something_else_is_told_as_such_and_not_without_end() {
    let many: String = (0..500).map(|n| format!("field{n}: 1\n")).collect();
    let error = Policy::parse(&many).expect_err("it is no policy");
    assert_eq!(error.0.len(), 50);
}
