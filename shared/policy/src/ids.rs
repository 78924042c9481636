//! Identifiers. Each is its own type, so that a team can never stand where a market belongs.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

macro_rules! identifier {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(#[cfg_attr(feature = "schema", schemars(with = "String"))] SmolStr);

        impl $name {
            /// Wraps the text as it is; wire types check its shape before they come here.
            pub fn new(text: impl Into<SmolStr>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(SmolStr::new(text))
            }
        }
    )*};
}

identifier! {
    /// A lead, by the CRM's own identifier.
    LeadId,
    /// An account (a company the leads belong to), by the CRM's own identifier.
    AccountId,
    /// Somebody in the directory: a rep, a manager, a regional VP, customer success.
    PersonId,
    /// A team of reps with one manager and one channel.
    TeamId,
    /// A market: a calendar, a team, and the jurisdictions it is licensed for.
    MarketId,
    /// Where a lead came from (`paid_social`, `inbound_web`, …).
    Source,
    /// A lifecycle state (`NEW`, `CONTACTED`, …) as the policy names it.
    StateId,
    /// A calendar of the directory.
    CalendarId,
    /// An ISO 3166-1 alpha-2 country code, upper case.
    Country,
    /// The stable identifier of one notification; the same on every attempt to send it.
    NotificationId,
}

impl std::borrow::Borrow<str> for Source {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl Source {
    /// Of a lead whose source nobody named.
    pub const OTHER: &'static str = "other";
}

impl StateId {
    /// The hold of the compliance workflow; reserved, no policy can rename it.
    pub const COMPLIANCE_HOLD: &'static str = "COMPLIANCE_HOLD";
    /// Rejected by compliance; reserved and terminal.
    pub const DISQUALIFIED_COMPLIANCE: &'static str = "DISQUALIFIED_COMPLIANCE";

    /// Whether only the compliance workflow may enter or leave this state.
    pub fn is_reserved(&self) -> bool {
        matches!(self.as_str(), Self::COMPLIANCE_HOLD | Self::DISQUALIFIED_COMPLIANCE)
    }
}

/// The subject of an audit trail.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// `lead/L-1001`
    Lead(LeadId),
    /// `account/A-77`
    Account(AccountId),
    /// `rep/rep-ana`
    Rep(PersonId),
    /// `policy/13`, `directory/4`
    Publication(PublicationId),
}

/// A publication: a revision of the policy or of the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicationId {
    /// Of what.
    pub kind: PublicationKind,
    /// Which revision.
    pub revision: u32,
}

/// What is published in revisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum PublicationKind {
    Policy,
    Directory,
}

impl PublicationKind {
    /// Its name in documents, audit and API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Directory => "directory",
        }
    }
}

impl std::fmt::Display for PublicationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.revision)
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lead(id) => write!(f, "lead/{id}"),
            Self::Account(id) => write!(f, "account/{id}"),
            Self::Rep(id) => write!(f, "rep/{id}"),
            Self::Publication(id) => id.fmt(f),
        }
    }
}

/// A text that names no subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a subject; write `lead/…`, `account/…`, `rep/…`, `policy/…`, or `directory/…`")]
pub struct SubjectError(String);

impl std::str::FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let publication = |kind, revision: &str| {
            let revision = revision.parse().map_err(|_| SubjectError(text.to_owned()))?;
            Ok(Self::Publication(PublicationId { kind, revision }))
        };
        match text.split_once('/') {
            Some(("policy", revision)) => publication(PublicationKind::Policy, revision),
            Some(("directory", revision)) => publication(PublicationKind::Directory, revision),
            Some(("lead", id)) if !id.is_empty() => Ok(Self::Lead(id.into())),
            Some(("account", id)) if !id.is_empty() => Ok(Self::Account(id.into())),
            Some(("rep", id)) if !id.is_empty() => Ok(Self::Rep(id.into())),
            _ => Err(SubjectError(text.to_owned())),
        }
    }
}

impl std::str::FromStr for PublicationId {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse()? {
            Subject::Publication(id) => Ok(id),
            _ => Err(SubjectError(text.to_owned())),
        }
    }
}

impl Serialize for PublicationId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicationId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Subject {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
