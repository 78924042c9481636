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
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A policy and a directory that are in force together, with everything resolved.
#[derive(Debug)]
pub struct Rulebook {
    published: Arc<PublishedPolicy>,
    directory: Arc<Directory>,
    kinds: BTreeMap<StateId, StateKind>,
    markets: BTreeMap<MarketId, MarketRules>,
    reviews: ReviewRules,
}

/// What counts in a market.
#[derive(Debug)]
pub struct MarketRules {
    team: TeamId,
    licensed_for: BTreeSet<Country>,
    sla: ClockRules,
    stuck: ClockRules,
}

/// What counts for one clock in a market: its thresholds, and the window of each state.
#[derive(Debug)]
struct ClockRules {
    steps: Vec<RuleStep>,
    windows: BTreeMap<StateId, WindowsBySource>,
}

/// The windows of a state.
#[derive(Debug)]
struct WindowsBySource {
    /// Of sources that have rows of their own.
    named: BTreeMap<Source, Option<RuleWindow>>,
    /// Of every other source.
    others: Option<RuleWindow>,
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
        let clock = |workflow, rows: &[&[WindowRow]]| ClockRules {
            steps: policy.steps_in(workflow, id).into_iter().map(RuleStep::from).collect(),
            windows: windows(rows, directory, id, &market.calendar),
        };
        Some(Self {
            team: market.team.clone(),
            licensed_for: market.licensed_for.clone(),
            sla: clock(WorkflowId::SlaBreach, &[sla]),
            // Where the workflow has no window of its own, that of the SLA counts.
            stuck: clock(WorkflowId::StuckLead, &[stuck, sla]),
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
        self.clock(workflow).map_or(&[], |clock| &clock.steps)
    }

    /// The window of a workflow in a state, for leads of a source.
    #[must_use]
    pub fn window(
        &self,
        workflow: WorkflowId,
        state: &StateId,
        source: Option<&Source>,
    ) -> Option<&RuleWindow> {
        let windows = self.clock(workflow)?.windows.get(state)?;
        let named = windows.named.get(source.map_or(Source::OTHER, Source::as_str));
        named.map_or(windows.others.as_ref(), Option::as_ref)
    }

    fn clock(&self, workflow: WorkflowId) -> Option<&ClockRules> {
        match workflow {
            WorkflowId::SlaBreach => Some(&self.sla),
            WorkflowId::StuckLead => Some(&self.stuck),
            WorkflowId::HighValue | WorkflowId::ComplianceFlag | WorkflowId::ChurnRisk => None,
        }
    }
}

/// The windows of each state: the first matrix that has a row for it counts.
fn windows(
    matrices: &[&[WindowRow]],
    directory: &Directory,
    market: &MarketId,
    calendar: &CalendarId,
) -> BTreeMap<StateId, WindowsBySource> {
    let rows = || matrices.iter().copied().flatten();
    let window = |state: &StateId, source: &Source| {
        let row = matrices.iter().find_map(|rows| most_specific(rows, market, source, state))?;
        let name = row.calendar.as_ref().unwrap_or(calendar);
        let calendar = directory.calendar(name)?.clone();
        Some(RuleWindow { length: row.window.on(&calendar), calendar, name: name.clone() })
    };
    let states: BTreeSet<&StateId> = rows().map(|row| &row.state).collect();
    let of_state = |state: &StateId| {
        let named = rows().filter_map(|row| row.source.clone());
        WindowsBySource {
            named: named.map(|source| (source.clone(), window(state, &source))).collect(),
            // A name that no row can have: whatever is said of it is said of every other source.
            others: window(state, &Source::from("")),
        }
    };
    states.into_iter().map(|state| (state.clone(), of_state(state))).collect()
}

impl From<crate::policy::StepView<'_>> for RuleStep {
    fn from(step: crate::policy::StepView<'_>) -> Self {
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
