//! Reports that the record was changed, and what an operator said to each.
//!
//! A report lies beside the checkpoints, where nobody can change or delete it. While one is not
//! acknowledged no checkpoint is made: a signature over a record that was changed would say that it
//! is sound. An acknowledgment lies there too, for ever, with who gave it, when and why.
//!
//! ```text
//! tampering/lead~L-1_000000000003_replaced_4910.json
//! acknowledged/lead~L-1_000000000003_replaced_4910.json
//! ```

use crate::hash::sha256;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Where reports are kept.
pub const TAMPERING: &str = "tampering/";
/// Where what was said to them is kept, under the same names.
pub const ACKNOWLEDGED: &str = "acknowledged/";

/// What was done to a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Its item was put or updated again, as the stream tells.
    Replaced,
    /// Its item was deleted, as the stream tells.
    Removed,
    /// It was read, and does not come to what was signed or to what stands beside its subject.
    Altered,
}

impl Deed {
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

/// A report. It names the commit and holds nothing of its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Whose history it is, as in `lead/L-1`.
    pub subject: String,
    /// The commit, as its key in the table says; a text, since whoever changes the record may write anything.
    pub commit: String,
    /// What was done to it.
    pub deed: Deed,
    /// What tells this deed from others to the same commit: its place in the stream, or what the
    /// commit comes to now.
    pub mark: String,
}

/// What an operator said to a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgment {
    /// Who looked at it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What they found, and why checkpoints may go on.
    pub why: String,
}

impl Report {
    /// Its name: the same each time the same deed is reported.
    #[must_use]
    pub fn name(&self) -> String {
        let Self { subject, commit, deed, mark } = self;
        let [subject, commit, mark] = [subject, commit, mark].map(|text| plain(text));
        format!("{subject}_{commit}_{}_{mark}.json", deed.as_str())
    }

    /// Where it is kept.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{TAMPERING}{}", self.name())
    }
}

/// The longest part of a name, in bytes.
const PART_BYTES_MAX: usize = 160;

/// A text as a part of a name: what it says where it is an identifier, and a hash beside it where a
/// character had to be replaced.
fn plain(text: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || ".:@-".contains(c);
    let name: String = text.chars().take(PART_BYTES_MAX).map(|c| if fits(c) { c } else { '~' }).collect();
    let is_whole = text.len() <= PART_BYTES_MAX && text.chars().all(|c| fits(c) || c == '/');
    // A subject is a kind and an identifier, and no identifier has a slash.
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
        let (deed, mark) = (Deed::Replaced, "49".to_owned());
        Report { subject: subject.to_owned(), commit: commit.to_owned(), deed, mark }.name()
    }

    #[test]
    fn a_report_has_a_name_of_its_own() {
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
