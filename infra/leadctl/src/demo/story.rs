//! The plot: what the demo does as a CRM and as an officer, and what must follow.

use super::histories::Histories;
use super::teller::{Form, Teller};
use super::wording::Names;
use super::{cleanup, market};
use crate::api::Api;
use crate::send;
use crate::state::State;
use anyhow::ensure;
use chrono::{DateTime, SecondsFormat, Utc};
use policy::Policy;
use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime};

/// How often the demo reads the audit.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Far longer than the story.
const PATIENCE: Duration = Duration::from_secs(180);
/// The highest score there is.
const SCORE_MAX: u16 = 1000;

/// A story that is being played.
pub(super) struct Story<'s> {
    state: &'s State,
    histories: Histories,
    teller: Teller,
    started: Instant,
    /// Every entry so far.
    entries: Vec<Value>,
    lead: String,
    account: String,
}

impl<'s> Story<'s> {
    /// A story with a lead and an account of its own.
    ///
    /// # Errors
    /// When the API does not answer.
    pub async fn begin(state: &'s State, names: Names, form: Form) -> anyhow::Result<Self> {
        let begun = now();
        let (lead, account) =
            (format!("L-demo-{}", begun.timestamp()), format!("A-demo-{}", begun.timestamp()));
        let histories = Histories::new(Api::local(state, "otto").await?, &account, &lead);
        let teller = Teller::new(form, names, now());
        Ok(Self { state, histories, teller, started: Instant::now(), entries: Vec::new(), lead, account })
    }

    /// Plays all of it.
    ///
    /// # Errors
    /// When something that must follow does not.
    pub async fn play(mut self, policy: &Policy) -> anyhow::Result<()> {
        self.teller.note(&format!(
            "The story of one lead, in about a minute. Messages appear at {} as they would go out.",
            self.state.sink_url
        ));
        let (below, above) = scores(policy.workflows.high_value.score);
        self.arrives(below).await?;
        self.goes_unanswered().await?;
        self.is_worth_more(above).await?;
        self.is_held().await?;
        self.account_may_leave().await?;
        self.is_won().await?;
        self.teller.note(&format!(
            "\nThe audit has every entry. Next:\n  cargo leadctl explain {lead}\n  cargo leadctl audit show lead/{lead}",
            lead = self.lead
        ));
        Ok(())
    }

    async fn arrives(&mut self, score: u16) -> anyhow::Result<()> {
        let (ada, cam) = (market::person("ada"), market::person("cam"));
        self.teller.chapter("A lead arrives. Its window is 10 s instead of an hour.");
        self.post(json!({"type": "account.upserted", "account": {
            "id": self.account, "name": "Acme", "owner": ada, "customer_success_owner": cam}}))
            .await?;
        self.post(json!({"type": "lead.upserted", "lead": {
            "id": self.lead, "market": market::NAME, "country": "US", "source": "paid_social", "company": "Acme",
            "account_id": self.account, "state": "NEW", "owner": ada, "score": score,
            "contact": {"name": "Kim Contact", "email": "kim@acme.test"}}}))
            .await?;
        self.until("the lead arrives", |e| is(e, "lead.created", "")).await
    }

    async fn goes_unanswered(&mut self) -> anyhow::Result<()> {
        self.teller.chapter("1. SLA breach: nobody answers the lead.");
        self.until("the owner is warned", |e| is(e, "threshold.reached", "imminent")).await?;
        self.until("the breach is recorded", |e| is(e, "threshold.reached", "breached")).await?;
        self.until("another rep gets the lead", |e| is(e, "lead.reassigned", "significantly-past")).await?;
        self.until("the second window ends, too", |e| {
            is(e, "threshold.reached", "significantly-past") && e.pointer("/data/clock") == Some(&json!(2))
        })
        .await?;
        self.teller.chapter("2. Stuck lead: it stays in NEW, although its owner changed.");
        self.until("the owner is asked to move it", |e| is(e, "threshold.reached", "ask-owner")).await
    }

    async fn is_worth_more(&mut self, score: u16) -> anyhow::Result<()> {
        self.teller.chapter("3. High value: its score rises.");
        self.post(json!({"type": "lead.upserted", "lead": {"id": self.lead, "score": score}})).await?;
        self.until("the lead is flagged as high value", |e| is(e, "high-value.flagged", "")).await
    }

    async fn is_held(&mut self) -> anyhow::Result<()> {
        self.teller.chapter("4. Compliance flag: a screening finds its contact on a sanctions list.");
        self.post(json!({"type": "lead.flagged", "lead": {"id": self.lead, "flags": {"sanctions": [
            {"match_id": "ofac-123", "list": "OFAC-SDN", "list_version": "2026-02-27", "strength": 92, "name": "K. Contact"}]}}}))
            .await?;
        self.until("compliance holds the lead", |e| is(e, "compliance.held", "")).await?;
        self.post(json!({"type": "lead.state_changed", "lead": {"id": self.lead, "state": "CONTACTED"}}))
            .await?;
        self.until("the CRM's change is refused", |e| is(e, "input.refused", "")).await?;
        cleanup::clear(self.state, &self.lead).await?;
        self.until("the review is decided", |e| is(e, "review.decided", "")).await
    }

    async fn account_may_leave(&mut self) -> anyhow::Result<()> {
        self.teller.chapter("5. Churn risk: its account uses the product less.");
        self.post(json!({"type": "account.churn_signal", "account": {
            "id": self.account, "signal": "usage_down", "evidence": {"weekly_active_users": "-40 %"}}}))
            .await?;
        self.until("outreach to the lead is paused", |e| is(e, "account.applied", "")).await
    }

    async fn is_won(&mut self) -> anyhow::Result<()> {
        self.teller.chapter("The lead is won.");
        self.post(json!({"type": "lead.state_changed", "lead": {"id": self.lead, "state": "WON"}})).await?;
        let is_won = |e: &Value| is(e, "state.changed", "") && e.pointer("/data/to") == Some(&json!("WON"));
        self.until("the lead is closed", is_won).await
    }

    async fn post(&self, mut event: Value) -> anyhow::Result<()> {
        let at = now();
        if let Value::Object(members) = &mut event {
            members.insert("id".to_owned(), json!(format!("demo-{}", at.timestamp_micros())));
            members.insert("occurred_at".to_owned(), json!(at.to_rfc3339_opts(SecondsFormat::Millis, true)));
        }
        let answer = send::post(self.state, "generic", &event).await?;
        ensure!(answer.status == 200, "the local stack refused an event of the demo: {}", answer.body);
        Ok(())
    }

    /// Shows what happens until an entry is there and its messages are delivered.
    async fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<()> {
        loop {
            for commit in self.histories.new_commits().await? {
                self.entries.extend(commit.iter().cloned());
                self.teller.take(commit)?;
            }
            if self.entries.iter().any(&wanted) && self.teller.is_up_to_date() {
                return Ok(());
            }
            ensure!(
                self.started.elapsed() < PATIENCE,
                "the demo waited for {} s in vain until {what}; see .leadwatch/log/functions.log",
                PATIENCE.as_secs()
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// A score below a threshold, and one above it.
fn scores(threshold: u16) -> (u16, u16) {
    (threshold.saturating_sub(13), threshold.saturating_add(6).min(SCORE_MAX.max(threshold)))
}

/// Whether an entry is of this type and of this step of its workflow.
fn is(entry: &Value, kind: &str, step: &str) -> bool {
    let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    text("/type") == kind && text("/workflow/step") == step
}

fn now() -> DateTime<Utc> {
    platform::clock::instant(SystemTime::now())
}
