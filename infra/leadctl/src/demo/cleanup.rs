//! Closes the open leads of a demo, of this run or of one that was killed, so that its market can be removed and nobody
//! gets more messages about them.

use super::market;
use crate::api::Api;
use crate::publish::document::Content;
use crate::publish::revisions;
use crate::state::State;
use crate::{isolation, send, token};
use anyhow::Context as _;
use policy::ids::{PublicationKind, StateId};
use policy::{Policy, StateKind};
use serde_json::{Value, json};
use std::time::SystemTime;

/// The officers who decide, one after the other if the policy asks for several.
const OFFICERS: [&str; 2] = ["cora", "cleo"];

/// Closes every open lead of the demo's market.
///
/// # Errors
/// When the API does not answer, or refuses.
pub(super) async fn end_leads(state: &State, operations: &Api) -> anyhow::Result<()> {
    let in_force = revisions::in_force(operations, PublicationKind::Policy).await?;
    let Some(Content::Policy(policy)) = in_force.map(|in_force| in_force.content) else { return Ok(()) };
    let closed = market::closed_state(&policy);
    let closed = closed.context("the policy in force has no state of kind `terminal`; add one")?;
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/leads?market={}&limit=100{cursor}", market::NAME);
        let page = operations.get(&path).await?.ok()?;
        for lead in page.get("leads").and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| lead.get(name).and_then(Value::as_str).unwrap_or_default();
            if is_open(&policy, text("state")) {
                end(state, text("id"), text("state"), closed).await?;
            }
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(()),
        }
    }
}

fn is_open(policy: &Policy, state: &str) -> bool {
    let state = StateId::from(state);
    policy.kind_of(&state) != Some(StateKind::Terminal)
}

async fn end(state: &State, lead: &str, current: &str, closed: &StateId) -> anyhow::Result<()> {
    if current == StateId::COMPLIANCE_HOLD {
        clear(state, lead).await?;
    }
    let now = platform::clock::instant(SystemTime::now());
    let event = json!({
        "id": format!("{}-{}", market::NAME, now.timestamp_micros()),
        "type": "lead.state_changed",
        "occurred_at": now,
        "lead": {"id": lead, "state": closed},
    });
    let answer = send::post(state, "generic", &event).await?;
    anyhow::ensure!(answer.status == 200, "lead {lead} of a demo could not be closed: {}", answer.body);
    Ok(())
}

/// Clears a held lead, with as many officers as the policy asks for.
///
/// # Errors
/// When the API refuses the decision.
pub(super) async fn clear(state: &State, lead: &str) -> anyhow::Result<()> {
    let url = format!("{}/v1/compliance/reviews/{lead}", state.api_url.trim_end_matches('/'));
    for officer in OFFICERS {
        let token = token::issue(state, officer).await?.token;
        let shown = isolation::local_client()?.get(&url).bearer_auth(&token).send().await?;
        // One officer was enough.
        if shown.status().as_u16() == 404 {
            return Ok(());
        }
        let etag = shown.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let decision = json!({"decision": "clear", "reason_code": "false-match", "reason": "Another person of that name"});
        let response = isolation::local_client()?
            .post(format!("{url}/decision"))
            .bearer_auth(&token)
            .header("if-match", etag.context("the review has no ETag")?)
            .json(&decision)
            .send()
            .await?;
        let status = response.status();
        anyhow::ensure!(
            status.is_success(),
            "the API refused the decision: {status} {}",
            response.text().await?
        );
    }
    Ok(())
}
