//! Policies and directories are published while leads are in flight. Each test changes rows of a
//! source or a market of its own, so that no other test notices.

use crate::documents::PLAIN;
use crate::world::{Answer, World, count, eventually, is, now, sanction, written};
use chrono::TimeDelta;
use policy::Policy;
use reqwest::Method;
use rules::entry::Actor;
use rules::publication::Publishing;
use serde_json::{Value, json};
use tokio::sync::Mutex;

crate::flows![
    a_tightened_policy_moves_the_leads_it_touches_and_tells_the_team_once,
    a_publication_that_dies_half_way_is_finished_by_the_next_tick,
    a_publication_that_another_one_follows_at_once_tells_of_its_own,
    a_directory_moves_what_its_calendar_measures_and_who_carries_what,
    a_rep_who_leaves_takes_no_lead_along_that_compliance_holds,
    what_is_not_sound_is_not_published,
    a_policy_is_published_on_the_base_it_was_made_from,
    a_policy_is_rolled_back_by_publishing_it_again,
];

/// One publishes at a time, or each would be on an old base.
pub static PUBLISHING: Mutex<()> = Mutex::const_new(());

/// Publishes what a change makes of what is in force, for a member of staff.
pub async fn publish(world: &World, what: &str, change: impl Fn(&mut Value)) -> Answer {
    let (path, member) = paths(what);
    let current = world.get("otto", &format!("{path}/current")).await.is(200);
    let mut document = current.body[member].clone();
    change(&mut document);
    world.post("otto", path, json!({"base": current.body["revision"], "why": "a test", what: document})).await
}

fn paths(what: &str) -> (&str, &str) {
    match what {
        "policy" => ("/v1/policies", "policy"),
        _ => ("/v1/directories", "directory"),
    }
}

fn row(source: &str, window: &str) -> Value {
    json!({"state": "NEW", "source": source, "window": window, "calendar": "always"})
}

/// Sets the window of a source in NEW.
pub fn set_window(policy: &mut Value, source: &str, window: &str) {
    let rows = policy["workflows"]["sla-breach"]["windows"].as_array_mut().unwrap();
    rows.retain(|row| row["source"] != source);
    rows.push(row(source, window));
}

/// A lead of a source that began 25 minutes ago.
pub async fn lead_of(world: &World, source: &str, market: &str) -> String {
    let id = world.id("L");
    let mut lead = world.plain_lead(&id);
    (lead["source"], lead["market"]) = (json!(source), json!(market));
    let mut event = world.event("lead.upserted", json!({"lead": lead}));
    event["occurred_at"] = json!(written(now() - TimeDelta::minutes(25)));
    world.send(&event).await.is(200);
    id
}

/// Waits until a publication has gone through all leads in flight.
pub async fn applied(world: &World, path: &str, revision: &Value) -> Value {
    eventually("the publication is applied", || async {
        let shown = world.get("vera", &format!("{path}/{revision}/publication")).await.is(200).body;
        (shown["stage"] == "applied").then_some(shown)
    })
    .await
}

async fn a_tightened_policy_moves_the_leads_it_touches_and_tells_the_team_once(world: &'static World) {
    let source = world.id("src");
    let published = {
        let _one = PUBLISHING.lock().await;
        publish(world, "policy", |policy| set_window(policy, &source, "24h")).await.is(201);
        let touched = [lead_of(world, &source, PLAIN).await, lead_of(world, &source, PLAIN).await];
        let other = world.lead(json!({})).await;
        let published = publish(world, "policy", |policy| set_window(policy, &source, "10m")).await.is(201);
        (published.body, touched, other)
    };
    let (published, touched, other) = published;
    let shown = applied(world, "/v1/policies", &published["revision"]).await;
    assert_eq!((&shown["leads"]["leads"], &shown["leads"]["moved"]), (&json!(2), &json!(2)), "{shown:#}");
    for id in &touched {
        let history = world.told(&format!("leads/{id}")).await;
        assert_eq!(count(&history, "rules.applied"), 1);
        let superseded: Vec<&Value> = history.iter().filter(|e| is("threshold.superseded")(e)).collect();
        assert!(superseded.iter().all(|entry| entry["data"]["by"] == "publication"), "{superseded:#?}");
        assert_eq!(superseded.len(), 4, "three of the SLA, one of the stuck lead: all were passed");
        assert_eq!(count(&history, "notification.requested"), 0);
        assert_eq!(world.messages(id).len(), 0, "nobody is told of each");
    }
    assert_eq!(count(&world.history(&format!("leads/{other}")).await, "rules.applied"), 0);
    let title = format!("Policy revision {}", published["revision"]);
    let digest = world.message(&title, "#plain-sales").await;
    assert!(serde_json::to_string(&digest).unwrap().contains("SLA, breached: 2 leads"), "{digest:?}");
    assert_eq!(world.messages(&title).len(), 1);
}

/// Publishes a window as the API would, had it died before it could tell the queue.
async fn publish_and_die(world: &World, source: &str, window: &str) -> Value {
    let mut document = serde_json::to_value(&world.store.current_policy().await.unwrap().policy).unwrap();
    set_window(&mut document, source, window);
    let policy: Policy = serde_json::from_value(document).unwrap();
    let policy = policy.checked().unwrap();
    let by = Actor::staff("somebody");
    let publishing = Publishing { by: &by, publisher: None, why: "dies", cause: "dies", now: now() };
    json!(world.store.publish_policy(&policy, &publishing, None, None).await.unwrap().revision)
}

async fn a_publication_that_another_one_follows_at_once_tells_of_its_own(world: &'static World) {
    let source = world.id("src");
    let (first, second) = {
        let _one = PUBLISHING.lock().await;
        publish(world, "policy", |policy| set_window(policy, &source, "24h")).await.is(201);
        lead_of(world, &source, PLAIN).await;
        let first = publish_and_die(world, &source, "10m").await;
        let second = publish(world, "policy", |policy| set_window(policy, &source, "11m")).await.is(201);
        (first, second.body["revision"].clone())
    };
    // The job of the second one brings the lead past both, before that of the first one begins.
    let second = applied(world, "/v1/policies", &second).await;
    let scheduled = written(now());
    world.aws.invoke("leadwatch-sweep", &json!({"kind": "tick", "scheduled_time": scheduled})).await;
    let first = applied(world, "/v1/policies", &first).await;
    assert_eq!(first["leads"]["passed"].as_array().map(Vec::len), Some(4), "{first:#}");
    assert_eq!(second["leads"]["moved"], 1, "{second:#}");
    assert!(second["leads"].get("passed").is_none(), "{second:#}");
}

async fn a_publication_that_dies_half_way_is_finished_by_the_next_tick(world: &'static World) {
    let source = world.id("src");
    let (revision, lead) = {
        let _one = PUBLISHING.lock().await;
        publish(world, "policy", |policy| set_window(policy, &source, "24h")).await.is(201);
        let lead = lead_of(world, &source, PLAIN).await;
        let revision = publish_and_die(world, &source, "12h").await;
        (revision, lead)
    };
    let scheduled = written(now());
    world.aws.invoke("leadwatch-sweep", &json!({"kind": "tick", "scheduled_time": scheduled})).await;
    let moved = world.entry(&format!("leads/{lead}"), "the lead is moved", is("rules.applied")).await;
    assert_eq!(moved["data"]["in_force"]["policy"], revision);
    applied(world, "/v1/policies", &revision).await;
}

async fn a_directory_moves_what_its_calendar_measures_and_who_carries_what(world: &'static World) {
    let (market, rep) = (world.id("market"), world.id("rep"));
    let (revision, lead) = {
        let _one = PUBLISHING.lock().await;
        publish(world, "directory", |directory| with_market(directory, &market, &rep)).await.is(201);
        let lead = world.lead(json!({"market": market, "owner": rep})).await;
        let (today, tomorrow) = (now(), now() + TimeDelta::days(1));
        let off = |at: chrono::DateTime<chrono::Utc>| json!({"date": at.format("%Y-%m-%d").to_string(), "name": "off"});
        let published = publish(world, "directory", |directory| {
            directory["calendars"][&market]["holidays"] = json!([off(today), off(tomorrow)]);
            let moved =
                directory["teams"]["odd-sales"]["reps"].as_object_mut().unwrap().remove(&rep).unwrap();
            directory["teams"]["limited-sales"]["reps"][&rep] = moved;
        })
        .await
        .is(201);
        (published.body["revision"].clone(), lead)
    };
    let moved = world.entry(&format!("leads/{lead}"), "the lead is moved", is("rules.applied")).await;
    assert_eq!(moved["data"]["in_force"]["directory"], revision);
    assert_eq!(moved["directory_revision"], revision);
    let reps = world.get("vera", "/v1/reps?team=limited-sales").await.is(200).body["reps"].clone();
    let reps = reps.as_array().unwrap();
    assert_eq!(reps.iter().find(|r| r["id"] == rep.as_str()).unwrap()["load"], 1, "{reps:#?}");
    let shown = applied(world, "/v1/directories", &revision).await;
    assert_eq!(shown["leads"]["moved"], 1, "{shown:#}");
    // It has everybody's address, and is not for everybody.
    world.get("vera", "/v1/directories/current").await.shows_problem(403, None);
    let none = world.get("otto", "/v1/directories/99999").await.shows_problem(404, None);
    assert!(none.detail().contains("the newest is"), "{}", none.detail());
}

/// A market of its own that never closes, with a rep of their own.
fn with_market(directory: &mut Value, market: &str, rep: &str) {
    let day = |day: &str| (day.to_owned(), json!(["00:00-24:00"]));
    let week: serde_json::Map<_, _> =
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].into_iter().map(day).collect();
    directory["calendars"][market] = json!({"time_zone": "UTC", "hours": week, "business_day": "8h"});
    directory["markets"][market] = json!({"calendar": market, "team": "plain-sales", "licensed_for": ["US"]});
    directory["people"][rep] = json!({"name": rep, "email": format!("{rep}@example.test")});
    directory["teams"]["odd-sales"]["reps"][rep] = json!({"seniority": "senior", "capacity": 9});
}

async fn a_rep_who_leaves_takes_no_lead_along_that_compliance_holds(world: &'static World) {
    let (market, rep) = (world.id("market"), world.id("rep"));
    let _one = PUBLISHING.lock().await;
    publish(world, "directory", |directory| with_market(directory, &market, &rep)).await.is(201);
    let own = json!({"market": market, "owner": rep});
    let (owned, held) = (world.lead(own.clone()).await, world.id("L"));
    let mut arrives = world.plain_lead(&held);
    (arrives["market"], arrives["owner"]) = (own["market"].clone(), own["owner"].clone());
    arrives["flags"] = json!({"sanctions": [sanction(&world.id("match"))]});
    world.take("lead.upserted", json!({"lead": arrives})).await;
    // The rep leaves, and the calendar of the market changes with it: each lead is found twice.
    let current = world.get("otto", "/v1/directories/current").await.is(200).body;
    let mut directory = current["directory"].clone();
    directory["teams"]["odd-sales"]["reps"].as_object_mut().unwrap().remove(rep.as_str()).unwrap();
    directory["people"].as_object_mut().unwrap().remove(rep.as_str()).unwrap();
    let today = now().format("%Y-%m-%d").to_string();
    directory["calendars"][&market]["holidays"] = json!([{"date": today, "name": "off"}]);
    let body = json!({"base": current["revision"], "why": "they left", "directory": directory});
    let tried = world.post("otto", "/v1/directories?dry_run=true", body.clone()).await.is(200).body;
    let published = world.post("otto", "/v1/directories", body).await.is(201).body;
    let came = applied(world, "/v1/directories", &published["revision"]).await;
    for (what, leads) in [("a trial", &tried["effect"]), ("the publication", &came["leads"])] {
        assert_eq!((&leads["leads"], &leads["moved"]), (&json!(2), &json!(2)), "{what}: {leads:#}");
    }
    for id in [&owned, &held] {
        let history = world.history(&format!("leads/{id}")).await;
        assert_eq!(count(&history, "owner.gone"), 1, "{history:#?}");
    }
}

async fn what_is_not_sound_is_not_published(world: &'static World) {
    let _one = PUBLISHING.lock().await;
    let before = world.get("vera", "/v1/policies/current").await.is(200).body["revision"].clone();
    type Change = fn(&mut Value);
    let cases: [(&str, Change); 3] = [
        ("/policy/workflows/sla-breach/steps/0/at", |p| {
            p["workflows"]["sla-breach"]["steps"][0]["at"] = json!("8%%")
        }),
        ("/policy/colour", |p| p["colour"] = json!("blue")),
        ("/policy/workflows/sla-breach/windows/0/market", |p| {
            p["workflows"]["sla-breach"]["windows"][0]["market"] = json!("nowhere");
        }),
    ];
    for (pointer, change) in cases {
        let refused = publish(world, "policy", change).await.shows_problem(422, Some(pointer));
        assert!(refused.body["errors"].as_array().is_some_and(|all| !all.is_empty()), "{:#}", refused.body);
    }
    let gone = publish(world, "directory", |d| {
        d["calendars"].as_object_mut().unwrap().remove("berlin").unwrap();
    });
    gone.await.shows_problem(422, Some("/directory/markets/dach/calendar"));
    for (body, field) in [
        (json!({"why": "x", "policy": {}}), "/base"),
        (json!({"base": before, "policy": {}}), "/why"),
        (json!({"base": before, "why": "x", "policy": "name: x"}), "/policy"),
    ] {
        world.post("otto", "/v1/policies", body).await.shows_problem(422, Some(field));
    }
    for who in ["vera", "cora", "sam", "ana"] {
        world.post(who, "/v1/policies", json!({})).await.shows_problem(403, None);
    }
    assert_eq!(world.get("vera", "/v1/policies/current").await.is(200).body["revision"], before);
}

async fn a_policy_is_published_on_the_base_it_was_made_from(world: &'static World) {
    let source = world.id("src");
    let _one = PUBLISHING.lock().await;
    let current = world.get("otto", "/v1/policies/current").await.is(200).body;
    let mut policy = current["policy"].clone();
    set_window(&mut policy, &source, "3h");
    let body = json!({"base": current["revision"], "why": "partners wait too long", "policy": policy});
    let headers = [("authorization", world.bearer("otto")), ("idempotency-key", world.id("key"))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let first = world.call(Method::POST, "/v1/policies", &headers, Some(body.clone())).await.is(201);
    let revision = first.body["revision"].as_u64().unwrap();
    assert_eq!(first.etag, Some(format!("\"{revision}\"")));
    // The same request again is the same publication.
    let again = world.call(Method::POST, "/v1/policies", &headers, Some(body.clone())).await.is(200);
    assert_eq!((&again.body["revision"], &again.body["changed"]), (&json!(revision), &json!(false)));
    // What somebody else made from the same base is refused.
    let refused = world.post("otto", "/v1/policies", body.clone()).await.shows_problem(409, None);
    assert_eq!(refused.body["current_revision"], revision);
    // What is in force already is no publication.
    let same = publish(world, "policy", |_| {}).await.is(200);
    assert_eq!((&same.body["revision"], &same.body["changed"]), (&json!(revision), &json!(false)));

    let shown = world.get("vera", &format!("/v1/policies/{revision}/publication")).await.is(200).body;
    assert_eq!(shown["why"], "partners wait too long");
    assert_eq!(shown["published_by"]["kind"], "staff");
    let changes = json!([format!("sla-breach: added: NEW from {source}: 3h on `always`")]);
    assert_eq!(shown["changes"], changes);
    let listed = world.all("vera", "/v1/policies?limit=2", "items").await;
    let revisions: Vec<u64> = listed.iter().map(|item| item["revision"].as_u64().unwrap()).collect();
    assert_eq!(revisions, (1..=revision).rev().collect::<Vec<_>>());
    let none = world.get("vera", "/v1/policies/99999/publication").await.shows_problem(404, None);
    assert!(none.detail().contains(&format!("the newest is {revision}")), "{}", none.detail());
}

async fn a_policy_is_rolled_back_by_publishing_it_again(world: &'static World) {
    let _one = PUBLISHING.lock().await;
    let before = world.get("otto", "/v1/policies/current").await.is(200).body;
    // The margin concerns no lead of any test; the score would concern those that arrive meanwhile.
    let changed =
        publish(world, "policy", |p| p["workflows"]["high-value"]["score_margin"] = json!(6)).await.is(201);
    let back = publish(world, "policy", |p| *p = before["policy"].clone()).await.is(201);
    assert!(back.body["revision"].as_u64() > changed.body["revision"].as_u64());
    let after = world.get("otto", "/v1/policies/current").await.is(200).body;
    assert_eq!(after["policy"], before["policy"]);
    let version = |of: &Value, workflow: &str| of["versions"][workflow]["version"].as_u64().unwrap();
    // A version counts changes: going back is one more.
    assert_eq!(version(&after, "high-value"), version(&before, "high-value") + 2);
    assert_eq!(version(&after, "sla-breach"), version(&before, "sla-breach"));
}
