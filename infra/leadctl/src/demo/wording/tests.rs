//! The lines of a recorded story, and a line for every type of entry.

use super::{Channels, Line, Names, line};
use contracts::sight::table;
use policy::directory::Directory;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The audit of a demo, as the API showed it.
const STORY: &str = include_str!("story.jsonl");

fn names() -> Names {
    let directory = Directory::parse(include_str!("../../../../policies/directory.yaml")).unwrap();
    Names::of(&crate::demo::market::with_people(directory.document()))
}

/// The lines of a history: its deliveries name their channels, and have no lines.
fn lines_of(entries: &[Value]) -> Vec<String> {
    let (mut commits, mut channels): (Vec<Vec<Value>>, Channels) = Default::default();
    for entry in entries {
        if entry["type"] == "notification.delivered" {
            let text = |name: &str| entry["data"][name].as_str().unwrap().to_owned();
            channels.insert(text("id"), text("channel"));
            continue;
        }
        let of = |entry: &Value| (entry["subject"].clone(), entry["commit"].clone());
        match commits.last_mut().filter(|commit| of(&commit[0]) == of(entry)) {
            Some(commit) => commit.push(entry.clone()),
            None => commits.push(vec![entry.clone()]),
        }
    }
    commits.iter().map(|commit| written(&line(commit, &names(), &channels))).collect()
}

fn written(line: &Line) -> String {
    if line.outcomes.is_empty() {
        line.what.clone()
    } else {
        format!("{} → {}", line.what, line.outcomes.join("; "))
    }
}

#[test]
fn a_story_reads_as_one_line_per_event() {
    let entries: Vec<Value> = STORY.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = "
Account arrives · Acme → Ada owns it; Cam looks after its success
Lead arrives · Acme, NEW, score 72 → Ada owns it
SLA breach · 80 % → Slack message to Ada: 2 s left
SLA breach · 100 % → breach recorded; Slack message to Max in #leadctl-demo: the window is over
SLA breach · 150 % → Ben gets it from Ada; Slack message to Ada: Ben has it now; Slack message to Ben: it is yours
SLA breach · 80 % → Slack message to Ben: 2 s left
SLA breach · 100 % → breach recorded; Slack message to Max in #leadctl-demo: the window is over
SLA breach · 150 % → nobody else is available, Ben keeps it; into the operations queue; Slack message to Max in #leadctl-demo: nobody else can take it
Stuck lead · 200 % → Slack message to Ben: update it or move it on
High value · score 91 is at or over 85 → later windows at 50 %; priority high; Slack messages to Ben and Max in #leadctl-demo: high-value lead
Compliance flag · OFAC SDN match ofac-123, 92 % → lead held, review opened; Slack message to Ben: stop working it; Slack message to #compliance: review needed
CRM asks for state CONTACTED → refused: compliance holds the lead
Compliance flag · an officer clears it: “Another person of that name.” → back in NEW with fresh clocks; Slack message to Ben: cleared, you can work it
Churn risk · product usage is down → account tagged churn-risk-elevated; touchpoint due in 2 days; outreach paused for 14 days; Slack messages to Ada and Cam: the account is at risk
Lead follows its account → outreach paused
Lead moves from NEW to WON → lead closed, clocks end; out of the operations queue (no rep is available)
";
    assert_eq!(lines_of(&entries).join("\n"), expected.trim());
}

/// A line of one commit with these entries, each given as its type and its data.
fn line_of(entries: &[(&str, Value)]) -> String {
    let at = "2026-03-02T14:00:00Z";
    let entry = |(kind, data): &(&str, Value)| json!({"subject": "lead/L-1", "recorded_at": at, "type": kind, "data": data});
    let commit: Vec<Value> = entries.iter().map(entry).collect();
    written(&line(&commit, &names(), &Channels::new()))
}

#[test]
fn every_type_of_entry_has_words_even_with_all_members_hidden() {
    let types: BTreeSet<&str> = table::TABLE
        .iter()
        .map(|(of, ..)| of.strip_prefix(table::OF_COMPLIANCE).unwrap_or(of))
        .filter(|of| of.contains('.') && !of.contains(' '))
        .collect();
    assert!(types.len() > 60, "{types:?}");
    for kind in types {
        let line = line_of(&[(kind, json!({}))]);
        assert!(!line.is_empty() && !line.contains(kind), "`{kind}` has no words: {line}");
    }
}

#[test]
fn an_unknown_type_is_shown_by_its_name_alone_or_beside_others() {
    assert_eq!(line_of(&[("lead.teleported", json!({"to": "Mars"}))]), "Entry lead.teleported");
    let beside = [("owner.set", json!({"to": "rep-ana"})), ("lead.teleported", json!({}))];
    assert_eq!(line_of(&beside), "Entry lead.teleported → Ana Alvarez owns it");
}

#[test]
fn people_are_named_and_those_whom_the_directory_lacks_keep_their_id() {
    let reassigned = |to: &str| line_of(&[("lead.reassigned", json!({"from": "rep-ana", "to": to}))]);
    assert_eq!(reassigned("leadctl-demo-ben"), "Ben gets it from Ana Alvarez");
    assert_eq!(reassigned("rep-zoe"), "rep-zoe gets it from Ana Alvarez");
}

#[test]
fn a_message_names_the_channel_once_it_is_delivered() {
    let request = |id: &str, person: &str| {
        let to = json!({"kind": "person", "person": person, "role": "owner"});
        json!({"type": "notification.requested", "data": {"id": id, "message": "high-value", "to": to}})
    };
    let commit = [request("1", "rep-ana"), request("2", "rep-bob")];
    let with = |channels: &[(&str, &str)]| {
        let channels =
            channels.iter().map(|(id, channel)| ((*id).to_owned(), (*channel).to_owned())).collect();
        written(&line(&commit, &names(), &channels))
    };
    assert_eq!(with(&[]), "Messages to Ana Alvarez and Bob Brown: high-value lead");
    assert_eq!(
        with(&[("1", "slack-dm"), ("2", "email")]),
        "Slack message to Ana Alvarez: high-value lead → email to Bob Brown: high-value lead"
    );
}

#[test]
fn what_went_wrong_with_a_message_is_a_line_of_its_own() {
    let cases = [
        (
            ("notification.failed", json!({"id": "1", "reason": "no such channel", "attempts": 3})),
            "Message not delivered after 3 attempts → no such channel",
        ),
        (
            ("notification.withdrawn", json!({"id": "1", "reason": "included in a later message"})),
            "Message withdrawn → included in a later message",
        ),
        (
            ("recipient.unreachable", json!({"id": "1", "person": "rep-ana", "reason": "no such user"})),
            "Ana Alvarez cannot be reached → no such user",
        ),
    ];
    for (entry, expected) in cases {
        assert_eq!(line_of(&[entry]), expected);
    }
}

#[test]
fn durations_have_at_most_two_units() {
    let spans = [0, 2, 90, 3_600, 5_400, 86_399, 172_800, 1_209_599].map(super::names::span);
    assert_eq!(spans, ["0 s", "2 s", "1 min 30 s", "1 h", "1 h 30 min", "1 day", "2 days", "14 days"]);
}
