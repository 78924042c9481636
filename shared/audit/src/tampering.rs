//! Reports of a changed audit, and the operators' acknowledgments.
//!
//! A report is stored beside the checkpoints, where nobody can change or delete it. While a report is not
//! acknowledged, no checkpoint is made: a signature over a changed audit would confirm it. An acknowledgment
//! is stored there too, permanently, with its author, time and reason.
//!
//! ```text
//! tampering/lead~L-1_000000000003_replaced_4910.json
//! acknowledged/lead~L-1_000000000003_replaced_4910.json
//! ```

use crate::hash::sha256;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The prefix of reports.
pub const TAMPERING: &str = "tampering/";
/// The prefix of acknowledgments, with the same names.
pub const ACKNOWLEDGED: &str = "acknowledged/";

/// An alteration of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alteration {
    /// The stream shows that its item was written again.
    Replaced,
    /// The stream shows that its item was deleted.
    Removed,
    /// Its content differs from what was signed, or from its subject's head.
    Altered,
}

impl Alteration {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::Removed => "removed",
            Self::Altered => "altered",
        }
    }
}

/// A report of a changed commit, without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The subject, as in `lead/L-1`.
    pub subject: String,
    /// The commit, from its key in the table; a text, because a tampered key can hold anything.
    pub commit: String,
    /// The alteration.
    #[serde(rename = "deed")]
    pub alteration: Alteration,
    /// A mark that distinguishes this alteration from others of the same commit: its place in the stream, or
    /// the changed commit's hash.
    pub mark: String,
}

/// An operator's acknowledgment of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgment {
    /// The operator.
    pub by: String,
    /// The time.
    pub at: DateTime<Utc>,
    /// The finding, and why checkpoints may continue.
    pub why: String,
}

impl Report {
    /// Its name, which is the same for each report of the same alteration.
    #[must_use]
    pub fn name(&self) -> String {
        let Self { subject, commit, alteration, mark } = self;
        let [subject, commit, mark] = [subject, commit, mark].map(|text| plain(text));
        format!("{subject}_{commit}_{}_{mark}.json", alteration.as_str())
    }

    /// The path it is stored at.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{TAMPERING}{}", self.name())
    }
}

/// The longest part of a name, in bytes.
const PART_BYTES_MAX: usize = 160;

/// A text as a part of a name: an id as it is, any other text with its hash appended.
fn plain(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || ".:@-".contains(c);
    let name: String = text.chars().take(PART_BYTES_MAX).map(|c| if fits(c) { c } else { '~' }).collect();
    let is_whole = text.len() <= PART_BYTES_MAX && text.chars().all(|c| fits(c) || c == '/');
    // A subject is a kind and an id, and no id has a slash.
    if is_whole && text.matches('/').count() <= 1 {
        return name;
    }
    let hash = sha256([text.as_bytes()]).to_string();
    format!("{name}~{}", hash.get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(subject: &str, commit: &str) -> String {
        let (alteration, mark) = (Alteration::Replaced, "49".to_owned());
        Report { subject: subject.to_owned(), commit: commit.to_owned(), alteration, mark }.name()
    }

    #[test]
    fn each_report_has_its_own_name() {
        assert_eq!(name("lead/L-1", "000000000003"), "lead~L-1_000000000003_replaced_49.json");
        let odd = [
            "lead/L_1",
            "lead/L~1",
            "lead/L/1",
            "lead/../x",
            "lead/L\n1",
            &"x".repeat(500),
            &"x".repeat(501),
        ];
        let names: std::collections::BTreeSet<String> =
            odd.iter().map(|subject| name(subject, "1")).collect();
        assert_eq!(names.len(), odd.len(), "{names:?}");
        for name in names {
            assert!(name.len() < 400 && !name.contains(['/', '\n']), "{name}");
        }
    }
}
