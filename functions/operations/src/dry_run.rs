//! `POST /v1/policies?dry_run=true`, and of directories: shows what a publication would do, without
//! publishing it. Each answer covers some of the affected leads and has a cursor for the rest.

use crate::call::Call;
use crate::candidate::{Candidate, invalid_document, moved_on};
use crate::knowledge::learn;
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use futures::{StreamExt as _, TryStreamExt as _};
use insight::effect::Effect;
use platform::problem::Problem;
use platform::response;
use policy::directory::Directory;
use policy::document::DocumentError;
use policy::ids::{PublicationId, PublicationKind, Subject};
use policy::impact::{Rules, Scope};
use policy::{PublishedPolicy, Rulebook, WorkflowId, diff, impact};
use rules::aggregate::Decision;
use rules::ask::{Answer, Asking};
use rules::entry::Actor;
use rules::lead::{Command, Input, Lead};
use rules::publication::scope;
use rules::publication::scope::is_first;
use rules::world::{Learned, World};
use serde_json::json;
use service::problem;
use std::sync::Arc;
use store::{Cursor, ScopeCursor, Store, StoreError};

/// Leads of a page.
const PAGE: usize = 50;
/// Most leads of one answer, which has to come within the gateway's time-out.
const LEADS_MAX: u64 = 200;
/// Most pages of one answer; a page may hold few leads or none.
const PAGES_MAX: usize = 40;
/// Leads that are read at the same time.
const CONCURRENT_MAX: usize = 8;
/// Both documents, before the publication and after it.
struct Revisions {
    id: PublicationId,
    before: (Arc<PublishedPolicy>, Arc<Directory>),
    after: (Arc<PublishedPolicy>, Arc<Directory>),
}

/// Answers with the effect of a publication on the leads from the request's `cursor` on.
pub async fn show(
    call: &Call<'_>,
    candidate: Candidate,
    base: u32,
) -> Result<ApiGatewayV2httpResponse, Problem> {
    let kind = candidate.kind();
    let store = &call.service.store;
    let policy = in_force(store.current_policy().await)?;
    let directory = in_force(store.current_directory().await)?;
    let current = match kind {
        PublicationKind::Policy => policy.as_ref().map_or(0, |policy| policy.revision),
        PublicationKind::Directory => directory.as_ref().map_or(0, |directory| directory.revision()),
    };
    if current != base {
        return Err(moved_on(kind, base, current));
    }
    let place: ScopeCursor = call.request.cursor()?.unwrap_or_default();
    let Some(revisions) = revisions(call, candidate, base, policy, directory)? else {
        // Nothing of one kind has been published before: there are no leads.
        let id = PublicationId { kind, revision: base.saturating_add(1) };
        return Ok(answer(id, true, &[], &[], &Effect::default(), None));
    };
    let (was, is) = (&revisions.before, &revisions.after);
    let mut changes = diff::policies(&was.0.policy, &is.0.policy);
    changes.extend(diff::directories(was.1.document(), is.1.document()));
    let rising = diff::versions_that_rise(&was.0.policy, &is.0.policy);
    let changed = was.0.policy != is.0.policy || was.1.document() != is.1.document();
    let (effect, next) = effect(call, &revisions, place).await.map_err(|e| problem(&e))?;
    Ok(answer(
        revisions.id,
        changed,
        &diff::in_words(&changes),
        &rising,
        &effect,
        next.and_then(|place| call.request.next_cursor(&place)),
    ))
}

fn answer(
    id: PublicationId,
    changed: bool,
    changes: &[String],
    rising: &[WorkflowId],
    effect: &Effect,
    next: Option<String>,
) -> ApiGatewayV2httpResponse {
    let shown = json!({
        "kind": id.kind,
        "revision": id.revision,
        "dry_run": true,
        "changed": changed,
        "changes": changes,
        "versions_that_rise": rising,
        "effect": effect,
        "next": next,
    });
    response::json(200, &shown, None)
}

/// Both documents before and after the publication; `None` if nothing of one kind has been published before.
fn revisions(
    call: &Call<'_>,
    candidate: Candidate,
    base: u32,
    policy: Option<Arc<PublishedPolicy>>,
    directory: Option<Arc<Directory>>,
) -> Result<Option<Revisions>, Problem> {
    let unfit = |kind| move |error: DocumentError| invalid_document(kind, &error);
    let id = PublicationId { kind: candidate.kind(), revision: base.saturating_add(1) };
    let after = match (candidate, &policy, &directory) {
        (Candidate::Policy(next), before, Some(directory)) => {
            next.check_against(directory).map_err(unfit(PublicationKind::Policy))?;
            let (next, by) = (next.into_policy(), call.caller.subject.as_str());
            let next = PublishedPolicy::next(before.as_deref(), next, by, call.now);
            (Arc::new(next), Arc::clone(directory))
        }
        (Candidate::Directory(next), Some(policy), _) => {
            policy.policy.check_against(&next).map_err(unfit(PublicationKind::Directory))?;
            (Arc::clone(policy), Arc::new(next.published(id.revision, call.now)))
        }
        _ => return Ok(None),
    };
    Ok(policy.zip(directory).map(|before| Revisions { id, before, after }))
}

/// The document in force; `None` if there is none.
fn in_force<T>(found: Result<T, StoreError>) -> Result<Option<T>, Problem> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::NotPublished { .. }) => Ok(None),
        Err(error) => Err(problem(&error)),
    }
}

/// Decides on some of the affected leads, as the publication would. Returns where to continue if more are
/// left.
async fn effect(
    call: &Call<'_>,
    revisions: &Revisions,
    mut place: ScopeCursor,
) -> Result<(Effect, Option<ScopeCursor>), StoreError> {
    let store = &call.service.store;
    let (was, is) = (&revisions.before, &revisions.after);
    let before = Rules { policy: &was.0.policy, directory: &was.1 };
    let after = Rules { policy: &is.0.policy, directory: &is.1 };
    let scopes: Vec<Scope> = impact::scopes(before, after).into_iter().filter(Scope::is_looked_at).collect();
    let mut world = World::new(Arc::new(Rulebook::new(Arc::clone(&is.0), Arc::clone(&is.1))));
    // A decision may need the earlier documents, which are already loaded.
    world.learn(Learned::Policy(Arc::clone(&was.0)));
    world.learn(Learned::Directory(Arc::clone(&was.1)));
    let mut effect = Effect::default();
    for _ in 0..PAGES_MAX {
        let Some((earlier, scope)) = scope::at(&scopes, place.scope) else { return Ok((effect, None)) };
        let after = place.after.as_ref().map(Cursor::new);
        let page = store.leads_in_scope(scope, PAGE, after.as_ref()).await?;
        let leads: Vec<Option<Lead>> = futures::stream::iter(&page.items)
            .map(|id| store.lead(id))
            .buffered(CONCURRENT_MAX)
            .try_collect()
            .await?;
        for lead in leads.into_iter().flatten().filter(|lead| is_first(earlier, lead)) {
            let decision = decide_under_new_rules(store, &mut world, revisions.id, &lead, call).await?;
            let is_orphaned =
                || decision.changed.as_ref().is_some_and(|lead| lead.is_orphaned_by(revisions.id));
            if scope::counts(scope, &lead) || is_orphaned() {
                effect.count(revisions.id, world.in_force(), (&lead, &decision), &revisions.after.1);
            }
        }
        let is_enough = effect.totals.leads >= LEADS_MAX;
        place = match page.next {
            Some(next) => ScopeCursor { after: Some(next.as_str().to_owned()), ..place },
            None => ScopeCursor { scope: place.scope.saturating_add(1), after: None },
        };
        if is_enough {
            break;
        }
    }
    let is_over = place.scope >= scopes.len();
    Ok((effect, (!is_over).then_some(place)))
}

/// The decision on a lead under the new rules, now.
async fn decide_under_new_rules(
    store: &Store,
    world: &mut World,
    id: PublicationId,
    lead: &Lead,
    call: &Call<'_>,
) -> Result<Decision<Lead>, StoreError> {
    let (actor, cause) = (Actor::system("publication"), id.to_string());
    let command = Command { lead: lead.id.clone(), actor, cause, input: Input::Wake };
    let mut asking = Asking::default();
    loop {
        let answer = asking.decide(Some(lead), world, &command, call.now);
        match answer
            .map_err(|source| StoreError::Defect { subject: Subject::Lead(lead.id.clone()), source })?
        {
            Answer::Given(decision) => return Ok(decision),
            Answer::Lacking(missing) => learn(store, missing, world).await?,
        }
    }
}
