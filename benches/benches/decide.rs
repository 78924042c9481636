//! What a decision costs, beside rule engines that are asked one condition of it, and beside the floor.
//!
//! A decision does more than a rule engine: it reads the lead's clocks on the market's calendar, the directory, the
//! operations queue and the licenses, and it writes the facts. The engines answer one of its conditions: whether
//! the lead is high-value. No engine can be faster than the floor: a table of predicates over fields at hand, and
//! the two loads that compare a stored instant with the time.

use benches::{Scene, high_value, plain_update, wake};
use chrono::{DateTime, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use datalogic_rs::Engine;
use datalogic_rs::bumpalo::Bump;
use datalogic_rs::datavalue::OwnedDataValue;
use rules::aggregate::Aggregate as _;
use rules::lead::Lead;
use serde_json::{Value, json};
use std::hint::black_box;
use zen_expression::vm::VM;
use zen_expression::{Variable, compile_expression};

fn decide(c: &mut Criterion) {
    let scene = Scene::new();
    let mut group = c.benchmark_group("decide");
    for (name, command, at, facts) in [
        ("wake, nothing due", wake(), scene.at(10), 0),
        ("plain update", plain_update(scene.at(10)), scene.at(10), 1),
        ("80 % fires", wake(), scene.warning_at(), 2),
        ("high value fires", high_value(scene.at(10)), scene.at(10), 5),
    ] {
        let decision = Lead::decide(Some(&scene.lead), &scene.world, &command, at).expect("it is decided");
        assert_eq!(decision.entries.len(), facts, "{name}: {:#?}", decision.entries);
        group.bench_function(format!("{name} ({facts} facts)"), |b| {
            b.iter(|| Lead::decide(black_box(Some(&scene.lead)), &scene.world, &command, at));
        });
    }
    group.finish();
}

/// The fields that the condition is about.
fn lead() -> Value {
    json!({ "score": 50, "account": { "tier": "standard" }, "deal": { "amount": 20000, "currency": "USD" } })
}

fn condition(c: &mut Criterion) {
    let mut group = c.benchmark_group("condition, not met");
    datalogic(&mut group);
    zen(&mut group);
    floor(&mut group);
    group.finish();
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

fn datalogic(group: &mut Group<'_>) {
    let engine = Engine::new();
    let rule = json!({ "or": [
        { ">=": [{ "var": "score" }, 80] },
        { "==": [{ "var": "account.tier" }, "strategic"] },
        { "and": [
            { "==": [{ "var": "deal.currency" }, "USD"] },
            { ">": [{ "var": "deal.amount" }, 50000] },
        ] },
    ] });
    let rule = engine.compile(&rule.to_string()).expect("a rule");
    let lead = OwnedDataValue::from_json(&lead().to_string()).expect("a lead");
    let mut arena = Bump::new();
    let met = engine.evaluate(&rule, &lead, &arena).expect("an answer").as_bool();
    assert_eq!(met, Some(false));
    group.bench_function("datalogic-rs, compiled, lead at hand", |b| {
        b.iter(|| {
            let met = engine.evaluate(&rule, black_box(&lead), &arena).expect("an answer").as_bool();
            arena.reset();
            met
        });
    });
}

/// The expression language of `zen-engine`, which its decision tables are compiled to, without its graph.
fn zen(group: &mut Group<'_>) {
    let rule = "score >= 80 or account.tier == 'strategic' or (deal.currency == 'USD' and deal.amount > 50000)";
    let rule = compile_expression(rule).expect("a rule");
    let (lead, mut vm) = (Variable::from(lead()), VM::new());
    let met = rule.evaluate_with(lead.clone(), &mut vm).expect("an answer");
    assert!(matches!(met, Variable::Bool(false)));
    group.bench_function("zen-expression, compiled, lead at hand", |b| {
        b.iter(|| rule.evaluate_with(black_box(lead.clone()), &mut vm).expect("an answer"));
    });
}

struct Fields {
    score: u16,
    is_strategic: bool,
    deal: u64,
    is_usd: bool,
}

fn floor(group: &mut Group<'_>) {
    let table: [fn(&Fields) -> bool; 3] =
        [|lead| lead.score >= 80, |lead| lead.is_strategic, |lead| lead.is_usd && lead.deal > 50_000];
    let lead = Fields { score: 50, is_strategic: false, deal: 20_000, is_usd: true };
    group.bench_function("floor: a table of predicates", |b| {
        b.iter(|| black_box(&table).iter().any(|is_met| is_met(black_box(&lead))));
    });
    let (due, now): (DateTime<Utc>, _) = (Utc::now(), Utc::now());
    group.bench_function("floor: two loads", |b| b.iter(|| black_box(&due) <= black_box(&now)));
}

criterion_group!(benches, decide, condition);
criterion_main!(benches);
