//! Explains, for each of the five workflows, what it did to a lead, what it waits for, why it pauses, and
//! which condition is not met, by how much. It can explain any time of the lead's history, under the
//! documents that were in force then.
//!
//! This module has no rules of its own. The audit says what fired. The engine's timers say when a step is
//! due, and why there is none. `decide`, asked ahead of time, says what the step will do, and to whom.

mod action;
mod clocks;
mod conditions;
mod context;
mod error;
mod explanation;
mod forecast;
mod history;
mod text;

pub use action::WorkflowAction;
pub use error::ExplainError;
pub use explanation::{
    ClockState, Condition, Dismissed, Explanation, FiredEntry, PlannedStep, QueueReason, Readiness, Reason,
    RecordedLater, Status, WorkflowExplanation,
};
pub use history::CompleteHistory;
pub use rules::lead::OperationsReason;

use chrono::{DateTime, Utc};
use context::Context;
use forecast::Forecast;
use history::History;
use policy::WorkflowId;
use policy::ids::AccountId;
use rules::aggregate::{FoldError, fold};
use rules::entry::Entry;
use rules::lead::{Lead, LeadFact};
use rules::world::World;

/// Explains a lead at a time, given the documents in force then. If `at` is after `now`, it explains
/// `now`, because nothing later is known.
///
/// # Errors
/// See [`ExplainError`].
pub fn explain(
    histories: CompleteHistory<'_>,
    world: &World,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Explanation, ExplainError> {
    let ahead_to = (at > now).then_some(at);
    let at = at.min(now);
    let history = History::until(histories, at)?;
    let forecast = Forecast::of(&history, world, at)?;
    let lead = &history.lead;
    let context = Context { history: &history, forecast: &forecast, world, at };
    let workflows = vec![
        clocks::explain_sales(&context, WorkflowId::SlaBreach),
        clocks::explain_sales(&context, WorkflowId::StuckLead),
        conditions::high_value(&context),
        conditions::compliance(&context),
        conditions::churn(&context),
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
            .map(|queued| queue_reason(lead, queued.reason, queued.since))
            .collect(),
        dismissed: lead.dismissed.as_ref().map(|dismissal| Dismissed {
            since: dismissal.at,
            note: dismissal.note.clone(),
            reasons: dismissal
                .reasons
                .iter()
                .map(|reason| queue_reason(lead, *reason, dismissal.at))
                .collect(),
        }),
        workflows,
        recorded_later: Vec::new(),
    })
}

fn queue_reason(lead: &Lead, reason: OperationsReason, since: DateTime<Utc>) -> QueueReason {
    QueueReason { reason, since, text: reason.told(lead), ends_when: reason.ends_when(lead).to_owned() }
}

/// The account that a lead belonged to at a time. The explanation needs its history.
///
/// # Errors
/// The history cannot be folded.
pub fn account_of(lead: &[Entry<LeadFact>], at: DateTime<Utc>) -> Result<Option<AccountId>, FoldError> {
    let lead = fold::<Lead>(history::until(lead, at))?;
    Ok(lead.and_then(|lead| lead.profile.account_id))
}
