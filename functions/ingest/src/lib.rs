//! Webhooks from CRMs: a signed event, or a batch of them, becomes an input to a lead or account.
//!
//! The signature is checked over the raw bytes before anything is read. Each event of a batch has
//! its own answer; one that is bad does not take the others with it.

pub mod answer;
pub mod signature;

use answer::{Answer, not_stored, refused};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use chrono::{DateTime, Utc};
use contracts::event::{self, BATCH_MAX, Body, Inbound, NotAnEvent};
use futures::StreamExt as _;
use platform::http::{Request, WEBHOOK_BODY_BYTES_MAX};
use platform::problem::Problem;
use platform::secrets::Secrets;
use platform::strict_json;
use rules::entry::Actor;
use rules::ids::Subject;
use rules::input::{Command, Input};
use rules::{AccountCommand, AccountInput};
use serde_json::Value;
use service::Service;
use std::collections::BTreeMap;
use store::StoreError;

/// Subjects of one batch that are worked on at a time; the events of one subject keep their order.
const CONCURRENT_SUBJECTS_MAX: usize = 8;

/// What the handler works with.
pub struct Ingest {
    /// The store and the queues.
    pub service: Service,
    /// The signing keys of the sources.
    pub secrets: Secrets,
    /// Where they are: this and the source's name.
    pub secret_prefix: String,
}

impl Ingest {
    /// Answers a request.
    pub async fn handle(
        &self,
        event: ApiGatewayV2httpRequest,
        now: DateTime<Utc>,
    ) -> ApiGatewayV2httpResponse {
        self.accept(event, now).await.unwrap_or_else(Into::into)
    }

    async fn accept(
        &self,
        event: ApiGatewayV2httpRequest,
        now: DateTime<Utc>,
    ) -> Result<ApiGatewayV2httpResponse, Problem> {
        let request = Request::decode(event, WEBHOOK_BODY_BYTES_MAX)?;
        let source = request.path_parameter("source")?;
        if source.is_empty()
            || !source.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            return Err(Problem::not_found("there is no such source"));
        }
        let keys = self.secrets.signing_keys(&format!("{}{source}", self.secret_prefix), now).await?;
        signature::check(&request, &keys, now)?;
        let body = strict_json::parse(request.body())?;
        match body {
            Value::Array(events) if events.is_empty() || events.len() > BATCH_MAX => {
                Err(Problem::unprocessable(format!("a batch holds 1 to {BATCH_MAX} events")))
            }
            Value::Array(events) => Ok(answer::batch(&self.take_batch(source, &events, now).await)),
            event => Ok(answer::single(self.take(source, &event, now).await)),
        }
    }

    async fn take_batch(&self, source: &str, events: &[Value], now: DateTime<Utc>) -> Vec<Answer> {
        let mut by_subject: BTreeMap<String, Vec<(usize, &Value)>> = BTreeMap::new();
        for (n, event) in events.iter().enumerate() {
            by_subject.entry(subject_hint(event, n)).or_default().push((n, event));
        }
        let mut answers: Vec<(usize, Answer)> = futures::stream::iter(by_subject.into_values())
            .map(async |events| {
                let mut answers = Vec::with_capacity(events.len());
                for (n, event) in events {
                    answers.push((n, self.take(source, event, now).await));
                }
                answers
            })
            .buffer_unordered(CONCURRENT_SUBJECTS_MAX)
            .collect::<Vec<_>>()
            .await
            .into_iter()
            .flatten()
            .collect();
        answers.sort_by_key(|(n, _)| *n);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    /// Applies one event.
    async fn take(&self, source: &str, event: &Value, now: DateTime<Utc>) -> Answer {
        let taken = match event::read(event) {
            Ok(inbound) => self.apply(source, inbound, now).await,
            Err(refusal) => self.refuse(source, refusal, now).await,
        };
        taken.unwrap_or_else(|error| not_stored(event, &service::problem(&error)))
    }

    async fn apply(&self, source: &str, inbound: Inbound, now: DateTime<Utc>) -> Result<Answer, StoreError> {
        let Inbound { id, body, .. } = inbound;
        let cause = format!("{source}/{id}");
        let actor = Actor::source(source);
        let (outcome, duplicate, entries) = match body {
            Body::Lead(lead, event) => {
                let command = Command { lead, actor, cause: cause.clone(), input: Input::Event(event) };
                let done = self.service.lead(&command, Some(&cause), now).await?;
                (done.outcome, done.duplicate, done.entries.len())
            }
            Body::Account(account, input) => {
                let command = AccountCommand { account, actor, cause: cause.clone(), input };
                let done = self.service.account(&command, Some(&cause), now).await?;
                (done.outcome, done.duplicate, done.entries.len())
            }
        };
        Ok(answer::of(id, outcome, duplicate, entries))
    }

    /// Something that is no event: it is refused, and where its subject is known, that is recorded.
    async fn refuse(
        &self,
        source: &str,
        refusal: NotAnEvent,
        now: DateTime<Utc>,
    ) -> Result<Answer, StoreError> {
        let NotAnEvent { id, subject, matches, problems } = refusal;
        let first = problems.first().cloned();
        if let (Some(id), Some(subject), Some(problem)) = (&id, subject, first) {
            // The event, mended, may come again under its own id; so the refusal has its own.
            let cause = format!("{source}/{id}#refused");
            let actor = Actor::source(source);
            let (field, why) = (problem.pointer, problem.detail);
            match subject {
                Subject::Lead(lead) => {
                    let input = Input::RefusedAtDoor { field, why, matches };
                    let command = Command { lead, actor, cause: cause.clone(), input };
                    self.service.lead(&command, Some(&cause), now).await?;
                }
                Subject::Account(account) => {
                    let input = AccountInput::RefusedAtDoor { field, why };
                    let command = AccountCommand { account, actor, cause: cause.clone(), input };
                    self.service.account(&command, Some(&cause), now).await?;
                }
                Subject::Rep(_) | Subject::Publication(_) => {}
            }
        }
        Ok(refused(id, &problems))
    }
}

/// What keeps the order of events: the lead or account they name, if they do.
fn subject_hint(event: &Value, n: usize) -> String {
    let id = |kind: &str| event.get(kind)?.get("id")?.as_str().map(|id| format!("{kind}/{id}"));
    id("lead").or_else(|| id("account")).unwrap_or_else(|| format!("event/{n}"))
}
