//! An amount of working time.

use serde::{Deserialize, Serialize};

/// An amount of working time, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkingTime(i64);

impl WorkingTime {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// That many seconds of working time.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs)
    }

    /// The amount in seconds.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0
    }

    /// The sum, or the largest amount there is if the sum is larger.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, below zero if `other` is larger; the least amount there is if it is less.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}
