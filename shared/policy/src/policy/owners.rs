//! What becomes of the leads of an owner who leaves, or is away.

use crate::calendar::WorkingTime;
use crate::measure::Window;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// What becomes of the leads of an owner who leaves, or is away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Owners {
    /// The owner is no rep of any team any more. Default: their leads are handed on.
    pub left: Orphan,
    /// The owner is away. It concerns the leads whose next step is due before they are back; the others
    /// wait for them. Default: these leads are handed on.
    pub absent: Orphan,
    /// An absence counts once it has lasted so long; one that is said to last longer counts at once.
    pub absent_after: Window,
}

/// What is done with a lead whose owner cannot work it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Orphan {
    /// The owner keeps it.
    Keep,
    /// The next available rep of the team gets it; the operations queue, if there is none.
    HandOn,
    /// The owner keeps it, and operations decides.
    Queue,
}

impl Default for Owners {
    fn default() -> Self {
        let day = Window::Working(WorkingTime::from_secs(86_400));
        Self { left: Orphan::HandOn, absent: Orphan::HandOn, absent_after: day }
    }
}

impl Owners {
    /// After how long an absence counts, as a span of time.
    pub fn absent_after(&self) -> TimeDelta {
        TimeDelta::seconds(match self.absent_after {
            Window::Working(time) => time.secs(),
            Window::BusinessDays(days) => i64::from(days).saturating_mul(86_400),
        })
    }

    /// Whether it says nothing but the defaults.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Orphan {
    /// Its name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::HandOn => "hand-on",
            Self::Queue => "queue",
        }
    }
}
