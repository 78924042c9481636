//! Who calls the API: a CRM that posts events and sends them again until they are taken, and staff
//! whose console does the same under one key.

use crate::bundle::Function;
use crate::outside::{SOURCE, signing_key};
use crate::plan::Input;
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// A sender gives up waiting for an answer after so long.
pub const PATIENCE_MS: i64 = 10_000;
/// When it sends again, in seconds after each attempt; the last one repeats.
const AGAIN_S: [i64; 6] = [10, 60, 300, 1_200, 3_600, 7_200];

/// How the match begins that only what is sent again under the same id tells of.
pub const CHANGED: &str = "m-changed-";

/// Something that is sent until it is answered.
#[derive(Debug, Clone)]
pub struct Sending {
    /// Which input, and whether it is that or a repetition.
    pub input: usize,
    pub repetition: usize,
    what: What,
    pub attempts: usize,
    /// The attempt that somebody waits for.
    pub awaited: Option<u64>,
    pub is_over: bool,
}

/// What staff were answered well, and may rely on.
#[derive(Debug)]
pub struct Answered {
    /// How the identity of the write ends.
    pub key: String,
    /// What they said, as the plan has it.
    pub says: Value,
}

#[derive(Debug, Clone)]
enum What {
    /// A webhook: its body.
    Webhook(Value),
    /// A request of staff: route, parameters, body, who.
    Staff { function: Function, route: &'static str, id: String, body: Value, who: Who },
    /// What an officer does with a review: it is read first, and this is sent with the revision that was seen.
    Review { route: &'static str, lead: String, body: Value, who: Who, etag: Option<String> },
    /// A publication: what is in force is read first, and changed.
    Publication { kind: &'static str, change: String, current: Option<Value> },
}

#[derive(Debug, Clone)]
struct Who {
    name: String,
    group: &'static str,
}

impl Who {
    fn of(name: &str, group: &'static str) -> Self {
        Self { name: name.to_owned(), group }
    }
}

/// What is sent of an input.
pub fn sending(n: usize, repetition: usize, input: &Input, occurred_at: DateTime<Utc>) -> Sending {
    let seconds = |seconds| TimeDelta::seconds(i64::try_from(seconds).expect("seconds"));
    let occurred_at = occurred_at - seconds(input.late_s) + seconds(input.ahead_s);
    Sending {
        input: n,
        repetition,
        what: what(n, repetition, input, occurred_at),
        attempts: 0,
        awaited: None,
        is_over: false,
    }
}

fn what(n: usize, repetition: usize, input: &Input, occurred_at: DateTime<Utc>) -> What {
    let first = &input.says[0];
    let text = |name: &str| first[name].as_str().unwrap_or_default().to_owned();
    let staff = |function, route, id: String, body, who| What::Staff { function, route, id, body, who };
    match first["type"].as_str().unwrap_or_default() {
        "review.decided" => What::Review {
            route: "POST /v1/compliance/reviews/{lead_id}/decision",
            lead: text("lead_id"),
            body: without(first, &["type", "lead_id", "officer"]),
            who: Who::of(&text("officer"), "compliance"),
            etag: None,
        },
        // It takes two: who asks again is another officer.
        "reopening" => What::Review {
            route: "POST /v1/compliance/reviews/{lead_id}/reopening",
            lead: text("lead_id"),
            body: without(first, &["type", "lead_id", "officers"]),
            who: Who::of(first["officers"][repetition % 2].as_str().unwrap_or_default(), "compliance"),
            etag: None,
        },
        "operations.resolved" => staff(
            Function::Operations,
            "POST /v1/operations/reviews/{lead_id}/resolution",
            text("lead_id"),
            without(first, &["type", "lead_id"]),
            Who::of("otto", "operations"),
        ),
        "rep.availability" => staff(
            Function::Operations,
            "PUT /v1/reps/{id}/availability",
            text("rep"),
            without(first, &["type", "rep"]),
            Who::of("otto", "operations"),
        ),
        "retention.completed" => staff(
            Function::Operations,
            "POST /v1/accounts/{id}/retention",
            text("account_id"),
            json!({"outcome": "completed", "note": first["note"]}),
            Who::of("sam", "customer-success"),
        ),
        "erasure" => staff(
            Function::Compliance,
            "POST /v1/leads/{id}/erasure",
            text("lead_id"),
            json!({"reference": format!("DSR-{n}"), "reason": "They asked."}),
            Who::of("cleo", "compliance"),
        ),
        "publication" => {
            let change = text("change");
            let kind = if change.ends_with("windows") { "policy" } else { "directory" };
            What::Publication { kind, change, current: None }
        }
        _ => {
            let mut events = input.says.clone();
            for (k, event) in events.iter_mut().enumerate() {
                event["id"] = json!(event_id(n, k));
                event["occurred_at"] = json!(occurred_at.to_rfc3339());
                if input.changes && repetition > 0 {
                    change(event, n, repetition);
                }
            }
            What::Webhook(if events.len() == 1 { events.remove(0) } else { Value::Array(events) })
        }
    }
}

/// What somebody says, but for what the route and the caller say.
fn without(says: &Value, names: &[&str]) -> Value {
    let mut body = says.clone();
    body.as_object_mut().expect("an object").retain(|name, _| !names.contains(&name.as_str()));
    body
}

/// Lets an event say something else: of a lead, that a screening found something.
fn change(event: &mut Value, n: usize, repetition: usize) {
    if event["lead"].is_object() {
        let found =
            json!({"match_id": format!("{CHANGED}{n}-{repetition}"), "list": "B", "list_version": "1"});
        event["lead"]["flags"] = json!({"sanctions": [found]});
    } else {
        event["account"]["name"] = json!(format!("Renamed {repetition}"));
    }
}

/// The identity of an event at its source.
pub fn event_id(input: usize, event: usize) -> String {
    format!("e{input}-{event}")
}

impl Sending {
    /// The same, as if all of it had happened just now.
    pub fn at_our_clock(mut self, now: DateTime<Utc>) -> Self {
        let at = json!(now.to_rfc3339());
        match &mut self.what {
            What::Webhook(Value::Array(events)) => {
                events.iter_mut().for_each(|event| event["occurred_at"] = at.clone());
            }
            What::Webhook(event) => event["occurred_at"] = at,
            _ => {}
        }
        self
    }

    /// What a CRM sends.
    pub fn body(&self) -> Option<&Value> {
        if let What::Webhook(body) = &self.what { Some(body) } else { None }
    }

    /// Whether a CRM sends it.
    pub fn is_webhook(&self) -> bool {
        matches!(self.what, What::Webhook(_))
    }

    /// The function that is called, and the request.
    pub fn request(&self, number: u64, now: DateTime<Utc>) -> (Function, Box<ApiGatewayV2httpRequest>) {
        let (function, event) = match &self.what {
            What::Webhook(body) => (Function::Ingest, webhook(body, number, now)),
            What::Staff { function, route, id, body, who } => {
                (*function, self.staff(route, id, body, who, None, number))
            }
            What::Review { lead, who, etag: None, .. } => {
                (Function::Compliance, self.staff(self.route(), lead, &Value::Null, who, None, number))
            }
            What::Review { route, lead, body, who, etag } => {
                (Function::Compliance, self.staff(route, lead, body, who, etag.as_deref(), number))
            }
            What::Publication { current: None, .. } => {
                let who = Who::of("otto", "operations");
                let route = self.route();
                (Function::Operations, self.staff(route, "current", &Value::Null, &who, None, number))
            }
            What::Publication { kind, change, current: Some(current) } => {
                let (route, who) = (self.route(), Who::of("otto", "operations"));
                let mut document = current[*kind].clone();
                changed(&mut document, change);
                let body = json!({"base": current["revision"], "why": "of the simulation", *kind: document});
                (Function::Operations, self.staff(route, "", &body, &who, None, number))
            }
        };
        (function, Box::new(serde_json::from_value(event).expect("an event of the gateway")))
    }

    fn staff(
        &self,
        route: &str,
        id: &str,
        body: &Value,
        who: &Who,
        etag: Option<&str>,
        number: u64,
    ) -> Value {
        let (method, path) = route.split_once(' ').expect("a route has a method");
        let name = path.split(['{', '}']).nth(1).unwrap_or_default();
        let claims = json!({
            "sub": format!("u-{}", who.name), "username": who.name, "cognito:groups": format!("[{}]", who.group),
            "email": format!("{}@example.test", who.name.trim_start_matches("rep-")), "email_verified": "true",
        });
        // One key for all attempts, but for those of a decision that was made on another sight.
        let mut headers = json!({"idempotency-key": self.key()});
        if let Some(etag) = etag {
            headers["if-match"] = json!(etag);
        }
        let body = if body.is_null() { Value::Null } else { json!(body.to_string()) };
        json!({
            "version": "2.0", "routeKey": route, "headers": headers, "pathParameters": {name: id},
            "body": body, "isBase64Encoded": false,
            "requestContext": {
                "requestId": format!("r-{number}"), "http": {"method": method, "path": path},
                "authorizer": {"jwt": {"claims": claims, "scopes": []}},
            },
        })
    }

    /// The request that is answered, without what tells one of a kind from another.
    pub fn route(&self) -> &'static str {
        match &self.what {
            What::Webhook(_) => "POST /v1/hooks/{source}",
            What::Review { etag: None, .. } => "GET /v1/compliance/reviews/{lead_id}",
            What::Staff { route, .. } | What::Review { route, .. } => route,
            What::Publication { kind: "policy", current, .. } => {
                if current.is_none() {
                    "GET /v1/policies/{revision}"
                } else {
                    "POST /v1/policies"
                }
            }
            What::Publication { current, .. } => {
                if current.is_none() {
                    "GET /v1/directories/{revision}"
                } else {
                    "POST /v1/directories"
                }
            }
        }
    }

    /// The key under which staff send it.
    pub fn key(&self) -> String {
        format!("k{}-{}", self.input, self.repetition)
    }

    /// What follows from an answer: whether to send at once what comes next, or again after a while.
    pub fn answered(&mut self, response: &ApiGatewayV2httpResponse) -> Next {
        let status = response.status_code;
        if status == 429 || status >= 500 {
            return Next::Again;
        }
        let body = body_of(response);
        match &mut self.what {
            What::Review { etag: etag @ None, .. } if status == 200 => {
                let tag = response.headers.get("etag").and_then(|tag| tag.to_str().ok());
                *etag = tag.map(str::to_owned);
                return Next::AtOnce;
            }
            What::Publication { current: current @ None, .. } if status == 200 => {
                *current = Some(body);
                return Next::AtOnce;
            }
            _ => {}
        }
        self.is_over = true;
        Next::Over
    }

    /// How long to wait before the next attempt, in milliseconds.
    pub fn pause_ms(&self) -> i64 {
        let n = self.attempts.saturating_sub(1).min(AGAIN_S.len() - 1);
        AGAIN_S[n] * 1000
    }
}

/// What follows from an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Over,
    AtOnce,
    Again,
}

/// The body of an answer.
pub fn body_of(response: &ApiGatewayV2httpResponse) -> Value {
    match &response.body {
        Some(aws_lambda_events::encodings::Body::Text(text)) => {
            serde_json::from_str(text).unwrap_or(Value::Null)
        }
        _ => Value::Null,
    }
}

fn webhook(body: &Value, number: u64, now: DateTime<Utc>) -> Value {
    let body = body.to_string();
    let id = format!("d-{number}");
    let headers: serde_json::Map<String, Value> = signing_key()
        .headers(&id, now, body.as_bytes())
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    json!({
        "version": "2.0", "routeKey": "POST /v1/hooks/{source}", "headers": headers,
        "pathParameters": {"source": SOURCE}, "body": body, "isBase64Encoded": false,
        "requestContext": {"requestId": id, "http": {"method": "POST", "path": "/v1/hooks/crm"}},
    })
}

/// A change of a document that touches leads in flight.
fn changed(document: &mut Value, change: &str) {
    let windows = |document: &mut Value, window: &str| {
        let rows = document["workflows"]["sla-breach"]["windows"].as_array_mut().expect("windows");
        for row in rows.iter_mut().filter(|row| row["state"] == "NEW") {
            row["window"] = json!(window);
        }
    };
    match change {
        "tighter-windows" => windows(document, "30m"),
        "longer-windows" => windows(document, "3h"),
        "fewer-places" => {
            for rep in ["rep-ana", "rep-bob"] {
                let of_team = &mut document["teams"]["us-sales"]["reps"];
                if let Some(rep) = of_team.get_mut(rep) {
                    rep["capacity"] = json!(1);
                }
            }
        }
        "a-holiday" => {
            let holidays = document["calendars"]["new-york"]["holidays"].as_array_mut().expect("holidays");
            holidays.push(json!({"date": "2026-03-03", "name": "A day off"}));
        }
        // And back, the next time.
        "another-team" => {
            let teams = &mut document["teams"];
            let is_there = teams["us-sales"]["reps"].get("rep-bob").is_some();
            let (from, to) = if is_there { ("us-sales", "dach-sales") } else { ("dach-sales", "us-sales") };
            let reps = teams[from]["reps"].as_object_mut().expect("reps");
            // By now they may have left.
            if let Some(rep) = reps.remove("rep-bob") {
                teams[to]["reps"]["rep-bob"] = rep;
            }
        }
        "somebody-leaves" => {
            for team in ["us-sales", "dach-sales"] {
                document["teams"][team]["reps"].as_object_mut().expect("reps").remove("rep-bob");
            }
            document["people"].as_object_mut().expect("people").remove("rep-bob");
        }
        "somebody-on-leave" => {
            let of_team = &mut document["teams"]["us-sales"]["reps"];
            if let Some(rep) = of_team.get_mut("rep-ana") {
                rep["on_leave_until"] = json!("2026-03-20T00:00:00Z");
            }
        }
        other => panic!("no change is called {other}"),
    }
}
