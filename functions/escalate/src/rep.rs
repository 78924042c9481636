//! Handles a rep with a free place, or whose availability changed. Offers the place to the team's waiting
//! leads, the longest wait first, and takes care of an absent rep's leads.
//!
//! The rep's due key stays until all of that is done, so that the next tick continues after a crash.

use crate::IndexHint;
use chrono::{DateTime, Utc};
use policy::directory::Directory;
use policy::ids::{LeadId, PersonId, Subject, TeamId};
use rules::absence::{absence, next_look};
use rules::cause;
use rules::entry::Actor;
use rules::lead::{Command, Input, Lead, stays_with, waits_since};
use rules::rep::{RepCommand, RepInput};
use service::Service;
use store::{Cursor, StoreError};

/// Leads that are read at once.
const PAGE: usize = 100;
/// Pages of the operations queue that are searched for waiting leads.
const PAGES_MAX: usize = 20;

/// Checks a rep. An index finds the rep's leads and the waiting ones, and it must show the state before the
/// change. It usually does so soon, and it surely does later, so the rep is checked twice.
///
/// # Errors
/// If the store does not answer: the message returns to the queue.
pub async fn look(
    service: &Service,
    rep: &PersonId,
    look: IndexHint,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let store = &service.store;
    let subject = || Subject::Rep(rep.clone());
    let Some(item) = store.rep(rep).await? else { return Ok(()) };
    let Some(due) = item.wake_at() else { return Ok(()) };
    match look.change {
        None if due > now => {
            service.relay.dispatch(&subject(), &[], Some(due), now).await;
            return Ok(());
        }
        None => {
            service.relay.dispatch_after_lag(subject(), item.standing.looks, now).await;
            return Ok(());
        }
        // A later change sends its own message.
        Some(change) if change != item.standing.looks => return Ok(()),
        Some(_) => {}
    }
    let directory = store.current_directory().await?;
    let policy = store.current_policy().await?;
    let mut kept = 0;
    if let (Some(team), Some(known)) = (directory.team_of(rep), directory.rep(rep)) {
        let away = absence(&directory, rep, &item.standing, now);
        let counts = away.is_some_and(|absence| absence.counts(&policy.policy, now));
        let all = counts || item.standing.availability.is_some() || known.on_leave_until.is_some();
        kept = look_after_leads(service, rep, all, now).await?;
        offer(service, rep, team, &directory, now).await?;
    }
    if !look.last {
        service.relay.dispatch_after_longest_lag(subject(), item.standing.looks, now).await;
        return Ok(());
    }
    // All leads are taken care of by now, so the manager gets one message about all of them.
    let (actor, cause) = (Actor::system("routing"), cause::presence(rep, now));
    let command =
        RepCommand { rep: rep.clone(), actor, cause, input: RepInput::looked_at(kept, item.standing.looks) };
    let after = service.rep(&command, None, now).await?.state.unwrap_or_default();
    // The due key belongs to a later change, whose commit has sent its own message.
    if after.looks != item.standing.looks {
        return Ok(());
    }
    let next = next_look(&directory, &policy.policy, rep, &after, now);
    if !store.rearm(&subject(), after.version, next).await? {
        service.relay.dispatch_after_longest_lag(subject(), after.looks, now).await;
    } else if let Some(next) = next {
        service.relay.dispatch(&subject(), &[], Some(next), now).await;
    }
    Ok(())
}

/// Applies a rep's absence or return to their leads: to all of them, or to those that know the rep as absent,
/// because a directory may have withdrawn the leave. Returns the number of open leads that stay with the rep.
async fn look_after_leads(
    service: &Service,
    rep: &PersonId,
    all: bool,
    now: DateTime<Utc>,
) -> Result<u32, StoreError> {
    let mut stay = 0u32;
    let mut after: Option<Cursor> = None;
    loop {
        let page = service.store.leads_by_owner(rep, PAGE, after.as_ref()).await?;
        let looked_at = |lead: &Lead| !lead.is_closed() && (all || lead.owner_gone.is_some());
        for lead in page.items.into_iter().filter(looked_at) {
            let (actor, cause) = (Actor::system("routing"), cause::presence(rep, now));
            let command = Command { lead: lead.id, actor, cause, input: Input::OwnerPresence };
            let done = service.lead(&command, None, now).await?;
            stay = stay.saturating_add(u32::from(done.state.is_some_and(|lead| stays_with(&lead, rep))));
        }
        after = page.next;
        if after.is_none() {
            return Ok(stay);
        }
    }
}

/// Offers the rep's capacity to the team's waiting leads.
async fn offer(
    service: &Service,
    rep: &PersonId,
    team: &TeamId,
    directory: &Directory,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if !has_room(service, rep, directory, now).await? {
        return Ok(());
    }
    for lead in waiting(service, team, directory).await? {
        if !has_room(service, rep, directory, now).await? {
            return Ok(());
        }
        let (actor, cause) = (Actor::system("routing"), cause::offer(rep, now));
        service.lead(&Command { lead, actor, cause, input: Input::Offer }, None, now).await?;
    }
    Ok(())
}

async fn has_room(
    service: &Service,
    rep: &PersonId,
    directory: &Directory,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let Some(known) = directory.rep(rep) else { return Ok(false) };
    let standing = service.store.rep(rep).await?.map(|item| item.standing).unwrap_or_default();
    Ok(standing.load < known.capacity && standing.is_available(known.on_leave_until, now))
}

/// The leads that wait for a rep of a team, longest wait first.
async fn waiting(service: &Service, team: &TeamId, directory: &Directory) -> Result<Vec<LeadId>, StoreError> {
    let mut waiting: Vec<(DateTime<Utc>, LeadId)> = Vec::new();
    let mut after: Option<Cursor> = None;
    for _ in 0..PAGES_MAX {
        let page = service.store.operations_reviews(PAGE, after.as_ref()).await?;
        waiting.extend(page.items.iter().filter_map(|lead| waits_since(lead, directory, team)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    waiting.sort();
    Ok(waiting.into_iter().map(|(_, lead)| lead).collect())
}
