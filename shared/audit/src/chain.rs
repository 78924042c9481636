//! Chains the history of a subject.
//!
//! Each entry's hash covers the entry and the previous hash. A commit ends with its seal: a hash over its
//! last entry's hash and over the commit's statement (the attempt that wrote it, the time, the input, and the
//! data of its decision). The first entry of the next commit follows that seal. So nobody can change, remove,
//! insert or move any part of a commit without changing everything after it. The seal of the last commit is
//! the subject's **head**.
//!
//! ```text
//! entry  = sha256 {"entry": sha256 of the entry, "prev": hash before, "v": 1}
//! seal   = sha256 {"prev": last entry's hash, "seal": sha256 of the statement, "v": 1}
//! statement = {"at": …, "attempt": …, "cause": …, "commit": n,
//!              "recorded": sha256 of what was recorded or null, "recorded_at": …, "subject": …}
//! ```
//!
//! Links cover hashes of the texts instead of the texts, so that a proof for one entry does not reveal the
//! entries after it.

use crate::canonical::{self, CanonicalError};
use crate::hash::{Hash, sha256};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// The version of these rules, part of every hash.
pub const VERSION: u32 = 1;

/// The statement of a commit, beside its entries.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The subject of the history.
    pub subject: &'a str,
    /// Its place in the history, from 1.
    pub commit: u64,
    /// The input that caused it.
    pub cause: &'a str,
    /// When its last entry took effect.
    pub at: DateTime<Utc>,
    /// When it was decided.
    pub recorded_at: DateTime<Utc>,
    /// The attempt that wrote it.
    pub attempt: &'a str,
    /// The recorded input and the data of its decision, canonical.
    pub recorded: Option<&'a str>,
}

/// The links of one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// The hash of each entry, in order.
    pub entries: Vec<Hash>,
    /// The seal over the commit: the subject's head, until the next one.
    pub head: Hash,
}

/// The links of a commit that follows `prev`, from its entries in canonical form.
///
/// # Errors
/// If a number cannot be hashed.
pub fn links(
    prev: Hash,
    circumstances: &Circumstances<'_>,
    entries: &[&RawValue],
) -> Result<Links, CanonicalError> {
    let mut last = prev;
    let mut hashes = Vec::with_capacity(entries.len());
    for entry in entries {
        last = entry_hash(last, entry.get());
        hashes.push(last);
    }
    Ok(Links { head: seal(last, circumstances)?, entries: hashes })
}

/// The hash of an entry in canonical form that follows `prev`.
pub fn entry_hash(prev: Hash, entry: &str) -> Hash {
    Link::Entry(sha256([entry.as_bytes()])).after(prev)
}

fn seal(last: Hash, circumstances: &Circumstances<'_>) -> Result<Hash, CanonicalError> {
    Ok(Link::Seal(sha256([circumstances.statement()?.as_bytes()])).after(last))
}

impl Circumstances<'_> {
    /// The statement that a commit's seal covers, in canonical form.
    ///
    /// # Errors
    /// If a number cannot be hashed.
    pub fn statement(&self) -> Result<String, CanonicalError> {
        let Self { subject, commit, cause, at, recorded_at, attempt, recorded } = *self;
        canonical::of_value(&serde_json::json!({
            "at": instant(at), "attempt": attempt, "cause": cause, "commit": commit,
            "recorded": recorded.map(|text| sha256([text.as_bytes()])),
            "recorded_at": instant(recorded_at), "subject": subject,
        }))
    }
}

/// A link of the chain, by the hash of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// An entry.
    Entry(Hash),
    /// The end of a commit.
    Seal(Hash),
}

impl Link {
    /// Its hash after `prev`.
    pub fn after(self, prev: Hash) -> Hash {
        // Canonical by construction: the names are in order.
        let text = match self {
            Self::Entry(of) => format!("{{\"entry\":\"{of}\",\"prev\":\"{prev}\",\"v\":{VERSION}}}"),
            Self::Seal(of) => format!("{{\"prev\":\"{prev}\",\"seal\":\"{of}\",\"v\":{VERSION}}}"),
        };
        sha256([text.as_bytes()])
    }
}

/// A time as it is hashed: UTC, with all its digits.
pub fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The entries of a commit, each with its own text.
///
/// # Errors
/// If it is no JSON array.
pub fn split(entries: &str) -> Result<Vec<&RawValue>, CanonicalError> {
    Ok(serde_json::from_str(entries)?)
}

/// Adds an entry's links to its JSON.
pub fn with_links(entry: &mut Value, prev: Hash, hash: Hash) {
    if let Value::Object(members) = entry {
        members.insert("prev".to_owned(), Value::String(prev.to_string()));
        members.insert("hash".to_owned(), Value::String(hash.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circumstances<'a>(commit: u64, recorded: Option<&'a str>) -> Circumstances<'a> {
        let at = "2026-03-02T14:00:00Z".parse().unwrap();
        let (subject, cause, attempt) = ("lead/L-1", "evt_1", "0a");
        Circumstances { subject, commit, cause, at, recorded_at: at, attempt, recorded }
    }

    fn chained(prev: Hash, circumstances: &Circumstances<'_>, entries: &str) -> Links {
        links(prev, circumstances, &split(entries).unwrap()).unwrap()
    }

    #[test]
    fn every_hashed_text_is_canonical() {
        let recorded = r#"{"actor":"x"}"#;
        let circumstances = circumstances(3, Some(recorded));
        let links = chained(Hash::ZERO, &circumstances, r#"[{"seq":1}]"#);
        let of = |text: &str| sha256([text.as_bytes()]);
        let entry = serde_json::json!({"entry": of(r#"{"seq":1}"#), "prev": Hash::ZERO, "v": 1});
        assert_eq!(links.entries, [of(&canonical::of_value(&entry).unwrap())]);
        let statement = canonical::of_value(&serde_json::json!({
            "at": "2026-03-02T14:00:00Z", "attempt": "0a", "cause": "evt_1", "commit": 3,
            "recorded": of(recorded), "recorded_at": "2026-03-02T14:00:00Z", "subject": "lead/L-1",
        }));
        let seal = serde_json::json!({"prev": links.entries[0], "seal": of(&statement.unwrap()), "v": 1});
        assert_eq!(links.head, of(&canonical::of_value(&seal).unwrap()));
    }

    #[test]
    fn the_head_covers_every_part_of_a_commit() {
        let stands = circumstances(1, Some("{}"));
        let entries = r#"[{"seq":1},{"seq":2}]"#;
        let head = chained(Hash::ZERO, &stands, entries).head;
        let later = "2026-03-02T14:00:00.001Z".parse().unwrap();
        for changed in [
            Circumstances { subject: "lead/L-2", ..stands },
            Circumstances { commit: 2, ..stands },
            Circumstances { cause: "evt_2", ..stands },
            Circumstances { at: later, ..stands },
            Circumstances { recorded_at: later, ..stands },
            Circumstances { attempt: "0b", ..stands },
            Circumstances { recorded: None, ..stands },
            Circumstances { recorded: Some("[]"), ..stands },
        ] {
            assert_ne!(chained(Hash::ZERO, &changed, entries).head, head, "{changed:?}");
        }
        for changed in [r#"[{"seq":1},{"seq":3}]"#, r#"[{"seq":2},{"seq":1}]"#, r#"[{"seq":1}]"#] {
            assert_ne!(chained(Hash::ZERO, &stands, changed).head, head, "{changed}");
        }
        assert_ne!(chained(head, &stands, entries).head, head);
        assert_eq!(chained(Hash::ZERO, &stands, entries).head, head);
    }
}
