//! The simulator: one thread, one virtual clock, one seed. Every invocation of a function is a future
//! that is polled here; every request it makes waits on the wire until it is taken up. Between two
//! requests a function only computes, so that to drop its future before a request is done, and after
//! it is done and before it is answered, is to crash it at each of its await points.

use crate::bundle::{Clients, Container, Function, Work};
use crate::database::Database;
use crate::defects::Defect;
use crate::invocations::{Origin, Running};
use crate::outside::Outside;
use crate::plan::{Plan, Silence};
use crate::points::{Harm, Tally};
use crate::queues::{self, Message, Queues};
use crate::seeding;
use crate::staff::{self, Answered, PATIENCE_MS, Sending};
use crate::wire::{Line, Parked};
use chrono::{DateTime, TimeDelta, Utc};
use futures::task::AtomicWaker;
use leadwatch_tests::seeded::beginning;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;
use std::time::Duration;
use tokio::time::Instant;

pub const MINUTE_MS: i64 = 60_000;
/// So long before an instant the first tick comes that sees it: a tick looks two minutes ahead.
const TICKS_BEFORE_MS: i64 = MINUTE_MS;
/// After the last thing that was planned a run goes on for at least so long, without faults.
const CALM_MS: i64 = 40 * MINUTE_MS;
/// By then everything has come to rest.
const REST_BY_MS: i64 = 4 * 86_400_000;
/// So many subjects' shards does the stream have.
pub const SHARDS: usize = 2;

/// What is to come.
#[derive(Debug)]
pub enum Event {
    Input { n: usize, repetition: usize },
    Send(usize),
    GaveUp { sending: usize, invocation: u64 },
    Tick { at: i64, attempts: u32 },
    Late(Parked),
    Stream(usize),
}

/// A shard of the stream: what is in it, and how far it was handed on.
#[derive(Debug, Default)]
pub struct Shard {
    pub items: Vec<Value>,
    pub next: usize,
    pub attempts: u32,
    pub is_busy: bool,
}

/// A run.
pub struct Sim<'p> {
    pub plan: &'p Plan,
    pub line: Line,
    pub database: Arc<Mutex<Database>>,
    pub queues: Queues,
    pub outside: Outside,
    pub tally: Tally,
    /// Acknowledged webhooks: what was sent and what was answered.
    pub acknowledged: Vec<(Value, Value)>,
    /// What a source sent, the status of the answer, and the answer; what was not taken is not here.
    pub heard: Vec<(Value, i64, Value)>,
    /// What must not happen and did.
    pub violations: Vec<String>,
    /// Invocations in which something went wrong.
    pub harmed: BTreeSet<u64>,
    /// When something went wrong.
    pub troubles: BTreeSet<i64>,
    /// Notifications that their channel refused for good; `None`: a look-up of it, of whichever.
    pub refused: BTreeSet<Option<String>>,
    /// What staff were answered well.
    pub answered: Vec<Answered>,
    /// What the stream gave up.
    pub given_up: Vec<Value>,
    pub defect: Option<Defect>,
    pub trace: Option<Vec<String>>,
    pub(crate) rng: fastrand::Rng,
    pub(crate) strikes: BTreeMap<(String, u32), Harm>,
    pub(crate) silent: Vec<Parked>,
    pub(crate) is_calm: bool,
    pub(crate) sendings: Vec<Sending>,
    events: BTreeMap<(i64, u64), Event>,
    pub(crate) running: BTreeMap<u64, Running>,
    pub(crate) idle: Vec<Container>,
    pub(crate) shards: Vec<Shard>,
    streamed: usize,
    numbers: u64,
    pub(crate) containers: usize,
    pub(crate) alarm: Arc<AtomicWaker>,
    pub(crate) begun: Instant,
    last_tick: i64,
    next_due: Option<i64>,
    calm_from: i64,
}

impl<'p> Sim<'p> {
    /// Runs a plan to its end, within the runtime whose time stands still unless nothing else happens.
    pub async fn run(plan: &'p Plan, defect: Option<Defect>, with_trace: bool) -> Sim<'p> {
        fastrand::seed(plan.schedule);
        let is_stale = plan.faults.iter().any(|fault| fault.what == Harm::Stale)
            || plan.weather.iter().any(|weather| weather.what == Harm::Stale);
        let line = Line::default();
        let database = Arc::new(Mutex::new(Database::new(is_stale)));
        let strikes = plan.faults.iter().map(|f| ((f.at.clone(), f.nth), f.what)).collect();
        let mut sim = Sim {
            plan,
            line,
            database,
            queues: Queues::new(),
            outside: Outside::default(),
            tally: Tally::default(),
            acknowledged: Vec::new(),
            heard: Vec::new(),
            violations: Vec::new(),
            harmed: BTreeSet::new(),
            troubles: BTreeSet::new(),
            refused: BTreeSet::new(),
            answered: Vec::new(),
            given_up: Vec::new(),
            defect,
            trace: with_trace.then(Vec::new),
            rng: fastrand::Rng::with_seed(plan.schedule ^ 0x5EED),
            strikes,
            silent: Vec::new(),
            is_calm: false,
            sendings: Vec::new(),
            events: BTreeMap::new(),
            running: BTreeMap::new(),
            idle: Vec::new(),
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            streamed: 0,
            numbers: 0,
            containers: 0,
            alarm: Arc::default(),
            begun: Instant::now(),
            last_tick: 0,
            next_due: None,
            calm_from: 0,
        };
        sim.let_through(true);
        seeding::seed(&Clients::new(&sim.line), beginning()).await;
        sim.let_through(false);
        sim.begin();
        tokio::task::coop::unconstrained(sim.go()).await;
        sim
    }

    /// While it is on, requests are done at once and nothing goes wrong.
    pub fn let_through(&self, on: bool) {
        self.line.wire().through = on.then(|| Arc::clone(&self.database));
    }

    /// The instant, in milliseconds since the beginning.
    pub fn now(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_millis()).expect("a run is short")
    }

    /// The instant, as a date.
    pub fn instant(&self) -> DateTime<Utc> {
        beginning() + TimeDelta::milliseconds(self.now())
    }

    pub fn database(&self) -> MutexGuard<'_, Database> {
        self.database.lock().expect("one thread")
    }

    pub fn say(&mut self, what: impl FnOnce() -> String) {
        let now = self.now();
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>9}.{:03} {}", now / 1000, now % 1000, what()));
        }
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(crate) fn at(&mut self, at: i64, event: Event) {
        let number = self.number();
        self.events.insert((at, number), event);
    }

    /// Puts what comes from outside where it belongs in time.
    fn begin(&mut self) {
        let (mut at, mut last) = (0, 0);
        for (n, input) in self.plan.inputs.iter().enumerate() {
            at += ms(input.after_s);
            self.at(at, Event::Input { n, repetition: 0 });
            last = last.max(at);
            for (k, after_s) in input.repeats_s.iter().enumerate() {
                self.at(at + ms(*after_s), Event::Input { n, repetition: k + 1 });
                last = last.max(at + ms(*after_s));
            }
        }
        let ends = self.plan.weather.iter().map(|w| ms(w.from_s + w.for_s));
        let silence = self.plan.silence.iter().map(|s| ms(s.from_s + s.for_s));
        self.calm_from = ends.chain(silence).fold(last, i64::max);
    }

    async fn go(&mut self) {
        loop {
            self.start_what_is_due();
            self.poll_who_is_woken();
            let waiting = self.line.wire().parked.len();
            if waiting > 0 {
                let chosen = self.rng.usize(..waiting);
                let parked = self.line.wire().parked.remove(chosen);
                self.take_up(parked);
                if self.rng.u8(..4) == 0 {
                    let pause = self.rng.u64(1..=12);
                    tokio::time::advance(Duration::from_millis(pause)).await;
                }
                continue;
            }
            if self.running.values().any(|r| r.flag.is_woken.load(Ordering::Relaxed)) {
                continue;
            }
            if self.is_at_rest() {
                return;
            }
            if self.now() > self.calm_from + REST_BY_MS {
                let due = self.database().due();
                self.violations.push(format!("it does not come to rest; due: {due:?}"));
                return;
            }
            self.wait().await;
        }
    }

    /// Waits until somebody is woken or something is to come.
    async fn wait(&mut self) {
        let rest = self.calm_from + CALM_MS;
        let next = self.next().unwrap_or(rest).max(self.now());
        let until =
            self.begun + Duration::from_millis(u64::try_from(next).expect("not before the beginning"));
        let mut sleep = pin!(tokio::time::sleep_until(until));
        let (alarm, running) = (&self.alarm, &self.running);
        poll_fn(|cx| {
            alarm.register(cx.waker());
            if running.values().any(|r| r.flag.is_woken.load(Ordering::Relaxed)) {
                return Poll::Ready(());
            }
            sleep.as_mut().poll(cx)
        })
        .await;
    }

    /// When the next thing happens by itself.
    fn next(&mut self) -> Option<i64> {
        let event = self.events.first_key_value().map(|((at, _), _)| *at);
        let death = self.running.values().map(|running| running.dies_at).min();
        let rest = (self.now() < self.calm_from + CALM_MS).then_some(self.calm_from + CALM_MS);
        [event, death, self.queues.next(), self.next_tick(), rest].into_iter().flatten().min()
    }

    /// When the next tick comes. Ticks keep their minute, and are left out where nothing is due.
    fn next_tick(&mut self) -> Option<i64> {
        let changed = std::mem::take(&mut self.database().is_changed);
        if changed {
            let first = self.database().due().into_iter().next();
            self.next_due = first.map(|(at, _)| {
                let at: DateTime<Utc> = at.parse().expect("a due key is an instant");
                (at - beginning()).num_milliseconds()
            });
        }
        let from = self.next_due? - TICKS_BEFORE_MS;
        let at = (self.last_tick + MINUTE_MS).max(from - from.rem_euclid(MINUTE_MS));
        Some(match &self.plan.silence {
            Some(Silence { from_s, for_s }) if (ms(*from_s)..ms(from_s + for_s)).contains(&at) => {
                let end = ms(from_s + for_s);
                end + (MINUTE_MS - end.rem_euclid(MINUTE_MS)) % MINUTE_MS
            }
            _ => at,
        })
    }

    /// Whether nothing is left that happens without anybody's doing before the next instant of a clock.
    fn is_at_rest(&mut self) -> bool {
        if self.now() < self.calm_from + CALM_MS {
            return false;
        }
        let soon = self.now() + TICKS_BEFORE_MS;
        let is_due_soon = self.next_tick().is_some() && self.next_due.is_some_and(|due| due <= soon);
        self.running.is_empty()
            && self.events.is_empty()
            && self.queues.are_empty()
            && self.shards.iter().all(|shard| shard.next == shard.items.len())
            && !is_due_soon
    }

    fn start_what_is_due(&mut self) {
        let now = self.now();
        self.database().now_ms = now;
        self.is_calm = now >= self.calm_from;
        let dead: Vec<u64> =
            self.running.iter().filter(|(_, r)| r.dies_at <= now).map(|(number, _)| *number).collect();
        for invocation in dead {
            self.harmed.insert(invocation);
            self.troubles.insert(now);
            self.tally.harmed("function timed out");
            self.crash(invocation);
        }
        while self.events.first_key_value().is_some_and(|((at, _), _)| *at <= now) {
            let Some((_, event)) = self.events.pop_first() else { break };
            self.happen(event);
        }
        // Ticks come when the wire is free: to look what is due after each write would take too long.
        let is_free = self.line.wire().parked.is_empty();
        if is_free && let Some(at) = self.next_tick().filter(|at| *at <= now) {
            self.last_tick = at;
            self.tick(at);
        }
        for name in [queues::DUE, queues::NOTIFICATIONS] {
            self.receive(name);
        }
        self.carry_on_the_stream();
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Input { n, repetition } => {
                let said_at = beginning() + TimeDelta::milliseconds(self.said_at(n));
                let sending = staff::sending(n, repetition, &self.plan.inputs[n], said_at);
                self.sendings.push(sending);
                self.send(self.sendings.len() - 1);
            }
            Event::Send(sending) => self.send(sending),
            Event::GaveUp { sending, invocation } => {
                if self.sendings[sending].awaited == Some(invocation) {
                    self.send_again(sending);
                }
            }
            Event::Tick { at, attempts } => self.start_tick(at, attempts),
            Event::Late(parked) => self.do_late(parked),
            Event::Stream(shard) => self.shards[shard].is_busy = false,
        }
    }

    /// When an input was sent first: a repetition says the same, with the same instant in it.
    fn said_at(&self, n: usize) -> i64 {
        self.plan.inputs[..=n].iter().map(|input| ms(input.after_s)).sum()
    }

    pub(crate) fn send(&mut self, n: usize) {
        let number = self.number();
        let now = self.instant();
        let sending = self.sendings[n].clone();
        let is_at_our_clock = self.defect == Some(Defect::OurClock);
        let sending = if is_at_our_clock { sending.at_our_clock(now) } else { sending };
        let (function, request) = sending.request(number, now);
        self.sendings[n].attempts += 1;
        let invocation = self.invoke(function, Work::Http(request), Origin::Sending(n));
        self.sendings[n].awaited = Some(invocation);
        self.at(self.now() + PATIENCE_MS, Event::GaveUp { sending: n, invocation });
    }

    pub(crate) fn send_again(&mut self, n: usize) {
        self.sendings[n].awaited = None;
        let pause = self.sendings[n].pause_ms();
        self.at(self.now() + pause, Event::Send(n));
    }

    fn tick(&mut self, at: i64) {
        match self.strike("tick sweep") {
            Some(Harm::Missed) => return,
            Some(Harm::Twice) => {
                let again = at + i64::from(self.rng.u32(1..90)) * 1000;
                self.at(again, Event::Tick { at, attempts: 1 });
            }
            _ => {}
        }
        self.start_tick(at, 1);
    }

    fn start_tick(&mut self, at: i64, attempts: u32) {
        let scheduled = beginning() + TimeDelta::milliseconds(at);
        self.invoke(Function::Sweep, Work::Tick(scheduled), Origin::Tick { at, attempts });
    }

    fn receive(&mut self, name: &'static str) {
        loop {
            let now = self.now();
            let messages = self.queues.receive(name, now, &mut self.rng);
            if messages.is_empty() {
                return;
            }
            for message in &messages {
                if self.strike(&format!("message {name}")) == Some(Harm::Twice) {
                    // At the same moment, or after a while.
                    let most = if self.rng.bool() { 60 } else { 60_000 };
                    let again = now + i64::from(self.rng.u32(..most));
                    self.queues.repeat(name, message, again);
                }
            }
            let function = if name == queues::DUE { Function::Escalate } else { Function::Notify };
            let records: Vec<Value> = messages.iter().map(Message::record).collect();
            self.invoke(
                function,
                Work::Messages(json!({"Records": records})),
                Origin::Queue { name, messages },
            );
        }
    }

    /// Hands the audit's new items on, each shard in its order.
    fn carry_on_the_stream(&mut self) {
        let new: Vec<Value> = self.database().stream[self.streamed..].to_vec();
        self.streamed += new.len();
        for item in new {
            let subject = crate::database::text(&item, store::PK);
            let shard = subject.bytes().map(usize::from).sum::<usize>() % SHARDS;
            self.shards[shard].items.push(item);
        }
        for n in 0..SHARDS {
            let Shard { items, next, is_busy, .. } = &self.shards[n];
            if *is_busy || *next == items.len() {
                continue;
            }
            let (from, to) = (*next, items.len().min(next + 100));
            let records: Vec<Value> =
                (from..to).zip(&items[from..to]).map(|(k, item)| record(k, item)).collect();
            self.shards[n].is_busy = true;
            let origin = Origin::Stream { shard: n, from, to };
            self.invoke(Function::Publish, Work::Records(json!({"Records": records})), origin);
        }
    }

    /// Whether nothing went wrong between two instants.
    pub fn was_quiet(&self, from: i64, until: i64) -> bool {
        let is_silent = self
            .plan
            .silence
            .as_ref()
            .is_some_and(|Silence { from_s, for_s }| ms(*from_s) <= until && from <= ms(from_s + for_s));
        !is_silent && self.troubles.range(from..=until).next().is_none()
    }

    /// Puts a request off.
    pub(crate) fn put_off(&mut self, parked: Parked, seconds: u64) {
        self.at(self.now() + ms(seconds), Event::Late(parked));
    }
}

/// Milliseconds.
pub fn ms(seconds: u64) -> i64 {
    i64::try_from(seconds * 1000).expect("a run is short")
}

fn record(n: usize, item: &Value) -> Value {
    json!({
        "eventID": n.to_string(), "eventName": "INSERT", "awsRegion": "eu-central-1",
        "dynamodb": {"SequenceNumber": n.to_string(), "NewImage": item, "Keys": {}, "SizeBytes": 1, "ApproximateCreationDateTime": 0.0},
    })
}
