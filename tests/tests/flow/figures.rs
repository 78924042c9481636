//! Figures to quote, not to assert on:
//! `cargo test -p leadwatch-tests --test flow -- --ignored --test-threads 1`.

use crate::documents::HASTY;
use crate::world::{World, now};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

crate::flows![how_soon_a_webhook_is_a_message, how_late_a_threshold_is];

const TIMES: usize = 20;

async fn how_soon_a_webhook_is_a_message(world: &'static World) {
    // Once before, so that every function runs.
    world.told(&format!("leads/{}", world.lead(json!({"score": 91})).await)).await;
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let begun = now();
        let lead = world.lead(json!({"score": 91})).await;
        let message = world.message(&lead, "sue@example.test").await;
        took.push(instant(&json!(message.at)) - begun);
    }
    report("webhook to direct message", took);
}

async fn how_late_a_threshold_is(world: &'static World) {
    let mut leads = Vec::new();
    for _ in 0..TIMES {
        leads.push(world.lead(json!({"source": HASTY})).await);
    }
    let mut late = Vec::new();
    for lead in leads {
        let of = format!("leads/{lead}");
        world.entry(&of, "it breaches", |entry| entry["workflow"]["step"] == "breached").await;
        let history = world.history(&of).await;
        let reached = history.iter().filter(|entry| entry["type"] == "threshold.reached");
        let first = reached.take(1);
        late.extend(first.map(|entry| instant(&entry["recorded_at"]) - instant(&entry["due_at"])));
    }
    report("threshold after its instant", late);
}

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

fn report(what: &str, mut took: Vec<TimeDelta>) {
    took.sort_unstable();
    let ms = |n: usize| took[n].num_milliseconds();
    println!(
        "{what}: median {} ms, least {} ms, most {} ms, of {}",
        ms(took.len() / 2),
        ms(0),
        ms(took.len() - 1),
        took.len()
    );
}
