//! What operations, customer success and reps do: accounts at risk, availability, keys that make
//! a write idempotent, and what each workflow says of itself.

use crate::world::{Answer, World, count, is};
use reqwest::Method;
use serde_json::{Value, json};

crate::flows![
    staff_raise_a_churn_signal_and_end_the_retention_motion,
    a_signal_may_turn_out_to_mean_nothing,
    a_key_makes_a_write_happen_once,
    a_rep_sets_their_own_availability_and_nobody_elses,
    a_manager_hears_what_became_of_the_leads_of_a_rep_who_is_away,
    operations_dismisses_or_assigns_what_waits,
    every_workflow_says_what_it_does_when_and_why,
    policies_are_read_by_revision,
];

async fn account(world: &World) -> String {
    let id = world.id("A");
    let account = json!({"id": id, "name": "Acme", "owner": "rep-sue", "customer_success_owner": "cs-sam"});
    world.take("account.upserted", json!({"account": account})).await;
    id
}

fn signal(kind: &str) -> Value {
    json!({"signal": kind, "evidence": {"tickets": 12, "said_by": "Robin Reader"}})
}

async fn staff_raise_a_churn_signal_and_end_the_retention_motion(world: &'static World) {
    let id = account(world).await;
    let lead = world.lead(json!({"account_id": id})).await;
    let path = format!("/v1/accounts/{id}");
    world.post("vera", &format!("{path}/churn-signals"), signal("usage_down")).await.shows_problem(403, None);
    let at_risk = world.post("sam", &format!("{path}/churn-signals"), signal("ticket_spike")).await.is(200);
    assert!(at_risk.body["churn_risk"]["touchpoint_due"].is_string(), "{:#}", at_risk.body);
    let of = format!("leads/{lead}");
    let paused = world.entry(&of, "outreach to its lead is paused", is("account.applied")).await;
    assert_eq!(paused["data"]["view"]["outreach_paused"], true);
    world.message(&id, "sue@example.test").await;
    world.message(&id, "sam@example.test").await;

    // A further signal adds evidence, and nobody is told again.
    let more = world.post("otto", &format!("{path}/churn-signals"), signal("usage_down")).await.is(200);
    assert_eq!(more.body["churn_risk"]["signals"].as_array().unwrap().len(), 2);
    let history = world.told(&format!("accounts/{id}")).await;
    assert_eq!(count(&history, "notification.requested"), 2);
    // Evidence can name somebody: it is for those who judge it.
    assert!(serde_json::to_string(&history).unwrap().contains("Robin"));
    let seen = world.get("vera", &format!("{path}/audit?limit=100")).await.is(200).body.to_string();
    assert!(!seen.contains("Robin"), "{seen}");

    world
        .post("sam", &format!("{path}/retention"), json!({"outcome": "completed"}))
        .await
        .shows_problem(422, Some("/note"));
    let completed = json!({"outcome": "completed", "note": "They stay."});
    let ended = world.post("sam", &format!("{path}/retention"), completed.clone()).await.is(200);
    assert_eq!(ended.body["churn_risk"], Value::Null);
    world
        .entry(&of, "outreach goes on", |entry| {
            entry["type"] == "account.applied" && entry["data"]["view"]["outreach_paused"] == false
        })
        .await;
    world.post("sam", &format!("{path}/retention"), completed).await.shows_problem(409, None);
    let nobody = world.id("A");
    world
        .post("sam", &format!("/v1/accounts/{nobody}/churn-signals"), signal("usage_down"))
        .await
        .shows_problem(404, None);
}

async fn a_signal_may_turn_out_to_mean_nothing(world: &'static World) {
    let id = account(world).await;
    let path = format!("/v1/accounts/{id}");
    let at_risk =
        world.post("sam", &format!("{path}/churn-signals"), signal("stakeholder_left")).await.is(200);
    let signal_id = at_risk.body["churn_risk"]["signals"][0]["id"].as_str().unwrap().to_owned();
    let false_positive =
        |id: &str| json!({"outcome": "false-positive", "signal_id": id, "note": "She is on leave."});
    world
        .post("sam", &format!("{path}/retention"), false_positive("none"))
        .await
        .shows_problem(422, Some("/signal_id"));
    let after = world.post("sam", &format!("{path}/retention"), false_positive(&signal_id)).await.is(200);
    assert_eq!(after.body["churn_risk"], Value::Null, "it was the only one");
    let history = world.told(&format!("accounts/{id}")).await;
    assert!(history.iter().any(|e| e["type"] == "outreach.resumed"), "{history:#?}");
}

async fn a_key_makes_a_write_happen_once(world: &'static World) {
    let id = account(world).await;
    let path = format!("/v1/accounts/{id}/churn-signals");
    let key = world.id("key");
    let post = async |who: &str| -> Answer {
        let bearer = world.bearer(who);
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key.as_str())];
        world.call(Method::POST, &path, &headers, Some(signal("usage_down"))).await.is(200)
    };
    let (first, second) = (post("sam").await, post("sam").await);
    // A delivery may be recorded between the two; what the write itself made is the same.
    assert_eq!(first.body["churn_risk"], second.body["churn_risk"]);
    assert!(first.body["churn_risk"].is_object(), "{:#}", first.body);
    let history = world.history(&format!("accounts/{id}")).await;
    assert_eq!(count(&history, "churn.signal-recorded"), 1);
    assert_eq!(count(&history, "churn.elevated"), 1);
    // A key is the caller's own.
    post("otto").await;
    assert_eq!(count(&world.history(&format!("accounts/{id}")).await, "churn.signal-recorded"), 2);
    let bearer = world.bearer("sam");
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "")];
    world.call(Method::POST, &path, &headers, Some(signal("usage_down"))).await.shows_problem(400, None);
}

async fn a_rep_sets_their_own_availability_and_nobody_elses(world: &'static World) {
    let set = async |who: &str, rep: &str, body: Value| {
        let bearer = world.bearer(who);
        let path = format!("/v1/reps/{rep}/availability");
        world.call(Method::PUT, &path, &[("authorization", bearer.as_str())], Some(body)).await
    };
    let away = json!({"available": false, "until": "2099-01-01T00:00:00Z"});
    set("ana", "rep-ana", away.clone()).await.is(200);
    let reps = world.get("vera", "/v1/reps?team=us-sales").await.is(200).body;
    let ana = reps["reps"].as_array().unwrap().iter().find(|rep| rep["id"] == "rep-ana").cloned().unwrap();
    assert_eq!(ana["available"], false);
    set("ana", "rep-bob", away.clone()).await.shows_problem(403, None);
    set("vera", "rep-ana", away.clone()).await.shows_problem(403, None);
    set("otto", "rep-nobody", away).await.shows_problem(404, None);
    set("ana", "rep-ana", json!({"available": "yes"})).await.shows_problem(422, Some("/available"));
    let back = set("otto", "rep-ana", json!({"available": true})).await.is(200);
    assert_eq!(back.body["availability"]["available"], true);
    let reps = world.get("vera", "/v1/reps?team=us-sales").await.is(200).body;
    let dan = reps["reps"].as_array().unwrap().iter().find(|rep| rep["id"] == "rep-dan").cloned().unwrap();
    assert_eq!((&dan["load"], &dan["capacity"]), (&json!(1), &json!(1)), "the lead a stack begins with");
}

async fn a_manager_hears_what_became_of_the_leads_of_a_rep_who_is_away(world: &'static World) {
    let lead = world.lead(json!({"market": "away", "owner": "rep-kit"})).await;
    let bearer = world.bearer("otto");
    let away = json!({"available": false, "until": "2099-01-01T00:00:00Z"});
    let path = "/v1/reps/rep-kit/availability";
    world.call(Method::PUT, path, &[("authorization", bearer.as_str())], Some(away)).await.is(200);
    let given = world.entry(&format!("leads/{lead}"), "it is handed on", is("lead.assigned")).await;
    assert_eq!((&given["data"]["to"], &given["data"]["reason"]), (&json!("rep-lea"), &json!("owner-absent")));
    let digest = world.message("Absence of kit", "#away-sales").await;
    assert!(digest.text.contains("1 lead went to lea"), "{digest:?}");
}

async fn operations_dismisses_or_assigns_what_waits(world: &'static World) {
    let quarantined = async || {
        let id = world.id("L");
        let mut lead = world.plain_lead(&id);
        (lead["market"], lead["owner"]) = (json!("atlantis"), Value::Null);
        world.take("lead.upserted", json!({"lead": lead})).await;
        id
    };
    let (first, second) = (quarantined().await, world.lead(json!({"owner": "rep-from-elsewhere"})).await);
    let path = |id: &str| format!("/v1/operations/reviews/{id}/resolution");
    let dismiss = json!({"resolution": "dismiss", "note": "A test of theirs."});
    for who in ["vera", "ana", "cora", "sam"] {
        world.post(who, &path(&first), dismiss.clone()).await.shows_problem(403, None);
        world.get(who, "/v1/operations/reviews").await.shows_problem(403, None);
    }
    world
        .post("otto", &path(&first), json!({"resolution": "shrug", "note": "?"}))
        .await
        .shows_problem(422, Some("/resolution"));
    world.post("otto", &path(&first), dismiss).await.is(200);
    let assign = |rep: &str| json!({"resolution": "assign", "rep": rep, "note": "Hers."});
    world.post("otto", &path(&second), assign("rep-nobody")).await.shows_problem(422, Some("/rep"));
    // Whose market is not known cannot be given to anybody.
    let lost = quarantined().await;
    world.post("otto", &path(&lost), assign("rep-sue")).await.shows_problem(422, Some("/resolution"));
    // On leave until 2099.
    world.post("otto", &path(&second), assign("rep-cat")).await.shows_problem(409, None);
    let assigned = world.post("otto", &path(&second), assign("rep-sue")).await.is(200);
    assert_eq!(assigned.body["owner"], "rep-sue");
    let nobody = world.id("L");
    world.post("otto", &path(&nobody), assign("rep-sue")).await.shows_problem(404, None);
}

async fn every_workflow_says_what_it_does_when_and_why(world: &'static World) {
    let answer = world.get("vera", "/v1/workflows").await.is(200);
    let workflows = answer.body["workflows"].as_array().unwrap();
    let ids = ["sla-breach", "stuck-lead", "high-value", "compliance-flag", "churn-risk"];
    assert!(workflows.iter().map(|workflow| workflow["id"].as_str().unwrap()).eq(ids), "{workflows:#?}");
    for workflow in workflows {
        for prose in ["what", "when", "why"] {
            assert!(workflow[prose].as_str().is_some_and(|text| text.len() > 20), "{workflow:#}");
        }
        assert!(workflow["settings"].is_object() && workflow["settings"].get("about").is_none());
        assert_eq!(workflow["content_sha256"].as_str().map(str::len), Some(64));
    }
    // The run's policy differs from the first one in three workflows alone: only their versions rose.
    let second = world.get("vera", "/v1/policies/2").await.is(200).body;
    let versions = ids.map(|id| second["versions"][id]["version"].as_u64().unwrap());
    assert_eq!(versions, [2, 2, 1, 2, 1]);
    let changes = workflows[0]["changes"].as_array().unwrap();
    assert!(
        changes.iter().all(|change| change.as_str().unwrap().starts_with("sla-breach"))
            && !changes.is_empty()
    );
    let one = world.get("vera", "/v1/workflows/sla-breach").await.is(200);
    assert_eq!((&one.body["id"], &one.body["steps"][0]["step"]), (&json!("sla-breach"), &json!("imminent")));
    assert!(one.body["windows"].as_array().is_some_and(|windows| windows.len() > 10));
    let none = world.get("vera", "/v1/workflows/sla-breech").await.shows_problem(404, None);
    assert!(none.detail().contains("the workflows are sla-breach, stuck-lead"), "{}", none.detail());
    for path in ["/v1/workflows", "/v1/workflows/churn-risk"] {
        let headers = [("authorization", world.bearer("vera")), ("accept", "text/markdown".to_owned())];
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let page = world.call(Method::GET, path, &headers, None).await;
        assert_eq!(
            (page.status, page.content_type.as_str()),
            (200, "text/markdown; charset=utf-8"),
            "{path}"
        );
    }
}

async fn policies_are_read_by_revision(world: &'static World) {
    let second = world.get("vera", "/v1/policies/2").await.is(200);
    assert_eq!((&second.body["revision"], &second.body["policy"]["name"]), (&json!(2), &json!("Flow tests")));
    assert_eq!(second.etag.as_deref(), Some("\"2\""));
    let current = world.get("vera", "/v1/policies/current").await.is(200);
    assert_eq!(current.etag, Some(format!("\"{}\"", current.body["revision"])));
    let first = world.get("vera", "/v1/policies/1").await.is(200);
    assert_eq!(first.body["policy"]["name"], "Default");
    for none in ["99999", "0", "-1", "newest"] {
        let answer = world.get("vera", &format!("/v1/policies/{none}")).await.shows_problem(404, None);
        assert!(answer.detail().contains("the newest is "), "{}", answer.detail());
    }
}
