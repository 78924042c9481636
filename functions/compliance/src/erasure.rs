//! Erases a lead's personal data on request. Compliance decides, because it knows what the law requires to
//! keep, and for how long.

use crate::call::Call;
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use contracts::api;
use platform::problem::Problem;
use platform::{response, strict_json};
use policy::ids::LeadId;
use rules::entry::Actor;
use rules::lead::{Command, Input};
use rules::outcome::Outcome;
use serde_json::json;
use service::problem;

/// `POST /v1/leads/{id}/erasure`. A repeated request answers with the time of the erasure.
pub async fn erase(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let (request, caller) = (call.request, call.caller);
    let id: LeadId = request.path_parameter("id").map(LeadId::from)?;
    let erasure =
        api::erasure(&strict_json::parse(request.body())?).map_err(|found| Problem::of_fields(&found))?;
    let key = request.idempotency_key()?;
    let what = key.map_or(erasure.reference.as_str(), |key| key);
    let cause = format!("erasure/{}/{id}/{what}", caller.subject);
    let command = Command {
        lead: id.clone(),
        actor: Actor::staff(&caller.subject),
        cause: cause.clone(),
        input: Input::Erase(erasure),
    };
    let dedupe = key.map(|_| cause.as_str());
    let done = call.service.lead(&command, dedupe, call.now).await.map_err(|e| problem(&e))?;
    match done.outcome {
        Outcome::Applied | Outcome::Unchanged | Outcome::Stale | Outcome::Recorded { .. } => {
            let lead = call.service.require_lead(&id).await?;
            let erased = json!({ "lead_id": lead.id, "erased_at": lead.erased_at });
            Ok(response::json(200, &erased, None))
        }
        Outcome::Conflict { why } => Err(Problem::conflict(why).of_kind("review-open")),
        Outcome::Refused { why } => Err(Problem::forbidden(why)),
        Outcome::Reused { why } => Err(service::reused(why)),
        Outcome::Invalid { field, why } => Err(Problem::unprocessable(why).at(format!("/{field}"))),
        Outcome::NotFound => Err(Problem::not_found(format!("lead `{id}` does not exist"))),
    }
}
