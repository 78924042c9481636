//! The words that policies and histories share: workflows, kinds of states, messages, verdicts.

use serde::{Deserialize, Serialize};

/// The five workflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WorkflowId {
    /// A lead is not worked within its window.
    SlaBreach,
    /// A lead stays in a state too long.
    StuckLead,
    /// A lead is worth more than most.
    HighValue,
    /// A lead must not be worked.
    ComplianceFlag,
    /// An account may leave.
    ChurnRisk,
}

impl WorkflowId {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 5] =
        [Self::SlaBreach, Self::StuckLead, Self::HighValue, Self::ComplianceFlag, Self::ChurnRisk];

    /// Its name in documents, audit and API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SlaBreach => "sla-breach",
            Self::StuckLead => "stuck-lead",
            Self::HighValue => "high-value",
            Self::ComplianceFlag => "compliance-flag",
            Self::ChurnRisk => "churn-risk",
        }
    }
}

impl std::fmt::Display for WorkflowId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a state means to the clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StateKind {
    /// A rep works on the lead; clocks run.
    Working,
    /// Nobody does for now; clocks are paused.
    Hold,
    /// It is over; clocks are gone.
    Terminal,
}

impl StateKind {
    /// Its name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Hold => "hold",
            Self::Terminal => "terminal",
        }
    }
}

/// What a notification is about; each has one wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// The window nears its end (or any earlier step for the owner).
    SlaWarning,
    /// The window is over (or any step for the manager).
    SlaBreached,
    /// The lead was taken from you.
    LeadTaken,
    /// The lead is yours now.
    LeadGiven,
    /// It should be given to somebody else, and could not be.
    ReassignmentImpossible,
    /// It has been in its state too long: update or move it.
    StuckAsk,
    /// It has been in its state far too long.
    StuckManager,
    /// It keeps coming back to the same state.
    Bounced,
    /// It is worth more than most.
    HighValue,
    /// It is held by compliance and cannot be worked.
    Held,
    /// It waits for a compliance decision.
    ReviewNeeded,
    /// A review is getting old.
    ReviewAgeing,
    /// Compliance cleared it; it is yours.
    Cleared,
    /// Compliance closed it.
    ClosedByCompliance,
    /// The account may leave.
    ChurnRisk,
    /// The retention touchpoint is due.
    TouchpointDue,
    /// A publication made thresholds passed that nobody was told of one by one.
    PublicationDigest,
    /// Leads have another owner, since theirs left or is away.
    ChangedHands,
}

impl Message {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 18] = [
        Self::SlaWarning,
        Self::SlaBreached,
        Self::LeadTaken,
        Self::LeadGiven,
        Self::ReassignmentImpossible,
        Self::StuckAsk,
        Self::StuckManager,
        Self::Bounced,
        Self::HighValue,
        Self::Held,
        Self::ReviewNeeded,
        Self::ReviewAgeing,
        Self::Cleared,
        Self::ClosedByCompliance,
        Self::ChurnRisk,
        Self::TouchpointDue,
        Self::PublicationDigest,
        Self::ChangedHands,
    ];

    /// Its name in documents and audit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SlaWarning => "sla-warning",
            Self::SlaBreached => "sla-breached",
            Self::LeadTaken => "lead-taken",
            Self::LeadGiven => "lead-given",
            Self::ReassignmentImpossible => "reassignment-impossible",
            Self::StuckAsk => "stuck-ask",
            Self::StuckManager => "stuck-manager",
            Self::Bounced => "bounced",
            Self::HighValue => "high-value",
            Self::Held => "held",
            Self::ReviewNeeded => "review-needed",
            Self::ReviewAgeing => "review-ageing",
            Self::Cleared => "cleared",
            Self::ClosedByCompliance => "closed-by-compliance",
            Self::ChurnRisk => "churn-risk",
            Self::TouchpointDue => "touchpoint-due",
            Self::PublicationDigest => "publication-digest",
            Self::ChangedHands => "changed-hands",
        }
    }

    /// Whether it is about work on a lead: none is to be done while compliance holds the lead, or once
    /// it is closed. What compliance says is said whatever became of the lead.
    pub fn is_about_work(self) -> bool {
        matches!(self.workflow(), Some(WorkflowId::SlaBreach | WorkflowId::StuckLead | WorkflowId::HighValue))
    }

    /// The workflow it belongs to: its wording is part of that workflow's version. What is said of
    /// a publication belongs to none.
    pub fn workflow(self) -> Option<WorkflowId> {
        Some(match self {
            Self::SlaWarning
            | Self::SlaBreached
            | Self::LeadTaken
            | Self::LeadGiven
            | Self::ReassignmentImpossible => WorkflowId::SlaBreach,
            Self::StuckAsk | Self::StuckManager | Self::Bounced => WorkflowId::StuckLead,
            Self::HighValue => WorkflowId::HighValue,
            Self::Held
            | Self::ReviewNeeded
            | Self::ReviewAgeing
            | Self::Cleared
            | Self::ClosedByCompliance => WorkflowId::ComplianceFlag,
            Self::ChurnRisk | Self::TouchpointDue => WorkflowId::ChurnRisk,
            Self::PublicationDigest | Self::ChangedHands => return None,
        })
    }
}

/// What an officer decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The lead may be worked.
    Clear,
    /// It may not.
    Reject,
}

impl Verdict {
    /// Its name in documents, audit and API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Reject => "reject",
        }
    }
}

/// Which revisions were in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct InForce {
    /// Of the policy.
    pub policy: u32,
    /// Of the directory.
    pub directory: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_named_as_it_is_written() {
        for message in Message::ALL {
            assert_eq!(serde_json::to_value(message).unwrap(), message.as_str());
        }
    }
}
