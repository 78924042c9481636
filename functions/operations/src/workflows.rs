//! What each workflow does, from the published policy itself, so that it cannot drift.

use crate::Call;
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use platform::problem::Problem;
use platform::response;
use rules::policy::{About, Policy, PublishedPolicy, WorkflowId};
use serde_json::{Value, json};
use service::problem;

/// `GET /v1/workflows`
pub async fn list(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let published = call.service.store.current_policy().await.map_err(|e| problem(&e))?;
    let workflows: Vec<Value> = WorkflowId::ALL.into_iter().map(|id| document(&published, id)).collect();
    let body = json!({
        "policy": published.policy.name,
        "revision": published.revision,
        "published_at": published.published_at,
        "workflows": workflows,
    });
    Ok(response::json(200, &body, Some(&published.revision.to_string())))
}

fn document(published: &PublishedPolicy, id: WorkflowId) -> Value {
    let version = published.versions.get(&id);
    let about = about(&published.policy, id);
    json!({
        "id": id,
        "version": version.map(|v| v.version),
        "since_revision": version.map(|v| v.since_revision),
        "content_sha256": version.map(|v| &v.content_sha256),
        "what": about.what,
        "when": about.when,
        "why": about.why,
        "settings": settings(&published.policy, id),
    })
}

fn about(policy: &Policy, id: WorkflowId) -> &About {
    let w = &policy.workflows;
    match id {
        WorkflowId::SlaBreach => &w.sla_breach.about,
        WorkflowId::StuckLead => &w.stuck_lead.about,
        WorkflowId::HighValue => &w.high_value.about,
        WorkflowId::ComplianceFlag => &w.compliance_flag.about,
        WorkflowId::ChurnRisk => &w.churn_risk.about,
    }
}

/// The numbers of a workflow, without the prose that stands beside them.
fn settings(policy: &Policy, id: WorkflowId) -> Value {
    let mut all = serde_json::to_value(&policy.workflows).unwrap_or_default();
    let mut settings = all.get_mut(id.as_str()).map(Value::take).unwrap_or_default();
    if let Value::Object(members) = &mut settings {
        members.remove("about");
    }
    settings
}

/// `GET /v1/policies/{revision}`: a number, or `current`.
pub async fn policy(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let store = &call.service.store;
    let current = store.current_policy().await.map_err(|e| problem(&e))?;
    let wanted = call.request.path_parameter("revision")?;
    if wanted == "current" {
        return Ok(response::json(200, &*current, Some(&current.revision.to_string())));
    }
    let none =
        || Problem::not_found(format!("there is no revision `{wanted}`; the newest is {}", current.revision));
    let revision: u32 = wanted.parse().map_err(|_| none())?;
    let published = store.policy(revision).await.map_err(|e| problem(&e))?.ok_or_else(none)?;
    Ok(response::json(200, &*published, Some(&revision.to_string())))
}
