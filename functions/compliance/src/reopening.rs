//! Reopens the review of a rejected lead: two officers ask for it, each with a reason.

use crate::call::Call;
use crate::{answer, officer};
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use contracts::api;
use platform::problem::Problem;
use platform::strict_json;
use rules::entry::Actor;
use rules::lead::{Command, Input, Reopening};
use service::problem;

/// `POST /v1/compliance/reviews/{lead_id}/reopening`. The first officer asks; the second one opens the review, and the
/// lead is held again.
pub async fn reopen(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let (request, caller) = (call.request, call.caller);
    let lead = call.lead_id()?;
    let revision = call.seen()?;
    let reason =
        api::reopening(&strict_json::parse(request.body())?).map_err(|found| Problem::of_fields(&found))?;
    let officer = officer::of(call, &lead).await?;
    let key = request.idempotency_key()?;
    let what = key.map_or(revision.to_string(), str::to_owned);
    let cause = format!("reopening/{}/{lead}/{what}", caller.subject);
    let input = Input::Reopen(Reopening {
        reason,
        officer: caller.subject.clone(),
        also_known_as: officer.also_known_as,
        person: officer.person,
        revision,
    });
    let actor = Actor::staff(&caller.subject);
    let command = Command { lead: lead.clone(), actor, cause: cause.clone(), input };
    let dedupe = key.map(|_| cause.as_str());
    let done = call.service.lead(&command, dedupe, call.now).await.map_err(|e| problem(&e))?;
    answer::of(call, &lead, done.outcome).await
}
