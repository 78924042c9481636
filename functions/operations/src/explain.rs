//! Explains why a lead's workflows fired or did not: now, at a time in the past, or at a future time if
//! nothing happens until then.

use crate::call::Call;
use crate::knowledge::learn;
use crate::sight;
use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use chrono::{DateTime, SecondsFormat, Utc};
use insight::explain;
use insight::explain::{CompleteHistory, ExplainError, Explanation, RecordedLater};
use platform::problem::Problem;
use platform::response;
use policy::Rulebook;
use policy::ids::{LeadId, Subject};
use rules::ask::{Answer, Asking};
use rules::entry::Entry;
use rules::world::World;
use service::problem;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{PAGE_MAX, Store, StoreError, StoredCommit};

/// `GET /v1/leads/{id}/explain`
pub async fn show(call: &Call<'_>) -> Result<ApiGatewayV2httpResponse, Problem> {
    let asked = call.request.query("at").map(instant).transpose()?;
    let id = call.request.path_parameter("id").map(LeadId::from)?;
    let lead = call.service.require_lead(&id).await?;
    // Clocks differ: the last change may seem to be in the future.
    let now = call.now.max(lead.changed_at);
    let at = asked.unwrap_or(now);
    let explained = explain_at(&call.service.store, &id, at, now).await?;
    Ok(response::json(200, &sight::explanation(explained, call.caller), None))
}

fn instant(text: &str) -> Result<DateTime<Utc>, Problem> {
    let parsed = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    parsed.map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        Problem::unprocessable(format!(
            "`at` must be an RFC 3339 time such as `2026-03-02T14:50:00Z`, not `{shown}`"
        ))
    })
}

async fn explain_at(
    store: &Store,
    id: &LeadId,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Explanation, Problem> {
    let by = at.min(now);
    let failed = |error: StoreError| problem(&error);
    let commits = commits_until(store, &Subject::Lead(id.clone()), by).await.map_err(failed)?;
    let lead = entries(&commits, StoredCommit::of_lead).map_err(failed)?;
    if let Some(first) = lead.first().filter(|first| first.at > by) {
        return Err(refusal(id, ExplainError::NotYet { begins_at: first.at }));
    }
    let linked = explain::account_of(&lead, by).map_err(|error| refusal(id, error.into()))?;
    let account = match linked {
        Some(account) => {
            let commits = commits_until(store, &Subject::Account(account), by).await.map_err(failed)?;
            entries(&commits, StoredCommit::of_account).map_err(failed)?
        }
        None => Vec::new(),
    };
    let (policy, directory) =
        futures::future::try_join(store.policy_at(by), store.directory_at(by)).await.map_err(failed)?;
    let (Some(policy), Some(directory)) = (policy, directory) else {
        return Err(Problem::not_found(format!("no policy or directory was in force at {}", spelled(by))));
    };
    let mut world = World::new(Arc::new(Rulebook::new(policy, directory)));
    let record = CompleteHistory { lead: &lead, account: &account };
    let question = |world: &World| match explain::explain(record, world, at, now) {
        Err(ExplainError::Missing(missing)) => Err(missing.into()),
        explained => Ok(explained),
    };
    let mut asking = Asking::default();
    let explained = loop {
        match asking.ask(&mut world, question).map_err(|defect| refusal(id, ExplainError::Defect(defect)))? {
            Answer::Given(explained) => break explained,
            Answer::Lacking(missing) => learn(store, missing, &mut world).await.map_err(failed)?,
        }
    };
    let mut explanation = explained.map_err(|error| refusal(id, error))?;
    explanation.recorded_later = recorded_later(&commits, &lead, by);
    Ok(explanation)
}

/// The problem for a missing explanation.
fn refusal(id: &LeadId, error: ExplainError) -> Problem {
    match error {
        ExplainError::NotYet { begins_at } => {
            Problem::not_found(format!("the history of lead `{id}` begins later, at {}", spelled(begins_at)))
        }
        ExplainError::NoHistory => Problem::not_found(format!("lead `{id}` does not exist")),
        ExplainError::Missing(_) | ExplainError::Unsound(_) | ExplainError::Defect(_) => {
            tracing::error!(error = %platform::telemetry::ErrorChain(&error), "a lead cannot be explained");
            Problem::internal()
        }
    }
}

fn spelled(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The commits of a subject, up to the first that took effect after a time.
async fn commits_until(
    store: &Store,
    subject: &Subject,
    at: DateTime<Utc>,
) -> Result<Vec<StoredCommit>, StoreError> {
    let (mut commits, mut after) = (Vec::new(), None);
    loop {
        let page = store.audit(subject, after.as_ref(), PAGE_MAX).await?;
        let is_over = page.items.last().is_none_or(|last| last.at > at);
        commits.extend(page.items);
        after = page.next.filter(|_| !is_over);
        if after.is_none() {
            return Ok(commits);
        }
    }
}

fn entries<F>(
    commits: &[StoredCommit],
    of: impl Fn(&StoredCommit) -> Result<Vec<Entry<F>>, StoreError>,
) -> Result<Vec<Entry<F>>, StoreError> {
    let of_commits: Vec<Vec<Entry<F>>> = commits.iter().map(of).collect::<Result<_, _>>()?;
    Ok(of_commits.into_iter().flatten().collect())
}

fn recorded_later<F>(
    commits: &[StoredCommit],
    entries: &[Entry<F>],
    at: DateTime<Utc>,
) -> Vec<RecordedLater> {
    let recorded: BTreeMap<u64, DateTime<Utc>> =
        commits.iter().map(|commit| (commit.commit, commit.recorded_at)).collect();
    let by_then = entries.iter().filter(|entry| entry.at <= at);
    by_then
        .filter_map(|entry| {
            let recorded_at = recorded.get(&entry.commit).copied().filter(|recorded| *recorded > at)?;
            Some(RecordedLater { seq: entry.seq, at: entry.at, recorded_at })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entry_that_was_recorded_late_is_named() {
        let entry = |seq: u64, at: &str| {
            json!({"subject": "lead/L-1", "seq": seq, "commit": seq, "at": at, "actor": {"kind": "system", "id": "clock"},
                "cause": "test", "policy_revision": 1, "directory_revision": 1, "type": "high-value.rearmed", "data": {}})
        };
        let commit = |seq: u64, at: &str, recorded_at: &str| StoredCommit {
            subject: Subject::Lead("L-1".into()),
            commit: seq,
            cause: "test".to_owned(),
            at: at.parse().unwrap(),
            recorded_at: recorded_at.parse().unwrap(),
            first_seq: seq,
            last_seq: seq,
            entries: vec![entry(seq, at)],
        };
        let commits = [
            commit(1, "2026-03-02T14:00:00Z", "2026-03-02T14:00:00Z"),
            commit(2, "2026-03-02T15:00:00Z", "2026-03-02T15:01:00Z"),
            commit(3, "2026-03-02T15:02:00Z", "2026-03-02T15:02:00Z"),
        ];
        let entries = entries(&commits, StoredCommit::of_lead).unwrap();
        let later = |at: &str| -> Vec<u64> {
            let later = recorded_later(&commits, &entries, at.parse().unwrap());
            later.iter().map(|later| later.seq).collect()
        };
        assert_eq!(later("2026-03-02T15:00:30Z"), [2], "the sweep recorded it a minute late");
        assert_eq!(later("2026-03-02T15:01:00Z"), [0; 0]);
        assert_eq!(later("2026-03-02T14:59:59Z"), [0; 0]);
    }
}
