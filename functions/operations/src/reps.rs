//! Reps: their load, and whether they take leads.

use crate::call::{Call, refusal};
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use contracts::api;
use platform::caller::Group;
use platform::problem::Problem;
use platform::response;
use policy::ids::PersonId;
use rules::entry::Actor;
use serde_json::json;
use service::problem;

/// `GET /v1/reps`: the reps of a team, or of all.
pub async fn list(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let store = &call.service.store;
    let directory = store.current_directory().await.map_err(|e| problem(&e))?;
    let mut reps = Vec::new();
    for (team_id, team) in &directory.document().teams {
        if call.request.query("team").is_some_and(|wanted| wanted != team_id.as_str()) {
            continue;
        }
        let roster = store.standings(team.reps.keys()).await.map_err(|e| problem(&e))?;
        for (id, rep) in &team.reps {
            let standing = roster.standings.get(id).cloned().unwrap_or_default();
            reps.push(json!({
                "id": id,
                "team": team_id,
                "seniority": rep.seniority,
                "capacity": rep.capacity,
                "load": standing.load,
                "available": standing.is_available(rep.on_leave_until, call.now),
                "availability": standing.availability,
                "last_assigned_at": standing.last_assigned_at,
            }));
        }
    }
    Ok(response::json(200, &json!({ "reps": reps }), None))
}

/// `PUT /v1/reps/{id}/availability`: operations sets it for any rep, a rep only for themselves.
pub async fn set_availability(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let rep: PersonId = call.request.path_parameter("id")?.into();
    let store = &call.service.store;
    let directory = store.current_directory().await.map_err(|e| problem(&e))?;
    if directory.rep(&rep).is_none() {
        return Err(Problem::not_found(format!("rep `{rep}` does not exist")));
    }
    let own = call.caller.email.as_deref().and_then(|email| directory.person_by_email(email));
    if !call.caller.is_in(Group::Operations) && own != Some(&rep) {
        return Err(Problem::forbidden("a rep can set only their own availability"));
    }
    let availability = api::availability(&call.body()?).map_err(|found| Problem::of_fields(&found))?;
    let (cause, is_keyed) = call.cause("availability", rep.as_str())?;
    let actor = Actor::staff(&call.caller.subject);
    let dedupe = is_keyed.then_some(cause.as_str());
    let committed = call
        .service
        .availability(&rep, &availability, &actor, (&cause, dedupe), call.now)
        .await
        .map_err(|e| problem(&e))?;
    refusal(committed.outcome, "rep")?;
    let standing = committed.state.unwrap_or_default();
    Ok(response::json(
        200,
        &json!({"id": rep, "availability": standing.availability, "load": standing.load}),
        None,
    ))
}
