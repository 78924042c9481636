//! The calendar as people write it.
//!
//! Hours, dates and lengths are text here. They are read when the calendar is compiled, so that every
//! mistake in them is told at once and with its place, instead of the first one only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A calendar as written in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CalendarDocument {
    /// The IANA name of the time zone, such as `Europe/Berlin`. A calendar that is `always` open may
    /// leave it out; it is then `UTC`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub time_zone: String,
    /// Open round the clock. Hours, holidays and exceptions must then be left out.
    #[serde(default)]
    pub always: bool,
    /// The blocks that begin on each weekday. Each is written `09:00-12:00` and ends before the minute
    /// it names; an end earlier than the beginning lies on the next day; an end of `24:00` is midnight.
    /// Blocks may touch and must not overlap, over midnight neither. A weekday without blocks, or not
    /// named, is closed; at least one is open.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hours: BTreeMap<Weekday3, Vec<String>>,
    /// Dates on which no block begins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holiday>,
    /// Dates with blocks of their own. A date is a holiday or has one exception. What an exception
    /// carries over midnight must not run into the next date's blocks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<HoursException>,
    /// What one business day amounts to, such as `8h` or `7h30m`. When left out it is the length of an
    /// open weekday, if all have the same: their blocks as written, whatever the clocks do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_day: Option<String>,
}

/// A weekday by its three letters, `mon` to `sun`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Weekday3 {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Weekday3 {
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

/// A date on which no block begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// The local date, `2026-12-25`.
    pub date: String,
    /// What people call it.
    pub name: String,
}

/// A date with hours of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HoursException {
    /// The local date, `2026-12-24`.
    pub date: String,
    /// The blocks that begin on it, instead of its weekday's; none when closed.
    pub hours: Vec<String>,
    /// What people call it.
    pub name: String,
}

/// One thing that is wrong with a calendar document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: `{value}` is not {expected}")]
pub struct CalendarProblem {
    /// Where in the document, such as `hours.mon[1]`.
    pub path: String,
    /// What stands there.
    pub value: String,
    /// What was expected and what to write; it continues "… is not".
    pub expected: String,
}
