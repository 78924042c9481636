//! Webhooks from CRMs: a signed event, or a batch of them, becomes an input to a lead or account.
//!
//! The signature is checked over the raw bytes before anything is read. Each event of a batch has its own
//! answer, so that a bad event does not affect the others.

pub mod answer;
mod apply;
mod rights;
pub mod signature;

use answer::{Answer, not_stored};
use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use chrono::{DateTime, Utc};
use contracts::event;
use contracts::event::BATCH_MAX;
use futures::StreamExt as _;
use platform::http::{Request, WEBHOOK_BODY_BYTES_MAX};
use platform::problem::Problem;
use platform::secrets::{SecretError, Secrets};
use platform::{refusals, strict_json};
use rights::Sender;
use serde_json::Value;
use service::Service;
use std::collections::BTreeMap;

/// Most subjects of one batch that are processed at once; the events of one subject keep their order.
const CONCURRENT_SUBJECTS_MAX: usize = 8;

/// The handler's configuration and clients.
pub struct Ingest {
    /// The store and the queues.
    pub service: Service,
    /// The signing keys of the sources.
    pub secrets: Secrets,
    /// The prefix of their secrets' names; the source's name follows.
    pub secret_prefix: String,
}

impl Ingest {
    /// Answers a request.
    pub async fn handle(
        &self,
        event: ApiGatewayV2httpRequest,
        now: DateTime<Utc>,
    ) -> ApiGatewayV2httpResponse {
        let source = event.path_parameters.get("source").cloned().unwrap_or_default();
        let logged = |problem| refusals::logged(&format!("hook {source}"), problem, now);
        self.accept(event, now).await.unwrap_or_else(|problem| logged(problem).into())
    }

    async fn accept(
        &self,
        event: ApiGatewayV2httpRequest,
        now: DateTime<Utc>,
    ) -> Result<ApiGatewayV2httpResponse, Problem> {
        let request = Request::decode(event, WEBHOOK_BODY_BYTES_MAX)?;
        let source = request.path_parameter("source").unwrap_or_default();
        let keys = match is_name(source) {
            true => self.secrets.signing_keys(&format!("{}{source}", self.secret_prefix), now).await,
            false => Err(SecretError::NotFound { id: "not a hook".to_owned() }),
        };
        signature::check_hook(&request, keys, now)?;
        request.knows_query(&[])?;
        let body = strict_json::parse(request.body())?;
        let directory =
            self.service.store.current_directory().await.map_err(|error| service::problem(&error))?;
        let sender = Sender { name: source, rights: directory.rights_of(source).cloned() };
        match body {
            Value::Array(events) if events.is_empty() || events.len() > BATCH_MAX => {
                Err(Problem::unprocessable(format!("a batch must hold 1 to {BATCH_MAX} events")))
            }
            Value::Array(events) => Ok(answer::batch(&self.take_batch(&sender, &events, now).await)),
            event => Ok(answer::single(self.take(&sender, &event, now).await)),
        }
    }

    async fn take_batch(&self, sender: &Sender<'_>, events: &[Value], now: DateTime<Utc>) -> Vec<Answer> {
        let mut by_subject: BTreeMap<String, Vec<(usize, &Value)>> = BTreeMap::new();
        for (n, event) in events.iter().enumerate() {
            by_subject.entry(subject_hint(event, n)).or_default().push((n, event));
        }
        let mut answers: Vec<(usize, Answer)> = futures::stream::iter(by_subject.into_values())
            .map(async |events| {
                let mut answers = Vec::with_capacity(events.len());
                for (n, event) in events {
                    answers.push((n, self.take(sender, event, now).await));
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
    async fn take(&self, sender: &Sender<'_>, event: &Value, now: DateTime<Utc>) -> Answer {
        let taken = match event::read(event) {
            Ok(inbound) => rights::apply_within(&self.service, sender, inbound, now).await,
            Err(refusal) => apply::refuse(&self.service, sender.name, refusal, now).await,
        };
        taken.unwrap_or_else(|error| not_stored(event, &service::problem(&error)))
    }
}

/// Whether a text can be a hook's name.
fn is_name(source: &str) -> bool {
    !source.is_empty() && source.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The key that keeps events in order: the lead or account that an event names, if any.
fn subject_hint(event: &Value, n: usize) -> String {
    let id = |kind: &str| event.get(kind)?.get("id")?.as_str().map(|id| format!("{kind}/{id}"));
    id("lead").or_else(|| id("account")).unwrap_or_else(|| format!("event/{n}"))
}
