//! Order goes by the source's own clock, which may be off by five minutes either way; measuring goes
//! by ours. In whatever order events arrive, a lead ends as if they had come in the source's order.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::scenario::Line;
use insight::simulate::Simulation;
use leadwatch_tests::cases::config;
use leadwatch_tests::histories::{maybe, one_of};
use leadwatch_tests::history::check_history;
use leadwatch_tests::seeded::{beginning, lively_policy, simulation, tight_directory};
use policy::StateKind;
use proptest::prelude::*;
use rules::account::Account;
use rules::lead::Lead;
use serde_json::{Map, Value, json};

/// How far a source's clock may be off, in milliseconds.
const SKEW_MS_MAX: i64 = 300_000;
/// How long an event is on its way at the most, in milliseconds.
const DELAY_MS_MAX: i64 = 600_000;
/// Events happen within so long, in milliseconds: no clock of the policy is over by then.
const SPAN_MS: i64 = 1_200_000;

/// An event of a source whose clock is off.
#[derive(Debug, Clone)]
struct Said {
    happened_ms: i64,
    skew_ms: i64,
    delay_ms: i64,
    members: Map<String, Value>,
}

impl Said {
    /// When it is so by the source's clock; no two are of one instant.
    fn occurred_at(&self, n: usize) -> DateTime<Utc> {
        let exact = TimeDelta::milliseconds(self.happened_ms + self.skew_ms + SKEW_MS_MAX);
        beginning() + exact + TimeDelta::microseconds(i64::try_from(n).expect("few events"))
    }

    fn received_at(&self) -> DateTime<Utc> {
        beginning() + TimeDelta::milliseconds(self.happened_ms + self.delay_ms + SKEW_MS_MAX)
    }
}

fn after(minutes: std::ops::Range<i64>) -> impl Strategy<Value = Value> {
    minutes.prop_map(|minutes| json!(beginning() + TimeDelta::minutes(minutes)))
}

/// What an event may say of a lead: any state, any field.
fn members(hold_until: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let states = ["NEW", "CONTACTED", "QUALIFIED", "ON_HOLD", "ON_HOLD", "WON", "LOST"].map(Value::from);
    let fields = (
        maybe("state", 0.7, one_of(&states)),
        maybe("hold_until", 0.6, prop_oneof![4 => hold_until, 1 => Just(Value::Null)]),
        maybe("score", 0.5, one_of(&[json!(10), json!(20), json!(30), json!(null)])),
        maybe("company", 0.4, one_of(&[json!("Acme"), json!("Bolt"), json!(null)])),
        maybe("source", 0.3, one_of(&[json!("partner"), json!("fair")])),
        maybe("country", 0.3, one_of(&[json!("US"), json!("CA")])),
        maybe("owner", 0.5, one_of(&[json!("rep-ana"), json!("rep-bob"), json!("rep-dan")])),
        maybe(
            "contact",
            0.4,
            one_of(&[json!({"name": "Kim"}), json!({"email": "r@example.test"}), json!(null)]),
        ),
        maybe("deal_size", 0.2, one_of(&[json!({"amount": "1.00", "currency": "USD"}), json!(null)])),
    );
    fields.prop_map(|(a, b, c, d, e, f, g, h, i)| sensible([a, b, c, d, e, f, g, h, i]))
}

/// The members of an event: until when a hold lasts is said with the hold.
fn sensible(members: impl IntoIterator<Item = Option<(String, Value)>>) -> Map<String, Value> {
    let mut members: Map<String, Value> = members.into_iter().flatten().collect();
    if members.get("state").is_none_or(|state| state != "ON_HOLD") {
        members.remove("hold_until");
    }
    members
}

/// What an event may say of where a lead is: mostly of holds.
fn hold_members(until: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let states = ["NEW", "CONTACTED", "WON", "ON_HOLD", "ON_HOLD", "ON_HOLD"].map(Value::from);
    let fields = (maybe("state", 0.9, one_of(&states)), maybe("hold_until", 0.5, until));
    fields.prop_map(|(state, until)| sensible([state, until]))
}

fn said(members: impl Strategy<Value = Map<String, Value>>) -> impl Strategy<Value = Said> {
    let times = (0..SPAN_MS, -SKEW_MS_MAX..=SKEW_MS_MAX, 0..DELAY_MS_MAX);
    (times, members).prop_map(|((happened_ms, skew_ms, delay_ms), members)| {
        let mut said = Said { happened_ms, skew_ms, delay_ms, members };
        // Nobody says that a hold lasts until a time that is over.
        let until: Option<DateTime<Utc>> =
            said.members.get("hold_until").and_then(|until| until.as_str()?.parse().ok());
        if until.is_some_and(|until| until <= said.occurred_at(0)) {
            said.members.remove("hold_until");
        }
        said
    })
}

/// Events with a state of its own each, whether the customer is to act next, and until when a hold
/// lasts: each may be said alone or, in other histories, with the state that the lead is in already, but for
/// the first word. Both in one would have no answer: what is said alone between two words of one state is
/// of the state before, if the first of them comes last.
fn moves() -> impl Strategy<Value = Vec<Said>> {
    let states = ["NEW", "CONTACTED", "QUALIFIED", "PROPOSAL", "ON_HOLD", "WON"];
    let order = Just(states.to_vec()).prop_shuffle();
    let members = (
        maybe("waiting_on_customer", 0.6, one_of(&[json!(true), json!(false)])),
        maybe("hold_until", 0.4, prop_oneof![3 => after(60..120), 1 => Just(Value::Null)]),
    );
    let one = said(members.prop_map(|(waiting, until)| [waiting, until].into_iter().flatten().collect()));
    let moves = proptest::collection::vec((one, 0..4u8), 2..7);
    let histories = (moves, order, any::<bool>()).prop_map(|(mut moves, states, alone)| {
        moves.sort_by_key(|(said, _)| said.occurred_at(0));
        let mut is_in = None;
        let with_state = |((mut said, how), state): ((Said, u8), &'static str)| {
            // To another state, in the state that it is in, or without a word of it.
            let state = match how {
                0 | 1 => Some(state),
                _ if alone => is_in.is_none().then_some(state),
                _ => Some(is_in.unwrap_or(state)),
            };
            if let Some(state) = state {
                is_in = Some(state);
                said.members.insert("state".to_owned(), state.into());
            }
            said
        };
        moves.into_iter().zip(states).map(with_state).collect()
    });
    histories.prop_filter("what is heard first says where the lead is", |moves: &Vec<Said>| {
        moves
            .iter()
            .min_by_key(|said| said.received_at())
            .is_none_or(|said| said.members.contains_key("state"))
    })
}

fn line(n: usize, kind: &str, said: &Said, received_at: DateTime<Utc>) -> Line {
    let mut members = said.members.clone();
    members.insert("id".to_owned(), "S-1".into());
    let subject = kind.split('.').next().unwrap_or_default();
    if subject == "lead" {
        members.insert("market".to_owned(), "us".into());
    }
    let event = json!({"id": format!("e{n}"), "type": kind, "occurred_at": said.occurred_at(n),
        "received_at": received_at, subject: members});
    contracts::scenario::read(&event).unwrap_or_else(|problems| panic!("{event}: {problems:?}"))
}

/// Plays events as they arrive, and those of another deployment in the source's order.
fn both(events: &[Said], kind: &str) -> [Simulation; 2] {
    let mut arriving: Vec<Line> =
        events.iter().enumerate().map(|(n, said)| line(n, kind, said, said.received_at())).collect();
    let mut in_order: Vec<Line> =
        events.iter().enumerate().map(|(n, said)| line(n, kind, said, said.occurred_at(n))).collect();
    let end = beginning() + TimeDelta::minutes(45);
    [&mut arriving, &mut in_order].map(|lines| {
        leadctl::simulate::sort(lines);
        let mut simulation = simulation(&lively_policy(1), &tight_directory());
        let mut entries = Vec::new();
        leadctl::simulate::play(&mut simulation, lines.clone(), end, &mut |entry| {
            entries.push(entry.clone());
            Ok(())
        })
        .expect("nobody refuses an entry");
        check_history(&simulation, &entries);
        simulation
    })
}

fn lead(simulation: &Simulation) -> Lead {
    simulation.leads().values().next().expect("there is a lead").clone()
}

/// What a source says of a lead, as far as it is known.
fn known(lead: &Lead) -> Value {
    let owner = lead.crm_owner.as_ref().and(lead.owner.as_ref());
    json!([lead.profile, lead.crm_market, lead.crm_owner, owner, lead.personal, lead.state, lead.kind])
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn fields_and_state_are_as_the_source_said_them_last(
        events in proptest::collection::vec(said(members(after(60..120))), 1..7)
    ) {
        let [arrived, in_order] = both(&events, "lead.upserted").map(|simulation| lead(&simulation));
        prop_assert_eq!(known(&arrived), known(&in_order));
        if arrived.kind == StateKind::Hold {
            prop_assert_eq!(arrived.hold_until, in_order.hold_until);
        }
    }

    #[test]
    fn a_hold_that_ends_meanwhile_is_sorted_like_any_word(
        events in proptest::collection::vec(said(members(after(0..40))), 1..5)
    ) {
        let [arrived, in_order] = both(&events, "lead.upserted").map(|simulation| lead(&simulation));
        prop_assert_eq!(known(&arrived), known(&in_order));
    }

    #[test]
    fn holds_one_after_the_other_are_told_apart(
        events in proptest::collection::vec(said(hold_members(after(0..40))), 2..6)
    ) {
        let [arrived, in_order] = both(&events, "lead.upserted").map(|simulation| lead(&simulation));
        prop_assert_eq!(known(&arrived), known(&in_order));
    }

    #[test]
    fn waiting_and_the_end_of_a_hold_are_as_they_were_said_last(events in moves()) {
        let [arrived, in_order] = both(&events, "lead.upserted").map(|simulation| lead(&simulation));
        prop_assert_eq!(known(&arrived), known(&in_order));
        if arrived.kind == StateKind::Working {
            prop_assert_eq!(arrived.waiting_on_customer, in_order.waiting_on_customer);
        }
        if arrived.kind == StateKind::Hold {
            prop_assert_eq!(arrived.hold_until, in_order.hold_until);
        }
    }

    #[test]
    fn an_account_is_as_the_source_said_it_last(
        events in proptest::collection::vec(said(account_members()), 1..7)
    ) {
        let account = |simulation: Simulation| simulation.accounts().values().next().cloned();
        let known = |account: &Account| {
            json!([account.name, account.tier, account.owner, account.customer_success_owner])
        };
        let [arrived, in_order] = both(&events, "account.upserted").map(account);
        prop_assert_eq!(arrived.as_ref().map(known), in_order.as_ref().map(known));
    }
}

/// When it happened, how far the clock was off, how long it was on its way, in milliseconds; the state; until
/// how many minutes past two a hold was to last.
type Short = (i64, i64, i64, Option<&'static str>, Option<i64>);

/// Histories that were sorted wrongly once.
const FOUND: &[&[Short]] = &[
    &[
        (449_856, 0, 517_526, Some("NEW"), None),
        (328_812, 121_044, 0, Some("ON_HOLD"), None),
        (0, 0, 0, Some("ON_HOLD"), Some(13)),
    ],
    &[
        (738_829, 0, 521_171, Some("NEW"), None),
        (756_598, 0, 503_402, Some("ON_HOLD"), None),
        (0, 0, 0, Some("ON_HOLD"), Some(18)),
    ],
    &[
        (0, 0, 0, Some("CONTACTED"), None),
        (335_589, 144_411, 144_411, Some("ON_HOLD"), Some(14)),
        (141_225, 217_373, 0, Some("ON_HOLD"), Some(11)),
        (245_122, 0, 234_878, Some("NEW"), None),
    ],
    &[
        (61_829, 94_664, 0, Some("ON_HOLD"), None),
        (0, 0, 61_829, Some("ON_HOLD"), Some(8)),
        (161_691, -5_199, 18_309, Some("NEW"), None),
    ],
    &[
        (741_815, 218_186, 141_535, Some("ON_HOLD"), None),
        (0, 0, 0, Some("ON_HOLD"), Some(19)),
        (481_783, 0, 358_626, Some("ON_HOLD"), Some(22)),
        (361_331, 120_452, 0, Some("ON_HOLD"), None),
    ],
    &[
        (0, 0, 0, Some("ON_HOLD"), Some(21)),
        (724_156, 55_844, 0, Some("ON_HOLD"), None),
        (251_570, 0, 472_586, Some("ON_HOLD"), Some(10)),
    ],
    &[
        (0, 0, 0, Some("ON_HOLD"), Some(22)),
        (822_425, 170_318, 437_575, Some("ON_HOLD"), Some(22)),
        (729_297, 0, 530_703, Some("NEW"), None),
    ],
    &[
        (0, 0, 0, Some("ON_HOLD"), Some(14)),
        (219_596, 0, 320_404, Some("ON_HOLD"), Some(15)),
        (475_259, 0, 64_741, Some("NEW"), None),
        (261_856, 213_403, 0, Some("ON_HOLD"), None),
    ],
    &[
        (0, 0, 0, Some("ON_HOLD"), Some(19)),
        (636_028, 0, 203_972, Some("ON_HOLD"), Some(16)),
        (693_582, 0, 146_418, Some("ON_HOLD"), None),
    ],
    &[
        (0, 0, 0, Some("ON_HOLD"), Some(14)),
        (268_016, 271_984, 0, Some("ON_HOLD"), None),
        (0, 0, 268_016, Some("ON_HOLD"), Some(15)),
    ],
    &[
        (902_170, 57_831, 501_409, Some("ON_HOLD"), None),
        (930_685, 29_316, 29_316, None, None),
        (413_305, 0, 546_696, Some("ON_HOLD"), Some(12)),
    ],
    &[
        (795_956, 0, 478_771, Some("ON_HOLD"), Some(22)),
        (1_039_905, -19_906, 0, Some("ON_HOLD"), None),
        (0, 0, 0, Some("ON_HOLD"), Some(21)),
        (540_484, 255_472, 0, Some("ON_HOLD"), None),
    ],
    &[
        (900_714, 0, 166_490, Some("ON_HOLD"), Some(21)),
        (961_087, 0, 0, Some("ON_HOLD"), None),
        (601_667, 0, 359_420, Some("ON_HOLD"), Some(22)),
    ],
    &[
        (655_504, 0, 461_507, Some("ON_HOLD"), Some(23)),
        (691_293, 88_707, 0, Some("ON_HOLD"), None),
        (689_308, 0, 1_985, Some("ON_HOLD"), Some(17)),
    ],
];

#[test]
fn histories_that_were_sorted_wrongly_once_are_sorted_well() {
    for (n, history) in FOUND.iter().enumerate() {
        let said = |&(happened_ms, skew_ms, delay_ms, state, until): &Short| {
            let state = state.map(|state| ("state".to_owned(), state.into()));
            let until = until.map(|until| {
                let until = beginning() + TimeDelta::minutes(until);
                ("hold_until".to_owned(), json!(until))
            });
            Said { happened_ms, skew_ms, delay_ms, members: state.into_iter().chain(until).collect() }
        };
        let events: Vec<Said> = history.iter().map(said).collect();
        let [arrived, in_order] = both(&events, "lead.upserted").map(|simulation| lead(&simulation));
        assert_eq!(known(&arrived), known(&in_order), "history {n}: {events:?}");
    }
}

fn account_members() -> impl Strategy<Value = Map<String, Value>> {
    let fields = (
        maybe("name", 0.6, one_of(&[json!("Acme"), json!("Bolt"), json!(null)])),
        maybe("tier", 0.6, one_of(&[json!("standard"), json!("strategic"), json!(null)])),
        maybe("owner", 0.6, one_of(&[json!("rep-ana"), json!("rep-bob"), json!(null)])),
        maybe("customer_success_owner", 0.4, one_of(&[json!("rep-cat"), json!(null)])),
    );
    fields.prop_map(|(a, b, c, d)| [a, b, c, d].into_iter().flatten().collect())
}
