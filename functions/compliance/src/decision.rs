//! An officer's decision on a held lead.

use crate::call::Call;
use crate::{answer, officer};
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use contracts::api;
use platform::problem::Problem;
use platform::strict_json;
use rules::entry::Actor;
use rules::lead::{Command, Input, ReviewDecision};
use service::problem;

/// `POST /v1/compliance/reviews/{lead_id}/decision`
pub async fn decide(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let (request, caller) = (call.request, call.caller);
    let lead = call.lead_id()?;
    let revision = call.seen()?;
    let body =
        api::decision(&strict_json::parse(request.body())?).map_err(|found| Problem::of_fields(&found))?;
    let officer = officer::of(call, &lead).await?;
    let key = match request.idempotency_key()? {
        Some(key) => format!("decision/{}/{lead}/{key}", caller.subject),
        None => format!("decision/{}/{lead}/{revision}", caller.subject),
    };
    let input = Input::Decide(ReviewDecision {
        verdict: body.verdict,
        reason_code: body.reason_code,
        reason: body.reason,
        officer: caller.subject.clone(),
        also_known_as: officer.also_known_as,
        person: officer.person,
        revision,
    });
    let command =
        Command { lead: lead.clone(), actor: Actor::staff(&caller.subject), cause: key.clone(), input };
    let dedupe = request.idempotency_key()?.map(|_| key.as_str());
    let done = call.service.lead(&command, dedupe, call.now).await.map_err(|e| problem(&e))?;
    answer::of(call, &lead, done.outcome).await
}
