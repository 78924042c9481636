//! How the history of a subject is chained.
//!
//! Each entry's hash covers the entry and the hash before it. A commit ends with its seal: a hash
//! over its last entry's and over what the commit says beside its entries (which attempt wrote it,
//! when, what its decision answered and saw). The first entry of the next commit follows that seal,
//! so that nothing of a commit can be changed, taken out, put in or moved without all that follows
//! being different. The seal of the last commit is the subject's **head**.
//!
//! ```text
//! entry  = sha256 {"entry": …, "prev": hash before, "v": 1}
//! seal   = sha256 {"at": …, "attempt": …, "cause": …, "commit": n, "prev": last entry's hash,
//!                  "recorded": … or null, "recorded_at": …, "subject": …, "v": 1}
//! ```

use crate::canonical::{self, CanonicalError};
use crate::{Hash, sha256};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use serde_json::value::RawValue;

/// The version of these rules; it is under every hash.
pub const VERSION: u32 = 1;

/// What a commit says beside its entries.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// Whose history it belongs to.
    pub subject: &'a str,
    /// Its place there, from 1.
    pub commit: u64,
    /// The input that it answers.
    pub cause: &'a str,
    /// When its last entry took effect.
    pub at: DateTime<Utc>,
    /// When it was decided.
    pub recorded_at: DateTime<Utc>,
    /// The attempt that wrote it.
    pub attempt: &'a str,
    /// What it answered and what its decision saw, canonical.
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
/// A number that cannot be hashed.
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
    // Canonical by construction: the names are in order, and the entry's own text is.
    let tail = format!(",\"prev\":\"{prev}\",\"v\":{VERSION}}}");
    sha256([b"{\"entry\":".as_slice(), entry.as_bytes(), tail.as_bytes()])
}

fn seal(last: Hash, circumstances: &Circumstances<'_>) -> Result<Hash, CanonicalError> {
    let Circumstances { subject, commit, cause, at, recorded_at, attempt, recorded } = *circumstances;
    let begin = canonical::of_value(&serde_json::json!({
        "at": instant(at), "attempt": attempt, "cause": cause, "commit": commit, "prev": last,
    }))?;
    let end = canonical::of_value(&serde_json::json!({
        "recorded_at": instant(recorded_at), "subject": subject, "v": VERSION,
    }))?;
    // One object of the three parts; what was recorded can be large, and is canonical already.
    let (begin, end) = (begin.trim_end_matches('}'), end.trim_start_matches('{'));
    let recorded = format!(",\"recorded\":{},", recorded.unwrap_or("null"));
    Ok(sha256([begin.as_bytes(), recorded.as_bytes(), end.as_bytes()]))
}

/// An instant as it is hashed: UTC, with all the digits it has.
pub fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The entries of a commit, each with its own text.
///
/// # Errors
/// It is no JSON array.
pub fn split(entries: &str) -> Result<Vec<&RawValue>, CanonicalError> {
    Ok(serde_json::from_str(entries)?)
}

/// What tells where an entry that is shown belongs, by the names that are used everywhere.
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
    fn what_is_hashed_is_canonical_as_a_whole() {
        let recorded = r#"{"actor":"x"}"#;
        let circumstances = circumstances(3, Some(recorded));
        let links = chained(Hash::ZERO, &circumstances, r#"[{"seq":1}]"#);
        let entry =
            canonical::of_value(&serde_json::json!({"entry": {"seq": 1}, "prev": Hash::ZERO, "v": 1}));
        assert_eq!(links.entries, [sha256([entry.unwrap().as_bytes()])]);
        let seal = canonical::of_value(&serde_json::json!({
            "at": "2026-03-02T14:00:00Z", "attempt": "0a", "cause": "evt_1", "commit": 3,
            "prev": links.entries[0], "recorded": {"actor": "x"},
            "recorded_at": "2026-03-02T14:00:00Z", "subject": "lead/L-1", "v": 1,
        }));
        assert_eq!(links.head, sha256([seal.unwrap().as_bytes()]));
    }

    #[test]
    fn every_part_of_a_commit_is_under_its_head() {
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
