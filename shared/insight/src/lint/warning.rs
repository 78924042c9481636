//! Warnings: their names, where they point, and the list that the checks fill.

use ::policy::document::{DocumentProblem, Position};
use serde::Serialize;

/// A warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The lint that gives it.
    pub lint: Lint,
    /// The document that it is about.
    pub about: About,
    /// Where in the document, and what is wrong.
    #[serde(flatten)]
    pub problem: DocumentProblem,
}

/// The document that a warning is about.
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
        /// The kinds of warnings.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Lint { $($(#[doc = $doc])+ $lint),* }

        impl Lint {
            /// All lints.
            pub const ALL: &[Self] = &[$(Self::$lint),*];

            /// The name that people and programs see.
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
    /// A window that more specific windows always override.
    ShadowedWindow = "shadowed-window",
    /// Thresholds closer together than the time between two sweeps.
    CrowdedSteps = "crowded-steps",
    /// A market's override that repeats what the workflow says.
    RedundantOverride = "redundant-override",
    /// A workflow whose steps a market all switches off.
    SwitchedOff = "switched-off",
    /// A message that does not name the lead.
    NamelessTemplate = "nameless-template",
    /// A reason that does not say which verdict it is for, or a verdict without reasons.
    ReasonWithoutVerdict = "reason-without-verdict",
    /// A team without reps.
    EmptyTeam = "empty-team",
    /// A team whose reps all have a capacity of 0.
    NoCapacity = "no-capacity",
    /// A team whose reps are all away.
    AllOnLeave = "all-on-leave",
    /// A team without a senior, where high-value leads of juniors go to seniors.
    NoSenior = "no-senior",
    /// A market that is licensed for no country: compliance holds every lead with a country.
    NoLicence = "no-licence",
    /// A market whose calendar has no working time in the coming year.
    NoWorkingTime = "no-working-time",
    /// Hours that end at 23:59. They end before that minute, so they lack the last minute of the day. Also
    /// quiet hours that cover all but one minute of the day.
    MissingMinute = "missing-minute",
    /// Quiet hours of a person whose time zone is unknown.
    NoTimeZone = "no-time-zone",
    /// An address on a private network, which a deployment refuses by default.
    PrivateAddress = "private-address",
}

impl std::fmt::Display for Lint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Collects warnings.
#[derive(Default)]
pub(super) struct Warnings(pub Vec<Warning>);

impl Warnings {
    pub fn policy(&mut self, lint: Lint, path: impl Into<String>, text: impl Into<String>) {
        self.add(About::Policy, lint, path, text);
    }

    pub fn directory(&mut self, lint: Lint, path: impl Into<String>, text: impl Into<String>) {
        self.add(About::Directory, lint, path, text);
    }

    fn add(&mut self, about: About, lint: Lint, path: impl Into<String>, text: impl Into<String>) {
        let problem = DocumentProblem { path: path.into(), problem: text.into(), place: None::<Position> };
        self.0.push(Warning { lint, about, problem });
    }
}
