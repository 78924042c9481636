//! What happens to the leads of an owner who leaves or is away.

use crate::calendar::WorkingTime;
use crate::measure::Window;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// What happens to the leads of an owner who leaves or is away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Owners {
    /// The owner is no longer a rep. Default: their leads are reassigned.
    pub left: OrphanAction,
    /// The owner is away. This applies to leads whose next step is due before the owner is back; other leads
    /// wait. Default: these leads are reassigned.
    pub absent: OrphanAction,
    /// How long an absence must last to count. One that is announced to last longer counts at once.
    pub absent_after: Window,
}

/// What to do with a lead whose owner cannot work it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OrphanAction {
    /// The owner keeps it.
    Keep,
    /// The next available rep on the team gets it. If nobody is available, it goes to the operations queue.
    HandOn,
    /// The owner keeps it, and it goes to the operations queue.
    Queue,
}

impl Default for Owners {
    fn default() -> Self {
        let day = Window::Working(WorkingTime::from_secs(86_400));
        Self { left: OrphanAction::HandOn, absent: OrphanAction::HandOn, absent_after: day }
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

impl OrphanAction {
    /// Its name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::HandOn => "hand-on",
            Self::Queue => "queue",
        }
    }
}
