//! The API as such: who gets in, and lists by the page.

use crate::world::{World, types};
use audit::{Hash, canonical, chain};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

crate::flows![
    nobody_gets_in_without_a_token_that_is_whole,
    a_list_comes_page_by_page_and_whole,
    a_history_comes_page_by_page_and_whole,
    a_history_shows_links_that_anybody_can_compute,
    a_page_that_cannot_be_is_refused,
    leads_are_found_by_owner_market_and_account,
    what_is_not_there_is_not_found,
];

async fn nobody_gets_in_without_a_token_that_is_whole(world: &'static World) {
    let get = async |token: Option<String>| {
        let header = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<(&str, &str)> =
            header.iter().map(|value| ("authorization", value.as_str())).collect();
        world.call(Method::GET, "/v1/workflows", &headers, None).await.status
    };
    let token = world.token("vera");
    assert_eq!(get(Some(token.to_owned())).await, 200);
    let parts: Vec<&str> = token.split('.').collect();
    let claims = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    let mut claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["cognito:groups"] = json!(["operations"]);
    let promoted = URL_SAFE_NO_PAD.encode(claims.to_string());
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    let refused = [
        ("none", None),
        ("nonsense", Some("nonsense".to_owned())),
        ("claims altered", Some(format!("{}.{promoted}.{}", parts[0], parts[2]))),
        ("signature cut", Some(format!("{}.{}.{}", parts[0], parts[1], &parts[2][..parts[2].len() - 8]))),
        (
            "signature of another's",
            Some(format!("{}.{promoted}.{}", parts[0], world.token("otto").rsplit('.').next().unwrap())),
        ),
        ("unsigned", Some(format!("{unsigned}.{promoted}."))),
    ];
    for (what, token) in refused {
        assert_eq!(get(token).await, 401, "{what}");
    }
}

async fn a_list_comes_page_by_page_and_whole(world: &'static World) {
    let account = world.id("A");
    let ids: Vec<String> = (0..7).map(|_| world.id("L")).collect();
    let batch: Vec<Value> = ids
        .iter()
        .map(|id| {
            let mut lead = world.plain_lead(id);
            lead["account_id"] = json!(account);
            world.event("lead.upserted", json!({"lead": lead}))
        })
        .collect();
    world.send(&json!(batch)).await.is(200);
    let path = format!("/v1/leads?account={account}&limit=3");
    let first = world.get("vera", &path).await.is(200);
    assert_eq!(first.body["leads"].as_array().unwrap().len(), 3);
    let all = world.all("vera", &path, "leads").await;
    let found: Vec<&str> = all.iter().map(|lead| lead["id"].as_str().unwrap()).collect();
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), 7, "each once: {found:?}");
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), ids.iter().map(String::as_str).collect());
}

async fn a_history_comes_page_by_page_and_whole(world: &'static World) {
    let lead = world.lead(json!({})).await;
    for score in 51..56 {
        world.take("lead.upserted", json!({"lead": {"id": lead, "score": score}})).await;
    }
    let whole = world.history(&format!("leads/{lead}")).await;
    assert_eq!(types(&whole).len(), 8);
    let pages = world.all("otto", &format!("/v1/leads/{lead}/audit?limit=2"), "entries").await;
    assert_eq!(pages, whole);
    let seqs: Vec<u64> = whole.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=8).collect::<Vec<u64>>());
}

async fn a_history_shows_links_that_anybody_can_compute(world: &'static World) {
    let lead = world.lead(json!({})).await;
    for score in 51..54 {
        world.take("lead.upserted", json!({"lead": {"id": lead, "score": score}})).await;
    }
    let path = format!("/v1/leads/{lead}/audit?limit=100");
    let mut before: Option<(Value, Hash)> = None;
    for entry in world.all("cora", &path, "entries").await {
        let [prev, hash]: [Hash; 2] =
            ["prev", "hash"].map(|name| entry[name].as_str().unwrap().parse().unwrap());
        let mut chained = entry.clone();
        // What is not of the entry itself: when its commit was decided is under the commit's seal.
        for name in ["prev", "hash", "recorded_at"] {
            assert!(chained.as_object_mut().unwrap().remove(name).is_some(), "{name}: {entry:#}");
        }
        assert_eq!(chain::entry_hash(prev, &canonical::of_value(&chained).unwrap()), hash, "{entry:#}");
        match before {
            None => assert_eq!(prev, Hash::ZERO),
            Some((commit, last)) if commit == entry["commit"] => assert_eq!(prev, last),
            // A seal stands between.
            Some((_, last)) => assert!(prev != last && prev != Hash::ZERO),
        }
        before = Some((entry["commit"].clone(), hash));
    }
    assert!(before.is_some());
    for entry in world.all("vera", &path, "entries").await {
        assert!(entry["prev"].is_null() && entry["hash"].is_null(), "{entry:#}");
    }
}

async fn a_page_that_cannot_be_is_refused(world: &'static World) {
    let lead = world.lead(json!({})).await;
    let lists = [
        ("vera", "/v1/leads?market=plain".to_owned()),
        ("vera", format!("/v1/leads/{lead}/audit?")),
        ("cora", "/v1/compliance/reviews?".to_owned()),
        ("otto", "/v1/operations/reviews?".to_owned()),
    ];
    for (who, path) in &lists {
        for limit in ["0", "101", "-1", "many", "1.5"] {
            world.get(who, &format!("{path}&limit={limit}")).await.shows_problem(400, None);
        }
        // Not one at all, and some whose inside is no place in a list.
        let inside = |text: &str| URL_SAFE_NO_PAD.encode(json!(text).to_string());
        for cursor in ["!!!", "e30", &inside(""), &inside(&"A".repeat(1025)), &"A".repeat(3000)] {
            let answer = world.get(who, &format!("{path}&cursor={cursor}")).await;
            assert_eq!(answer.status, 400, "{path} with `{cursor}`: {:#}", answer.body);
        }
    }
}

async fn leads_are_found_by_owner_market_and_account(world: &'static World) {
    let (owner, account) = (world.id("rep-of"), world.id("A"));
    let first = world.lead(json!({"owner": owner, "account_id": account})).await;
    let second = world.lead(json!({"owner": owner, "account_id": account, "state": "CONTACTED"})).await;
    let found = async |query: String| -> BTreeSet<String> {
        let leads = world.all("vera", &format!("/v1/leads?limit=100&{query}"), "leads").await;
        leads.iter().map(|lead| lead["id"].as_str().unwrap().to_owned()).collect()
    };
    let both = BTreeSet::from([first.clone(), second.clone()]);
    assert_eq!(found(format!("owner={owner}")).await, both);
    assert_eq!(found(format!("account={account}")).await, both);
    assert_eq!(found(format!("owner={owner}&market=plain")).await, both);
    assert_eq!(found(format!("owner={owner}&market=us")).await, BTreeSet::new());
    assert_eq!(found(format!("owner={owner}&state=CONTACTED")).await, BTreeSet::from([second.clone()]));
    assert!(found("market=plain".to_owned()).await.is_superset(&both));
    world.get("vera", "/v1/leads").await.shows_problem(400, None);
}

async fn what_is_not_there_is_not_found(world: &'static World) {
    let (lead, account) = (world.id("L"), world.id("A"));
    for path in [
        format!("/v1/leads/{lead}"),
        format!("/v1/leads/{lead}/audit"),
        format!("/v1/accounts/{account}"),
        format!("/v1/accounts/{account}/audit"),
    ] {
        world.get("vera", &path).await.shows_problem(404, None);
    }
    let flag = json!({"kind": "pep", "note": "A note."});
    world.post("cora", &format!("/v1/leads/{lead}/flags"), flag).await.shows_problem(404, None);
    assert_eq!(world.get("vera", "/v1/no-such-route").await.status, 404);
}
