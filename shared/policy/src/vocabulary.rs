//! Terms that policies and histories share: workflows, kinds of states, messages, verdicts.

use serde::{Deserialize, Serialize};

/// The five workflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WorkflowId {
    /// The owner does not work a lead within its SLA window.
    SlaBreach,
    /// A lead stays in a state too long.
    StuckLead,
    /// A lead is especially valuable.
    HighValue,
    /// A lead must not be worked.
    ComplianceFlag,
    /// A customer may leave.
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

/// Whether clocks run in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StateKind {
    /// A rep works on the lead, and clocks run.
    Working,
    /// Nobody works on the lead for now, and clocks are paused.
    Hold,
    /// The lead is closed, and no clock runs.
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

/// The subject of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// To the owner: the SLA window ends soon.
    SlaWarning,
    /// To the manager: the SLA window has ended, or another step was reached.
    SlaBreached,
    /// To the previous owner: the lead was reassigned.
    LeadTaken,
    /// To the new owner: the lead is yours.
    LeadGiven,
    /// To the manager: the lead could not be reassigned.
    ReassignmentImpossible,
    /// To the owner: the lead is stuck; update it or move it on.
    StuckAsk,
    /// To the manager: the lead is stuck.
    StuckManager,
    /// The lead keeps coming back to the same state.
    Bounced,
    /// The lead is a high-value lead.
    HighValue,
    /// To the would-be owner: compliance holds the lead.
    Held,
    /// To the compliance team: the lead needs a review.
    ReviewNeeded,
    /// To the compliance team: a review is still undecided.
    ReviewAgeing,
    /// To the owner: compliance cleared the lead.
    Cleared,
    /// To the would-be owner: compliance closed the lead.
    ClosedByCompliance,
    /// The account is at risk.
    ChurnRisk,
    /// The retention touchpoint is due.
    TouchpointDue,
    /// A publication found thresholds already passed; this summary replaces a message for each.
    PublicationDigest,
    /// Leads changed owner because theirs left or is away.
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

    /// Whether it asks for work on a lead. Such a message is not sent while compliance holds the lead or after it
    /// is closed; messages of the compliance workflow are.
    pub fn is_about_work(self) -> bool {
        matches!(self.workflow(), Some(WorkflowId::SlaBreach | WorkflowId::StuckLead | WorkflowId::HighValue))
    }

    /// The workflow whose version covers its wording. Messages about a publication or an absence belong to none.
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

/// An officer's decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The lead can be worked.
    Clear,
    /// The lead is closed.
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

/// The revisions in force.
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
