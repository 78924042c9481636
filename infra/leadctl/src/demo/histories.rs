//! The histories of the demo's lead and account, read as they grow.

use crate::api::Api;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// Two histories, each with the number of entries that were read.
pub(super) struct Histories {
    api: Api,
    paths: [(String, usize); 2],
}

impl Histories {
    pub fn new(api: Api, account: &str, lead: &str) -> Self {
        let paths = [(format!("/v1/accounts/{account}/audit"), 0), (format!("/v1/leads/{lead}/audit"), 0)];
        Self { api, paths }
    }

    /// The commits since the last call, in the order in which they were recorded. A commit is whole: the API
    /// shows all of its entries or none.
    ///
    /// # Errors
    /// When the API does not answer, or refuses.
    pub async fn new_commits(&mut self) -> anyhow::Result<Vec<Vec<Value>>> {
        let mut commits: Vec<Vec<Value>> = Vec::new();
        for (path, read) in &mut self.paths {
            let entries = entries(&self.api, path).await?;
            for entry in entries.into_iter().skip(*read) {
                *read += 1;
                match commits.last_mut() {
                    Some(commit) if commit.first().is_some_and(|first| is_of_same_commit(first, &entry)) => {
                        commit.push(entry);
                    }
                    _ => commits.push(vec![entry]),
                }
            }
        }
        commits.sort_by_key(|commit| commit.first().and_then(recorded_at));
        Ok(commits)
    }
}

fn recorded_at(entry: &Value) -> Option<DateTime<Utc>> {
    entry.get("recorded_at")?.as_str()?.parse().ok()
}

fn is_of_same_commit(one: &Value, other: &Value) -> bool {
    ["subject", "commit"].iter().all(|name| one.get(name) == other.get(name))
}

/// A whole history, page by page; empty while the subject does not exist.
async fn entries(api: &Api, path: &str) -> anyhow::Result<Vec<Value>> {
    let mut entries = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = api.get(&format!("{path}?limit=100{cursor}")).await?;
        if page.status == 404 {
            return Ok(entries);
        }
        let page = page.ok()?;
        entries.extend(page.get("entries").and_then(Value::as_array).cloned().unwrap_or_default());
        match page.get("next").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(entries),
        }
    }
}
