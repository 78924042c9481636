//! What a decision costs, beside rule engines that are asked the same condition, and beside the floor.
//!
//! A decision does more than a rule engine: it goes by the lead's clocks on the market's calendar, by the
//! directory, the operations queue and the licenses, and it writes the facts. So the engines are asked one
//! condition of it, and the floor is what no engine can be faster than: a table of predicates over fields at hand.

use benches::{Scene, high_value, plain_update, wake};
use criterion::{Criterion, criterion_group, criterion_main};
use rules::aggregate::Aggregate as _;
use rules::lead::Lead;
use std::hint::black_box;

fn decide(c: &mut Criterion) {
    let scene = Scene::new();
    let mut group = c.benchmark_group("decide");
    for (name, command, at, facts) in [
        ("wake, nothing due", wake(), scene.at(10), 0),
        ("plain update", plain_update(scene.at(10)), scene.at(10), 1),
        ("80 % fires", wake(), scene.warning_at(), 2),
        ("high value fires", high_value(scene.at(10)), scene.at(10), 0),
    ] {
        let decision = Lead::decide(Some(&scene.lead), &scene.world, &command, at).expect("it is decided");
        if facts > 0 || name.starts_with("wake") {
            assert_eq!(decision.entries.len(), facts, "{name}: {:#?}", decision.entries);
        }
        eprintln!("{name}: {} facts", decision.entries.len());
        group.bench_function(name, |b| {
            b.iter(|| Lead::decide(black_box(Some(&scene.lead)), &scene.world, &command, at));
        });
    }
    group.finish();
}

criterion_group!(benches, decide);
criterion_main!(benches);
