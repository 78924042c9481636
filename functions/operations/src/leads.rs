//! Leads: lists, one lead, its history, flags raised by hand, and the operations queue.

use crate::call::{Call, refusal};
use crate::{history, sight};
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use chrono::{DateTime, Utc};
use contracts::api;
use platform::http::PATH_PARAMETER_BYTES_MAX;
use platform::problem::Problem;
use platform::response;
use policy::ids::{LeadId, Subject};
use rules::entry::Actor;
use rules::lead::{Command, Input, Lead, Queued};
use rules::outcome::Outcome;
use serde_json::{Value, json};
use service::{paging, problem};
use std::collections::BTreeSet;
use store::Page;

/// `GET /v1/leads`: by owner, market or account, or the dismissed ones; in one state if the query names it.
pub async fn list(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let (request, store) = (call.request, &call.service.store);
    let part = paging::page_query(request)?;
    let (limit, after) = (part.limit, part.after.as_ref());
    let (owner, market, account) =
        (request.query("owner"), request.query("market"), request.query("account"));
    for (name, value) in [("owner", owner), ("market", market), ("account", account)] {
        // The database rejects a query for a value that no key can hold.
        if value.is_some_and(|value| value.len() > PATH_PARAMETER_BYTES_MAX) {
            return Err(Problem::bad_request(format!("`{name}` is too long for an id")));
        }
    }
    let is_dismissed = match request.query("dismissed") {
        None => false,
        Some("true") => true,
        Some(_) => return Err(Problem::bad_request("`dismissed` must be `true`")),
    };
    let page = match (owner, market, account) {
        _ if is_dismissed => store.dismissed_leads(limit, after).await,
        (Some(owner), _, _) => store.leads_by_owner(&owner.into(), limit, after).await,
        (None, Some(market), _) => store.leads_by_market(&market.into(), limit, after).await,
        (None, None, Some(account)) => store.leads_by_account(&account.into(), limit, after).await,
        (None, None, None) => {
            return Err(Problem::bad_request(
                "name the leads: `owner`, `market`, `account` or `dismissed=true`",
            ));
        }
    };
    let page = page.map_err(|e| problem(&e))?;
    // Further conditions filter the page, which can make it shorter than its limit.
    let wanted = |lead: &Lead| {
        request.query("state").is_none_or(|state| lead.state.as_str() == state)
            && owner.is_none_or(|o| lead.owner.as_ref().is_some_and(|has| has.as_str() == o))
            && market.is_none_or(|m| lead.profile.market.as_ref().is_some_and(|has| has.as_str() == m))
            && account.is_none_or(|a| lead.profile.account_id.as_ref().is_some_and(|has| has.as_str() == a))
    };
    Ok(leads(call, page, wanted))
}

fn leads(call: &Call<'_>, page: Page<Lead>, wanted: impl Fn(&Lead) -> bool) -> ApiGatewayV2httpResponse {
    let next = paging::next(call.request, &page);
    let leads: Vec<Value> =
        page.items.iter().filter(|lead| wanted(lead)).map(|lead| sight::lead(lead, call.caller)).collect();
    response::json(200, &json!({"leads": leads, "next": next}), None)
}

fn lead_id(call: &Call<'_>, name: &str) -> Result<LeadId, Problem> {
    call.request.path_parameter(name).map(LeadId::from)
}

/// `GET /v1/leads/{id}`
pub async fn show(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let lead = call.service.require_lead(&lead_id(call, "id")?).await?;
    let etag = lead.seq.to_string();
    Ok(response::json(200, &sight::lead(&lead, call.caller), Some(&etag)))
}

/// `GET /v1/leads/{id}/audit`
pub async fn audit(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let id = lead_id(call, "id")?;
    call.service.require_lead(&id).await?;
    history::show(call, &Subject::Lead(id)).await
}

/// `POST /v1/leads/{id}/flags`
pub async fn flag(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let lead = lead_id(call, "id")?;
    call.service.require_lead(&lead).await?;
    let (cause, is_keyed) = call.cause("flag", lead.as_str())?;
    let key = cause.replace('/', "-");
    let by = flagger(call).await?;
    let event = api::flag(&call.body()?, &key, &by, call.now).map_err(|f| Problem::of_fields(&f))?;
    let actor = Actor::staff(&call.caller.subject);
    let command =
        Command { lead: lead.clone(), actor, cause: cause.clone(), input: Input::Event(Box::new(event)) };
    let done =
        call.service.lead(&command, is_keyed.then_some(&cause), call.now).await.map_err(|e| problem(&e))?;
    let recorded = if let Outcome::Recorded { why } = &done.outcome { Some(why.clone()) } else { None };
    refusal(done.outcome, "lead")?;
    let lead = call.service.require_lead(&lead).await?;
    let mut shown = sight::lead(&lead, call.caller);
    if let (Some(why), Value::Object(members)) = (recorded, &mut shown) {
        members.insert("recorded".to_owned(), json!(why));
    }
    Ok(response::json(200, &shown, None))
}

/// The version of the lead that the caller has seen, from `If-Match`: the lead's `ETag`, or the list's
/// `revision`.
fn seen(call: &Call<'_>) -> Result<Option<u64>, Problem> {
    if !call.request.event().headers.contains_key("if-match") {
        return Ok(None);
    }
    let tag = call.request.if_match()?;
    // An `ETag` holds digits only.
    let version = tag.parse().ok().filter(|version: &u64| version.to_string() == tag);
    let why = "`If-Match` is not the `ETag` of a lead; read the lead again and resolve that version";
    version.map(Some).ok_or_else(|| Problem::precondition_failed(why))
}

/// The person who raises a flag, as compliance knows them: an id in the directory, else a verified email
/// address. The audit also has the token's subject.
async fn flagger(call: &Call<'_>) -> Result<String, Problem> {
    Ok(call.named().await?.unwrap_or_else(|| call.caller.subject.clone()))
}

/// `GET /v1/operations/reviews`: the operations queue, oldest first.
pub async fn reviews(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let part = paging::page_query(call.request)?;
    let page = call
        .service
        .store
        .operations_reviews(part.limit, part.after.as_ref())
        .await
        .map_err(|e| problem(&e))?;
    let next = paging::next(call.request, &page);
    let reviews: Vec<Value> = page
        .items
        .iter()
        .filter_map(|lead| {
            let review = lead.operations.as_ref()?;
            Some(json!({
                "lead_id": lead.id,
                "since": review.since,
                "age_s": age_s(call, review.since),
                "revision": lead.seq,
                "reasons": review.reasons.iter().map(|queued| queued.reason).collect::<BTreeSet<_>>(),
                "occurrences": review.reasons.iter().map(|q| occurrence(call, lead, q)).collect::<Vec<_>>(),
                "state": lead.state,
                "market": lead.profile.market,
                "owner": lead.owner,
                "company": lead.profile.company,
            }))
        })
        .collect();
    Ok(response::json(200, &json!({"reviews": reviews, "next": next}), None))
}

fn age_s(call: &Call<'_>, since: DateTime<Utc>) -> i64 {
    (call.now - since).num_seconds().max(0)
}

/// An entry in the queue, with its age and what ends it.
fn occurrence(call: &Call<'_>, lead: &Lead, queued: &Queued) -> Value {
    json!({
        "reason": queued.reason,
        "since": queued.since,
        "age_s": age_s(call, queued.since),
        "text": queued.reason.told(lead),
        "ends_when": queued.reason.ends_when(lead),
        "notification": queued.notification,
    })
}

/// `POST /v1/operations/reviews/{lead_id}/resolution`: resolves all the lead's entries in the queue or, with
/// `If-Match`, those of that version of the lead.
pub async fn resolve(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let lead = lead_id(call, "lead_id")?;
    let mut resolution = api::resolution(&call.body()?).map_err(|found| Problem::of_fields(&found))?;
    resolution.seen = seen(call)?;
    let (cause, is_keyed) = call.cause("resolution", lead.as_str())?;
    let actor = Actor::staff(&call.caller.subject);
    let command =
        Command { lead: lead.clone(), actor, cause: cause.clone(), input: Input::Resolve(resolution) };
    let done =
        call.service.lead(&command, is_keyed.then_some(&cause), call.now).await.map_err(|e| problem(&e))?;
    refusal(done.outcome, "lead")?;
    let lead = call.service.require_lead(&lead).await?;
    Ok(response::json(200, &sight::lead(&lead, call.caller), None))
}
