//! A request is taken up: it is looked at which point it is, whether anything goes wrong there, and
//! what the functions are answered.

use crate::defects;
use crate::outside;
use crate::plan::{PERSON, Place};
use crate::points::Harm;
use crate::sim::{Sim, ms};
use crate::version;
use crate::wire::{Answer, Call, Parked, Service};
use serde_json::{Value, json};

/// An index that is behind is so for that long.
const BEHIND_MS: i64 = 45_000;

impl Sim<'_> {
    /// Takes up a request that waits.
    pub(crate) fn take_up(&mut self, parked: Parked) {
        let Some((function, is_next)) = self.function_of(parked.invocation) else { return };
        let point = format!("{} {} {}", function.name(), parked.call.operation, kind(&parked.call));
        let invocation = parked.invocation;
        self.tally.uses.extend(crate::grants::uses(function, &parked.call));
        let harm = self.strike(&point).or_else(|| self.weather(&parked.call));
        self.say(|| {
            let body = canonical(&parked.call.body);
            format!("#{invocation} {point} {harm:?} {}", &audit::sha256([body.as_bytes()]).to_string()[..12])
        });
        let Some(harm) = harm else {
            let answer = self.perform(invocation, &parked.call, is_next);
            _ = parked.reply.send(Some(answer));
            return;
        };
        self.harmed.insert(invocation);
        self.troubles.insert(self.now());
        let call = &parked.call.clone();
        match harm {
            Harm::CrashBefore => {
                self.points(&point).crashed_before += 1;
                self.crash(invocation);
            }
            Harm::CrashAfter => {
                self.points(&point).crashed_after += 1;
                self.perform(invocation, call, is_next);
                self.crash(invocation);
            }
            Harm::Throttle => _ = parked.reply.send(Some(throttled(call))),
            Harm::Fault => _ = parked.reply.send(Some(fault(call))),
            Harm::DoneAndFault => {
                let answer = fault(call);
                self.perform_unanswered(invocation, call, is_next);
                _ = parked.reply.send(Some(answer));
            }
            Harm::Lost => self.silent.push(parked),
            Harm::AnswerLost => {
                self.perform_unanswered(invocation, call, is_next);
                self.silent.push(parked);
            }
            Harm::Cut => {
                self.perform_unanswered(invocation, call, is_next);
                _ = parked.reply.send(None);
            }
            Harm::Slow { s } => self.put_off(parked, s),
            Harm::Conflict => _ = parked.reply.send(Some(conflict(call))),
            Harm::LeftOver => {
                let answer = self.read_in_part(call);
                _ = parked.reply.send(Some(answer));
            }
            Harm::Short => {
                let mut short = call.clone();
                short.body["Limit"] = json!(1);
                let answer = self.perform(invocation, &short, is_next);
                _ = parked.reply.send(Some(answer));
            }
            Harm::Partial => {
                let answer = self.perform_in_part(call);
                _ = parked.reply.send(Some(answer));
            }
            Harm::RateLimited { s } => {
                let headers = vec![("retry-after", s.to_string())];
                let body = json!({"ok": false, "error": "ratelimited"}).to_string();
                _ = parked.reply.send(Some(Answer { status: 429, headers, body }));
            }
            Harm::Refused => {
                self.refused.insert(outside::notification_of(call));
                let answer = Answer::done(&json!({"ok": false, "error": "msg_too_long"}));
                _ = parked.reply.send(Some(answer));
            }
            Harm::Stale => {
                let until = self.now() - BEHIND_MS;
                let answer = self.database().execute_behind(call, until);
                _ = parked.reply.send(Some(answer));
            }
            Harm::Twice | Harm::Missed => unreachable!("a request is neither"),
        }
    }

    /// What was put off is done now. Whoever asked may have gone.
    pub(crate) fn do_late(&mut self, parked: Parked) {
        let is_next = self.function_of(parked.invocation).is_some_and(|(_, is_next)| is_next);
        let answer = self.perform(parked.invocation, &parked.call, is_next);
        if parked.reply.send(Some(answer)).is_err() {
            self.unanswered(parked.invocation);
        }
    }

    /// Whether a point is struck; each time that it is come to counts.
    pub(crate) fn strike(&mut self, point: &str) -> Option<Harm> {
        let hits = self.points(point);
        hits.reached += 1;
        let nth = u32::try_from(hits.reached).unwrap_or(u32::MAX);
        let harm = self.strikes.get(&(point.to_owned(), nth)).copied().filter(|_| !self.is_calm)?;
        self.tally.harmed(harm.name());
        Some(harm)
    }

    fn points(&mut self, point: &str) -> &mut crate::points::Hits {
        if !self.tally.points.contains_key(point) {
            self.tally.points.insert(point.to_owned(), crate::points::Hits::default());
        }
        self.tally.points.get_mut(point).expect("it is there")
    }

    /// Whether a request falls into bad weather.
    fn weather(&mut self, call: &Call) -> Option<Harm> {
        let now = self.now();
        for weather in self.plan.weather.iter().filter(|weather| weather.percent > 0) {
            let is_on = (ms(weather.from_s)..ms(weather.from_s + weather.for_s)).contains(&now);
            if is_on && strikes(weather.of, weather.what, call) && self.rng.u8(..100) < weather.percent {
                self.tally.harmed(weather.what.name());
                return Some(weather.what);
            }
        }
        None
    }

    /// Does what is asked.
    pub(crate) fn perform(&mut self, invocation: u64, call: &Call, is_next: bool) -> Answer {
        let mut call = std::borrow::Cow::Borrowed(call);
        if is_next {
            version::write_as_next(call.to_mut());
        }
        if let Some(defect) = self.defect {
            if let Some(answer) = defects::answer(defect, &call) {
                return answer;
            }
            defects::damage(defect, call.to_mut());
        }
        let now = self.now();
        if call.service != Service::Database && call.body.to_string().contains(PERSON) {
            self.violations.push(format!("personal data goes out with {}", call.operation));
        }
        match call.service {
            Service::Database => self.database().execute(&call),
            Service::Queues => self.queues.execute(&call, now, |_| false),
            Service::Bus => self.outside.bus(&call, |_| false),
            Service::Secrets => outside::secret(&call),
            Service::Keys => self.outside.keys(&call),
            Service::Mail => self.outside.mail(&call, invocation, now),
            Service::Slack => self.outside.slack(&call, invocation, now),
        }
    }

    fn perform_unanswered(&mut self, invocation: u64, call: &Call, is_next: bool) {
        self.perform(invocation, call, is_next);
        if matches!(call.service, Service::Slack | Service::Mail) {
            self.unanswered(invocation);
        }
    }

    fn unanswered(&mut self, invocation: u64) {
        if let Some(sent) = self.outside.sent.iter_mut().rfind(|sent| sent.invocation == invocation) {
            sent.is_answered = false;
        }
    }

    /// Reads some of the keys of a batch and leaves the others over.
    fn read_in_part(&mut self, call: &Call) -> Answer {
        let (mut asked, mut left) = (call.clone(), json!({}));
        let tables = asked.body["RequestItems"].as_object_mut().expect("a batch names its tables");
        for (table, of) in tables.iter_mut() {
            let keys = of["Keys"].as_array().cloned().unwrap_or_default();
            let (later, now): (Vec<Value>, Vec<Value>) = keys.into_iter().partition(|_| self.rng.bool());
            if !later.is_empty() {
                left[table] = json!({"Keys": later, "ConsistentRead": of["ConsistentRead"]});
            }
            of["Keys"] = json!(now);
        }
        tables.retain(|_, of| of["Keys"] != json!([]));
        let read = if tables.is_empty() { "{}".to_owned() } else { self.database().execute(&asked).body };
        let read: Value = serde_json::from_str(&read).expect("an answer is JSON");
        let found = if read["Responses"].is_null() { json!({}) } else { read["Responses"].clone() };
        Answer::done(&json!({"Responses": found, "UnprocessedKeys": left}))
    }

    fn perform_in_part(&mut self, call: &Call) -> Answer {
        let now = self.now();
        let mask = self.rng.u128(..);
        let is_refused = |n: usize| mask >> (n % 128) & 1 == 1;
        match call.service {
            Service::Queues => self.queues.execute(call, now, is_refused),
            Service::Bus => self.outside.bus(call, is_refused),
            _ => unreachable!("only batches are taken in part"),
        }
    }
}

/// Whether a fault of some length strikes a request.
fn strikes(of: Place, what: Harm, call: &Call) -> bool {
    let is_of = match of {
        Place::Database => call.service == Service::Database,
        Place::Indexes => call.body.get("IndexName").is_some(),
        Place::Queues => call.service == Service::Queues,
        Place::Slack => matches!(call.service, Service::Slack | Service::Mail),
        Place::Bus => call.service == Service::Bus,
        Place::Secrets => call.service == Service::Secrets,
        Place::Keys => call.service == Service::Keys,
    };
    is_of
        && match what {
            Harm::Conflict => call.operation == "TransactWriteItems",
            Harm::LeftOver => call.operation == "BatchGetItem",
            Harm::Short => call.operation == "Query",
            Harm::Stale => call.operation == "Query" && call.body.get("IndexName").is_some(),
            Harm::Partial => matches!(call.operation.as_str(), "SendMessageBatch" | "PutEvents"),
            Harm::RateLimited { .. } | Harm::Refused => call.service == Service::Slack,
            _ => true,
        }
}

/// What a request is about.
fn kind(call: &Call) -> String {
    let body = &call.body;
    let url = || body["QueueUrl"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    match call.operation.as_str() {
        "TransactWriteItems" => {
            let first = &body["TransactItems"][0];
            let item = ["Put", "Update", "Delete", "ConditionCheck"].into_iter().map(|kind| &first[kind]);
            let item = item
                .filter(|item| !item.is_null())
                .map(|item| if item["Item"].is_null() { &item["Key"] } else { &item["Item"] });
            item.map(of_key).next().unwrap_or_default()
        }
        "GetItem" | "UpdateItem" => of_key(&body["Key"]),
        "BatchGetItem" => {
            let keys = body["RequestItems"].as_object().into_iter().flat_map(|tables| tables.values());
            let mut kinds: Vec<String> =
                keys.flat_map(|table| table["Keys"].as_array().into_iter().flatten()).map(of_key).collect();
            kinds.sort_by_key(|kind| {
                ["lead", "publication", "account"].iter().position(|k| k == kind).unwrap_or(9)
            });
            kinds.into_iter().next().unwrap_or_default()
        }
        "Query" => body["IndexName"].as_str().unwrap_or_default().to_owned(),
        "SendMessageBatch" | "ChangeMessageVisibility" => url().to_owned(),
        "GetSecretValue" => {
            body["SecretId"].as_str().unwrap_or_default().split('/').next().unwrap_or_default().to_owned()
        }
        _ => "-".to_owned(),
    }
}

fn of_key(key: &Value) -> String {
    let pk = crate::database::text(key, store::PK);
    let (name, _) = pk.split_once(['#', '/']).unwrap_or((&pk, ""));
    name.to_lowercase()
}

fn throttled(call: &Call) -> Answer {
    match call.service {
        Service::Database if call.operation == "TransactWriteItems" => {
            Answer::error(400, "com.amazonaws.dynamodb.v20120810#ThrottlingException")
        }
        Service::Database => {
            Answer::error(400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException")
        }
        Service::Slack => {
            let headers = vec![("retry-after", "1".to_owned())];
            Answer { status: 429, headers, body: String::new() }
        }
        _ => Answer::error(400, "ThrottlingException"),
    }
}

fn fault(call: &Call) -> Answer {
    match call.service {
        Service::Database => Answer::error(500, "com.amazonaws.dynamodb.v20120810#InternalServerError"),
        Service::Slack => Answer { status: 503, headers: Vec::new(), body: String::new() },
        _ => Answer::error(500, "InternalFailure"),
    }
}

fn conflict(call: &Call) -> Answer {
    let writes = call.body["TransactItems"].as_array().map_or(0, Vec::len);
    let reasons: Vec<Value> = (0..writes)
        .map(|n| match n {
            0 => json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}),
            _ => json!({"Code": "None"}),
        })
        .collect();
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled", "CancellationReasons": reasons,
    });
    Answer { status: 400, headers: Vec::new(), body: body.to_string() }
}

/// The same text for the same request: the SDK writes its maps in any order.
fn canonical(body: &Value) -> String {
    match body {
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort();
            let members: Vec<String> =
                names.iter().map(|name| format!("{name:?}:{}", canonical(&members[*name]))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}
