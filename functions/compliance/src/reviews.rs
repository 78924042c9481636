//! The queue of reviews, and one review.

use crate::call::Call;
use crate::view;
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use platform::problem::Problem;
use platform::response;
use serde_json::{Value, json};
use service::{paging, problem};

/// `GET /v1/compliance/reviews`
pub async fn list(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let part = paging::page_query(call.request)?;
    let page = call
        .service
        .store
        .compliance_reviews(part.limit, part.after.as_ref())
        .await
        .map_err(|e| problem(&e))?;
    let directory = call.directory().await?;
    let reviews: Vec<Value> =
        page.items.iter().map(|lead| view::of(lead, &directory, call.now, None)).collect();
    let next = paging::next(call.request, &page);
    Ok(response::json(200, &json!({"reviews": reviews, "next": next}), None))
}

/// `GET /v1/compliance/reviews/{lead_id}`
pub async fn show(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let lead = call.service.require_lead(&call.lead_id()?).await?;
    // Only an open review justifies showing a contact's personal details.
    let Some(revision) = view::revision(&lead) else {
        return Err(Problem::not_found(format!("lead `{}` has no open review", lead.id)));
    };
    let personal = call.service.store.personal_of(&lead).await.map_err(|e| problem(&e))?;
    let shown = view::of(&lead, &*call.directory().await?, call.now, Some(&personal));
    Ok(response::json(200, &shown, Some(&revision.to_string())))
}
