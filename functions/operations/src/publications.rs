//! Publications of policies and directories. Operations publishes them; every group can read them.

use crate::call::Call;
use crate::candidate::{Candidate, invalid_document, moved_on, only_public};
use crate::dry_run;
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use contracts::api;
use contracts::api::Publish;
use futures::future::try_join_all;
use platform::http::whole_number;
use platform::problem::Problem;
use platform::response;
use policy::ids::{PublicationId, PublicationKind, Subject};
use rules::entry::Actor;
use rules::publication::{Publication, Publishing};
use serde_json::{Value, json};
use service::problem;
use store::{Published, StoreError};

/// Publications on a page, unless the request sets a limit.
const PAGE_DEFAULT: u32 = 25;
/// Most publications on a page.
const PAGE_MAX: u32 = 100;

/// Whether the request only asks what a publication would do.
fn is_dry_run(call: &Call<'_>) -> Result<bool, Problem> {
    match call.request.query("dry_run") {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        // A misspelled dry run must not publish.
        Some(_) => Err(Problem::bad_request("`dry_run` must be `true` or `false`")),
    }
}

/// `POST /v1/policies` and `POST /v1/directories`: publishes a document that was made from the revision in
/// force. With `dry_run=true`, shows what that would do.
pub async fn publish(call: &Call<'_>, kind: PublicationKind) -> Result<ApiGatewayV2httpResponse, Problem> {
    let body = call.body()?;
    let Publish { base, why, document } =
        api::publish(&body, kind.as_str()).map_err(|found| Problem::of_fields(&found))?;
    let (cause, is_keyed) = call.cause("publication", kind.as_str())?;
    let dedupe = is_keyed.then_some(cause.as_str());
    let store = &call.service.store;
    let candidate = Candidate::read(kind, &document, base)?;
    if let Candidate::Directory(directory) = &candidate
        && !call.takes_private_webhooks
    {
        only_public(directory)?;
    }
    if is_dry_run(call)? {
        return dry_run::show(call, candidate, base).await;
    }
    let (by, publisher) = (Actor::staff(&call.caller.subject), call.named().await?);
    let publishing =
        Publishing { by: &by, publisher: publisher.as_deref(), why: &why, cause: &cause, now: call.now };
    let published = match &candidate {
        Candidate::Policy(policy) => store.publish_policy(policy, &publishing, dedupe, Some(base)).await,
        Candidate::Directory(directory) => {
            store.publish_directory(directory, &publishing, dedupe, Some(base)).await
        }
    };
    let Published { revision, is_new } = published.map_err(|error| match error {
        StoreError::StaleBase { current } => moved_on(kind, base, current),
        StoreError::InvalidDocument(error) => invalid_document(kind, &error),
        error => problem(&error),
    })?;
    let id = PublicationId { kind, revision };
    if is_new {
        call.service.relay.dispatch(&Subject::Publication(id), &[], Some(call.now), call.now).await;
    }
    let mut shown = state(call, id).await?;
    if let Value::Object(members) = &mut shown {
        members.insert("changed".to_owned(), json!(is_new));
    }
    let status = if is_new { 201 } else { 200 };
    Ok(response::json(status, &shown, Some(&revision.to_string())))
}

/// `GET /v1/policies` and `GET /v1/directories`: the publications, newest first.
pub async fn list(call: &Call<'_>, kind: PublicationKind) -> Result<ApiGatewayV2httpResponse, Problem> {
    let limit = call.request.limit(PAGE_DEFAULT, PAGE_MAX)?;
    let newest = match call.request.cursor::<u32>()? {
        Some(before) => before.saturating_sub(1),
        None => newest(call, kind).await?,
    };
    let oldest = newest.saturating_sub(limit.saturating_sub(1)).max(1);
    let ids = (oldest..=newest).rev().map(|revision| PublicationId { kind, revision });
    let items: Vec<Value> = try_join_all(ids.map(|id| state(call, id))).await?;
    let next = (oldest > 1 && newest > 0).then(|| call.request.next_cursor(&oldest)).flatten();
    Ok(response::json(200, &json!({"items": items, "next": next}), None))
}

/// `GET /v1/policies/{revision}/publication`, and of directories: who published it, why, and how many leads
/// it has reached.
pub async fn show(call: &Call<'_>, kind: PublicationKind) -> Result<ApiGatewayV2httpResponse, Problem> {
    let id = PublicationId { kind, revision: wanted(call, kind).await? };
    Ok(response::json(200, &state(call, id).await?, None))
}

/// `GET /v1/policies/{revision}`: a number, or `current`.
pub async fn policy(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let revision = wanted(call, PublicationKind::Policy).await?;
    let published = call.service.store.required_policy(revision).await.map_err(|e| problem(&e))?;
    Ok(response::json(200, &*published, Some(&revision.to_string())))
}

/// `GET /v1/directories/{revision}`: a number, or `current`.
pub async fn directory(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let revision = wanted(call, PublicationKind::Directory).await?;
    let directory = call.service.store.directory(revision).await.map_err(|e| problem(&e))?;
    let body = json!({
        "revision": revision,
        "published_at": directory.published_at(),
        "directory": directory.document(),
    });
    Ok(response::json(200, &body, Some(&revision.to_string())))
}

async fn newest(call: &Call<'_>, kind: PublicationKind) -> Result<u32, Problem> {
    let store = &call.service.store;
    match kind {
        PublicationKind::Policy => store.current_policy().await.map(|policy| policy.revision),
        PublicationKind::Directory => store.current_directory().await.map(|directory| directory.revision()),
    }
    .map_err(|e| problem(&e))
}

/// The revision in the path. The problem names the newest one.
async fn wanted(call: &Call<'_>, kind: PublicationKind) -> Result<u32, Problem> {
    let newest = newest(call, kind).await?;
    let wanted = call.request.path_parameter("revision")?;
    if wanted == "current" {
        return Ok(newest);
    }
    let none = || Problem::not_found(format!("revision `{wanted}` does not exist; the newest is {newest}"));
    let revision = whole_number(wanted).and_then(|n| u32::try_from(n).ok()).ok_or_else(none)?;
    if (1..=newest).contains(&revision) { Ok(revision) } else { Err(none()) }
}

/// A publication as the API shows it.
async fn state(call: &Call<'_>, id: PublicationId) -> Result<Value, Problem> {
    let store = &call.service.store;
    let publication = store.publication(&id).await.map_err(|e| problem(&e))?;
    let none = || Problem::not_found(format!("publication `{id}` does not exist"));
    let Publication { published_at, published_by, publisher, why, changes, applied, .. } =
        publication.ok_or_else(none)?;
    let (stage, totals) = match applied {
        Some(totals) => ("applied", totals),
        None => {
            let progress = store.progress(&id).await.map_err(|e| problem(&e))?;
            (if progress.looked { "last-look" } else { "leads" }, progress.totals)
        }
    };
    Ok(json!({
        "kind": id.kind,
        "revision": id.revision,
        "published_at": published_at,
        "published_by": published_by,
        "publisher": publisher,
        "why": why,
        "changes": changes,
        "stage": stage,
        "leads": totals,
    }))
}
