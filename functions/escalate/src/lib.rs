//! The due queue: reads a subject that has something due, decides and commits. The stored state counts,
//! whatever the message says.

mod publication;
mod rep;

use chrono::{DateTime, Utc};
use contracts::queue::Due;
use platform::batch::Record;
use policy::ids::{AccountId, LeadId, Subject};
use rules::account::{Account, AccountCommand, AccountInput};
use rules::cause;
use rules::entry::Actor;
use rules::lead::{Command, Input};
use service::Service;
use store::{Cursor, StoreError};

/// Leads of an account that are updated at a time.
const LEADS_PAGE: usize = 50;

/// What a message says about the lag of the indexes.
#[derive(Debug, Clone, Copy)]
struct IndexHint {
    /// The change of the subject that the indexes show.
    change: Option<u64>,
    /// Whether they are sure to show it.
    last: bool,
}

/// Why a message returns to the queue.
#[derive(Debug, thiserror::Error)]
pub enum EscalateError {
    /// It is not a message of this queue. After a few deliveries it ends in the dead-letter queue.
    #[error("the message cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// The store did not answer.
    #[error("the store did not answer")]
    Store(#[from] StoreError),
}

/// Handles one message.
///
/// # Errors
/// [`EscalateError`]: the message returns to the queue.
pub async fn escalate(
    service: &Service,
    record: Record<'_>,
    now: DateTime<Utc>,
) -> Result<(), EscalateError> {
    let Due::V1 { subject, due, indexed, last } =
        serde_json::from_str(record.body).map_err(EscalateError::Unreadable)?;
    match subject {
        Subject::Lead(lead) => wake_lead(service, lead, due, now).await?,
        Subject::Account(account) => {
            wake_account(service, &account, due, IndexHint { change: indexed, last }, now).await?
        }
        Subject::Publication(id) => publication::apply(service, id, now).await?,
        Subject::Rep(id) => rep::look(service, &id, IndexHint { change: indexed, last }, now).await?,
    }
    Ok(())
}

async fn wake_lead(
    service: &Service,
    lead: LeadId,
    due: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let command = Command {
        lead: lead.clone(),
        actor: Actor::system("clock"),
        cause: cause::wake(due),
        input: Input::Wake,
    };
    let done = service.lead(&command, None, now).await?;
    if let (true, Some(found)) = (done.entries.is_empty(), done.state) {
        let found = (found.commit, done.wake_at, done.wake_moved);
        again(service, Subject::Lead(lead), found, due, now).await?;
    }
    Ok(())
}

async fn wake_account(
    service: &Service,
    id: &AccountId,
    due: DateTime<Utc>,
    look: IndexHint,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let cause = cause::wake(due);
    let (account, actor, input) = (id.clone(), Actor::system("clock"), AccountInput::Wake);
    let done = service.account(&AccountCommand { account, actor, cause, input }, None, now).await?;
    match done.state {
        // An index finds the account's leads, and it is behind its table.
        Some(account) if account.has_news_for_leads() && look.change == Some(account.news_seq) => {
            tell_leads(service, &account, look.last, now).await
        }
        Some(account) if account.has_news_for_leads() => {
            // The commit of a later change has sent a message of its own.
            if look.change.is_none() {
                let subject = Subject::Account(account.id);
                service.relay.dispatch_after_lag(subject, account.news_seq, now).await;
            }
            Ok(())
        }
        Some(found) if done.entries.is_empty() => {
            let found = (found.commit, done.wake_at, done.wake_moved);
            again(service, Subject::Account(id.clone()), found, due, now).await
        }
        _ => Ok(()),
    }
}

/// Handles a wake with nothing due. If the due key was too early, moves it without a fact and sends the wake
/// for the new time. If the message came early, sends it again. If it is one of several, the handler of the
/// first one has taken care of the next.
async fn again(
    service: &Service,
    subject: Subject,
    found: (u64, Option<DateTime<Utc>>, bool),
    due: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (commit, wake_at, key_is_off) = found;
    if key_is_off {
        service.store.rearm(&subject, commit, wake_at).await?;
    } else if due > now {
        service.relay.dispatch(&subject, &[], wake_at, now).await;
    }
    Ok(())
}

/// Updates an account's leads. A lead that is up to date is left alone, so that a repetition does no harm.
/// The account records the update only once every lead is sure to have it.
async fn tell_leads(
    service: &Service,
    account: &Account,
    last: bool,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let view = account.view();
    let (actor, cause) = (Actor::system("account"), format!("account/{}/{}", account.id, view.as_of));
    let mut after: Option<Cursor> = None;
    let mut told = 0u32;
    loop {
        let page = service.store.leads_by_account(&account.id, LEADS_PAGE, after.as_ref()).await?;
        // Includes closed leads, because they can be reopened.
        for lead in page.items {
            let (actor, cause) = (actor.clone(), cause.clone());
            service
                .lead(&Command { lead: lead.id, actor, cause, input: Input::ApplyAccount }, None, now)
                .await?;
            told = told.saturating_add(1);
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if !last {
        service
            .relay
            .dispatch_after_longest_lag(Subject::Account(account.id.clone()), account.news_seq, now)
            .await;
        return Ok(());
    }
    let input = AccountInput::LeadsTold { view, leads: told };
    service.account(&AccountCommand { account: account.id.clone(), actor, cause, input }, None, now).await?;
    Ok(())
}
