//! What every function that writes does: decide and commit, then hand on at once what the commit
//! brought about. The queues are told after the commit and may miss it; the due index knows what
//! was missed, and the sweep finds it.

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

/// The store and the queues behind it.
#[derive(Clone)]
pub struct Service {
    /// The store.
    pub store: Store,
    /// The queues.
    pub relay: Relay,
}

impl Service {
    /// Builds the clients from the environment; once, at start-up.
    ///
    /// # Errors
    /// A variable that is missing or wrong.
    pub fn from_env(env: &Env, sdk: &SdkConfig) -> Result<Self, ConfigError> {
        Self::built(env, sdk, Store::with_keys)
    }

    /// As [`Self::from_env`], for a function whose role may destroy the data keys of erased leads.
    ///
    /// # Errors
    /// A variable that is missing or wrong.
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
        // Who may use the key that wraps them, the function's role says.
        if let Some(table) = env.optional("KEYS_TABLE") {
            let wrap = KmsWrap::new(aws_sdk_kms::Client::new(sdk), env.require("DATA_KEY")?);
            store = with_keys(store, table.to_owned(), Arc::new(wrap));
        }
        Ok(Self { store, relay: Relay::from_env(env, sdk)? })
    }

    /// Decides on a lead, commits, and hands on.
    ///
    /// # Errors
    /// The store cannot be reached, or was too busy; nothing was written then, or all of it.
    pub async fn lead(
        &self,
        command: &Command,
        dedupe: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Committed<Lead>, StoreError> {
        // On the heap: the future of a whole commit is large, and callers hold several.
        let subject = Subject::Lead(command.lead.clone());
        let executed = Box::pin(self.store.execute(command, dedupe, now)).await;
        if let Err(StoreError::ErasedElsewhere { .. }) = &executed {
            // Its time is over, and the wake that erases it has not come yet: it comes now.
            self.relay.hand_on(&subject, &[], Some(now), now).await;
        }
        let executed = executed?;
        let wake_at = executed.wake_at.filter(|_| executed.wake_moved);
        self.relay.hand_on(&subject, &executed.notifications, wake_at, now).await;
        // A place that became free may be what another lead waits for.
        for rep in &executed.look_at {
            self.hand_on_rep(rep, now).await;
        }
        Ok(executed)
    }

    /// Records whether a rep takes leads, and hands on that they are to be looked at.
    ///
    /// # Errors
    /// The store cannot be reached, or was too busy; nothing was written then, or all of it.
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

    /// Decides on a rep, commits, and hands on.
    ///
    /// # Errors
    /// The store cannot be reached, or was too busy; nothing was written then, or all of it.
    pub async fn rep(
        &self,
        command: &RepCommand,
        dedupe: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Committed<Standing>, StoreError> {
        let executed = Box::pin(self.store.execute_rep(command, dedupe, now)).await?;
        let subject = Subject::Rep(command.rep.clone());
        self.relay.hand_on(&subject, &executed.notifications, None, now).await;
        if let (RepInput::Availability(_), Some(standing)) = (&command.input, &executed.state) {
            // Which leads wait, and which are theirs, an index says.
            self.relay.hand_on_indexed(subject, standing.looks, now).await;
        }
        Ok(executed)
    }

    /// Asks for a rep to be looked at who has to be. Where this is not done, the sweep finds them.
    async fn hand_on_rep(&self, rep: &PersonId, now: DateTime<Utc>) {
        let subject = Subject::Rep(rep.clone());
        match self.store.rep(rep).await {
            Ok(Some(item)) => self.relay.hand_on_indexed(subject, item.standing.looks, now).await,
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%subject, error = %ErrorChain(&error), "the sweep will hand on the wake");
            }
        }
    }

    /// Records what a source is refused of a lead, once for each content: an event that is refused may
    /// come again under its id with other mistakes.
    ///
    /// # Errors
    /// As [`Service::lead`].
    pub async fn refuse_lead(
        &self,
        refusal: &Command,
        now: DateTime<Utc>,
    ) -> Result<Committed<Lead>, StoreError> {
        let key = store::key_by_content(refusal)?;
        self.lead(refusal, Some(&key), now).await
    }

    /// As [`Service::refuse_lead`], of an account.
    ///
    /// # Errors
    /// As [`Service::account`].
    pub async fn refuse_account(
        &self,
        refusal: &AccountCommand,
        now: DateTime<Utc>,
    ) -> Result<Committed<Account>, StoreError> {
        let key = store::account_key_by_content(refusal)?;
        self.account(refusal, Some(&key), now).await
    }

    /// Decides on an account, commits, and hands on.
    ///
    /// # Errors
    /// The store cannot be reached, or was too busy; nothing was written then, or all of it.
    pub async fn account(
        &self,
        command: &AccountCommand,
        dedupe: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Committed<Account>, StoreError> {
        let executed = Box::pin(self.store.execute_account(command, dedupe, now)).await?;
        let subject = Subject::Account(command.account.clone());
        let pending = executed.state.as_ref().filter(|account| account.has_news_for_leads());
        // While leads are to be told, the due key is of that, and the next timer is asked for beside it.
        let wake_at = match pending {
            Some(account) => account.next_timer().filter(|_| !executed.entries.is_empty()),
            None => executed.wake_at.filter(|_| executed.wake_moved),
        };
        self.relay.hand_on(&subject, &executed.notifications, wake_at, now).await;
        // The index by account follows its table; it is waited for.
        if let Some(account) = pending
            && executed.entries.iter().any(|entry| entry.seq == account.news_seq)
        {
            self.relay.hand_on_indexed(subject, account.news_seq, now).await;
        }
        Ok(executed)
    }

    /// Decides on a publication, commits, and hands on.
    ///
    /// # Errors
    /// The store cannot be reached, or was too busy; nothing was written then, or all of it.
    pub async fn publication(
        &self,
        command: &PublicationCommand,
        now: DateTime<Utc>,
    ) -> Result<Committed<Publication>, StoreError> {
        let executed = Box::pin(self.store.execute_publication(command, now)).await?;
        let subject = Subject::Publication(command.publication);
        self.relay.hand_on(&subject, &executed.notifications, None, now).await;
        Ok(executed)
    }

    /// A lead, or the problem that there is none.
    ///
    /// # Errors
    /// 404, or 503 when the store cannot be reached.
    pub async fn require_lead(&self, id: &LeadId) -> Result<rules::lead::Lead, Problem> {
        let lead = self.store.lead(id).await.map_err(|error| problem(&error))?;
        lead.ok_or_else(|| Problem::not_found(format!("there is no lead `{id}`")))
    }

    /// An account, or the problem that there is none.
    ///
    /// # Errors
    /// 404, or 503 when the store cannot be reached.
    pub async fn require_account(&self, id: &AccountId) -> Result<Account, Problem> {
        let account = self.store.account(id).await.map_err(|error| problem(&error))?;
        account.ok_or_else(|| Problem::not_found(format!("there is no account `{id}`")))
    }
}

/// What a caller is told when the store did not do it: try again where that helps, and only there.
pub fn problem(error: &StoreError) -> Problem {
    match error {
        // The caller's mistake, and none of ours.
        StoreError::UsedForAnother | StoreError::UsedForOtherContent => {
            tracing::info!(error = %platform::telemetry::ErrorChain(error), "refused a request");
        }
        _ => {
            tracing::error!(error = %platform::telemetry::ErrorChain(error), "store operation failed");
        }
    }
    match error {
        StoreError::KeysUnavailable { .. } => Problem::unavailable(
            10,
            "what is personal cannot be sealed or opened for now; nothing was stored, try again",
        ),
        StoreError::ErasedElsewhere { .. } => Problem::unavailable(
            2,
            "the lead's personal data is being erased, since its time is over; nothing was stored, try again",
        ),
        StoreError::Unavailable(_) | StoreError::Contention => {
            Problem::unavailable(2, "the store is busy; nothing was lost, try again")
        }
        StoreError::NotSeeded { .. } => {
            Problem::unavailable(60, "no policy or no directory has been published yet; publish them first")
                .of_kind("nothing-published")
        }
        StoreError::TooLarge { .. } => {
            let detail = "this would make the record larger than one can be; nothing was stored, send less";
            Problem::unprocessable(detail).of_kind("too-large")
        }
        StoreError::UsedForAnother => {
            Problem::conflict("this key was used for something else; use another one").of_kind("key-used")
        }
        StoreError::UsedForOtherContent => reused(reuse::why_other_content("Idempotency-Key")),
        StoreError::Defect { .. }
        | StoreError::Corrupt { .. }
        | StoreError::BaseMovedOn { .. }
        | StoreError::Unsound(_)
        | StoreError::Rejected(_) => Problem::internal(),
    }
}

/// What a caller is told whose id was used for other content.
pub fn reused(why: String) -> Problem {
    Problem::unprocessable(why).of_kind("id-reused")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_goes_away_by_itself_is_to_be_tried_again() {
        let large = StoreError::TooLarge { what: "LEAD#L-1/LEAD".to_owned() };
        let asked = |error: StoreError| (problem(&error).status, problem(&error).retry_after_s);
        assert_eq!(asked(StoreError::Contention), (503, Some(2)));
        assert_eq!(asked(StoreError::Unavailable("time-out".into())), (503, Some(2)));
        let source = sealing::WrapError::Unavailable("it is down".into());
        let keys = StoreError::KeysUnavailable { subject: Subject::Lead("L-1".into()), source };
        assert_eq!(asked(keys), (503, Some(10)));
        assert_eq!(asked(large), (422, None));
        assert_eq!(asked(StoreError::Rejected("no permission".into())), (500, None));
        assert_eq!(asked(StoreError::UsedForAnother), (409, None));
        assert_eq!(asked(StoreError::UsedForOtherContent), (422, None));
    }
}
