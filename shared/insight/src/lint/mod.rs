//! Warnings about documents that are sound: what is written and can never happen, or happens
//! otherwise than whoever wrote it is likely to think. Only what can be shown from the documents is
//! told; a lint that is wrong once is not read again.

mod directory;
mod policy;
mod windows;

use ::policy::Policy;
use ::policy::directory::Directory;
use ::policy::document::{DocumentProblem, Place};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Its name.
    pub lint: Lint,
    /// Which of the two documents it is about.
    pub about: About,
    /// Where in it, and what.
    #[serde(flatten)]
    pub problem: DocumentProblem,
}

/// Which document a warning is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// The policy.
    Policy,
    /// The directory.
    Directory,
}

macro_rules! lints {
    ($($(#[doc = $doc:literal])+ $lint:ident = $name:literal),* $(,)?) => {
        /// What is warned of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Lint { $($(#[doc = $doc])+ $lint),* }

        impl Lint {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$lint),*];

            /// Its name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$lint => $name),* }
            }
        }
    };
}

lints! {
    /// A threshold or criterion that nothing can reach.
    NeverFires = "never-fires",
    /// A reassignment that the policy never allows.
    NeverReassigns = "never-reassigns",
    /// A working state without a window: no lead is late or stuck in it.
    UncoveredState = "uncovered-state",
    /// A market whose leads have no window in any state.
    MarketWithoutWindows = "market-without-windows",
    /// A row of windows that others always win over.
    ShadowedWindow = "shadowed-window",
    /// Thresholds that lie closer together than a sweep is exact.
    CrowdedSteps = "crowded-steps",
    /// What a market says as the workflow says it already.
    RedundantOverride = "redundant-override",
    /// A workflow of which a market leaves nothing.
    SwitchedOff = "switched-off",
    /// A message that does not say what it is about.
    NamelessTemplate = "nameless-template",
    /// A reason that does not say which verdict it is for, or a verdict without reasons.
    ReasonWithoutVerdict = "reason-without-verdict",
    /// A team without reps.
    EmptyTeam = "empty-team",
    /// A team whose reps may carry nothing.
    NoCapacity = "no-capacity",
    /// A team whose reps are all away.
    AllOnLeave = "all-on-leave",
    /// A team without a senior, where high-value leads of juniors go to seniors.
    NoSenior = "no-senior",
    /// A market that is licensed for no country: every lead with one is held.
    NoLicence = "no-licence",
    /// A market whose calendar has no working time in the year to come.
    NoWorkingTime = "no-working-time",
    /// Hours that end at 23:59: they end before the minute they name, so the last minute of the day is
    /// missing. Or quiet hours that leave a minute of the day.
    MissingMinute = "missing-minute",
    /// Quiet hours of somebody whose time zone nobody can tell.
    NoTimeZone = "no-time-zone",
    /// An address on a private network, which a deployment refuses unless it is set up to take it.
    PrivateAddress = "private-address",
}

impl std::fmt::Display for Lint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Everything to be warned of in a policy and the directory that it is for. Without a directory,
/// what shows in the policy alone; without an instant, what does not depend on one.
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

/// Collects warnings.
#[derive(Default)]
struct Warnings(Vec<Warning>);

impl Warnings {
    fn add(&mut self, about: About, lint: Lint, path: impl Into<String>, said: impl Into<String>) {
        let problem = DocumentProblem { path: path.into(), problem: said.into(), place: None::<Place> };
        self.0.push(Warning { lint, about, problem });
    }

    fn policy(&mut self, lint: Lint, path: impl Into<String>, said: impl Into<String>) {
        self.add(About::Policy, lint, path, said);
    }

    fn directory(&mut self, lint: Lint, path: impl Into<String>, said: impl Into<String>) {
        self.add(About::Directory, lint, path, said);
    }
}
