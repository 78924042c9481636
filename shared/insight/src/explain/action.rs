//! The actions of workflows, past and planned, from the facts that record them.

use chrono::{DateTime, Utc};
use policy::Message;
use policy::ids::{PersonId, StateId, TeamId};
use rules::account::AccountFact;
use rules::lead::{LeadFact, OperationsReason};
use rules::notification::{Notification, NotificationFact, Recipient};
use serde::{Deserialize, Serialize};

/// An action of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "kebab-case")]
pub enum WorkflowAction {
    /// Notifies somebody.
    Tell {
        /// The message.
        message: Message,
        /// The recipient.
        to: Recipient,
        /// The end of their quiet hours, if the message waits for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<DateTime<Utc>>,
    },
    /// Records a breach.
    RecordBreach {
        /// The owner at the breach.
        owner: Option<PersonId>,
        /// The team of the owner.
        team: Option<TeamId>,
    },
    /// Excuses a breach.
    ExcuseBreach {
        /// The entry that recorded the breach.
        breach: u64,
    },
    /// Gives the lead to another rep.
    Reassign {
        /// The previous owner.
        from: Option<PersonId>,
        /// The new owner.
        to: PersonId,
        /// The team of the new owner.
        team: TeamId,
    },
    /// Cannot give the lead to another rep, so the owner keeps it.
    KeepOwner {
        /// Why.
        reason: OperationsReason,
    },
    /// Puts the lead into the operations queue.
    QueueForOperations {
        /// Why.
        reason: OperationsReason,
    },
    /// Records the step as superseded, without acting.
    Supersede {
        /// What superseded it.
        by: String,
    },
    /// Holds the lead.
    Hold {
        /// The state before the hold.
        from: StateId,
    },
    /// Raises the priority.
    RaisePriority {},
    /// Reminds people that the touchpoint with the account is due.
    RemindOfTouchpoint {},
    /// Resumes outreach to the account.
    ResumeOutreach {
        /// Why.
        reason: String,
    },
}

impl WorkflowAction {
    fn notify(Notification { message, to, not_before, .. }: Notification) -> Self {
        Self::Tell { message, to, not_before }
    }

    /// The action that a fact about a lead records, if any.
    pub fn of(fact: &LeadFact) -> Option<Self> {
        Some(match fact.clone() {
            LeadFact::Notification(NotificationFact::Requested(notification)) => Self::notify(*notification),
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

    /// The action that a fact about an account records, if any.
    pub fn of_account(fact: &AccountFact) -> Option<Self> {
        Some(match fact.clone() {
            AccountFact::Notification(NotificationFact::Requested(notification)) => {
                Self::notify(*notification)
            }
            AccountFact::TouchpointDue {} => Self::RemindOfTouchpoint {},
            AccountFact::OutreachResumed { reason } => Self::ResumeOutreach { reason },
            _ => return None,
        })
    }
}
