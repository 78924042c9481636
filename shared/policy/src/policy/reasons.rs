//! Reason codes for compliance decisions. Each is for one verdict and may require a second officer.

use crate::vocabulary::Verdict;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A reason code for compliance decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonCode {
    /// What it means.
    pub means: String,
    /// Its verdict. A policy of an earlier version may not have one.
    pub verdict: Option<Verdict>,
    /// How many officers must agree on a decision with this code; the policy may require more.
    pub officers: u8,
}

/// A reason code as people write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "ReasonCode"))]
#[serde(deny_unknown_fields)]
struct Written {
    /// What it means.
    means: String,
    /// Its verdict.
    verdict: Verdict,
    /// How many officers must agree on a decision with this code: 1 or 2.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    officers: u8,
}

fn one() -> u8 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(officers: &u8) -> bool {
    *officers == 1
}

impl Serialize for ReasonCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { means, verdict, officers } = self.clone();
        match verdict {
            Some(verdict) => Written { means, verdict, officers }.serialize(serializer),
            None => means.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ReasonCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = ReasonCode;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a reason; write e.g. `{ means: The match is confirmed., verdict: reject }`")
            }

            fn visit_str<E: Error>(self, means: &str) -> Result<ReasonCode, E> {
                Ok(ReasonCode { means: means.to_owned(), verdict: None, officers: 1 })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ReasonCode, A::Error> {
                let Written { means, verdict, officers } =
                    Written::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ReasonCode { means, verdict: Some(verdict), officers })
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for ReasonCode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Written::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let written = Written::json_schema(generator);
        schemars::json_schema!({
            "description": "A reason code for compliance decisions.",
            "anyOf": [
                written,
                {
                    "type": "string",
                    "deprecated": true,
                    "description": "What it means. Add the verdict it is for: without one, it cannot clear a lead.",
                },
            ],
        })
    }
}

/// Leadwatch's own codes from before codes had verdicts.
const WELL_KNOWN: [(&str, Verdict); 5] = [
    ("false-match", Verdict::Clear),
    ("licensed", Verdict::Clear),
    ("low-risk", Verdict::Clear),
    ("true-match", Verdict::Reject),
    ("prohibited", Verdict::Reject),
];

/// The verdict of a code of Leadwatch's own, for policies that do not name it.
pub fn well_known(code: &str) -> Option<Verdict> {
    WELL_KNOWN.iter().find(|(known, _)| *known == code).map(|(_, verdict)| *verdict)
}

impl ReasonCode {
    pub(super) fn verdict_of(&self, code: &str) -> Option<Verdict> {
        self.verdict.or_else(|| well_known(code))
    }
}
