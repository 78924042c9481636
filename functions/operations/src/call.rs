//! A request with its caller, and the answers that all routes share.

use chrono::{DateTime, Utc};
use platform::caller::Caller;
use platform::http::Request;
use platform::problem::Problem;
use rules::outcome::Outcome;
use serde_json::Value;
use service::Service;

/// A request with its caller and its time.
pub struct Call<'a> {
    /// The store and the queues.
    pub service: &'a Service,
    /// The request.
    pub request: &'a Request,
    /// The verified caller.
    pub caller: &'a Caller,
    /// When the request came in.
    pub now: DateTime<Utc>,
    /// Whether a directory may name webhooks on this machine or a private network.
    pub takes_private_webhooks: bool,
}

impl Call<'_> {
    /// The identity of a write to a subject: the caller's idempotency key if there is one, else the request's
    /// id. The same key for another subject is another write. Also returns whether the caller gave a key.
    ///
    /// # Errors
    /// 400 if the idempotency key is not usable.
    pub fn cause(&self, what: &str, subject: &str) -> Result<(String, bool), Problem> {
        Ok(match self.request.idempotency_key()? {
            Some(key) => (format!("{what}/{}/{subject}/{key}", self.caller.subject), true),
            None => (format!("{what}/{}", self.request.id()), false),
        })
    }

    /// The caller's name in the audit: their id in the directory, or else the verified email address in their
    /// token. `None` if the token has no verified address.
    ///
    /// # Errors
    /// If the store does not answer.
    pub async fn named(&self) -> Result<Option<String>, Problem> {
        let Some(email) = &self.caller.email else { return Ok(None) };
        let directory =
            self.service.store.current_directory().await.map_err(|error| service::problem(&error))?;
        Ok(Some(directory.person_by_email(email).map_or_else(|| email.clone(), ToString::to_string)))
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// 400 if it is not strict JSON.
    pub fn body(&self) -> Result<Value, Problem> {
        Ok(platform::strict_json::parse(self.request.body())?)
    }
}

/// The problem to answer with, unless the outcome is a success. `what` names the kind of subject.
///
/// # Errors
/// The problem.
pub fn refusal(outcome: Outcome, what: &str) -> Result<(), Problem> {
    match outcome {
        Outcome::Applied | Outcome::Unchanged | Outcome::Stale | Outcome::Recorded { .. } => Ok(()),
        Outcome::Refused { why } | Outcome::Conflict { why } => Err(Problem::conflict(why)),
        Outcome::Reused { why } => Err(service::reused(why)),
        Outcome::Invalid { field, why } => Err(Problem::unprocessable(why).at(format!("/{field}"))),
        Outcome::NotFound => Err(Problem::not_found(format!("the {what} does not exist"))),
    }
}
