//! Whether a notification is still true for its recipient when it is about to be sent.
//!
//! A message can be late for many reasons: its recipient's quiet hours, a queue, retries, an outage of the
//! channel, a redrive. This module decides right before it is sent.
//!
//! | message | still true while | otherwise |
//! | --- | --- | --- |
//! | `sla-warning` | its recipient owns the lead and the same SLA clock runs; with the time left now, or the time since the window ended | withdrawn |
//! | `sla-breached` (window over) | always, as a report of what happened and of the lead since then, unless the breach was excused | withdrawn |
//! | `sla-breached` (an earlier step) | as the warning, for the lead's owner at that time | withdrawn |
//! | `lead-given` | its recipient owns the lead | withdrawn |
//! | `lead-taken` | its recipient does not own the lead, and had been told that they owned it | withdrawn |
//! | `reassignment-impossible` | the lead is with the same owner, on the same clock | withdrawn |
//! | `stuck-ask` | its recipient owns the lead, which is still in the same visit of the state | withdrawn |
//! | `stuck-manager`, `bounced` | the lead is still in the same visit of the state | withdrawn |
//! | `high-value` | the lead is still high-value and, for its owner, still theirs | withdrawn |
//! | `held` | compliance holds the lead, and its recipient is the would-be owner | withdrawn |
//! | `review-needed`, `review-ageing` | the same review is open; with its current criteria | withdrawn |
//! | `cleared` | the lead may be worked and its recipient owns it | withdrawn |
//! | `closed-by-compliance` | compliance has closed the lead | withdrawn |
//! | `churn-risk`, `touchpoint-due` | the account is at risk, and its recipient is still responsible for it | withdrawn |
//! | `publication-digest`, `changed-hands` | always, as reports of a publication or an absence | |
//!
//! No message about work on a lead is true while compliance holds it, or once it is closed.
//!
//! Several messages about one lead that are due to one recipient together become one: the latest that is still
//! true, which mentions the earlier ones in order. So nobody reads "is yours now" after "is stuck".

use crate::account::state::Account;
use crate::clock::Clock;
use crate::lead::pending::{ObsoleteReason, PendingNotification};
use crate::lead::state::{Lead, WorkState};
use crate::lead::timers::{StepDue, ladder};
use crate::notification::{Notification, Particulars, Recipient, Role};
use chrono::{DateTime, Utc};
use policy::ids::{NotificationId, PersonId};
use policy::{Message, Rulebook, StateKind, WorkflowId};

/// What to do with a notification that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryDecision {
    /// It is true: send it.
    Send(Box<CurrentMessage>),
    /// A later message, which is also due, covers it.
    IncludedIn(NotificationId),
    /// It is no longer true.
    Withdraw {
        /// Why, in words.
        reason: String,
        /// Earlier messages to the same recipient that this one would have covered.
        earlier: Vec<NotificationId>,
    },
}

/// A message as it is true now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CurrentMessage {
    /// The current details; for a report, those of what happened.
    pub particulars: Particulars,
    /// When the window ends or ended.
    pub due_at: Option<DateTime<Utc>>,
    /// The state that the lead has moved to since, if the message is a report.
    pub moved_to: Option<String>,
    /// The owner since then, if the message reports on another owner.
    pub went_to: Option<PersonId>,
    /// Whether its owner gets the message that they own it only when their quiet hours end.
    pub owner_not_told: bool,
    /// Earlier messages that it covers, the oldest first.
    pub with: Vec<PendingNotification>,
}

/// Decides on a notification about a lead.
pub fn of_lead(
    lead: &Lead,
    rules: &Rulebook,
    notification: &Notification,
    at: DateTime<Utc>,
) -> DeliveryDecision {
    let known = lead.undelivered.iter().find(|p| p.id == notification.id);
    let this = known.cloned().unwrap_or_else(|| PendingNotification::of(notification, None));
    let due =
        |p: &&PendingNotification| p.to.is_same_as(&this.to) && p.is_ready(at) && why_not(lead, p).is_none();
    let place = lead.undelivered.iter().position(|p| p.id == this.id);
    let (before, after) = match place {
        Some(place) => {
            let (before, rest) = lead.undelivered.split_at(place);
            (before, rest.get(1..).unwrap_or_default())
        }
        // It was asked for before the lead kept a list of them.
        None => Default::default(),
    };
    if let Some(reason) = why_not(lead, &this) {
        let earlier = before.iter().filter(due).map(|p| p.id.clone()).collect();
        return DeliveryDecision::Withdraw { reason, earlier };
    }
    if let Some(last) = after.iter().rfind(due) {
        return DeliveryDecision::IncludedIn(last.id.clone());
    }
    let with = before.iter().filter(due).cloned().collect();
    let told = CurrentMessage { with, ..afresh(lead, rules, notification, &this, at) };
    DeliveryDecision::Send(Box::new(told))
}

/// Decides on a notification about an account.
pub fn of_account(account: &Account, notification: &Notification) -> DeliveryDecision {
    let withdraw =
        |reason: &str| DeliveryDecision::Withdraw { reason: reason.to_owned(), earlier: Vec::new() };
    match notification.message {
        Message::ChurnRisk | Message::TouchpointDue if account.churn_risk.is_none() => {
            return withdraw("the account is no longer at risk");
        }
        _ => {}
    }
    let looks_after = |person: &PersonId| {
        [&account.owner, &account.customer_success_owner].into_iter().flatten().any(|p| p == person)
    };
    if let Recipient::Person { person, role: Role::AccountOwner | Role::CustomerSuccess } = &notification.to
        && !looks_after(person)
    {
        return withdraw("someone else is responsible for the account now");
    }
    let mut particulars = notification.particulars.clone();
    particulars.company = account.name.clone().or(particulars.company);
    particulars.owner.clone_from(&account.owner);
    DeliveryDecision::Send(Box::new(CurrentMessage { particulars, ..CurrentMessage::default() }))
}

/// Decides on a notification about anything else: a report, which is always sent.
pub fn of_report(notification: &Notification) -> DeliveryDecision {
    let particulars = notification.particulars.clone();
    DeliveryDecision::Send(Box::new(CurrentMessage { particulars, ..CurrentMessage::default() }))
}

/// Why a message is no longer true; `None` if it is true.
fn why_not(lead: &Lead, p: &PendingNotification) -> Option<String> {
    match p.moot {
        Some(ObsoleteReason::Excused) => return Some("the breach was excused".to_owned()),
        Some(ObsoleteReason::NeverGiven) => {
            return Some("its recipient was never told that they owned the lead".to_owned());
        }
        None => {}
    }
    if p.message.is_about_work() {
        if lead.is_held() {
            return Some("the lead is held".to_owned());
        }
        if lead.is_closed() {
            return Some("the lead is closed".to_owned());
        }
    }
    match p.message {
        Message::SlaBreached if p.is_report => None,
        Message::SlaWarning | Message::SlaBreached => not_owned(lead, p)
            .or_else(|| other_visit(lead, p))
            .or_else(|| other_clock(lead, p))
            .or_else(|| (!lead.is_being_worked()).then(|| "its clock is paused".to_owned())),
        Message::LeadGiven => not_owned(lead, p),
        Message::LeadTaken => (p.person().is_some() && p.person() == lead.owner.as_ref())
            .then(|| "they own the lead again".to_owned()),
        Message::ReassignmentImpossible => (lead.owner != p.owner)
            .then(|| "someone else owns the lead now".to_owned())
            .or_else(|| other_visit(lead, p))
            .or_else(|| other_clock(lead, p)),
        Message::StuckAsk => not_owned(lead, p).or_else(|| other_visit(lead, p)),
        Message::StuckManager | Message::Bounced => other_visit(lead, p),
        Message::HighValue if lead.high_value.is_empty() => {
            Some("the lead is no longer high-value".to_owned())
        }
        Message::HighValue => match &p.to {
            Recipient::Person { role: Role::Owner, .. } => not_owned(lead, p),
            _ => None,
        },
        Message::Held if !lead.is_held() => Some("the lead is no longer held".to_owned()),
        Message::Held => {
            let would_be = lead.review.as_ref().and_then(|review| review.would_be_owner.as_ref());
            let is_theirs = |person: &PersonId| [lead.owner.as_ref(), would_be].contains(&Some(person));
            p.person()
                .is_some_and(|person| !is_theirs(person))
                .then(|| "someone else is the would-be owner now".to_owned())
        }
        Message::ReviewNeeded | Message::ReviewAgeing => match (&lead.review, p.about.review) {
            (None, _) => Some("the review was decided".to_owned()),
            (Some(open), Some(opened_at)) if open.opened_at != opened_at => {
                Some("that review was decided, and a new one is open".to_owned())
            }
            _ => None,
        },
        Message::Cleared if lead.is_held() => Some("the lead is held again".to_owned()),
        Message::Cleared if lead.is_closed() => Some("the lead is closed".to_owned()),
        Message::Cleared => not_owned(lead, p),
        Message::ClosedByCompliance => (!lead.is_disqualified()).then(|| "the lead is open again".to_owned()),
        Message::ChurnRisk | Message::TouchpointDue | Message::PublicationDigest | Message::ChangedHands => {
            None
        }
    }
}

/// For a message to a channel in place of an unknown owner, the owner at that time counts.
fn not_owned(lead: &Lead, p: &PendingNotification) -> Option<String> {
    let of = p.person().or(p.owner.as_ref());
    (lead.owner.as_ref() != of).then(|| match &lead.owner {
        Some(_) => "someone else owns the lead now".to_owned(),
        None => "nobody owns the lead now".to_owned(),
    })
}

fn other_visit(lead: &Lead, p: &PendingNotification) -> Option<String> {
    let is_same = match p.about.visit {
        Some(visit) => visit == lead.stuck_clocks && lead.kind == StateKind::Working,
        None => p.state.as_ref().is_none_or(|state| *state == lead.state),
    };
    (!is_same).then(|| match lead.kind {
        StateKind::Hold => "the lead is on hold".to_owned(),
        _ if p.state.as_ref() == Some(&lead.state) => {
            format!("the lead left {} and came back", lead.state)
        }
        _ => format!("the lead moved to {}", lead.state),
    })
}

fn other_clock(lead: &Lead, p: &PendingNotification) -> Option<String> {
    let is_same = p.about.sla_clock.is_none_or(|clock| clock == lead.sla_clocks);
    (!is_same).then(|| "its clock restarted".to_owned())
}

/// The current details.
fn afresh(
    lead: &Lead,
    rules: &Rulebook,
    notification: &Notification,
    p: &PendingNotification,
    at: DateTime<Utc>,
) -> CurrentMessage {
    let mut told =
        CurrentMessage { particulars: notification.particulars.clone(), ..CurrentMessage::default() };
    let particulars = &mut told.particulars;
    if lead.profile.company.is_some() {
        particulars.company.clone_from(&lead.profile.company);
    }
    match p.message {
        Message::SlaBreached if p.is_report => {
            told.due_at = measured(lead, rules, WorkflowId::SlaBreach, p, at).map(|measured| measured.due_at);
            if other_visit(lead, p).is_some() {
                told.moved_to = Some(lead.state.to_string());
            }
            told.went_to = lead.owner.clone().filter(|owner| Some(owner) != p.owner.as_ref());
            told.owner_not_told = told.went_to.is_none()
                && lead
                    .owner
                    .as_ref()
                    .is_some_and(|o| crate::lead::ownership::is_yet_to_be_told(lead, o, at));
        }
        Message::SlaWarning | Message::SlaBreached | Message::LeadGiven | Message::Cleared => {
            now_of(particulars, lead);
            if let Some(measured) = measured(lead, rules, WorkflowId::SlaBreach, p, at) {
                // A message to a new owner says when the lead is due; the elapsed time was another owner's.
                if !p.gives() {
                    particulars.elapsed_s = Some(measured.elapsed_s);
                    particulars.window_s = Some(measured.window_s);
                }
                told.due_at = Some(measured.due_at);
            }
        }
        Message::StuckAsk | Message::StuckManager => {
            now_of(particulars, lead);
            if let Some(measured) = measured(lead, rules, WorkflowId::StuckLead, p, at) {
                particulars.elapsed_s = Some(measured.elapsed_s);
                particulars.window_s = Some(measured.window_s);
            }
        }
        Message::LeadTaken | Message::ReassignmentImpossible | Message::Bounced => now_of(particulars, lead),
        Message::HighValue => {
            now_of(particulars, lead);
            particulars.reasons.clone_from(&lead.high_value);
        }
        Message::ReviewNeeded | Message::ReviewAgeing => {
            if let Some(review) = &lead.review {
                particulars.criteria = review.criteria.iter().map(|found| found.criterion.clone()).collect();
                particulars.owner.clone_from(&review.would_be_owner);
                particulars.market = lead.profile.market.clone();
                let flagged_by = (!review.flagged_by.is_empty()).then(|| review.flagged_by.join(", "));
                particulars.flagged_by = flagged_by;
            }
        }
        Message::Held
        | Message::ClosedByCompliance
        | Message::ChurnRisk
        | Message::TouchpointDue
        | Message::PublicationDigest
        | Message::ChangedHands => {}
    }
    told
}

fn now_of(particulars: &mut Particulars, lead: &Lead) {
    particulars.state = Some(lead.state.clone());
    particulars.market = lead.profile.market.clone();
    particulars.owner.clone_from(&lead.owner);
}

/// The state of a clock.
struct Measured {
    elapsed_s: i64,
    window_s: i64,
    due_at: DateTime<Utc>,
}

/// The state of a workflow's clock, if it is the one that a message is about.
fn measured(
    lead: &Lead,
    rules: &Rulebook,
    workflow: WorkflowId,
    p: &PendingNotification,
    at: DateTime<Utc>,
) -> Option<Measured> {
    let ladder = ladder(lead, WorkState::of(lead), rules, workflow).ok()?;
    let clock: &Clock = ladder.clock;
    let is_another = match workflow {
        WorkflowId::SlaBreach => p.about.sla_clock.is_some_and(|about| about != clock.number) && !p.gives(),
        _ => p.about.visit.is_some_and(|about| about != clock.number),
    };
    let StepDue { measure, .. } = ladder.steps().next().filter(|_| !is_another)?;
    Some(Measured {
        elapsed_s: clock.elapsed(measure.calendar, at).secs(),
        window_s: measure.window.secs(),
        due_at: clock.due(measure.calendar, measure.window)?,
    })
}
