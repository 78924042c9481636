//! The work of every writing function: decide, commit, and send the resulting messages at once. Messages go
//! out after the commit and can be lost; then the sweep finds the work in the due index.

pub mod paging;
mod relay;

pub use relay::{PERIODS_AHEAD, Relay};

use aws_config::SdkConfig;
use chrono::{DateTime, Utc};
use platform::config::{ConfigError, Env};
use platform::problem::Problem;
use platform::telemetry::ErrorChain;
use policy::ids::{AccountId, LeadId, PersonId, Subject};
use rules::account::{Account, AccountCommand};
use rules::entry::Actor;
use rules::lead::{Command, Lead};
use rules::publication::{Publication, PublicationCommand};
use rules::rep::{RepCommand, RepInput};
use rules::reuse;
use rules::roster::{Availability, Standing};
use sealing::{KeyWrap, KmsWrap};
use std::sync::Arc;
use store::{Committed, Store, StoreError};

/// The store, and the queues that commits send to.
#[derive(Clone)]
pub struct Service {
    /// The store.
    pub store: Store,
    /// The queues.
    pub relay: Relay,
}

impl Service {
    /// Builds the clients from the environment, once at start-up.
    ///
    /// # Errors
    /// If a variable is missing or invalid.
    pub fn from_env(env: &Env, sdk: &SdkConfig) -> Result<Self, ConfigError> {
        Self::built(env, sdk, Store::with_keys)
    }

    /// Does the same for a function whose role may destroy the data keys of erased leads.
    ///
    /// # Errors
    /// If a variable is missing or invalid.
    pub fn from_env_to_erase(env: &Env, sdk: &SdkConfig) -> Result<Self, ConfigError> {
        Self::built(env, sdk, Store::with_keys_to_erase)
    }

    fn built(
        env: &Env,
        sdk: &SdkConfig,
        with_keys: fn(Store, String, Arc<dyn KeyWrap>) -> Store,
    ) -> Result<Self, ConfigError> {
        let client = aws_sdk_dynamodb::Client::new(sdk);
        let mut store =
            Store::new(client, env.require("LEADS_TABLE")?, env.optional("AUDIT_TABLE").unwrap_or_default());
        // The function's role decides whether it may use the key that wraps them.
        if let Some(table) = env.optional("KEYS_TABLE") {
            let wrap = KmsWrap::new(aws_sdk_kms::Client::new(sdk), env.require("DATA_KEY")?);
            store = with_keys(store, table.to_owned(), Arc::new(wrap));
        }
        Ok(Self { store, relay: Relay::from_env(env, sdk)? })
    }

    /// Decides on a lead, commits, and sends the messages.
    ///
    /// # Errors
    /// If the store does not answer or is too busy. The commit is then written in full or not at all.
    pub async fn lead(
        &self,
        command: &Command,
        dedupe: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Committed<Lead>, StoreError> {
        // On the heap: the future of a commit is large, and callers hold several.
        let subject = Subject::Lead(command.lead.clone());
        let executed = Box::pin(self.store.execute(command, dedupe, now)).await;
        if let Err(StoreError::ErasureRequired { .. }) = &executed {
            // The retention period has ended, but the wake that erases the lead is still to come: send it
            // now.
            self.relay.dispatch(&subject, &[], Some(now), now).await;
        }
        let executed = executed?;
        let wake_at = executed.wake_at.filter(|_| executed.wake_moved);
        self.relay.dispatch(&subject, &executed.notifications, wake_at, now).await;
        // Another lead may wait for the free place.
        for rep in &executed.reps_to_check {
            self.dispatch_rep_check(rep, now).await;
        }
        Ok(executed)
    }

    /// Records whether a rep takes leads, and requests a check of the rep.
    ///
    /// # Errors
    /// If the store does not answer or is too busy. The commit is then written in full or not at all.
    pub async fn availability(
        &self,
        rep: &PersonId,
        availability: &Availability,
        actor: &Actor,
        (cause, dedupe): (&str, Option<&str>),
        now: DateTime<Utc>,
    ) -> Result<Committed<Standing>, StoreError> {
        let (rep, actor, cause) = (rep.clone(), actor.clone(), cause.to_owned());
        let input = RepInput::Availability(availability.clone());
        self.rep(&RepCommand { rep, actor, cause, input }, dedupe, now).await
    }

    /// Decides on a rep, commits, and sends the messages.
    ///
    /// # Errors
    /// If the store does not answer or is too busy. The commit is then written in full or not at all.
    pub async fn rep(
        &self,
        command: &RepCommand,
        dedupe: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Committed<Standing>, StoreError> {
        let executed = Box::pin(self.store.execute_rep(command, dedupe, now)).await?;
        let subject = Subject::Rep(command.rep.clone());
        self.relay.dispatch(&subject, &executed.notifications, None, now).await;
        if let (RepInput::Availability(_), Some(standing)) = (&command.input, &executed.state) {
            // The check reads an index to find the waiting leads and the rep's own leads.
            self.relay.dispatch_after_lag(subject, standing.looks, now).await;
        }
        Ok(executed)
    }

    /// Requests a check of a rep if one is due. If that fails, the sweep does it.
    async fn dispatch_rep_check(&self, rep: &PersonId, now: DateTime<Utc>) {
        let subject = Subject::Rep(rep.clone());
        match self.store.rep(rep).await {
            Ok(Some(item)) => self.relay.dispatch_after_lag(subject, item.standing.looks, now).await,
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%subject, error = %ErrorChain(&error), "could not send the wake; the sweep will send it");
            }
        }
    }

    /// Records that a source's input to a lead was refused, once for each content: a refused event may come
    /// again under its id with other errors.
    ///
    /// # Errors
    /// As for [`Service::lead`].
    pub async fn refuse_lead(
        &self,
        refusal: &Command,
        now: DateTime<Utc>,
    ) -> Result<Committed<Lead>, StoreError> {
        let key = store::key_by_content(refusal)?;
        self.lead(refusal, Some(&key), now).await
    }

    /// Does the same for an account.
    ///
    /// # Errors
    /// As for [`Service::account`].
    pub async fn refuse_account(
        &self,
        refusal: &AccountCommand,
        now: DateTime<Utc>,
    ) -> Result<Committed<Account>, StoreError> {
        let key = store::account_key_by_content(refusal)?;
        self.account(refusal, Some(&key), now).await
    }

    /// Decides on an account, commits, and sends the messages.
    ///
    /// # Errors
    /// If the store does not answer or is too busy. The commit is then written in full or not at all.
    pub async fn account(
        &self,
        command: &AccountCommand,
        dedupe: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Committed<Account>, StoreError> {
        let executed = Box::pin(self.store.execute_account(command, dedupe, now)).await?;
        let subject = Subject::Account(command.account.clone());
        let pending = executed.state.as_ref().filter(|account| account.has_news_for_leads());
        // While leads still have to learn of a change, the due key is for that, and the next timer needs a
        // message of its own.
        let wake_at = match pending {
            Some(account) => account.next_timer().filter(|_| !executed.entries.is_empty()),
            None => executed.wake_at.filter(|_| executed.wake_moved),
        };
        self.relay.dispatch(&subject, &executed.notifications, wake_at, now).await;
        // The index by account is behind its table, so the message is delayed.
        if let Some(account) = pending
            && executed.entries.iter().any(|entry| entry.seq == account.news_seq)
        {
            self.relay.dispatch_after_lag(subject, account.news_seq, now).await;
        }
        Ok(executed)
    }

    /// Decides on a publication, commits, and sends the messages.
    ///
    /// # Errors
    /// If the store does not answer or is too busy. The commit is then written in full or not at all.
    pub async fn publication(
        &self,
        command: &PublicationCommand,
        now: DateTime<Utc>,
    ) -> Result<Committed<Publication>, StoreError> {
        let executed = Box::pin(self.store.execute_publication(command, now)).await?;
        let subject = Subject::Publication(command.publication);
        self.relay.dispatch(&subject, &executed.notifications, None, now).await;
        Ok(executed)
    }

    /// A lead that must exist.
    ///
    /// # Errors
    /// 404 if it does not exist, 503 if the store does not answer.
    pub async fn require_lead(&self, id: &LeadId) -> Result<rules::lead::Lead, Problem> {
        let lead = self.store.lead(id).await.map_err(|error| problem(&error))?;
        lead.ok_or_else(|| Problem::not_found(format!("lead `{id}` does not exist")))
    }

    /// An account that must exist.
    ///
    /// # Errors
    /// 404 if it does not exist, 503 if the store does not answer.
    pub async fn require_account(&self, id: &AccountId) -> Result<Account, Problem> {
        let account = self.store.account(id).await.map_err(|error| problem(&error))?;
        account.ok_or_else(|| Problem::not_found(format!("account `{id}` does not exist")))
    }
}

/// The problem for a failed store operation. It asks the caller to try again only if that can help.
pub fn problem(error: &StoreError) -> Problem {
    match error {
        // The caller's mistake, not a fault of ours.
        StoreError::UsedForOtherSubject | StoreError::UsedForOtherContent => {
            tracing::info!(error = %platform::telemetry::ErrorChain(error), "refused a request");
        }
        _ => {
            tracing::error!(error = %platform::telemetry::ErrorChain(error), "store operation failed");
        }
    }
    match error {
        StoreError::KeysUnavailable { .. } => Problem::unavailable(
            10,
            "the key service for personal data is temporarily unavailable; nothing was stored, try again",
        ),
        StoreError::ErasureRequired { .. } => Problem::unavailable(
            2,
            "the lead's personal data is being erased because its retention period has ended; nothing was stored, try again",
        ),
        StoreError::Unavailable(_) | StoreError::Contention => {
            Problem::unavailable(2, "the store is temporarily busy; try again")
        }
        StoreError::NotPublished { .. } => {
            Problem::unavailable(60, "a policy and a directory must be published first")
                .of_kind("nothing-published")
        }
        StoreError::TooLarge { .. } => {
            let detail = "the record would exceed its size limit; nothing was stored, send less data";
            Problem::unprocessable(detail).of_kind("too-large")
        }
        StoreError::UsedForOtherSubject => {
            Problem::conflict("this `Idempotency-Key` was used for another request; use a new one")
                .of_kind("key-used")
        }
        StoreError::UsedForOtherContent => reused(reuse::why_other_content("Idempotency-Key")),
        StoreError::Defect { .. }
        | StoreError::Corrupt { .. }
        | StoreError::StaleBase { .. }
        | StoreError::InvalidDocument(_)
        | StoreError::Rejected(_) => Problem::internal(),
    }
}

/// The problem for an id that was used for other content.
pub fn reused(why: String) -> Problem {
    Problem::unprocessable(why).of_kind("id-reused")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_temporary_errors_ask_for_another_attempt() {
        let large = StoreError::TooLarge { what: "LEAD#L-1/LEAD".to_owned() };
        let asked = |error: StoreError| (problem(&error).status, problem(&error).retry_after_s);
        assert_eq!(asked(StoreError::Contention), (503, Some(2)));
        assert_eq!(asked(StoreError::Unavailable("time-out".into())), (503, Some(2)));
        let source = sealing::WrapError::Unavailable("it is down".into());
        let keys = StoreError::KeysUnavailable { subject: Subject::Lead("L-1".into()), source };
        assert_eq!(asked(keys), (503, Some(10)));
        assert_eq!(asked(large), (422, None));
        assert_eq!(asked(StoreError::Rejected("no permission".into())), (500, None));
        assert_eq!(asked(StoreError::UsedForOtherSubject), (409, None));
        assert_eq!(asked(StoreError::UsedForOtherContent), (422, None));
    }
}
