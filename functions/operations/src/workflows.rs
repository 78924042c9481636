//! Documents each workflow from the published policy itself, so that it cannot drift: as JSON, or as Markdown
//! for a request with `text/markdown`.

use crate::call::Call;
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use insight::documentation::DocumentedPolicy;
use platform::problem::Problem;
use platform::response;
use policy::{PublishedPolicy, WorkflowId};
use serde_json::{Value, json};
use service::problem;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most versions of a workflow in the documentation, the current one included.
const VERSIONS_MAX: usize = 5;

/// `GET /v1/workflows`
pub async fn list(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let published = call.service.store.current_policy().await.map_err(|e| problem(&e))?;
    let earlier = earlier(call, &published, &WorkflowId::ALL).await?;
    let tag = published.revision.to_string();
    let documented =
        |earlier, directory| DocumentedPolicy { published: &published, earlier, directory, is_dated: true };
    let earlier: Vec<&PublishedPolicy> = earlier.values().map(AsRef::as_ref).collect();
    if wants_markdown(call) {
        let directory = call.service.store.current_directory().await.map_err(|e| problem(&e))?;
        return Ok(markdown(documented(&earlier, Some(directory.as_ref())).markdown(), &tag));
    }
    let documented = documented(&earlier, None);
    let workflows: Vec<Value> =
        WorkflowId::ALL.into_iter().map(|id| json!(documented.workflow(id))).collect();
    let body = json!({
        "policy": published.policy.name,
        "revision": published.revision,
        "published_at": published.published_at,
        "published_by": published.published_by,
        "states": published.policy.states,
        "workflows": workflows,
    });
    Ok(response::json(200, &body, Some(&tag)))
}

/// `GET /v1/workflows/{id}`
pub async fn show(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let wanted = call.request.path_parameter("id")?;
    let id = WorkflowId::ALL.into_iter().find(|id| id.as_str() == wanted).ok_or_else(|| {
        let known = WorkflowId::ALL.map(WorkflowId::as_str).join(", ");
        Problem::not_found(format!("workflow `{wanted}` does not exist; the workflows are {known}"))
    })?;
    let published = call.service.store.current_policy().await.map_err(|e| problem(&e))?;
    let earlier = earlier(call, &published, &[id]).await?;
    let earlier: Vec<&PublishedPolicy> = earlier.values().map(AsRef::as_ref).collect();
    let documented =
        DocumentedPolicy { published: &published, earlier: &earlier, directory: None, is_dated: true };
    let tag = published.revision.to_string();
    if wants_markdown(call) {
        return Ok(markdown(documented.workflow_markdown(id), &tag));
    }
    let mut body = json!(documented.workflow(id));
    if let Value::Object(members) = &mut body {
        members.insert("revision".to_owned(), json!(published.revision));
    }
    Ok(response::json(200, &body, Some(&tag)))
}

/// The revisions that introduced the last versions of workflows, and the ones before them: their difference
/// is the change. A revision never changes, so the store caches it.
async fn earlier(
    call: &Call<'_>,
    published: &PublishedPolicy,
    workflows: &[WorkflowId],
) -> Result<BTreeMap<u32, Arc<PublishedPolicy>>, Problem> {
    let mut earlier = BTreeMap::new();
    for id in workflows {
        let mut since = published.versions.get(id).map_or(0, |version| version.since_revision);
        for _ in 0..VERSIONS_MAX {
            let mut before = None;
            for revision in [since, since.saturating_sub(1)].into_iter().filter(|revision| *revision > 0) {
                before = call.service.store.policy(revision).await.map_err(|e| problem(&e))?;
                earlier.extend(before.clone().map(|policy| (revision, policy)));
            }
            match before.and_then(|policy| policy.versions.get(id).map(|v| v.since_revision)) {
                Some(older) if older < since => since = older,
                _ => break,
            }
        }
    }
    Ok(earlier)
}

/// Whether the caller prefers Markdown.
fn wants_markdown(call: &Call<'_>) -> bool {
    let accept = call.request.header("accept").unwrap_or_default();
    accept.split(',').any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "text/markdown"))
}

fn markdown(text: String, tag: &str) -> ApiGatewayV2httpResponse {
    let mut answer = response::answer(200, "text/markdown; charset=utf-8", text);
    response::set_header(&mut answer, "etag", &format!("\"{tag}\""));
    answer
}
