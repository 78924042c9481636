//! The calendar as people write it.
//!
//! Hours, dates and lengths are text here. Compiling the calendar reads them, so it reports every mistake
//! with its place, instead of the first one only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A calendar as written in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CalendarDocument {
    /// The IANA name of the time zone, such as `Europe/Berlin`. Default for a calendar that is `always` open:
    /// `UTC`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub time_zone: String,
    /// Open around the clock. Leave out `hours`, `holidays`, and `exceptions` then.
    #[serde(default)]
    pub always: bool,
    /// The business hours that start on each weekday, as blocks such as `09:00-12:00`. An end earlier than the
    /// start is on the next day; `24:00` is midnight. Blocks may touch but not overlap. A weekday without
    /// blocks is closed; at least one weekday must be open.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hours: BTreeMap<Weekday, Vec<String>>,
    /// Holidays: no business hours start on these dates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holiday>,
    /// Dates with their own hours. A date can be a holiday or have one exception, not both. Hours past midnight
    /// must not overlap the next date's hours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<HoursException>,
    /// The length of a business day, such as `8h` or `7h30m`. Default: the length of an open weekday, if all
    /// have the same length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_day: Option<String>,
}

/// A weekday by its three letters, `mon` to `sun`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Weekday {
    /// All seven, in the order of the week.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// The three letters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }
}

/// A date on which no business hours start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// The local date, `2026-12-25`.
    pub date: String,
    /// Its name.
    pub name: String,
}

/// A date with its own hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HoursException {
    /// The local date, `2026-12-24`.
    pub date: String,
    /// The hours that start on it, instead of its weekday's. Empty: closed.
    pub hours: Vec<String>,
    /// Its name.
    pub name: String,
}

/// One thing that is wrong with a calendar document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct CalendarProblem {
    /// Where in the document, such as `hours.mon[1]`.
    pub path: String,
    /// The value, what is wrong with it, and what to write instead.
    pub problem: String,
}
