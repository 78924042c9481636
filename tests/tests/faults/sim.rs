//! The simulator: one thread, one virtual clock, one seed. Every invocation of a function is a future
//! that is polled here; every request it makes waits on the wire until it is taken up. Between two
//! requests a function only computes, so that to drop its future before a request is done, and after
//! it is done and before it is answered, is to crash it at each of its await points.

use crate::bundle::{Clients, Clock, Container, Ended, Function, Work};
use crate::database::Database;
use crate::defects::Defect;
use crate::outside::Outside;
use crate::plan::{Plan, Silence};
use crate::points::{Harm, Tally};
use crate::queues::{self, Message, Queues};
use crate::staff::{self, Next, PATIENCE_MS, Sending};
use crate::wire::{Line, Parked};
use crate::{common, seeding};
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::LocalBoxFuture;
use futures::task::AtomicWaker;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tokio::time::Instant;

const MINUTE_MS: i64 = 60_000;
/// A tick looks so far ahead; from then on none is left out.
const TICKS_BEFORE_MS: i64 = 2 * MINUTE_MS;
/// After the last thing that was planned a run goes on for at least so long, without faults.
const CALM_MS: i64 = 40 * MINUTE_MS;
/// By then everything has come to rest.
const REST_BY_MS: i64 = 4 * 86_400_000;
/// The stream hands on a batch again so often.
const STREAM_ATTEMPTS_MAX: u32 = 21;
/// So many subjects' shards does the stream have.
pub const SHARDS: usize = 2;

/// A running invocation.
struct Running {
    future: LocalBoxFuture<'static, Ended>,
    flag: Arc<Flag>,
    container: Container,
    origin: Origin,
    dies_at: i64,
}

/// Who called a function, and waits for its end.
#[derive(Debug, Clone)]
enum Origin {
    Sending(usize),
    Tick { at: i64, attempts: u32 },
    Queue { name: &'static str, messages: Vec<Message> },
    Stream { shard: usize, from: usize, to: usize },
}

/// What is to come.
#[derive(Debug)]
enum Event {
    Input { n: usize, repetition: usize },
    Send(usize),
    GaveUp { sending: usize, invocation: u64 },
    Tick { at: i64, attempts: u32 },
    Late(Parked),
    Stream(usize),
}

/// Whether an invocation has something to do.
struct Flag {
    is_woken: AtomicBool,
    alarm: Arc<AtomicWaker>,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, Ordering::Relaxed);
        self.alarm.wake();
    }
}

/// A shard of the stream: what is in it, and how far it was handed on.
#[derive(Debug, Default)]
struct Shard {
    items: Vec<Value>,
    next: usize,
    attempts: u32,
    is_busy: bool,
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
    /// What must not happen and did.
    pub violations: Vec<String>,
    /// Invocations in which something went wrong.
    pub harmed: BTreeSet<u64>,
    /// What the stream gave up.
    pub given_up: Vec<Value>,
    pub defect: Option<Defect>,
    pub trace: Option<Vec<String>>,
    pub(crate) rng: fastrand::Rng,
    pub(crate) strikes: BTreeMap<(String, u32), Harm>,
    pub(crate) silent: Vec<Parked>,
    pub(crate) is_calm: bool,
    sendings: Vec<Sending>,
    events: BTreeMap<(i64, u64), Event>,
    running: BTreeMap<u64, Running>,
    idle: Vec<Container>,
    shards: Vec<Shard>,
    streamed: usize,
    numbers: u64,
    containers: usize,
    alarm: Arc<AtomicWaker>,
    begun: Instant,
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
            violations: Vec::new(),
            harmed: BTreeSet::new(),
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
        seeding::seed(&Clients::new(&sim.line), common::beginning()).await;
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
        common::beginning() + TimeDelta::milliseconds(self.now())
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

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn at(&mut self, at: i64, event: Event) {
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
                (at - common::beginning()).num_milliseconds()
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
            self.tally.harmed("function timed out");
            self.crash(invocation);
        }
        while self.events.first_key_value().is_some_and(|((at, _), _)| *at <= now) {
            let Some((_, event)) = self.events.pop_first() else { break };
            self.happen(event);
        }
        if let Some(at) = self.next_tick().filter(|at| *at <= now) {
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
                let said_at = common::beginning() + TimeDelta::milliseconds(self.said_at(n));
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

    fn send(&mut self, n: usize) {
        let number = self.number();
        let now = self.instant();
        let (function, request) = self.sendings[n].request(number, now);
        self.sendings[n].attempts += 1;
        let invocation = self.invoke(function, Work::Http(request), Origin::Sending(n));
        self.sendings[n].awaited = Some(invocation);
        self.at(self.now() + PATIENCE_MS, Event::GaveUp { sending: n, invocation });
    }

    fn send_again(&mut self, n: usize) {
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
        let scheduled = common::beginning() + TimeDelta::milliseconds(at);
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

    fn invoke(&mut self, function: Function, work: Work, origin: Origin) -> u64 {
        let invocation = self.number();
        let free = self.idle.iter().position(|container| container.function == function);
        let container = match free {
            Some(free) => self.idle.swap_remove(free),
            None => self.start(function),
        };
        let flag = Arc::new(Flag { is_woken: AtomicBool::new(true), alarm: Arc::clone(&self.alarm) });
        let future = Box::pin(tokio::task::coop::unconstrained(container.call(work)));
        let dies_at = self.now() + function.timeout_s() * 1000;
        self.say(|| format!("#{invocation} {} begins: {}", function.name(), shown(&origin)));
        self.running.insert(invocation, Running { future, flag, container, origin, dies_at });
        invocation
    }

    fn start(&mut self, function: Function) -> Container {
        let n = self.containers;
        self.containers += 1;
        let skews = &self.plan.skews_ms;
        let skew = if skews.is_empty() { 0 } else { skews[n % skews.len()] };
        let versions = &self.plan.next_version;
        let is_next = !versions.is_empty() && versions[n % versions.len()];
        for (count, name) in [(skew != 0, "clock off"), (is_next, "next version")] {
            if count {
                self.tally.harmed(name);
            }
        }
        let skew = TimeDelta::milliseconds(skew);
        let clock = Clock { beginning: common::beginning(), begun: self.begun, skew };
        Container::start(function, is_next, &self.line, clock)
    }

    fn poll_who_is_woken(&mut self) {
        loop {
            let woken = self.running.iter().find(|(_, r)| r.flag.is_woken.load(Ordering::Relaxed));
            let Some(invocation) = woken.map(|(number, _)| *number) else { return };
            let Some(running) = self.running.get_mut(&invocation) else { return };
            running.flag.is_woken.store(false, Ordering::Relaxed);
            let waker = Waker::from(Arc::clone(&running.flag));
            self.line.wire().current = invocation;
            let polled = running.future.as_mut().poll(&mut Context::from_waker(&waker));
            if let Poll::Ready(ended) = polled
                && let Some(Running { container, origin, .. }) = self.running.remove(&invocation)
            {
                self.say(|| format!("#{invocation} {} ends", container.function.name()));
                self.idle.push(container);
                self.forget(invocation);
                self.follow(invocation, origin, Some(ended));
            }
        }
    }

    /// What an invocation left on the wire when it ended was sent and is nobody's any more.
    fn forget(&mut self, invocation: u64) {
        let mut wire = self.line.wire();
        wire.parked.retain(|parked| parked.invocation != invocation);
    }

    /// Who an invocation is.
    pub(crate) fn function_of(&self, invocation: u64) -> Option<(Function, bool)> {
        let container = &self.running.get(&invocation)?.container;
        Some((container.function, container.is_next_version))
    }

    /// Ends an invocation where it is. Of what it had on the wire some arrives.
    pub(crate) fn crash(&mut self, invocation: u64) {
        let Some(Running { origin, container, future, .. }) = self.running.remove(&invocation) else {
            return;
        };
        self.say(|| format!("#{invocation} {} dies", container.function.name()));
        drop(future);
        let mut on_the_wire = Vec::new();
        self.line.wire().parked.retain_mut(|parked| {
            let is_its_own = parked.invocation == invocation;
            if is_its_own {
                on_the_wire.push((parked.invocation, parked.call.clone()));
            }
            !is_its_own
        });
        for (invocation, call) in on_the_wire {
            if self.rng.bool() {
                self.perform(invocation, &call, container.is_next_version);
            }
        }
        self.follow(invocation, origin, None);
    }

    /// What comes of the end of an invocation; `None`: it died.
    fn follow(&mut self, invocation: u64, origin: Origin, ended: Option<Ended>) {
        match (origin, ended) {
            (Origin::Sending(n), ended) => {
                let answer = match ended {
                    Some(Ended::Http(answer)) => Some(answer),
                    _ => None,
                };
                self.answered(n, invocation, answer.as_deref());
            }
            (Origin::Tick { .. }, Some(Ended::Swept(true))) => {}
            (Origin::Tick { at, attempts }, _) => {
                // The service repeats an invocation that failed once.
                if attempts < 2 {
                    self.at(self.now() + MINUTE_MS, Event::Tick { at, attempts: attempts + 1 });
                }
            }
            (Origin::Queue { name, messages }, ended) => {
                if let Some(Ended::Batch(Some(failed))) = ended {
                    self.queues.delete(name, &messages, &failed);
                }
                self.queues.by_name.get_mut(name).expect("a queue").working -= 1;
            }
            (Origin::Stream { shard, from, to }, ended) => {
                let until = match ended {
                    Some(Ended::Published(None)) => to,
                    Some(Ended::Published(Some(failed))) => failed.parse().expect("a place in the stream"),
                    _ => from,
                };
                self.streamed_until(shard, from, until);
            }
        }
    }

    fn streamed_until(&mut self, n: usize, from: usize, until: usize) {
        let is_done = until > from;
        let shard = &mut self.shards[n];
        shard.next = until;
        shard.attempts = if is_done { 0 } else { shard.attempts + 1 };
        if is_done {
            shard.is_busy = false;
            return;
        }
        if shard.attempts >= STREAM_ATTEMPTS_MAX {
            let item = shard.items[shard.next].clone();
            (shard.next, shard.attempts, shard.is_busy) = (shard.next + 1, 0, false);
            self.given_up.push(item);
            return;
        }
        let pause = 1000 << shard.attempts.min(6);
        self.at(self.now() + pause, Event::Stream(n));
    }

    fn answered(&mut self, n: usize, invocation: u64, answer: Option<&ApiGatewayV2httpResponse>) {
        if self.sendings[n].awaited != Some(invocation) {
            return;
        }
        let Some(answer) = answer else { return self.send_again(n) };
        let body = staff::body_of(answer);
        self.say(|| format!("#{invocation} answers {} {body}", answer.status_code));
        if answer.status_code == 500 {
            self.violations.push(format!("a caller is told of a fault of ours: {body}"));
        }
        if self.sendings[n].is_webhook() && answer.status_code == 200 {
            let input = json!({"input": self.sendings[n].input});
            self.acknowledged.push((input, body));
        }
        match self.sendings[n].answered(answer) {
            Next::Over => self.sendings[n].awaited = None,
            Next::AtOnce => self.send(n),
            Next::Again => self.send_again(n),
        }
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

fn shown(origin: &Origin) -> String {
    match origin {
        Origin::Sending(n) => format!("sending {n}"),
        Origin::Tick { at, .. } => format!("tick of {} s", at / 1000),
        Origin::Queue { name, messages } => {
            let bodies: Vec<&str> = messages.iter().map(|m| m.body.as_str()).collect();
            format!("{name}: {}", bodies.join(" "))
        }
        Origin::Stream { shard, from, to } => format!("stream {shard} {from}..{to}"),
    }
}

fn record(n: usize, item: &Value) -> Value {
    json!({
        "eventID": n.to_string(), "eventName": "INSERT", "awsRegion": "eu-central-1",
        "dynamodb": {"SequenceNumber": n.to_string(), "NewImage": item, "Keys": {}, "SizeBytes": 1, "ApproximateCreationDateTime": 0.0},
    })
}
