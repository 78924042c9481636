//! The answer to an officer's decision or request to reopen.

use crate::call::Call;
use crate::view;
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use platform::problem::Problem;
use platform::response;
use policy::ids::LeadId;
use rules::outcome::Outcome;
use service::problem;

/// The review as it is after the officer's request, or the problem.
///
/// # Errors
/// The problem; a conflict carries the review as it is now.
pub async fn of(call: &Call<'_>, id: &LeadId, outcome: Outcome) -> Result<ApiGatewayV2httpResponse, Problem> {
    match outcome {
        Outcome::Applied | Outcome::Unchanged | Outcome::Stale | Outcome::Recorded { .. } => {
            let lead = call.service.require_lead(id).await?;
            // The decision stands even if the personal data cannot be read right now.
            let personal = call.service.store.personal_of(&lead).await;
            let personal = personal.inspect_err(|error| _ = problem(error)).ok();
            let revision = view::revision(&lead).map(|revision| revision.to_string());
            let shown = view::of(&lead, &*call.directory().await?, call.now, personal.as_ref());
            Ok(response::json(200, &shown, revision.as_deref()))
        }
        Outcome::Refused { why } => Err(Problem::forbidden(why)),
        Outcome::Conflict { why } => {
            let lead = call.service.require_lead(id).await?;
            let shown = view::of(&lead, &*call.directory().await?, call.now, None);
            Err(Problem::conflict(why).of_kind("lead-moved-on").with("current", shown))
        }
        Outcome::Reused { why } => Err(service::reused(why)),
        Outcome::Invalid { field, why } => Err(Problem::unprocessable(why).at(format!("/{field}"))),
        Outcome::NotFound => Err(Problem::not_found(format!("lead `{id}` does not exist"))),
    }
}
