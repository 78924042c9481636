//! Takes a publication through the leads that it may affect, page by page. Each message handles a few
//! pages and sends the next message. The progress is stored, so that after a crash the work continues there
//! and counts each lead once.

use crate::again;
use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt as _, TryStreamExt as _};
use policy::directory::Directory;
use policy::ids::{LeadId, PublicationId, PublicationKind, Subject};
use policy::impact::{Rules, Scope};
use policy::{InForce, PublishedPolicy, impact};
use rules::entry::Actor;
use rules::lead::{Command, Input, Lead, LeadFact};
use rules::publication::scope::is_first;
use rules::publication::{Publication, PublicationCommand, PublicationInput, scope};
use service::Service;
use std::sync::Arc;
use store::{Cursor, Progress, ScopeCursor, Store, StoreError};

/// Leads on a page.
const PAGE: usize = 50;
/// Pages for each message: far fewer than the function has time for.
const PAGES_MAX: usize = 8;
/// Leads that are processed at once.
const CONCURRENT_MAX: usize = 8;
/// The longest run of a function. A concurrent decision under the earlier rules is written by then, so leads
/// that were checked before are checked once more.
const IN_FLIGHT: TimeDelta = TimeDelta::seconds(60);

/// Continues with a publication.
///
/// # Errors
/// If the store does not answer: the message returns to the queue.
pub async fn apply(service: &Service, id: PublicationId, now: DateTime<Utc>) -> Result<(), StoreError> {
    let store = &service.store;
    let Some(publication) = store.publication(&id).await?.filter(|p| p.applied.is_none()) else {
        return Ok(());
    };
    let documents = before_and_after(store, &publication).await?;
    let scopes = documents
        .as_ref()
        .map_or_else(Vec::new, |(before, after)| impact::scopes(before.rules(), after.rules()));
    let settled = publication.published_at + IN_FLIGHT;
    let mut progress = store.progress(&id).await?;
    for _ in 0..PAGES_MAX {
        let end = if progress.again { progress.again_until.clone() } else { None };
        let is_done = progress.cursor.scope >= scopes.len() || end.is_some_and(|end| progress.cursor >= end);
        if is_done && !progress.again && progress.again_until.is_some() {
            if now < settled {
                // If two workers get here, either may send the next message.
                store.advance(&id, &Progress { looked: true, ..progress }).await?;
                return ask_again(service, id, settled, now).await;
            }
            progress = Progress { cursor: ScopeCursor::default(), again: true, ..progress };
        } else if is_done {
            if let Some((before, after)) = &documents {
                request_rep_checks(service, before, after, now).await?;
            }
            let input = PublicationInput::Applied(progress.totals);
            let cause = format!("applied/{id}");
            service.publication(&PublicationCommand { publication: id, cause, input }, now).await?;
            return Ok(());
        } else if let Some(found) = scope::at(&scopes, progress.cursor.scope) {
            progress = page(service, id, found, progress, (now, settled)).await?;
            if !progress.again && now < settled {
                progress.again_until = Some(progress.cursor.clone());
            }
        }
        if !store.advance(&id, &progress).await? {
            // Another worker continues.
            return Ok(());
        }
        progress.moves = progress.moves.saturating_add(1);
    }
    ask_again(service, id, now, now).await
}

/// Requests a check of the affected reps. If a message is lost, the next tick sends it again.
async fn request_rep_checks(
    service: &Service,
    before: &Documents,
    after: &Documents,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for rep in impact::reps(before.rules(), after.rules()) {
        let change = service.store.request_rep_check(rep, now).await?;
        service.relay.dispatch_after_lag(Subject::Rep(rep.clone()), change, now).await;
    }
    Ok(())
}

async fn ask_again(
    service: &Service,
    id: PublicationId,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    service.relay.dispatch(&Subject::Publication(id), &[], Some(at), now).await;
    Ok(())
}

/// A policy and a directory that were in force together.
struct Documents {
    policy: Arc<PublishedPolicy>,
    directory: Arc<Directory>,
}

impl Documents {
    async fn read(store: &Store, of: InForce) -> Result<Self, StoreError> {
        let (policy, directory) =
            futures::future::try_join(store.required_policy(of.policy), store.directory(of.directory))
                .await?;
        Ok(Self { policy, directory })
    }

    fn rules(&self) -> Rules<'_> {
        Rules { policy: &self.policy.policy, directory: &self.directory }
    }
}

/// The documents before a publication and after it; `None` if there were no leads because one of the
/// documents did not exist. Each publication is one step of both documents together, so that a lead that none
/// of them affects keeps its wake.
async fn before_and_after(
    store: &Store,
    publication: &Publication,
) -> Result<Option<(Documents, Documents)>, StoreError> {
    let (id, after) = (publication.id(), publication.in_force);
    if id.revision < 2 || after.policy == 0 || after.directory == 0 {
        return Ok(None);
    }
    let before = match id.kind {
        PublicationKind::Policy => InForce { policy: id.revision - 1, ..after },
        PublicationKind::Directory => InForce { directory: id.revision - 1, ..after },
    };
    futures::future::try_join(Documents::read(store, before), Documents::read(store, after)).await.map(Some)
}

/// Checks the leads of a page, and counts the effects of the publication. A lead counts where it is first
/// found.
async fn page(
    service: &Service,
    id: PublicationId,
    (earlier, scope): (&[Scope], &Scope),
    mut progress: Progress,
    (now, settled): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Progress, StoreError> {
    let after = progress.cursor.after.as_ref().map(Cursor::new);
    let page = service.store.leads_in_scope(scope, PAGE, after.as_ref()).await?;
    // The leads of an owner who left count in their current state, whoever changed them. They count in the
    // second check, when the index is sure to be complete.
    let counts_orphans = scope.counts_orphans() && (progress.again || now >= settled);
    if !scope.is_looked_at() && !counts_orphans {
        progress.cursor = next_place(progress.cursor, page.next);
        return Ok(progress);
    }
    let seen: Vec<(Option<Lead>, bool)> = futures::stream::iter(page.items)
        .map(|lead| async move {
            if scope.is_looked_at() {
                look_or_skip(service, id, lead, now).await
            } else {
                Ok((service.store.lead(&lead).await?, false))
            }
        })
        .buffer_unordered(CONCURRENT_MAX)
        .try_collect()
        .await?;
    let directory = service.store.current_directory().await?;
    let totals = &mut progress.totals;
    for (lead, moved_now) in seen.into_iter().filter_map(|(lead, moved_now)| Some((lead?, moved_now))) {
        let is_orphaned = lead.is_orphaned_by(id);
        // The second check counts only what the first one missed.
        if scope::counts(scope, &lead) && (!progress.again || moved_now) && is_first(earlier, &lead) {
            totals.leads = totals.leads.saturating_add(u64::from(!progress.again && !is_orphaned));
            totals.note(id, &lead, &directory);
        }
        let is_counted = |s: &Scope| s.counts_orphans() && scope::holds(s, &lead);
        if counts_orphans && is_orphaned && scope::holds(scope, &lead) && !earlier.iter().any(is_counted) {
            totals.leads = totals.leads.saturating_add(1);
            totals.note_orphaned(id, &lead, &directory);
        }
    }
    progress.cursor = next_place(progress.cursor, page.next);
    Ok(progress)
}

fn next_place(place: ScopeCursor, next: Option<Cursor>) -> ScopeCursor {
    match next {
        Some(next) => ScopeCursor { after: Some(next.as_str().to_owned()), ..place },
        None => ScopeCursor { scope: place.scope.saturating_add(1), after: None },
    }
}

/// Checks a lead. If a lead cannot be read or written, logs it and continues, so that it does not block the
/// others.
async fn look_or_skip(
    service: &Service,
    id: PublicationId,
    lead: LeadId,
    now: DateTime<Utc>,
) -> Result<(Option<Lead>, bool), StoreError> {
    match look(service, id, lead.clone(), now).await {
        Err(error @ (StoreError::Corrupt { .. } | StoreError::TooLarge { .. })) => {
            let error = platform::telemetry::ErrorChain(&error);
            tracing::error!(publication = %id, lead = %lead, %error, "skipped a lead that could not be updated");
            Ok((None, false))
        }
        looked => looked,
    }
}

/// Applies the current rules to a lead. The decision is an ordinary one; a lead without any effect only gets
/// another due key. Returns whether this call put the rules in force for the lead.
async fn look(
    service: &Service,
    id: PublicationId,
    lead: LeadId,
    now: DateTime<Utc>,
) -> Result<(Option<Lead>, bool), StoreError> {
    let (actor, cause) = (Actor::system("publication"), id.to_string());
    let command = Command { lead: lead.clone(), actor, cause, input: Input::Wake };
    let done = service.lead(&command, None, now).await?;
    let followed = done
        .entries
        .iter()
        .any(|entry| matches!(&entry.fact, LeadFact::RulesApplied(a) if a.publication == id));
    if let (true, Some(found)) = (done.entries.is_empty(), &done.state) {
        let found = (found.commit, done.wake_at, done.wake_moved);
        again(service, Subject::Lead(lead), found, now, now).await?;
    }
    Ok((done.state, followed))
}
