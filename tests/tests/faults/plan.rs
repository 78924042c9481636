//! What a run does, as data: what comes from outside and when, what goes wrong and where. A plan is
//! drawn from a seed, is written as JSON, and is run again from that byte for byte.

use crate::points::{self, Harm};
use leadwatch_tests::histories::{lead_events, other_events};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A run, before it is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What was wrong, in a plan that is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Draws everything that the plan leaves open: which request goes next, sizes of batches.
    pub schedule: u64,
    /// What comes from outside, in order.
    pub inputs: Vec<Input>,
    /// What goes wrong with single requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// What goes wrong for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weather: Vec<Weather>,
    /// No tick comes for so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Silence>,
    /// How far the clock of each container is off, in turn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skews_ms: Vec<i64>,
    /// Which containers run the next version of the code, in turn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next_version: Vec<bool>,
}

/// Something that comes from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// So long after the one before it.
    pub after_s: u64,
    /// It happened so long before it is sent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub late_s: u64,
    /// Its source's clock is ahead by so much.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ahead_s: u64,
    /// What is sent again says something else under the same id.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changes: bool,
    /// It is sent again so long after it was sent first, whatever was answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repeats_s: Vec<u64>,
    /// What it says, as a line of an events file; several, in a webhook of several events.
    pub says: Vec<Value>,
}

/// Something goes wrong with one request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// With which: function, operation and kind of item.
    pub at: String,
    /// The how manieth of these, from 1.
    pub nth: u32,
    /// What.
    pub what: Harm,
}

/// Something goes wrong for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weather {
    /// Since when.
    pub from_s: u64,
    /// How long.
    pub for_s: u64,
    /// Of so many in a hundred requests.
    pub percent: u8,
    /// With requests to which service.
    pub of: Place,
    /// What.
    pub what: Harm,
}

/// What a fault of some length strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    Database,
    Indexes,
    Queues,
    Slack,
    Bus,
    Secrets,
    Keys,
}

/// No tick comes for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silence {
    /// Since when.
    pub from_s: u64,
    /// How long.
    pub for_s: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Plan {
    /// The same plan with a crash at a point, the first time that it is come to. The calm at
    /// the end, in which nothing goes wrong, is put off until then.
    pub fn with_crash_at(mut self, point: &str, what: Harm) -> Self {
        self.faults.retain(|fault| fault.at != point || fault.nth != 1);
        self.faults.push(Fault { at: point.to_owned(), nth: 1, what });
        let (of, what) = (Place::Bus, Harm::Fault);
        self.weather.push(Weather { from_s: 0, for_s: 30 * 86_400, percent: 0, of, what });
        self
    }

    /// As it is printed and kept.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a plan is JSON")
    }
}

/// The person at every lead, who is in no store and no message but sealed. With a space, so that no
/// sealed text can say it by chance.
pub const PERSON: &str = "Kim Carter";

/// A plan that can be made smaller.
pub type Tree = Box<dyn ValueTree<Value = Plan>>;

/// The plan of a seed.
pub fn of_seed(seed: u64) -> Tree {
    Box::new(plans(seed).new_tree(&mut runner(seed)).expect("nothing is filtered"))
}

fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    TestRunner::new_with_rng(Config::default(), rng)
}

/// The plan of a seed with a crash at a point, the first time that it is come to.
pub fn of_seed_with_crash(seed: u64, point: String, after: bool) -> Tree {
    let what = if after { Harm::CrashAfter } else { Harm::CrashBefore };
    let struck = plans(seed).prop_map(move |plan| plan.with_crash_at(&point, what));
    Box::new(struck.new_tree(&mut runner(seed)).expect("nothing is filtered"))
}

/// Nine minutes and eleven (within two ticks' worth of a lease and beyond it), more than an hour
/// (history), three days and two weeks.
const LATE_S: [u64; 5] = [9 * 60, 11 * 60, 61 * 60, 76 * 3600, 15 * 86_400];

fn plans(seed: u64) -> impl Strategy<Value = Plan> {
    let weather = prop_oneof![2 => vec(weather(), 0..1), 3 => vec(weather(), 1..3)];
    let silence = proptest::option::weighted(0.2, silence());
    // What machines that follow a time server are off by, and more.
    let skews = prop_oneof![3 => Just(Vec::new()), 2 => vec(-3_000..3_000i64, 2..5)];
    let versions = prop_oneof![3 => Just(Vec::new()), 1 => vec(any::<bool>(), 2..5)];
    (inputs(), vec(fault(), 0..28), weather, silence, skews, versions).prop_map(
        move |(inputs, faults, weather, silence, skews_ms, next_version)| Plan {
            comment: None,
            schedule: seed,
            inputs,
            faults,
            weather,
            silence,
            skews_ms,
            next_version,
        },
    )
}

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    let opening = vec(arrivals(), 1..4).prop_map(|says| input(says, (60, 0, 0, false, Vec::new())));
    let one = prop_oneof![
        9 => lead_events(),
        3 => other_events(),
        2 => publications(),
        4 => matches(),
        1 => renames(),
        3 => decisions(),
        1 => erasures(),
    ];
    let more = prop_oneof![21 => one.prop_map(|what| vec![what]), 4 => vec(arrivals(), 1..4)];
    let more = (more, timing()).prop_map(|(says, timing)| vec![input(says, timing)]);
    let story = prop_oneof![40 => more, 1 => reopenings()];
    (opening, vec(story, 0..9))
        .prop_map(|(opening, more)| std::iter::once(opening).chain(more.into_iter().flatten()).collect())
}

/// How long after the one before, how late, how far ahead; whether a repetition says something else, and
/// when it is repeated.
type Timing = (u64, u64, u64, bool, Vec<u64>);

fn input(says: Vec<Value>, (after_s, late_s, ahead_s, changes, repeats_s): Timing) -> Input {
    Input { after_s, late_s, ahead_s, changes: changes && !repeats_s.is_empty(), repeats_s, says }
}

fn timing() -> impl Strategy<Value = Timing> {
    let after = prop_oneof![3 => Just(0), 2 => 0..20u64, 4 => 0..3_600u64, 1 => 0..30_000u64];
    let late = prop_oneof![7 => Just(0), 1 => 0..120u64, 2 => select(LATE_S.to_vec())];
    // A clock may be off by five minutes either way: what is further ahead is refused.
    let ahead = prop_oneof![4 => Just(0), 1 => 0..295u64];
    let changes = prop_oneof![1 => Just(false), 1 => Just(true)];
    let again = prop_oneof![1 => 0..30u64, 2 => select(LATE_S.to_vec())];
    let repeats = prop_oneof![4 => Just(Vec::new()), 1 => vec(again, 1..3)];
    (after, late, ahead, changes, repeats)
}

/// A lead of which something will be heard.
fn arrivals() -> impl Strategy<Value = Value> {
    let owner = select(vec![json!(null), json!("rep-ana"), json!("rep-bob"), json!("rep-dan")]);
    let account = select(vec![json!(null), json!(null), json!("A-0"), json!("A-1")]);
    let score = select(vec![json!(null), json!(40), json!(90)]);
    let market = prop_oneof![4 => Just(("us", "US")), 1 => Just(("dach", "DE"))];
    (0..4u8, owner, account, score, market).prop_map(|(n, owner, account, score, (market, country))| {
        let mut lead = json!({
            "id": format!("L-{n}"), "market": market, "country": country, "source": "paid_social",
            "state": "NEW", "company": "Acme", "contact": {"name": PERSON},
        });
        for (name, value) in [("owner", owner), ("account_id", account), ("score", score)] {
            if !value.is_null() {
                lead[name] = value;
            }
        }
        json!({"type": "lead.upserted", "lead": lead})
    })
}

/// Something that a screening finds of a lead.
fn matches() -> impl Strategy<Value = Value> {
    let strength = select(vec![json!(null), json!(61), json!(61), json!(100)]);
    (0..3u8, 0..3u8, select(vec!["1", "1", "2"]), strength).prop_map(|(lead, found, version, strength)| {
        let mut found =
            json!({"match_id": format!("m-{found}"), "list": "A", "list_version": version, "name": PERSON});
        if !strength.is_null() {
            found["strength"] = strength;
        }
        json!({"type": "lead.flagged", "lead": {"id": format!("L-{lead}"), "flags": {"sanctions": [found]}}})
    })
}

/// A lead becomes another company's, or another person's.
fn renames() -> impl Strategy<Value = Value> {
    let company = select(vec![json!("Acme"), json!("Bolt"), json!("ACME")]);
    let contact = select(vec![json!({"name": PERSON}), json!({"name": PERSON, "phone": "1"})]);
    (0..3u8, company, contact).prop_map(|(lead, company, contact)| {
        json!({"type": "lead.upserted", "lead": {"id": format!("L-{lead}"), "company": company, "contact": contact}})
    })
}

/// What an officer says of it.
fn decisions() -> impl Strategy<Value = Value> {
    let decision = select(vec!["clear", "clear", "reject"]);
    (0..3u8, decision, select(vec!["cleo", "carl"])).prop_map(|(lead, decision, officer)| {
        json!({"type": "review.decided", "lead_id": format!("L-{lead}"), "decision": decision,
            "officer": officer, "reason_code": reason_code(decision), "reason": "Checked."})
    })
}

/// A lead is rejected, and two officers open its review again: who asks a second time is the other one.
fn reopenings() -> impl Strategy<Value = Vec<Input>> {
    let rejected = (0..3u8, matches(), decisions(), 0..600u64, 0..600u64);
    rejected.prop_map(|(lead, mut found, mut decided, soon, later)| {
        let lead = format!("L-{lead}");
        found["lead"]["id"] = lead.clone().into();
        decided["lead_id"] = lead.clone().into();
        (decided["decision"], decided["reason_code"]) = ("reject".into(), reason_code("reject").into());
        let reopened = json!({"type": "reopening", "lead_id": lead, "officers": ["cleo", "carl"],
            "reason": "It was somebody else."});
        let timing = |after_s, repeats_s| (after_s, 0, 0, false, repeats_s);
        vec![
            input(vec![found], timing(soon, Vec::new())),
            input(vec![decided], timing(60 + soon, Vec::new())),
            input(vec![reopened], timing(60 + later, vec![30 + later])),
        ]
    })
}

fn reason_code(decision: &str) -> &'static str {
    if decision == "reject" { "true-match" } else { "low-risk" }
}

/// Somebody has the personal data of a lead erased.
fn erasures() -> impl Strategy<Value = Value> {
    (0..3u8).prop_map(|lead| json!({"type": "erasure", "lead_id": format!("L-{lead}")}))
}

/// What is published in the middle of it all; see `staff`.
fn publications() -> impl Strategy<Value = Value> {
    let changes = vec![
        "tighter-windows",
        "longer-windows",
        "fewer-places",
        "a-holiday",
        "another-team",
        "somebody-leaves",
        "somebody-on-leave",
    ];
    select(changes).prop_map(|change| json!({"type": "publication", "change": change}))
}

fn fault() -> impl Strategy<Value = Fault> {
    let nth = prop_oneof![4 => 1..3u32, 2 => 1..8u32, 1 => 1..40u32];
    (select(points::KNOWN.to_vec()), nth, any::<proptest::sample::Index>()).prop_map(|(at, nth, index)| {
        let fitting = points::fitting(at);
        Fault { at: at.to_owned(), nth, what: fitting[index.index(fitting.len())] }
    })
}

fn weather() -> impl Strategy<Value = Weather> {
    let kinds = vec![
        (Place::Database, Harm::Throttle),
        (Place::Database, Harm::Fault),
        (Place::Database, Harm::AnswerLost),
        (Place::Database, Harm::Slow { s: 2 }),
        (Place::Database, Harm::Conflict),
        (Place::Database, Harm::LeftOver),
        (Place::Database, Harm::Short),
        (Place::Indexes, Harm::Stale),
        (Place::Queues, Harm::Fault),
        (Place::Queues, Harm::Partial),
        (Place::Slack, Harm::Fault),
        (Place::Slack, Harm::Lost),
        (Place::Slack, Harm::AnswerLost),
        (Place::Slack, Harm::RateLimited { s: 2 }),
        (Place::Slack, Harm::RateLimited { s: 90 }),
        (Place::Bus, Harm::Fault),
        (Place::Bus, Harm::Partial),
        (Place::Secrets, Harm::Fault),
        (Place::Keys, Harm::Fault),
        (Place::Keys, Harm::AnswerLost),
    ];
    let long = prop_oneof![3 => 10..300u64, 2 => 300..3_600u64, 1 => 3_600..20_000u64];
    let percent = prop_oneof![2 => Just(100u8), 3 => 10..70u8];
    (0..14_400u64, long, percent, select(kinds)).prop_map(|(from_s, for_s, percent, (of, what))| Weather {
        from_s,
        for_s,
        percent,
        of,
        what,
    })
}

/// Six hours, as in the promise, or less.
fn silence() -> impl Strategy<Value = Silence> {
    (0..7_200u64, prop_oneof![3 => Just(6 * 3600u64), 1 => 120..3_600u64])
        .prop_map(|(from_s, for_s)| Silence { from_s, for_s })
}
