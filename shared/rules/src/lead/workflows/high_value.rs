//! High value.
//!
//! **What**: raises the priority, tells the owner and the manager why, reassigns a junior's lead to
//! a senior if the policy says so, shortens the windows of later states, and notifies the regional
//! VP about strategic accounts.
//! **When**: once, when the first of three becomes true: the score is at its threshold, the
//! account is strategic, the deal is larger than its threshold. It can fire again only after none of them is
//! true and the score has fallen by a margin.
//! **Why**: the most valuable leads are lost when they are treated like the rest.

use crate::aggregate::Undecided;
use crate::lead::decide::deciding::{Deciding, RoutingResult};
use crate::lead::event::LeadFact;
use crate::lead::profile::Priority;
use crate::lead::queue::OperationsReason;
use crate::lead::state::Lead;
use crate::notification::{Particulars, Recipient, Role};
use policy::directory::{Directory, Seniority};
use policy::measure::Money;
use policy::{HighValue, Message, WorkflowId};
use std::fmt;

const WORKFLOW: Option<(WorkflowId, Option<&str>)> = Some((WorkflowId::HighValue, None));

/// Fires or arms the workflow, as the lead's profile says now.
pub(crate) fn evaluate(d: &mut Deciding<'_>) -> Result<(), Undecided> {
    let Some(lead) = d.lead() else { return Ok(()) };
    if lead.is_held() || lead.is_closed() {
        return Ok(());
    }
    let policy = &d.rules.policy().workflows.high_value;
    let criteria = criteria(lead, policy);
    if lead.high_value.is_empty() {
        // Without a market there is no manager to notify and no senior to choose: it fires when its market is known.
        if !criteria.is_empty() && !is_unplaced(lead, d.rules.directory()) {
            return fire(d, criteria);
        }
    } else if is_over(lead, policy) {
        rearm(d);
    }
    Ok(())
}

/// How a publication changes whether a lead is high-value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlagChange {
    /// It is high-value under the new rules.
    Flagged,
    /// It is no longer high-value under the new rules.
    Rearmed,
}

/// Whether a publication that changes the criteria changes a lead's flag.
pub(crate) fn flag_change(
    lead: &Lead,
    before: &HighValue,
    after: &HighValue,
    directory: &Directory,
) -> Option<FlagChange> {
    if lead.is_held() || lead.is_closed() || is_unplaced(lead, directory) || before.has_same_criteria(after) {
        return None;
    }
    if lead.high_value.is_empty() {
        (!criteria(lead, after).is_empty()).then_some(FlagChange::Flagged)
    } else {
        is_over(lead, after).then_some(FlagChange::Rearmed)
    }
}

/// Whether nobody has it and nobody knows whose it is to be: its market is not known.
fn is_unplaced(lead: &Lead, directory: &Directory) -> bool {
    let market = lead.profile.market.as_ref().and_then(|market| directory.market(market));
    let team = lead.owner.as_ref().and_then(|owner| directory.team_of(owner));
    market.is_none() && team.is_none()
}

/// Follows a publication without a message, because the publication's digest covers all leads.
pub(crate) fn follow(d: &mut Deciding<'_>, flag_change: FlagChange) {
    match flag_change {
        FlagChange::Flagged => evaluate_quietly(d),
        FlagChange::Rearmed => rearm(d),
    }
}

/// Whether a lead that was flagged can be armed again.
fn is_over(lead: &Lead, policy: &HighValue) -> bool {
    criteria(lead, policy).is_empty() && lead.profile.score.unwrap_or(0) <= rearmed_at(policy)
}

fn rearm(d: &mut Deciding<'_>) {
    d.fact(WORKFLOW, LeadFact::HighValueRearmed {});
    if d.lead().is_some_and(|l| l.priority > Priority::Normal) {
        d.fact(WORKFLOW, LeadFact::PriorityLowered { to: Priority::Normal });
    }
}

/// Flags an imported old lead. It was high-value before it came here, so nobody is notified and nobody loses it.
pub(crate) fn evaluate_quietly(d: &mut Deciding<'_>) {
    let Some(lead) = d.lead() else { return };
    let criteria = criteria(lead, &d.rules.policy().workflows.high_value);
    if !lead.is_closed() && lead.high_value.is_empty() && !criteria.is_empty() {
        mark(d, &criteria);
    }
}

fn mark(d: &mut Deciding<'_>, criteria: &[String]) {
    let window_percent = d.rules.policy().workflows.high_value.later_windows.get();
    d.fact(WORKFLOW, LeadFact::HighValueFlagged { criteria: criteria.to_vec(), window_percent });
    if d.lead().is_some_and(|l| l.priority < Priority::High) {
        d.fact(WORKFLOW, LeadFact::PriorityRaised { to: Priority::High });
    }
}

/// The criteria that are met, in words.
fn criteria(lead: &Lead, policy: &HighValue) -> Vec<String> {
    judge(lead, policy)
        .iter()
        .filter(|criterion| criterion.is_met())
        .map(CriterionResult::to_string)
        .collect()
}

/// Every criterion for a lead, met or not.
pub fn judge<'a>(lead: &'a Lead, policy: &'a HighValue) -> [CriterionResult<'a>; 3] {
    let deal = lead.profile.deal_size.as_ref();
    let own = |deal: &Money| {
        let mut own = policy.deal_size_over.iter().filter(|limit| limit.currency() == deal.currency());
        own.clone().find(|limit| deal.is_over(limit)).or_else(|| own.next())
    };
    [
        CriterionResult::Score { score: lead.profile.score, threshold: policy.score },
        CriterionResult::Account { counts: policy.strategic_accounts, is_strategic: lead.is_strategic() },
        CriterionResult::Deal { deal, limit: deal.and_then(own) },
    ]
}

/// A criterion for a lead. Its text says why it is met, or by how much it is not.
#[derive(Debug, Clone, Copy)]
pub enum CriterionResult<'a> {
    /// The score.
    Score {
        /// The lead's.
        score: Option<u16>,
        /// From which on it counts.
        threshold: u16,
    },
    /// The account.
    Account {
        /// Whether strategic accounts count by the policy.
        counts: bool,
        /// Whether the account is strategic.
        is_strategic: bool,
    },
    /// The size of the deal.
    Deal {
        /// The lead's.
        deal: Option<&'a Money>,
        /// Over which it counts, in its currency.
        limit: Option<&'a Money>,
    },
}

impl CriterionResult<'_> {
    /// Whether it is met.
    #[must_use]
    pub fn is_met(&self) -> bool {
        match *self {
            Self::Score { score, threshold } => score.is_some_and(|score| score >= threshold),
            Self::Account { counts, is_strategic } => counts && is_strategic,
            Self::Deal { deal, limit } => deal.zip(limit).is_some_and(|(deal, limit)| deal.is_over(limit)),
        }
    }
}

impl fmt::Display for CriterionResult<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_met = self.is_met();
        match *self {
            Self::Score { score: None, .. } => f.write_str("the score is unknown"),
            Self::Score { score: Some(score), threshold } if is_met => {
                write!(f, "score {score} is at or over {threshold}")
            }
            Self::Score { score: Some(score), threshold } => {
                write!(f, "score {score} is {} below {threshold}", threshold.saturating_sub(score))
            }
            Self::Account { counts: false, .. } => {
                f.write_str("this policy does not count strategic accounts")
            }
            Self::Account { is_strategic: true, .. } => f.write_str("the account is strategic"),
            Self::Account { .. } => f.write_str("the account is not strategic"),
            Self::Deal { deal: None, .. } => f.write_str("the deal size is unknown"),
            Self::Deal { deal: Some(deal), limit } => {
                let (amount, currency) = (deal.amount(), deal.currency());
                write!(f, "deal size {amount} {currency} is ")?;
                match limit {
                    Some(limit) if is_met => write!(f, "over {}", limit.amount()),
                    Some(limit) => write!(f, "not over {} {currency}", limit.amount()),
                    None => f.write_str("in a currency without a threshold"),
                }
            }
        }
    }
}

/// The score at or under which a lead that was flagged can be armed again.
pub fn rearmed_at(policy: &HighValue) -> u16 {
    policy.score.saturating_sub(policy.score_margin)
}

fn fire(d: &mut Deciding<'_>, criteria: Vec<String>) -> Result<(), Undecided> {
    let policy = &d.rules.policy().workflows.high_value;
    mark(d, &criteria);
    // First the senior, so that the messages name the new owner.
    if policy.reassign_juniors {
        hand_to_senior(d)?;
    }
    let about = |d: &Deciding<'_>| Particulars { reasons: criteria.clone(), ..d.particulars() };
    let has_owner = d.lead().is_some_and(|l| l.owner.is_some());
    let manager = d.manager();
    // For an unknown owner the manager gets the message, below.
    if has_owner && let Some(to) = d.owner(Role::Owner).filter(|to| Some(to) != manager.as_ref()) {
        d.notify(Some((WorkflowId::HighValue, None)), to, Message::HighValue, about(d));
    }
    if let Some(to) = manager {
        d.notify(Some((WorkflowId::HighValue, None)), to, Message::HighValue, about(d));
    }
    let Some(lead) = d.lead() else { return Ok(()) };
    let vp = lead.profile.market.as_ref().and_then(|m| d.rules.directory().market(m)?.regional_vp.clone());
    if lead.is_strategic()
        && let Some(person) = vp
    {
        let to = Recipient::Person { role: Role::RegionalVp, person };
        d.notify(Some((WorkflowId::HighValue, None)), to, Message::HighValue, about(d));
    }
    Ok(())
}

/// Gives a junior's lead to an available senior of the team; without one, the junior keeps it.
fn hand_to_senior(d: &mut Deciding<'_>) -> Result<(), Undecided> {
    let Some(lead) = d.lead() else { return Ok(()) };
    let (from, reassignments) = (lead.owner.clone(), lead.visit.reassignments);
    let junior = |p: &policy::ids::PersonId| {
        d.rules.directory().rep(p).is_some_and(|r| r.seniority == Seniority::Junior)
    };
    let Some(previous) = from.clone().filter(junior) else {
        return Ok(());
    };
    match d.route(true)? {
        RoutingResult::To { rep, team } => {
            d.fact(WORKFLOW, LeadFact::Reassigned { from, to: rep.clone(), team, reassignments });
            let particulars = Particulars {
                previous_owner: Some(previous.clone()),
                reasons: vec!["a high-value lead goes to a senior rep".to_owned()],
                ..d.particulars()
            };
            let to = Recipient::Person { role: Role::PreviousOwner, person: previous };
            d.notify(Some((WorkflowId::HighValue, None)), to, Message::LeadTaken, particulars.clone());
            let to = Recipient::Person { role: Role::Owner, person: rep };
            d.notify(Some((WorkflowId::HighValue, None)), to, Message::LeadGiven, particulars);
        }
        RoutingResult::Nobody { considered } => {
            let reason = OperationsReason::NoRepAvailable;
            d.fact(WORKFLOW, LeadFact::ReassignmentImpossible { reason, considered });
        }
        RoutingResult::NoTeam => {}
    }
    Ok(())
}
