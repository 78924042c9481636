//! The parts of a policy that several workflows have, by workflow: whoever checks, compares or
//! describes policies goes over them here, so that none is forgotten.

use super::content::{About, Action, Policy, Step, StepOverride, Template, Templates, WindowRow};
use super::steps::{self, EffectiveStep};
use crate::ids::MarketId;
use crate::vocabulary::{Message, WorkflowId};
use std::collections::BTreeMap;

/// A workflow whose thresholds are shares of a window.
#[derive(Debug, Clone, Copy)]
pub struct Ladder<'a> {
    /// Which.
    pub workflow: WorkflowId,
    /// Its thresholds, rising.
    pub steps: &'a [Step],
    /// What markets do differently.
    pub markets: &'a BTreeMap<MarketId, Vec<StepOverride>>,
    /// Its own windows.
    pub windows: &'a [WindowRow],
}

impl Policy {
    /// The workflows whose thresholds are shares of a window.
    pub fn ladders(&self) -> [Ladder<'_>; 2] {
        let (sla, stuck) = (&self.workflows.sla_breach, &self.workflows.stuck_lead);
        [
            Ladder {
                workflow: WorkflowId::SlaBreach,
                steps: &sla.steps,
                markets: &sla.markets,
                windows: &sla.windows,
            },
            Ladder {
                workflow: WorkflowId::StuckLead,
                steps: &stuck.steps,
                markets: &stuck.markets,
                windows: &stuck.windows,
            },
        ]
    }

    /// The thresholds of a workflow in a market, rising. Workflows without thresholds have none.
    pub fn steps_in(&self, workflow: WorkflowId, market: &MarketId) -> Vec<EffectiveStep<'_>> {
        let ladder = self.ladders().into_iter().find(|ladder| ladder.workflow == workflow);
        ladder.map_or_else(Vec::new, |ladder| {
            steps::in_market(ladder.steps, ladder.markets.get(market).map_or(&[], Vec::as_slice))
        })
    }

    /// A message in the policy's own words.
    pub fn template(&self, message: Message) -> Option<&Template> {
        self.messages(message.workflow()?).get(&message)
    }

    /// The messages of a workflow in the policy's own words.
    pub fn messages(&self, workflow: WorkflowId) -> &Templates {
        let w = &self.workflows;
        match workflow {
            WorkflowId::SlaBreach => &w.sla_breach.messages,
            WorkflowId::StuckLead => &w.stuck_lead.messages,
            WorkflowId::HighValue => &w.high_value.messages,
            WorkflowId::ComplianceFlag => &w.compliance_flag.messages,
            WorkflowId::ChurnRisk => &w.churn_risk.messages,
        }
    }

    /// What a workflow is, for people.
    pub fn about(&self, workflow: WorkflowId) -> &About {
        let w = &self.workflows;
        match workflow {
            WorkflowId::SlaBreach => &w.sla_breach.about,
            WorkflowId::StuckLead => &w.stuck_lead.about,
            WorkflowId::HighValue => &w.high_value.about,
            WorkflowId::ComplianceFlag => &w.compliance_flag.about,
            WorkflowId::ChurnRisk => &w.churn_risk.about,
        }
    }
}

impl Action {
    /// Its name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TellOwner => "tell-owner",
            Self::TellManager => "tell-manager",
            Self::RecordBreach => "record-breach",
            Self::Reassign => "reassign",
            Self::QueueForOperations => "queue-for-operations",
        }
    }
}
