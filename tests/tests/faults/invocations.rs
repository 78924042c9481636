//! The invocations: each begins, is polled when it is woken, and ends, or dies where it is.

use crate::bundle::{Clock, Container, Ended, Function, Work};
use crate::queues::Message;
use crate::sim::{Event, MINUTE_MS, Sim};
use crate::staff::{self, Answered, Next, PATIENCE_MS, Sending};
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use chrono::TimeDelta;
use futures::future::LocalBoxFuture;
use futures::task::AtomicWaker;
use leadwatch_tests::seeded::beginning;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// The stream hands on a batch again so often.
const STREAM_ATTEMPTS_MAX: u32 = 21;

/// A running invocation.
pub struct Running {
    pub future: LocalBoxFuture<'static, Ended>,
    pub flag: Arc<Flag>,
    pub container: Container,
    pub origin: Origin,
    pub dies_at: i64,
}

/// Who called a function, and waits for its end.
#[derive(Debug, Clone)]
pub enum Origin {
    Sending(usize),
    Tick { at: i64, attempts: u32 },
    Queue { name: &'static str, messages: Vec<Message> },
    Stream { shard: usize, from: usize, to: usize },
}

/// Whether an invocation has something to do.
pub struct Flag {
    pub is_woken: AtomicBool,
    pub alarm: Arc<AtomicWaker>,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, Ordering::Relaxed);
        self.alarm.wake();
    }
}

impl Sim<'_> {
    pub(crate) fn invoke(&mut self, function: Function, work: Work, origin: Origin) -> u64 {
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
        let clock = Clock { beginning: beginning(), begun: self.begun, skew };
        Container::start(function, is_next, &self.line, clock)
    }

    pub(crate) fn poll_who_is_woken(&mut self) {
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
    pub(crate) fn follow(&mut self, invocation: u64, origin: Origin, ended: Option<Ended>) {
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
        let route = self.sendings[n].route();
        // What the simulation sends, the API knows; otherwise it would try nothing.
        let is_unknown =
            |error: &Value| error["detail"].as_str().is_some_and(|d| d.starts_with("is not known"));
        if answer.status_code == 400 || body["errors"].as_array().is_some_and(|e| e.iter().any(is_unknown)) {
            self.violations.push(format!("{route} does not know what the simulation sends: {body}"));
        }
        if answer.status_code < 300 {
            *self.tally.routes.entry(route).or_default() += 1;
        }
        if let Some(sent) = self.sendings[n].body().filter(|_| answer.status_code < 500) {
            self.heard.push((sent.clone(), answer.status_code, body.clone()));
        }
        if self.sendings[n].is_webhook() && answer.status_code == 200 {
            let input = json!({"input": self.sendings[n].input});
            self.acknowledged.push((input, body.clone()));
        }
        if self.sendings[n].is_webhook() && answer.status_code == 200 && is_to_come_again(&body) {
            self.violations.push(format!("a batch is taken, and not all of it: {body}"));
        }
        if body["type"].as_str().is_some_and(|kind| kind.ends_with(":unknown-lead")) {
            let says = &self.plan.inputs[self.sendings[n].input].says[0];
            let lead = format!("lead/{}", says["lead"]["id"].as_str().unwrap_or_default());
            if self.database().has_known(&lead, self.now() - PATIENCE_MS) {
                self.violations.push(format!("{lead} is there, and a source is told that it is not: {body}"));
            }
        }
        match self.sendings[n].answered(answer) {
            Next::Over => {
                let Sending { input, .. } = self.sendings[n];
                let says = self.plan.inputs[input].says[0].clone();
                // What is in force already is published with 200.
                let is_done =
                    answer.status_code == 201 || answer.status_code == 200 && says["type"] != "publication";
                if is_done && !self.sendings[n].is_webhook() {
                    let key = format!("/{}", self.sendings[n].key());
                    self.answered.push(Answered { key, says });
                }
                self.sendings[n].awaited = None;
            }
            Next::AtOnce => self.send(n),
            Next::Again => self.send_again(n),
        }
    }
}

/// Whether an event of a batch was not taken, and would be if it came again.
fn is_to_come_again(answer: &Value) -> bool {
    let mut statuses = answer["results"].as_array().into_iter().flatten().map(|result| &result["status"]);
    statuses.any(|status| status.as_u64() >= Some(500))
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
