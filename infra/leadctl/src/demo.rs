//! `leadctl demo`: plays the reference story against what `up` started, with windows of seconds.
//! The policy is the default one; only its numbers are smaller.

use crate::progress::print;
use crate::state::{DIRECTORY, State};
use crate::{clean, history, seed, send, token};
use anyhow::Context as _;
use chrono::{DateTime, SecondsFormat, Utc};
use rules::policy::{Policy, WindowRow};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};
use tokio::signal::unix::{SignalKind, signal};

/// The policy's name while the story is told.
const NAME: &str = "Demo: windows of seconds";
/// Between two looks at the record.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Far longer than the story.
const PATIENCE: Duration = Duration::from_secs(180);

/// A local stack with a story going on in it.
struct Demo {
    state: State,
    operations: String,
    officer: String,
    started: Instant,
    shown: usize,
    lead: String,
    account: String,
}

/// Plays the story, and puts the default policy back.
///
/// # Errors
/// When nothing runs here, or something that should happen does not.
pub async fn run(root: &Path) -> anyhow::Result<()> {
    let state = State::load(&root.join(DIRECTORY))?;
    let store = seed::local_store(&state).await?;
    let before = store.current_policy().await?;
    let default = seed::default_policy(root)?;
    // A demo that was killed leaves its own policy behind; that is not what is put back.
    let put_back = if before.policy.name == NAME { default.clone() } else { before.policy.clone() };
    seed::publish(&store, &quick(default)?, "leadctl demo", "windows of seconds, for the demo").await?;
    let told = tokio::select! {
        told = tell(&state) => told,
        () = told_to_end() => Err(anyhow::anyhow!("interrupted; the policy is put back")),
    };
    seed::publish(&store, &put_back, "leadctl demo", "the demo is over").await?;
    told
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

/// The same document with windows of seconds: 10 s instead of an hour, 50 s instead of 3 days.
fn quick(mut policy: Policy) -> anyhow::Result<Policy> {
    let row = |window: &str| -> anyhow::Result<WindowRow> {
        Ok(WindowRow {
            market: None,
            source: None,
            state: "NEW".into(),
            window: window.parse()?,
            calendar: Some(rules::directory::ALWAYS.into()),
        })
    };
    let workflows = &mut policy.workflows;
    workflows.sla_breach.windows.retain(|row| row.state.as_str() != "NEW");
    workflows.sla_breach.windows.push(row("10s")?);
    workflows.stuck_lead.windows.push(row("25s")?);
    policy.name = NAME.to_owned();
    policy.check()?;
    Ok(policy)
}

async fn tell(state: &State) -> anyhow::Result<()> {
    // Each run has a lead of its own.
    let id = now().timestamp();
    let (lead, account) = (format!("L-demo-{id}"), format!("A-demo-{id}"));
    let mut demo = Demo {
        operations: token::issue(state, "otto").await?.token,
        officer: token::issue(state, "cora").await?.token,
        state: state.clone(),
        started: Instant::now(),
        shown: 0,
        lead: lead.clone(),
        account: account.clone(),
    };
    print(&format!("The sink shows what is sent: {}", demo.state.sink_url));
    demo.chapter("An account, and a lead of it: a window of 10 s instead of an hour");
    demo.post(json!({"type": "account.upserted", "account": {
        "id": account, "name": "Acme", "owner": "rep-bob", "customer_success_owner": "cs-sam"}}))
        .await?;
    demo.post(json!({"type": "lead.upserted", "lead": {
        "id": lead, "market": "us", "country": "US", "source": "paid_social", "company": "Acme", "account_id": account,
        "state": "NEW", "owner": "rep-ana", "score": 72,
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
    demo.chapter("The score crosses 85");
    demo.post(json!({"type": "lead.upserted", "lead": {"id": lead, "score": 91}})).await?;
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
    demo.clear().await?;
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
            let page = self.get(&format!("{path}?limit=100{cursor}"), &self.operations).await?.1;
            entries.extend(page.get("entries").and_then(Value::as_array).cloned().unwrap_or_default());
            match page.get("next").and_then(Value::as_str) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(entries),
            }
        }
    }

    async fn get(&self, path: &str, token: &str) -> anyhow::Result<(Option<String>, Value)> {
        let url = format!("{}{path}", self.state.api_url.trim_end_matches('/'));
        let response = clean::local_client()?.get(&url).bearer_auth(token).send().await?;
        let etag = response.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let status = response.status();
        let body: Value =
            response.json().await.with_context(|| format!("{url} answered {status}, and no JSON"))?;
        anyhow::ensure!(status.is_success(), "GET {url}: {body}");
        Ok((etag, body))
    }

    async fn clear(&self) -> anyhow::Result<()> {
        let path = format!("/v1/compliance/reviews/{}", self.lead);
        let (etag, _) = self.get(&path, &self.officer).await?;
        let url = format!("{}{path}/decision", self.state.api_url.trim_end_matches('/'));
        let decision = json!({"decision": "clear", "reason_code": "false-match", "reason": "Another person of that name."});
        let response = clean::local_client()?
            .post(&url)
            .bearer_auth(&self.officer)
            .header("if-match", etag.context("the review has no ETag")?)
            .json(&decision)
            .send()
            .await?;
        let status = response.status();
        anyhow::ensure!(
            status.is_success(),
            "the decision was not taken: {status} {}",
            response.text().await?
        );
        Ok(())
    }
}

fn is(entry: &Value, kind: &str, step: &str) -> bool {
    let of = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    of("/type") == kind && of("/workflow/step") == step
}

fn now() -> DateTime<Utc> {
    platform::clock::instant(SystemTime::now())
}
