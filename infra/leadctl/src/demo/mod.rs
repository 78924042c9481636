//! `leadctl demo`: plays the reference story against what `up` started, with windows of seconds, on a
//! market, team, calendar and people of its own. Nobody else's policy or directory changes.

mod market;
mod put;
mod tidy;

use crate::api::Api;
use crate::progress::{print, say};
use crate::publish::document::Content;
use crate::publish::published;
use crate::state::{DIRECTORY, State};
use crate::{history, send};
use anyhow::Context as _;
use chrono::{DateTime, SecondsFormat, Utc};
use policy::Policy;
use policy::ids::PublicationKind;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};
use tokio::signal::unix::{SignalKind, signal};

/// Between two looks at the record.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// The highest score there is.
const SCORE_MAX: u16 = 1000;
/// Far longer than the story.
const PATIENCE: Duration = Duration::from_secs(180);

/// A local stack with a story going on in it.
struct Demo {
    state: State,
    api: Api,
    started: Instant,
    shown: usize,
    lead: String,
    account: String,
    /// A score under the policy's threshold, and one over it.
    scores: (u16, u16),
}

/// Plays the story against what runs here.
///
/// # Errors
/// When nothing runs here, or something that should happen does not.
pub async fn run(root: &Path) -> anyhow::Result<()> {
    play(&State::load(&root.join(DIRECTORY))?).await
}

/// Plays the story, and takes its market away again, however the story ends.
///
/// # Errors
/// When something that should happen does not.
pub async fn play(state: &State) -> anyhow::Result<()> {
    let operations = Api::local(state, "otto").await?;
    // A demo that was killed leaves a lead behind that nobody works on.
    tidy::end_leads(state, &operations).await?;
    let told = tokio::select! {
        told = begin_and_tell(state, &operations) => told,
        () = told_to_end() => {
            say("Interrupted. Taking the demo's market away …");
            Err(anyhow::anyhow!("the demo was interrupted"))
        }
    };
    let ended = match tidy::end_leads(state, &operations).await {
        Ok(()) => put::take_away(&operations).await,
        Err(error) => Err(error),
    };
    let ended = ended.with_context(|| format!("the market `{}` is still there", market::NAME));
    told.and(ended)
}

async fn begin_and_tell(state: &State, operations: &Api) -> anyhow::Result<()> {
    put::add(operations).await?;
    let in_force = published::in_force(operations, PublicationKind::Policy).await?;
    match in_force.map(|in_force| in_force.content) {
        Some(Content::Policy(policy)) => tell(state, &policy).await,
        _ => anyhow::bail!("no policy is in force here"),
    }
}

/// Waits for Ctrl-C, an orderly end from outside, or the end of the terminal.
async fn told_to_end() {
    let ends = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let ends = ends.into_iter().filter_map(|kind| signal(kind).ok()).map(|mut end| {
        Box::pin(async move {
            end.recv().await;
        })
    });
    futures::future::select_all(ends).await;
}

async fn tell(state: &State, policy: &Policy) -> anyhow::Result<()> {
    // Each run has a lead of its own.
    let id = now().timestamp();
    let (lead, account) = (format!("L-demo-{id}"), format!("A-demo-{id}"));
    let mut demo = Demo {
        api: Api::local(state, "otto").await?,
        state: state.clone(),
        started: Instant::now(),
        shown: 0,
        lead: lead.clone(),
        account: account.clone(),
        scores: scores(policy.workflows.high_value.score),
    };
    let (ada, cam) = (market::person("ada"), market::person("cam"));
    let (before, after) = demo.scores;
    print(&format!("The sink shows what is sent: {}", demo.state.sink_url));
    demo.chapter("An account, and a lead of it: a window of 10 s instead of an hour");
    demo.post(json!({"type": "account.upserted", "account": {
        "id": account, "name": "Acme", "owner": ada, "customer_success_owner": cam}}))
        .await?;
    demo.post(json!({"type": "lead.upserted", "lead": {
        "id": lead, "market": market::NAME, "country": "US", "source": "paid_social", "company": "Acme", "account_id": account,
        "state": "NEW", "owner": ada, "score": before,
        "contact": {"name": "Kim Contact", "email": "kim@acme.test"}}})).await?;
    demo.until("sla-breach tells the owner at 8 s", |e| is(e, "threshold.reached", "imminent")).await?;
    demo.until("the manager at 10 s", |e| is(e, "threshold.reached", "breached")).await?;
    demo.until("and gives the lead to somebody else at 15 s", |e| {
        is(e, "lead.reassigned", "significantly-past")
    })
    .await?;
    demo.until("stuck-lead asks the owner at 50 s, whatever the SLA clock did", |e| {
        is(e, "threshold.reached", "ask-owner")
    })
    .await?;
    demo.chapter(&format!("The score crosses {}", policy.workflows.high_value.score));
    demo.post(json!({"type": "lead.upserted", "lead": {"id": lead, "score": after}})).await?;
    demo.until("high-value fires", |e| is(e, "high-value.flagged", "")).await?;
    demo.chapter("A screening finds the contact on a sanctions list");
    demo.post(json!({"type": "lead.flagged", "lead": {"id": lead, "flags": {"sanctions": [
        {"match_id": "ofac-123", "list": "OFAC-SDN", "list_version": "2026-02-27", "strength": 92, "name": "K. Contact"}]}}}))
        .await?;
    demo.until("compliance-flag holds it", |e| is(e, "compliance.held", "")).await?;
    demo.chapter("The CRM tries to move it all the same");
    demo.post(json!({"type": "lead.state_changed", "lead": {"id": lead, "state": "CONTACTED"}})).await?;
    demo.until("and is refused", |e| is(e, "input.refused", "")).await?;
    demo.chapter("An officer reads the review and clears it");
    tidy::clear(&demo.state, &demo.lead).await?;
    demo.until("the owner has it back, with a fresh clock", |e| is(e, "review.decided", "")).await?;
    demo.chapter("Usage of the product drops");
    demo.post(json!({"type": "account.churn_signal", "account": {
        "id": account, "signal": "usage_down", "evidence": {"weekly_active_users": "-40 %"}}}))
        .await?;
    demo.until("churn-risk pauses outreach on its leads", |e| is(e, "account.applied", "")).await?;
    demo.chapter("The lead is won");
    demo.post(json!({"type": "lead.state_changed", "lead": {"id": lead, "state": "WON"}})).await?;
    demo.until("and over", |e| e.pointer("/data/to").and_then(Value::as_str) == Some("WON")).await?;
    demo.account_history().await?;
    print(&format!("\nThe whole record: GET {}/v1/leads/{}/audit", demo.state.api_url, demo.lead));
    Ok(())
}

impl Demo {
    fn chapter(&self, title: &str) {
        print(&format!("\n{:>6.1} s  {title}", self.started.elapsed().as_secs_f64()));
    }

    async fn post(&self, mut event: Value) -> anyhow::Result<()> {
        let at = now();
        if let Value::Object(members) = &mut event {
            members.insert("id".to_owned(), json!(format!("demo-{}", at.timestamp_micros())));
            members.insert("occurred_at".to_owned(), json!(at.to_rfc3339_opts(SecondsFormat::Millis, true)));
        }
        let answer = send::post(&self.state, "generic", &event).await?;
        anyhow::ensure!(answer.status == 200, "the event was not taken: {}", answer.body);
        Ok(())
    }

    /// Prints what happens until something does.
    async fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<()> {
        loop {
            let entries = self.entries(&format!("/v1/leads/{}/audit", self.lead)).await?;
            let mut found = entries.get(..self.shown).into_iter().flatten().any(&wanted);
            for entry in entries.get(self.shown..).into_iter().flatten() {
                self.shown += 1;
                print(&format!(
                    "{:>6.1} s    {}",
                    self.started.elapsed().as_secs_f64(),
                    history::line(entry)
                ));
                found |= wanted(entry);
            }
            if found {
                self.chapter(&format!("✓ {what}"));
                return Ok(());
            }
            anyhow::ensure!(self.started.elapsed() < PATIENCE, "this did not happen: {what}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn account_history(&self) -> anyhow::Result<()> {
        self.chapter("What happened to the account");
        for entry in self.entries(&format!("/v1/accounts/{}/audit", self.account)).await? {
            print(&format!("            {}", history::line(&entry)));
        }
        Ok(())
    }

    /// A whole history, page by page.
    async fn entries(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let mut entries = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.api.get(&format!("{path}?limit=100{cursor}")).await?.ok()?;
            entries.extend(page.get("entries").and_then(Value::as_array).cloned().unwrap_or_default());
            match page.get("next").and_then(Value::as_str) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(entries),
            }
        }
    }
}

/// A score under a threshold, and one over it.
fn scores(threshold: u16) -> (u16, u16) {
    (threshold.saturating_sub(13), threshold.saturating_add(6).min(SCORE_MAX.max(threshold)))
}

fn is(entry: &Value, kind: &str, step: &str) -> bool {
    let of = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    of("/type") == kind && of("/workflow/step") == step
}

fn now() -> DateTime<Utc> {
    platform::clock::instant(SystemTime::now())
}
