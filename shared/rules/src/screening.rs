//! What a screening finds: criteria, and matches with their details.

use serde::{Deserialize, Serialize};

/// A criterion of the compliance workflow that was met. Nothing personal is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Criterion {
    /// Which kind.
    pub kind: CriterionKind,
    /// The match, as the list names it.
    pub match_id: String,
    /// The list it was found on.
    pub list: String,
    /// The version of that list.
    pub list_version: String,
    /// How strong the match is, in percent, where the screening says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<u8>,
}

/// The kinds of criteria.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CriterionKind {
    /// A match on a sanctions list.
    Sanctions,
    /// A politically exposed person.
    Pep,
    /// A jurisdiction the market is not licensed for.
    Jurisdiction,
    /// Adverse media.
    AdverseMedia,
    /// Something a screening sent that nobody could read as a match. It holds the lead: what it
    /// says may be any of the others.
    Unreadable,
}

/// A criterion with what a screening found about a person; the second part is personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// The criterion.
    pub criterion: Criterion,
    /// Whom it matched and why, as the screening says; personal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<MatchDetails>,
}

/// What a screening found about a person. Every text is personal and is stored sealed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct MatchDetails {
    /// The listed name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Other names of the listed person or company.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// As the list writes it; many lists know only a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nationality: Option<String>,
    /// The name that the screening looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screened_name: Option<String>,
    /// Of an article: its headline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headline: Option<String>,
    /// Where the record or article is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Who published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Anything else, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl MatchDetails {
    /// Whether it says anything.
    pub fn is_said(&self) -> bool {
        *self != Self::default()
    }

    /// All of its texts.
    pub fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let Self { name, aliases, date_of_birth, nationality, screened_name, headline, url, source, note } =
            self;
        [name, date_of_birth, nationality, screened_name, headline, url, source, note]
            .into_iter()
            .flatten()
            .chain(aliases)
    }
}

/// The name of what stands for further matches. What a source sends is never named so.
pub(crate) const MORE: &str = "more-matches";
