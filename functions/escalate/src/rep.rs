//! A rep whose place became free, or who came or went: the leads that wait for a rep in their team are
//! offered the place, the one that waits longest first; the leads of a rep who is away are looked after.
//!
//! The rep's due key stands until all of that is done, so that after a crash the next tick goes on.

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

/// Leads that are read at a time.
const PAGE: usize = 100;
/// Pages of the operations queue that are searched for leads that wait.
const PAGES_MAX: usize = 20;

/// Looks at a rep. Which leads are theirs, and which wait, an index says: it has to show what was there before
/// the change that they are looked at for. As a rule it does soon; for sure it does later, and they are looked
/// at once more.
///
/// # Errors
/// The store did not answer: the message goes back to the queue.
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
            service.relay.hand_on(&subject(), &[], Some(due), now).await;
            return Ok(());
        }
        None => {
            service.relay.hand_on_indexed(subject(), item.standing.looks, now).await;
            return Ok(());
        }
        // A later change sends a message of its own.
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
        service.relay.hand_on_once_more(subject(), item.standing.looks, now).await;
        return Ok(());
    }
    // By now all are looked after: the manager is told of them together.
    let (actor, cause) = (Actor::system("routing"), cause::presence(rep, now));
    let command =
        RepCommand { rep: rep.clone(), actor, cause, input: RepInput::looked_at(kept, item.standing.looks) };
    let after = service.rep(&command, None, now).await?.state.unwrap_or_default();
    // The due key is of what happened meanwhile, and whoever brought it about has asked.
    if after.looks != item.standing.looks {
        return Ok(());
    }
    let next = next_look(&directory, &policy.policy, rep, &after, now);
    if !store.rearm(&subject(), after.version, next).await? {
        service.relay.hand_on_once_more(subject(), after.looks, now).await;
    } else if let Some(next) = next {
        service.relay.hand_on(&subject(), &[], Some(next), now).await;
    }
    Ok(())
}

/// Shows the leads of a rep whether they are away or back: all of them, or those that know them as away.
/// A directory may have taken the leave back. Returns how many open leads stay with them.
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

/// Offers the rep's room to the leads that wait for one in the team.
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

/// The leads that wait for a rep of a team, the one that waits longest first.
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
