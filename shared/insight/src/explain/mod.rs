//! Why, and why not: what each of the five workflows did to a lead, what it waits for, why it rests,
//! and which condition is not met, by how much. At any instant of the lead's history, under the
//! documents that were in force then.
//!
//! It knows no rule of its own. What fired is the audit. When a step is due, and why there is none,
//! the engine's own timers say; what it will do, and to whom, `decide` says, asked ahead of time.

mod clocks;
mod conditions;
mod forecast;
mod history;
mod text;

use chrono::{DateTime, Utc};
use forecast::Forecast;
use history::History;
use policy::ids::{AccountId, LeadId, MarketId, PersonId, StateId, Subject, TeamId};
use policy::{Message, WorkflowId};
use rules::account::AccountFact;
use rules::aggregate::{Defect, FoldError, Undecided, fold};
use rules::entry::Entry;
use rules::lead::{Lead, LeadFact};
use rules::notification::{Notification, NotificationFact, Recipient};
use rules::world::{Missing, World};
use serde::{Deserialize, Serialize};

pub use rules::lead::OperationsReason;

/// What a lead's workflows did, do and wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The lead.
    pub lead: LeadId,
    /// As of when: nothing that took effect later is in it.
    pub at: DateTime<Utc>,
    /// The instant that was asked for, where it is still to come: what is armed is what will be by
    /// then if nothing happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead_to: Option<DateTime<Utc>>,
    /// The revision of the policy that was in force.
    pub policy_revision: u32,
    /// The revision of the directory that was in force.
    pub directory_revision: u32,
    /// The last entry of the lead's history that is in it.
    pub seq: u64,
    /// The state the lead was in.
    pub state: StateId,
    /// Since when.
    pub entered_at: DateTime<Utc>,
    /// Its market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<MarketId>,
    /// The time zone of the market's calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Who worked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonId>,
    /// When its hold ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_ends_at: Option<DateTime<Utc>>,
    /// When its personal data is erased, since the policy keeps it no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_ends_at: Option<DateTime<Utc>>,
    /// When its personal data was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<DateTime<Utc>>,
    /// The earliest instant at which anything is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wake_at: Option<DateTime<Utc>>,
    /// Why it is in the operations queue, the oldest reason first; empty: it is not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<InQueue>,
    /// What operations left alone although it still holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dismissed: Option<LeftAlone>,
    /// The five workflows.
    pub workflows: Vec<WorkflowExplanation>,
    /// What had taken effect by then and was recorded only afterwards, where that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recorded_later: Vec<RecordedLater>,
}

/// A reason to be in the operations queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InQueue {
    /// Which.
    pub reason: OperationsReason,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The condition in words.
    pub text: String,
    /// What takes it out of the queue.
    pub ends_when: String,
}

/// What operations left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftAlone {
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why operations left it alone, in their words.
    pub note: String,
    /// What still holds.
    pub reasons: Vec<InQueue>,
}

/// One workflow's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowExplanation {
    /// Which.
    pub workflow: WorkflowId,
    /// Its version in the policy that was in force.
    pub version: u32,
    /// How it stands.
    pub status: Status,
    /// Why so.
    pub because: Vec<Because>,
    /// Its clock, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockState>,
    /// What it did: in this stay in the state, for as long as the flag, the review or the risk stands.
    pub fired: Vec<Fired>,
    /// What is still to come, in order of time.
    pub steps: Vec<Planned>,
}

/// How a workflow stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Something of it is due at an instant that is known, or with the lead's next input.
    Armed,
    /// Its clock rests.
    Paused,
    /// It fired, and waits for nothing.
    Fired,
    /// A condition is not met.
    Not,
}

/// A reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Because {
    /// Which condition it is about.
    pub condition: Condition,
    /// In words, with the numbers.
    pub text: String,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Until when, if nothing happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// What a reason is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// The lead is over.
    Closed,
    /// The market is not known: the lead is quarantined.
    MarketUnknown,
    /// The policy has no window for the state.
    NoWindow,
    /// The policy has no steps for the market.
    NoSteps,
    /// How often it came back to its state, and at how many returns something is done.
    Returns,
    /// The clock passed all of its steps.
    AllPassed,
    /// No calendar holds so much working time.
    TooFar,
    /// No clock was begun.
    NotBegun,
    /// Compliance holds the lead.
    ComplianceHold,
    /// It is on hold.
    OnHold,
    /// The customer is to act next.
    WaitingOnCustomer,
    /// New outreach to the account is paused.
    OutreachPaused,
    /// A criterion is met.
    CriterionMet,
    /// A criterion is not met.
    CriterionNotMet,
    /// When a workflow that fired can fire again.
    Rearms,
    /// A match is open.
    MatchOpen,
    /// No match is open.
    NoMatchOpen,
    /// Matches were cleared.
    MatchesCleared,
    /// Whether the market is licensed for the lead's jurisdiction.
    Jurisdiction,
    /// The lead belongs to no account.
    NoAccount,
    /// No signal stands against the account.
    NoSignal,
    /// Signals stand against the account.
    SignalStands,
}

/// A clock as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockState {
    /// Counts the clocks of the workflow on the lead, from 1.
    pub number: u32,
    /// Whether it runs.
    pub runs: bool,
    /// Since when it rests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests_since: Option<DateTime<Utc>>,
    /// Working time it ran, in seconds.
    pub elapsed_s: i64,
    /// The window, in seconds of working time; absent where each step has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_s: Option<i64>,
    /// The share of the policy's window that this is.
    pub window_percent: u16,
    /// The calendar it is measured on.
    pub calendar: String,
    /// Steps that were passed before this instant are history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history_until: Option<DateTime<Utc>>,
}

/// An entry of the audit that a workflow made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fired {
    /// Whose history it is in: the lead's, or its account's.
    pub subject: Subject,
    /// Its place there.
    pub seq: u64,
    /// When it took effect.
    pub at: DateTime<Utc>,
    /// When it was due, for what a timer brought about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// The step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The workflow's version that fired.
    pub version: u32,
    /// The clock it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<u32>,
    /// What happened, as the audit names it.
    pub fact: String,
    /// What was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub does: Option<Does>,
}

/// A step to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// Its name; absent where a workflow has no steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// At which share of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u16>,
    /// After so much working time, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_s: Option<i64>,
    /// How it stands.
    pub readiness: Readiness,
    /// When: if it is armed, the instant it is due; if it rests, when it will be due once the hold
    /// has ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
    /// What it will do, and to whom, as things stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub does: Vec<Does>,
}

/// How a step to come stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readiness {
    /// It is due at an instant that is known.
    Armed,
    /// It has an instant and will not come to it: something before it ends the clock.
    Preempted,
    /// Its clock rests.
    Resting,
    /// It comes with whatever happens to the lead next.
    WithNextInput,
    /// No calendar holds so much working time.
    TooFar,
}

/// What a workflow does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "kebab-case")]
pub enum Does {
    /// Tells somebody.
    Tell {
        /// What about.
        message: Message,
        /// To whom.
        to: Recipient,
        /// When their quiet hours end, if it waits for that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<DateTime<Utc>>,
    },
    /// Records a breach.
    RecordBreach {
        /// By whom it is owned.
        owner: Option<PersonId>,
        /// Which team's.
        team: Option<TeamId>,
    },
    /// Excuses a breach.
    ExcuseBreach {
        /// The entry that recorded it.
        breach: u64,
    },
    /// Gives the lead to somebody else.
    Reassign {
        /// From whom.
        from: Option<PersonId>,
        /// To whom.
        to: PersonId,
        /// Of which team.
        team: TeamId,
    },
    /// Cannot give it to anybody else: whoever has it keeps it.
    KeepOwner {
        /// Why.
        reason: OperationsReason,
    },
    /// Puts it into the operations queue.
    QueueForOperations {
        /// Why.
        reason: OperationsReason,
    },
    /// Is recorded as superseded, and not acted on.
    Supersede {
        /// By what.
        by: String,
    },
    /// Holds the lead.
    Hold {
        /// The state it is taken from.
        from: StateId,
    },
    /// Raises the priority.
    RaisePriority {},
    /// Says that it is time to be in touch with the account.
    RemindOfTouchpoint {},
    /// Lets new outreach to the account go on.
    ResumeOutreach {
        /// Why.
        reason: String,
    },
}

/// An entry that was recorded after the instant that is explained, though it took effect before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedLater {
    /// Its place in the lead's history.
    pub seq: u64,
    /// When it took effect.
    pub at: DateTime<Utc>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

/// What an explanation is drawn from: whole histories, from their first entry on.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The lead's.
    pub lead: &'a [Entry<LeadFact>],
    /// That of the account it belongs to; empty if it belongs to none.
    pub account: &'a [Entry<AccountFact>],
}

/// Why a lead cannot be explained.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// The world lacks something: read it and ask again.
    #[error("the world lacks {0:?}")]
    Lacks(Missing),
    /// The lead was not there yet.
    #[error("the lead's history begins at {begins_at}")]
    NotYet {
        /// Its first entry.
        begins_at: DateTime<Utc>,
    },
    /// It has no history.
    #[error("the lead has no history")]
    NoHistory,
    /// The history is none.
    #[error("the history does not fold")]
    Unsound(#[from] FoldError),
    /// The rules make a mistake in looking ahead.
    #[error("what is to come cannot be decided")]
    Defect(#[source] Defect),
}

impl From<Undecided> for ExplainError {
    fn from(undecided: Undecided) -> Self {
        match undecided {
            Undecided::Missing(missing) => Self::Lacks(missing),
            Undecided::Defect(defect) => Self::Defect(defect),
        }
    }
}

/// Explains a lead at an instant, given the documents that were in force then. With an instant
/// after `now` it explains `now`, since nothing later is known.
///
/// # Errors
/// See [`ExplainError`].
pub fn explain(
    record: Record<'_>,
    world: &World,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Explanation, ExplainError> {
    let ahead_to = (at > now).then_some(at);
    let at = at.min(now);
    let history = History::until(record, at)?;
    let forecast = Forecast::of(&history, world, at)?;
    let lead = &history.lead;
    let case = Case { history: &history, forecast: &forecast, world, at };
    let workflows = vec![
        clocks::of_sales(&case, WorkflowId::SlaBreach),
        clocks::of_sales(&case, WorkflowId::StuckLead),
        conditions::high_value(&case),
        conditions::compliance(&case),
        conditions::churn(&case),
    ];
    let market = lead.profile.market.as_ref().and_then(|id| world.rules.directory().market(id));
    let calendar = market.and_then(|market| world.rules.directory().calendar(&market.calendar));
    Ok(Explanation {
        lead: lead.id.clone(),
        at,
        ahead_to,
        policy_revision: world.in_force().policy,
        directory_revision: world.in_force().directory,
        seq: lead.seq,
        state: lead.state.clone(),
        entered_at: lead.entered_at,
        market: lead.profile.market.clone(),
        time_zone: calendar.map(|calendar| calendar.time_zone_name().to_owned()),
        owner: lead.owner.clone(),
        hold_ends_at: rules::lead::inside::hold_end(lead),
        retention_ends_at: rules::lead::inside::retention_end(lead, &world.rules),
        erased_at: lead.erased_at,
        wake_at: rules::lead::wake_at(lead, &world.rules),
        operations: lead
            .operations
            .iter()
            .flat_map(|review| &review.reasons)
            .map(|q| in_queue(lead, q.reason, q.since))
            .collect(),
        dismissed: lead.dismissed.as_ref().map(|dismissal| LeftAlone {
            since: dismissal.at,
            note: dismissal.note.clone(),
            reasons: dismissal.reasons.iter().map(|reason| in_queue(lead, *reason, dismissal.at)).collect(),
        }),
        workflows,
        recorded_later: Vec::new(),
    })
}

fn in_queue(lead: &Lead, reason: OperationsReason, since: DateTime<Utc>) -> InQueue {
    InQueue { reason, since, text: reason.told(lead), ends_when: reason.ends_when(lead).to_owned() }
}

/// The account that a lead belonged to at an instant: whose history an explanation draws on.
///
/// # Errors
/// The history is none.
pub fn account_of(lead: &[Entry<LeadFact>], at: DateTime<Utc>) -> Result<Option<AccountId>, FoldError> {
    let lead = fold::<Lead>(history::until(lead, at))?;
    Ok(lead.and_then(|lead| lead.profile.account_id))
}

impl Explanation {
    /// One workflow's part.
    pub fn workflow(&self, id: WorkflowId) -> Option<&WorkflowExplanation> {
        self.workflows.iter().find(|part| part.workflow == id)
    }
}

/// What all parts of an explanation draw on.
struct Case<'a> {
    history: &'a History<'a>,
    forecast: &'a Forecast,
    world: &'a World,
    at: DateTime<Utc>,
}

impl Case<'_> {
    /// A workflow's part, before anything is said of it.
    fn part(&self, workflow: WorkflowId) -> WorkflowExplanation {
        WorkflowExplanation {
            workflow,
            version: self.world.rules.published().version_of(workflow),
            status: Status::Not,
            because: Vec::new(),
            clock: None,
            fired: self.history.fired(workflow),
            steps: Vec::new(),
        }
    }
}

impl Because {
    fn new(condition: Condition, text: impl Into<String>) -> Self {
        Self { condition, text: text.into(), since: None, until: None }
    }

    fn since(self, since: Option<DateTime<Utc>>) -> Self {
        Self { since, ..self }
    }
}

impl Does {
    fn tell(Notification { message, to, not_before, .. }: Notification) -> Self {
        Self::Tell { message, to, not_before }
    }

    /// What a fact about a lead does, if it is more than a note.
    pub fn of(fact: &LeadFact) -> Option<Self> {
        Some(match fact.clone() {
            LeadFact::Notification(NotificationFact::Requested(told)) => Self::tell(*told),
            LeadFact::BreachRecorded { owner, team, .. } => Self::RecordBreach { owner, team },
            LeadFact::BreachExcused { breach, .. } => Self::ExcuseBreach { breach },
            LeadFact::Reassigned { from, to, team, .. } => Self::Reassign { from, to, team },
            LeadFact::Assigned { to, team, .. } => Self::Reassign { from: None, to, team },
            LeadFact::ReassignmentImpossible { reason, .. } => Self::KeepOwner { reason },
            LeadFact::OperationsQueued { reason, .. } => Self::QueueForOperations { reason },
            LeadFact::ThresholdSuperseded { by, .. } => Self::Supersede { by },
            LeadFact::ComplianceHeld { from, .. } => Self::Hold { from },
            LeadFact::PriorityRaised { .. } => Self::RaisePriority {},
            _ => return None,
        })
    }

    /// What a fact about an account does, if it is more than a note.
    pub fn of_account(fact: &AccountFact) -> Option<Self> {
        Some(match fact.clone() {
            AccountFact::Notification(NotificationFact::Requested(told)) => Self::tell(*told),
            AccountFact::TouchpointDue {} => Self::RemindOfTouchpoint {},
            AccountFact::OutreachResumed { reason } => Self::ResumeOutreach { reason },
            _ => return None,
        })
    }
}
