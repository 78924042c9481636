//! The rulebook: a policy and a directory that are in force together, compiled into what decisions look up.
//!
//! A policy is written for people: rows of windows of which the most specific one counts, thresholds that
//! markets change, calendars by name. All of that is resolved once, when the documents come into force, so that
//! a decision looks up and does not search.

use crate::calendar::{Calendar, WorkingTime};
use crate::directory::{ALWAYS, Directory};
use crate::ids::{CalendarId, Country, MarketId, Source, StateId, TeamId};
use crate::policy::{Action, Policy, PublishedPolicy, WindowRow, most_specific};
use crate::vocabulary::{InForce, StateKind, WorkflowId};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A policy and a directory that are in force together, with everything resolved.
#[derive(Debug)]
pub struct Rulebook {
    published: Arc<PublishedPolicy>,
    directory: Arc<Directory>,
    kinds: FxHashMap<StateId, StateKind>,
    markets: FxHashMap<MarketId, MarketRules>,
    reviews: ReviewRules,
}

/// What counts in a market.
#[derive(Debug)]
pub struct MarketRules {
    team: TeamId,
    licensed_for: FxHashSet<Country>,
    sla_steps: Vec<RuleStep>,
    stuck_steps: Vec<RuleStep>,
    windows: FxHashMap<StateId, WindowsBySource>,
}

/// The windows of a state.
#[derive(Debug)]
struct WindowsBySource {
    /// Of sources that have rows of their own.
    named: FxHashMap<Source, RuleWindows>,
    /// Of every other source.
    others: RuleWindows,
}

/// The windows of a state for leads of one source.
#[derive(Debug)]
pub struct RuleWindows {
    sla: Option<RuleWindow>,
    stuck: Option<RuleWindow>,
}

/// A window on its calendar.
#[derive(Debug, Clone)]
pub struct RuleWindow {
    /// How long.
    pub length: WorkingTime,
    /// On which calendar.
    pub calendar: Calendar,
    /// The calendar's name in the directory.
    pub name: CalendarId,
}

/// A threshold.
#[derive(Debug, Clone)]
pub struct RuleStep {
    /// Its name in the audit.
    pub name: String,
    /// At which share of the window.
    pub percent: u16,
    /// What is done.
    pub actions: Vec<Action>,
    /// A window of its own; absent: that of the clock.
    pub window: Option<WorkingTime>,
}

/// What counts for compliance reviews.
#[derive(Debug)]
pub struct ReviewRules {
    /// The compliance team's working time.
    pub calendar: Calendar,
    /// The calendar's name in the directory.
    pub name: CalendarId,
    /// The reminders, each after its own time.
    pub reminders: Vec<RuleStep>,
}

impl Rulebook {
    /// Compiles a policy and a directory. What the one lacks of the other has no rules.
    #[must_use]
    pub fn new(published: Arc<PublishedPolicy>, directory: Arc<Directory>) -> Self {
        let policy = &published.policy;
        let reserved = [StateId::COMPLIANCE_HOLD, StateId::DISQUALIFIED_COMPLIANCE].map(StateId::from);
        let states = policy.states.iter().map(|row| row.state.clone()).chain(reserved);
        let kinds = states.filter_map(|state| Some((state.clone(), policy.kind_of(&state)?))).collect();
        let markets = directory.document().markets.keys();
        let markets = markets.filter_map(|id| Some((id.clone(), MarketRules::of(policy, &directory, id)?)));
        let markets = markets.collect();
        let reviews = ReviewRules::of(policy, &directory);
        Self { kinds, markets, reviews, published, directory }
    }

    /// The policy as it was published.
    #[must_use]
    pub fn published(&self) -> &Arc<PublishedPolicy> {
        &self.published
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.published.policy
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The directory, shared.
    #[must_use]
    pub fn shared_directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// The revisions.
    #[must_use]
    pub fn in_force(&self) -> InForce {
        InForce { policy: self.published.revision, directory: self.directory.revision() }
    }

    /// What kind a state is; `None` if the policy does not have it.
    #[must_use]
    pub fn kind_of(&self, state: &StateId) -> Option<StateKind> {
        self.kinds.get(state).copied()
    }

    /// What counts in a market; `None` if the directory does not have it.
    #[must_use]
    pub fn market(&self, id: &MarketId) -> Option<&MarketRules> {
        self.markets.get(id)
    }

    /// What counts for compliance reviews.
    #[must_use]
    pub fn reviews(&self) -> &ReviewRules {
        &self.reviews
    }
}

impl MarketRules {
    fn of(policy: &Policy, directory: &Directory, id: &MarketId) -> Option<Self> {
        let market = directory.market(id)?;
        let workflows = &policy.workflows;
        let (sla, stuck) = (&workflows.sla_breach.windows, &workflows.stuck_lead.windows);
        let steps = |workflow| policy.steps_in(workflow, id).into_iter().map(RuleStep::from).collect();
        let window = |matrices: &[&[WindowRow]], state: &StateId, source: &Source| {
            let row = matrices.iter().find_map(|rows| most_specific(rows, id, source, state))?;
            let name = row.calendar.as_ref().unwrap_or(&market.calendar);
            let calendar = directory.calendar(name)?.clone();
            Some(RuleWindow { length: row.window.on(&calendar), calendar, name: name.clone() })
        };
        let windows = |state: &StateId, source: &Source| RuleWindows {
            sla: window(&[sla], state, source),
            // Where the workflow has no window of its own, that of the SLA counts.
            stuck: window(&[stuck, sla], state, source),
        };
        let rows = || sla.iter().chain(stuck);
        let by_source = |state: &StateId| WindowsBySource {
            named: rows()
                .filter_map(|row| Some((row.source.clone()?, windows(state, row.source.as_ref()?))))
                .collect(),
            // A name that no row can have: whatever is said of it is said of every other source.
            others: windows(state, &Source::from("")),
        };
        let states: BTreeSet<&StateId> = rows().map(|row| &row.state).collect();
        Some(Self {
            team: market.team.clone(),
            licensed_for: market.licensed_for.iter().cloned().collect(),
            sla_steps: steps(WorkflowId::SlaBreach),
            stuck_steps: steps(WorkflowId::StuckLead),
            windows: states.into_iter().map(|state| (state.clone(), by_source(state))).collect(),
        })
    }

    /// The team its leads go to.
    #[must_use]
    pub fn team(&self) -> &TeamId {
        &self.team
    }

    /// Whether it is licensed for a country.
    #[must_use]
    pub fn is_licensed_for(&self, country: &Country) -> bool {
        self.licensed_for.contains(country)
    }

    /// The thresholds of a workflow, rising. Workflows without thresholds have none.
    #[must_use]
    pub fn steps(&self, workflow: WorkflowId) -> &[RuleStep] {
        match workflow {
            WorkflowId::SlaBreach => &self.sla_steps,
            WorkflowId::StuckLead => &self.stuck_steps,
            WorkflowId::HighValue | WorkflowId::ComplianceFlag | WorkflowId::ChurnRisk => &[],
        }
    }

    /// The windows of a state, for leads of a source.
    #[must_use]
    pub fn windows(&self, state: &StateId, source: Option<&Source>) -> Option<&RuleWindows> {
        let windows = self.windows.get(state)?;
        Some(windows.named.get(source.map_or(Source::OTHER, Source::as_str)).unwrap_or(&windows.others))
    }
}

impl RuleWindows {
    /// The window of a workflow. Workflows without thresholds have none.
    #[must_use]
    pub fn of(&self, workflow: WorkflowId) -> Option<&RuleWindow> {
        match workflow {
            WorkflowId::SlaBreach => self.sla.as_ref(),
            WorkflowId::StuckLead => self.stuck.as_ref(),
            WorkflowId::HighValue | WorkflowId::ComplianceFlag | WorkflowId::ChurnRisk => None,
        }
    }
}

impl From<crate::policy::EffectiveStep<'_>> for RuleStep {
    fn from(step: crate::policy::EffectiveStep<'_>) -> Self {
        let (name, actions) = (step.step.to_owned(), step.actions.to_vec());
        Self { name, percent: step.percent, actions, window: None }
    }
}

impl ReviewRules {
    fn of(policy: &Policy, directory: &Directory) -> Self {
        let always = CalendarId::from(ALWAYS);
        let name = directory.document().compliance.calendar.clone().unwrap_or(always);
        let calendar = directory.calendar(&name).cloned().unwrap_or_else(Calendar::always);
        let reminders = policy.workflows.compliance_flag.reminders.iter();
        let reminders = reminders.map(|reminder| RuleStep {
            name: reminder.step.clone(),
            percent: 100,
            actions: Vec::new(),
            window: Some(reminder.after.on(&calendar)),
        });
        Self { reminders: reminders.collect(), calendar, name }
    }
}
