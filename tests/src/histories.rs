//! Random histories: their steps, the lines of an events file that they are, and playing them.

use crate::seeded::beginning;
use chrono::TimeDelta;
use contracts::scenario::Line;
use insight::simulate::{AnyEntry, Simulation};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// A step of a random history: so long after the one before, so late, and what.
#[derive(Clone)]
pub struct Step {
    pub after: TimeDelta,
    pub late: TimeDelta,
    pub what: Value,
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "+{}s late {}s {}", self.after.num_seconds(), self.late.num_seconds(), self.what)
    }
}

fn lead_ids() -> impl Strategy<Value = String> {
    (0..4u8).prop_map(|n| format!("L-{n}"))
}

/// One of these values.
pub fn one_of(values: &[Value]) -> impl Strategy<Value = Value> + use<> {
    select(values.to_vec())
}

/// A member of an event that may be there.
pub fn maybe(
    name: &'static str,
    often: f64,
    values: impl Strategy<Value = Value>,
) -> impl Strategy<Value = Option<(String, Value)>> {
    proptest::option::weighted(often, values).prop_map(move |v| v.map(|v| (name.to_owned(), v)))
}

fn states() -> impl Strategy<Value = Value> {
    let working = ["NEW", "CONTACTED", "QUALIFIED", "NEGOTIATION"].map(Value::from);
    let others = ["ON_HOLD", "WON", "LOST", "COMPLIANCE_HOLD", "MAYBE"].map(Value::from);
    prop_oneof![6 => one_of(&working), 3 => one_of(&others)]
}

fn instants() -> impl Strategy<Value = Value> {
    let offsets = (0..200i64).prop_map(|hours| {
        let at = beginning() + TimeDelta::hours(hours);
        Value::from(at.to_rfc3339())
    });
    prop_oneof![4 => offsets, 1 => Just(Value::Null)]
}

fn flags() -> impl Strategy<Value = Value> {
    let found = (select(vec!["sanctions", "pep", "adverse_media"]), 0..3u8, 0..2u8, select(vec!["A", "B"]));
    found.prop_map(|(kind, id, version, list)| {
        let found = json!({"match_id": format!("m-{id}"), "list": list, "list_version": version.to_string()});
        json!({ kind: [found] })
    })
}

fn upserts() -> impl Strategy<Value = Value> {
    let owners = [json!(null), json!("rep-ana"), json!("rep-bob"), json!("rep-dan"), json!("somebody-else")];
    let fields = (
        lead_ids(),
        (
            maybe(
                "market",
                0.8,
                prop_oneof![8 => Just(json!("us")), 1 => one_of(&["dach", "atlantis"].map(Value::from))],
            ),
            maybe(
                "country",
                0.5,
                prop_oneof![
                    8 => Just(json!("US")),
                    2 => one_of(&["CA", "DE", "CH", "FR"].map(Value::from)),
                ],
            ),
            maybe("source", 0.5, one_of(&["paid_social", "cold_list", "partner", "fair"].map(Value::from))),
            maybe("company", 0.2, one_of(&["Acme", "Bolt"].map(Value::from))),
            maybe("account_id", 0.4, one_of(&[json!("A-0"), json!("A-1"), json!(null)])),
            maybe("account_tier", 0.1, one_of(&[json!("strategic"), json!("standard")])),
        ),
        (
            maybe("score", 0.4, one_of(&[json!(10), json!(79), json!(82), json!(90), json!(null)])),
            maybe(
                "deal_size",
                0.1,
                one_of(&[
                    json!({"amount": "1.00", "currency": "USD"}),
                    json!({"amount": "900000", "currency": "USD"}),
                ]),
            ),
            maybe("owner", 0.4, one_of(&owners)),
            maybe("state", 0.4, states()),
            maybe("hold_until", 0.1, instants()),
            maybe("waiting_on_customer", 0.1, one_of(&[json!(true), json!(false)])),
            maybe("flags", 0.04, flags()),
            maybe("contact", 0.3, one_of(&[json!({"name": "Kim"}), json!({"name": "Robin"}), json!(null)])),
        ),
    );
    fields.prop_map(|(id, a, b)| {
        let fields = [a.0, a.1, a.2, a.3, a.4, a.5, b.0, b.1, b.2, b.3, b.4, b.5, b.6, b.7];
        let mut lead: serde_json::Map<String, Value> = fields.into_iter().flatten().collect();
        lead.insert("id".to_owned(), id.into());
        json!({"type": "lead.upserted", "lead": lead})
    })
}

/// What can happen to leads by themselves.
pub fn lead_events() -> impl Strategy<Value = Value> {
    let moves = (
        lead_ids(),
        states(),
        maybe("hold_until", 0.4, instants()),
        maybe("waiting_on_customer", 0.3, one_of(&[json!(true), json!(false)])),
    );
    let moves = moves.prop_map(|(id, state, hold, waiting)| {
        let mut lead: serde_json::Map<String, Value> = [hold, waiting].into_iter().flatten().collect();
        lead.insert("id".to_owned(), id.into());
        lead.insert("state".to_owned(), state);
        json!({"type": "lead.state_changed", "lead": lead})
    });
    let flagged = (lead_ids(), flags(), proptest::option::of(Just("cleo")));
    let flagged = flagged.prop_map(
        |(id, flags, by)| json!({"type": "lead.flagged", "flagged_by": by, "lead": {"id": id, "flags": flags}}),
    );
    let decided = (
        lead_ids(),
        select(vec!["clear", "clear", "clear", "reject"]),
        select(vec!["cleo", "carl", "cora", "rep-ana"]),
    );
    let decided = decided.prop_map(|(id, decision, officer)| {
        let code = if decision == "reject" { "true-match" } else { "low-risk" };
        json!({"type": "review.decided", "lead_id": id, "decision": decision, "officer": officer,
            "reason_code": code, "reason": "Checked."})
    });
    let actions = [
        json!({"resolution": "dismiss"}),
        json!({"resolution": "assign", "rep": "rep-ana"}),
        json!({"resolution": "assign", "rep": "rep-eva"}),
        json!({"resolution": "set-market", "market": "us"}),
    ];
    let resolved = (lead_ids(), one_of(&actions)).prop_map(|(id, mut line)| {
        line["type"] = "operations.resolved".into();
        line["lead_id"] = id.into();
        line["note"] = "Looked at.".into();
        line
    });
    let erased = lead_ids().prop_map(|id| {
        json!({"type": "erasure.requested", "lead_id": id, "reference": "DSR-1", "reason": "Asked for."})
    });
    prop_oneof![8 => upserts(), 6 => moves, 2 => flagged, 8 => decided, 2 => resolved, 1 => erased]
}

/// What can happen to reps and accounts.
pub fn other_events() -> impl Strategy<Value = Value> {
    let reps = select(vec!["rep-ana", "rep-bob", "rep-cat", "rep-dan", "rep-eva", "rep-fritz"]);
    let availability = (reps, any::<bool>(), instants()).prop_map(|(rep, available, until)| {
        json!({"type": "rep.availability", "rep": rep, "available": available, "until": until})
    });
    let accounts = || select(vec!["A-0", "A-1"]);
    let updates = (accounts(), one_of(&[json!("strategic"), json!("standard"), json!(null)]))
        .prop_map(|(id, tier)| json!({"type": "account.upserted", "account": {"id": id, "tier": tier, "owner": "rep-bob"}}));
    let signals = (accounts(), select(vec!["usage_down", "ticket_spike", "stakeholder_left"])).prop_map(
        |(id, signal)| json!({"type": "account.churn_signal", "account": {"id": id, "signal": signal, "evidence": {"n": 1}}}),
    );
    let completed = accounts()
        .prop_map(|id| json!({"type": "retention.completed", "account_id": id, "note": "They stay."}));
    prop_oneof![3 => availability, 2 => updates, 2 => signals, 1 => completed]
}

fn outages() -> impl Strategy<Value = Value> {
    (1..12_000i64).prop_map(|minutes| json!({"type": "sweep.resumed", "minutes": minutes}))
}

fn steps_of(what: impl Strategy<Value = Value>, most: usize) -> impl Strategy<Value = Vec<Step>> {
    let after = prop_oneof![4 => 0..7_200i64, 2 => 0..120i64, 1 => 0..200_000i64];
    let late = prop_oneof![6 => Just(0i64), 2 => 0..3_000i64, 1 => 0..2_000_000i64];
    let step = (after, late, what).prop_map(|(after, late, what)| Step {
        after: TimeDelta::seconds(after),
        late: TimeDelta::seconds(late),
        what,
    });
    proptest::collection::vec(step, 1..most)
}

/// Everything that can happen, outages included.
pub fn histories() -> impl Strategy<Value = Vec<Step>> {
    steps_of(prop_oneof![12 => lead_events(), 4 => other_events(), 1 => outages()], 70)
}

/// Everything that can happen while the sweep runs.
pub fn histories_without_outages() -> impl Strategy<Value = Vec<Step>> {
    steps_of(prop_oneof![12 => lead_events(), 4 => other_events()], 40)
}

/// What can happen to one lead, and reps who come and go.
pub fn histories_of_one_lead() -> impl Strategy<Value = Vec<Step>> {
    let of_one = prop_oneof![6 => lead_events(), 1 => other_events()].prop_map(|mut what| {
        for pointer in ["/lead/id", "/lead_id"] {
            if let Some(id) = what.pointer_mut(pointer) {
                *id = "L-0".into();
            }
        }
        what
    });
    let no_accounts = of_one.prop_filter("accounts are another aggregate", |what| {
        !what["type"].as_str().unwrap_or_default().starts_with("account")
            && what["type"] != "retention.completed"
            // A lead that loses its owner is given to whoever had one least recently, see below.
            && what.pointer("/lead/owner") != Some(&Value::Null)
    });
    steps_of(no_accounts, 30)
}

/// The steps as lines of an events file.
pub fn lines(steps: &[Step]) -> Vec<Line> {
    let mut now = beginning();
    let mut lines = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        now += step.after;
        let mut event = step.what.clone();
        event["id"] = format!("e{n}").into();
        let kind = event["type"].as_str().unwrap_or_default();
        let from_source = kind.starts_with("lead.") || kind.starts_with("account.");
        let late = if from_source { step.late } else { TimeDelta::zero() };
        // Outages are written by how long they last; the file says since when.
        let minutes = event.as_object_mut().and_then(|event| event.remove("minutes"));
        if let Some(minutes) = minutes.and_then(|minutes| minutes.as_i64()) {
            event["since"] = (now - TimeDelta::minutes(minutes)).to_rfc3339().into();
        }
        event["occurred_at"] = (now - late).to_rfc3339().into();
        event["received_at"] = now.to_rfc3339().into();
        lines.push(
            contracts::scenario::read(&event).unwrap_or_else(|problems| panic!("{event}: {problems:?}")),
        );
    }
    lines
}

/// Plays lines to the end and long past it; gives the whole history.
pub fn play(simulation: &mut Simulation, lines: Vec<Line>) -> Vec<AnyEntry> {
    let end = lines.iter().map(|l| l.received_at).max().unwrap_or_else(beginning) + TimeDelta::days(400);
    let mut entries = Vec::new();
    leadctl::simulate::play(simulation, lines, end, &mut |entry| {
        entries.push(entry.clone());
        Ok(())
    })
    .expect("nobody refuses an entry");
    entries
}
