//! Changing what is in force with the command line: what it asks for, what it shows before, and that
//! it overwrites nobody's change. And the demo, which adds its own market and takes it away again.

use crate::documents::PLAIN;
use crate::publications::{PUBLISHING, applied, lead_of, publish, set_window};
use crate::world::{World, count, eventually};
use clap::Parser as _;
use leadctl::publish::pull;
use policy::ids::PublicationKind;
use serde_json::{Value, json};
use std::path::Path;

crate::flows![
    the_demo_changes_nothing_of_anybody_else_and_mends_one_that_was_killed,
    a_trial_says_what_a_publication_then_does_and_publishes_nothing,
    a_document_is_published_against_the_revision_it_was_made_from,
    a_roll_back_names_what_it_rolls_back_from,
];

#[derive(clap::Parser)]
struct Publish {
    #[command(flatten)]
    arguments: leadctl::publish::Arguments,
}

#[derive(clap::Parser)]
struct Pull {
    #[command(flatten)]
    arguments: pull::Arguments,
}

/// Runs `leadctl policy publish` as operations; whether it published.
async fn leadctl_publish(world: &World, words: &[&str]) -> bool {
    let api = ["publish", "--api", &world.state.api_url, "--token", world.token("otto")];
    let words = api.iter().chain(words).copied();
    let Publish { arguments } = Publish::try_parse_from(words).unwrap();
    leadctl::publish::run(Path::new("/"), PublicationKind::Policy, &arguments).await.unwrap()
}

/// Runs `leadctl policy pull --out`.
async fn leadctl_pull(world: &World, out: &Path, more: &[&str]) -> bool {
    let api = ["pull", "--api", &world.state.api_url, "--token", world.token("otto"), "--out"];
    let words = api.iter().copied().chain([out.to_str().unwrap()]).chain(more.iter().copied());
    let Pull { arguments } = Pull::try_parse_from(words).unwrap();
    pull::run(Path::new("/"), PublicationKind::Policy, &arguments).await.unwrap()
}

async fn current(world: &World) -> Value {
    world.get("otto", "/v1/policies/current").await.is(200).body
}

async fn a_document_is_published_against_the_revision_it_was_made_from(world: &'static World) {
    let _one = PUBLISHING.lock().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("policy.yaml");
    assert!(leadctl_pull(world, &file, &[]).await);
    assert!(!leadctl_pull(world, &file, &[]).await, "a file that is there is not written over");
    let pulled = std::fs::read_to_string(&file).unwrap();
    let before = current(world).await;
    let revision = before["revision"].as_u64().unwrap();
    assert!(pulled.contains(&format!("\nrevision: {revision}\n")), "{pulled}");
    let path = file.to_str().unwrap();
    // What was pulled says what is in force.
    assert!(leadctl_publish(world, &[path, "--why", "nothing", "--yes"]).await);
    assert_eq!(current(world).await["revision"], revision);

    // A colleague publishes; then what was made from the revision before it is not published.
    let source = world.id("src");
    publish(world, "policy", |policy| set_window(policy, &source, "3h")).await.is(201);
    let margin = "score_margin: 5";
    assert!(pulled.contains(margin), "{pulled}");
    std::fs::write(&file, pulled.replace(margin, "score_margin: 6")).unwrap();
    assert!(!leadctl_publish(world, &[path, "--why", "mine", "--yes"]).await);
    let theirs = current(world).await;
    assert_eq!(theirs["revision"], revision + 1, "the colleague's change is still in force");

    // A document that says nothing of its revision is not published on whatever is in force.
    let bare: String =
        pulled.lines().filter(|l| !l.starts_with("revision: ")).map(|l| format!("{l}\n")).collect();
    let other = directory.path().join("bare.yaml");
    std::fs::write(&other, bare.replace(margin, "score_margin: 6")).unwrap();
    assert!(!leadctl_publish(world, &[other.to_str().unwrap(), "--why", "mine", "--yes"]).await);
    // Nobody is at a terminal here, so that nobody can say yes.
    assert!(leadctl_pull(world, &file, &["--overwrite"]).await);
    let pulled = std::fs::read_to_string(&file).unwrap();
    assert!(pulled.contains(&source), "the colleague's change is in what is pulled anew");
    std::fs::write(&file, pulled.replace(margin, "score_margin: 6")).unwrap();
    assert!(!leadctl_publish(world, &[path, "--why", "mine"]).await);
    assert!(leadctl_publish(world, &[path, "--why", "mine", "--dry-run"]).await);
    assert_eq!(current(world).await["revision"], revision + 1);
    assert!(leadctl_publish(world, &[path, "--why", "mine", "--yes"]).await);
    let mine = current(world).await;
    assert_eq!(mine["revision"], revision + 2);
    assert_eq!(mine["policy"]["workflows"]["high-value"]["score_margin"], 6);
    assert!(mine["policy"].to_string().contains(&source), "both changes are in force");
    let back = mine["policy"].to_string().replace(r#""score_margin":6"#, r#""score_margin":5"#);
    let back: Value = serde_json::from_str(&back).unwrap();
    publish(world, "policy", |policy| *policy = back.clone()).await.is(201);
}

async fn a_roll_back_names_what_it_rolls_back_from(world: &'static World) {
    let _one = PUBLISHING.lock().await;
    let before = current(world).await;
    let revision = before["revision"].as_u64().unwrap();
    publish(world, "policy", |p| p["workflows"]["high-value"]["score_margin"] = json!(7)).await.is(201);
    let (to, from) = (revision.to_string(), (revision + 1).to_string());
    assert!(!leadctl_publish(world, &["--revision", &to, "--why", "back", "--yes"]).await);
    assert!(!leadctl_publish(world, &["--revision", &to, "--base", &to, "--why", "back", "--yes"]).await);
    assert_eq!(current(world).await["revision"], revision + 1);
    assert!(leadctl_publish(world, &["--revision", &to, "--base", &from, "--why", "back", "--yes"]).await);
    let after = current(world).await;
    assert_eq!((&after["revision"], &after["policy"]), (&json!(revision + 2), &before["policy"]));
}

async fn a_trial_says_what_a_publication_then_does_and_publishes_nothing(world: &'static World) {
    let source = world.id("src");
    let _one = PUBLISHING.lock().await;
    publish(world, "policy", |policy| set_window(policy, &source, "24h")).await.is(201);
    let touched = [lead_of(world, &source, PLAIN).await, lead_of(world, &source, PLAIN).await];
    let before = current(world).await;
    let mut policy = before["policy"].clone();
    set_window(&mut policy, &source, "10m");
    let body = json!({"base": before["revision"], "why": "a trial", "policy": policy});
    let tried = world.post("otto", "/v1/policies?dry_run=true", body.clone()).await.is(200).body;
    assert_eq!(current(world).await, before, "nothing was published");
    for id in &touched {
        assert_eq!(count(&world.history(&format!("leads/{id}")).await, "rules.applied"), 0);
    }
    assert_eq!((&tried["changed"], &tried["next"]), (&json!(true), &Value::Null));
    assert_eq!(
        tried["changes"],
        json!([format!("sla-breach: NEW from {source}: 24h on `always` → 10m on `always`")])
    );
    assert_eq!(tried["versions_that_rise"], json!(["sla-breach"]));
    assert_eq!(tried["effect"]["digests"], json!(["#plain-sales"]));
    assert_eq!(tried["effect"]["messages"], 0);
    // Then it is published, and comes to what was said.
    let published = world.post("otto", "/v1/policies", body.clone()).await.is(201).body;
    assert_eq!(published["revision"], tried["revision"]);
    let came = applied(world, "/v1/policies", &published["revision"]).await;
    for figure in ["leads", "moved", "passed"] {
        assert_eq!(came["leads"][figure], tried["effect"][figure], "{figure}");
    }
    // From the base of before it is refused in a trial, too; and nobody but operations may try.
    let refused =
        world.post("otto", "/v1/policies?dry_run=true", body.clone()).await.shows_problem(409, None);
    assert_eq!(refused.body["type"], "urn:leadwatch:problem:base-moved-on");
    world.post("otto", "/v1/policies?dry_run=yes", body.clone()).await.shows_problem(400, None);
    world.post("vera", "/v1/policies?dry_run=true", body.clone()).await.shows_problem(403, None);
    let mut other = body.clone();
    other["base"] = published["revision"].clone();
    other["policy"]["revision"] = json!(1);
    world.post("otto", "/v1/policies", other).await.shows_problem(422, Some("/policy/revision"));
}

/// The demo's market.
const DEMO: &str = "leadctl-demo";

async fn the_demo_changes_nothing_of_anybody_else_and_mends_one_that_was_killed(world: &'static World) {
    let _one = PUBLISHING.lock().await;
    let documents = || async {
        let policy = world.get("otto", "/v1/policies/current").await.is(200).body["policy"].clone();
        let directory = world.get("otto", "/v1/directories/current").await.is(200).body["directory"].clone();
        (policy, directory)
    };
    let open_leads = || async {
        let leads = world.all("vera", &format!("/v1/leads?market={DEMO}&limit=100"), "leads").await;
        let is_over = |lead: &&Value| lead["state"] == "WON" || lead["state"] == "LOST";
        leads.iter().filter(|lead| !is_over(lead)).count()
    };
    let before = documents().await;
    let bystander = world.lead(json!({})).await;
    let history = world.history(&format!("leads/{bystander}")).await;
    let waits_for = || async {
        let explained = world.get("vera", &format!("/v1/leads/{bystander}/explain")).await.is(200);
        explained.body["wake_at"].clone()
    };
    let waited_for = waits_for().await;
    assert!(waited_for.is_string(), "{waited_for}");
    // Dropped in the middle of the story, as by kill -9: nothing is put back.
    tokio::select! {
        told = leadctl::demo::play(&world.state) => panic!("the story was over too soon: {told:?}"),
        () = eventually("a lead of the demo", || async { (open_leads().await > 0).then_some(()) }) => {}
    }
    let left = documents().await;
    assert!(left.0.to_string().contains(DEMO) && left.1.to_string().contains(DEMO), "what it left behind");
    assert!(open_leads().await > 0, "a lead of it is still open");
    // A colleague publishes while the demo's market is there; the next demo plays the whole story.
    let colleague = world.id("src");
    publish(world, "policy", |policy| set_window(policy, &colleague, "3h")).await.is(201);
    leadctl::demo::play(&world.state).await.unwrap();
    let mut after = documents().await;
    assert!(after.0.to_string().contains(&colleague), "the colleague's change is still in force");
    let windows = after.0["workflows"]["sla-breach"]["windows"].as_array_mut().unwrap();
    windows.retain(|row| row["source"] != colleague);
    assert_eq!(after, before, "and the demo left nothing of its own");
    assert_eq!(open_leads().await, 0);
    assert_eq!(world.history(&format!("leads/{bystander}")).await, history, "no other lead noticed");
    assert_eq!(waits_for().await, waited_for, "nor waits for anything else");
}
