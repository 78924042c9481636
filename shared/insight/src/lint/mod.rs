//! Warnings about valid documents: rules that can never take effect, or that work otherwise than their
//! author probably expects. Every warning follows from the documents alone; after one false positive,
//! people stop reading warnings.

mod directory;
mod policy;
mod quiet_hours;
mod warning;
mod windows;

pub use warning::{About, Lint, Warning};

use ::policy::Policy;
use ::policy::directory::Directory;
use chrono::{DateTime, Utc};
use warning::Warnings;

/// All warnings about a policy and its directory. Without a directory, the result has only the warnings
/// that follow from the policy. Without `at`, it has only those that do not depend on the date.
#[must_use]
pub fn warnings(policy: &Policy, directory: Option<&Directory>, at: Option<DateTime<Utc>>) -> Vec<Warning> {
    let mut warnings = Warnings::default();
    policy::check(&mut warnings, policy, directory);
    windows::check(&mut warnings, policy, directory);
    if let Some(directory) = directory {
        directory::check(&mut warnings, policy, directory, at);
    }
    warnings.0
}
