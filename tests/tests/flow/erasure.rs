//! Personal data: nothing of it rests in clear, those who must know read it, and what was erased
//! nobody reads any more.

use crate::deployment::{DENIED, code, role_of};
use crate::world::{World, is, sanction};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_kms::types::DataKeySpec;
use policy::ids::Subject;
use reqwest::Method;
use serde_json::{Value, json};
use store::PersonalData;

crate::flows![
    what_was_erased_is_nowhere_and_what_was_decided_stays,
    only_functions_that_take_or_show_personal_data_may_use_its_keys,
];

/// Every item of every table, as text.
async fn items(world: &World) -> Vec<String> {
    let mut items = Vec::new();
    for table in ["LeadsTableName", "AuditTableName", "KeysTableName"] {
        let scan = world.aws.dynamodb.scan().table_name(world.state.output(table).unwrap());
        let mut pages = scan.into_paginator().items().send();
        while let Some(item) = pages.next().await {
            items.push(format!("{:?}", item.expect("the table answers")));
        }
    }
    items
}

async fn nowhere(world: &World, name: &str) {
    let found: Vec<String> = items(world).await.into_iter().filter(|item| item.contains(name)).collect();
    assert_eq!(found, [""; 0]);
    assert!(!world.log().contains(name), "it is in a log");
}

async fn what_was_erased_is_nowhere_and_what_was_decided_stays(world: &'static World) {
    let (name, lead, account) = (world.id("Zebulon"), world.id("L"), world.id("A"));
    let mut found = sanction(&world.id("ofac"));
    (found["name"], found["note"]) = (json!(format!("{name} listed")), json!(format!("{name} noted")));
    let mut arrives = world.plain_lead(&lead);
    arrives["contact"] = json!({"name": format!("{name} Quist"), "email": format!("{name}@example.test")});
    arrives["flags"] = json!({"sanctions": [found]});
    world.take("lead.upserted", json!({ "lead": arrives })).await;
    // What is no event is refused for its form, and may carry a name, too.
    let mut refused = world.plain_lead(&lead);
    (refused["contact"], refused["score"]) = (json!({"name": format!("{name} again")}), json!("many"));
    world.send(&world.event("lead.upserted", json!({ "lead": refused }))).await.is(422);
    let signal =
        json!({"id": account, "signal": "stakeholder_left", "evidence": {"who": format!("{name} left")}});
    world.take("account.churn_signal", json!({ "account": signal })).await;
    nowhere(world, &name).await;

    // Those who must know read it; a viewer sees no trace of it, sealed or not.
    let review = world.get("cora", &format!("/v1/compliance/reviews/{lead}")).await.is(200);
    assert_eq!(review.body["personal"]["contact"]["name"], format!("{name} Quist"));
    assert!(
        review.body["personal"]["matches"].to_string().contains(&format!("{name} noted")),
        "{}",
        review.body
    );
    let of_account =
        world.get("sam", &format!("/v1/accounts/{account}/audit")).await.is(200).body.to_string();
    assert!(of_account.contains(&format!("{name} left")), "{of_account}");
    for path in [format!("/v1/leads/{lead}"), format!("/v1/leads/{lead}/audit")] {
        let seen = world.get("vera", &path).await.is(200).body.to_string();
        assert!(!seen.contains(&name) && !seen.contains("sealed:"), "{seen}");
    }

    let path = format!("/v1/leads/{lead}/erasure");
    let asked = json!({"reference": "DSR-2026-17", "reason": "Asked for by letter."});
    for who in ["vera", "ana", "otto", "sam"] {
        world.post(who, &path, asked.clone()).await.shows_problem(403, None);
    }
    world.post("cora", &path, json!({"reason": "No number."})).await.shows_problem(422, Some("/reference"));
    let more = json!({"reference": "DSR-2026-17", "reason": "Asked for by letter.", "only": ["email"]});
    world.post("cora", &path, more).await.shows_problem(422, Some("/only"));
    let open = world.post("cora", &path, asked.clone()).await.shows_problem(409, None);
    assert!(open.detail().contains("open compliance review"), "{}", open.detail());
    let nobody = world.id("L");
    world.post("cora", &format!("/v1/leads/{nobody}/erasure"), asked.clone()).await.shows_problem(404, None);

    let bearer = world.bearer("cora");
    let headers = [("authorization", bearer.as_str()), ("if-match", review.etag.as_deref().unwrap())];
    let verdict =
        json!({"decision": "clear", "reason_code": "false-match", "reason": "Born in another year."});
    let decision = format!("/v1/compliance/reviews/{lead}/decision");
    let decided = world.call(Method::POST, &decision, &headers, Some(verdict)).await.is(200);
    assert_eq!(decided.body["personal"]["contact"]["name"], format!("{name} Quist"));
    let done = world.post("cora", &path, asked.clone()).await.is(200);
    assert!(done.body["erased_at"].is_string(), "{}", done.body);
    let again = world.post("cora", &path, asked).await.is(200);
    assert_eq!(again.body["erased_at"], done.body["erased_at"]);

    // The CRM does not know, and says it all again: the rest of it counts.
    let mut says = world.plain_lead(&lead);
    (says["contact"], says["company"]) = (json!({"name": format!("{name} anew")}), json!("Bolt"));
    world.take("lead.upserted", json!({ "lead": says })).await;
    nowhere(world, &name).await;
    let shown = world.get("vera", &format!("/v1/leads/{lead}")).await.is(200);
    assert_eq!((&shown.body["company"], &shown.body["erased_at"]), (&json!("Bolt"), &done.body["erased_at"]));
    let history = world.history(&format!("leads/{lead}")).await;
    let of = |kind: &str| -> Vec<&Value> { history.iter().filter(|entry| is(kind)(entry)).collect() };
    let [erased] = of("lead.erased")[..] else { panic!("it is erased once: {history:?}") };
    assert_eq!((&erased["data"]["basis"], &erased["actor"]["kind"]), (&json!("request"), &json!("staff")));
    assert_eq!(of("review.decided").len(), 1);

    // No key opens what the record holds.
    let personal = world.store.personal_data(&Subject::Lead(lead.as_str().into())).await.expect("it answers");
    assert!(matches!(personal, PersonalData::Erased(_)), "{personal:?}");
    let has = async |family: &str| {
        items(world).await.iter().any(|item| item.contains(&format!("{family}#lead/{lead}\"")))
    };
    assert!(!has("KEY").await && has("ERASED").await, "a tombstone is in its place");
}

async fn only_functions_that_take_or_show_personal_data_may_use_its_keys(world: &'static World) {
    let (table, key) =
        (world.state.output("KeysTableName").unwrap(), world.state.output("DataKeyArn").unwrap());
    for name in ["ingest", "operations", "compliance", "escalate", "notify", "sweep", "publish"] {
        let config = role_of(world, name).await;
        let kms = aws_sdk_kms::Client::new(&config);
        let made = kms.generate_data_key().key_id(key).key_spec(DataKeySpec::Aes256).send().await;
        let takes = matches!(name, "ingest" | "operations");
        assert_eq!(code(made).as_deref(), if takes { None } else { DENIED }, "{name} makes keys");
        let db = aws_sdk_dynamodb::Client::new(&config);
        let text = |text: String| AttributeValue::S(text);
        let delete =
            db.delete_item().table_name(table).key("pk", text(world.id("KEY"))).key("sk", text("KEY".into()));
        assert_eq!(code(delete.send().await).as_deref(), DENIED, "{name} deletes what is no key of a lead");
        let scan = db.scan().table_name(table).send().await;
        assert_eq!(code(scan).as_deref(), DENIED, "{name} reads all keys");
    }
}
