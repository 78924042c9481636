//! Whether a notification is still true when it is about to go out, for the one who gets it.
//!
//! A message can be late for many reasons: its recipient's quiet hours, a queue, retries, an outage
//! of the channel, a redrive. However long it took, it is asked here right before it is sent.
//!
//! | message | still true while | otherwise |
//! | --- | --- | --- |
//! | `sla-warning` | its recipient owns the lead and the same SLA clock runs; with the time left of now, or since when the window is over | withdrawn |
//! | `sla-breached` (window over) | always, as a report of what happened and what became of the lead; unless the breach was excused | withdrawn |
//! | `sla-breached` (an earlier step) | as the warning, for the lead's owner of then | withdrawn |
//! | `lead-given` | its recipient owns the lead | withdrawn |
//! | `lead-taken` | its recipient does not own the lead, and had been told that it was theirs | withdrawn |
//! | `reassignment-impossible` | the lead is with the same owner, on the same clock | withdrawn |
//! | `stuck-ask` | its recipient owns the lead, which is still in the same visit of the state | withdrawn |
//! | `stuck-manager`, `bounced` | the lead is still in the same visit of the state | withdrawn |
//! | `high-value` | the lead is still high-value and, for its owner, theirs | withdrawn |
//! | `held` | compliance holds the lead, and its recipient would have it | withdrawn |
//! | `review-needed`, `review-ageing` | the same review is open; with its criteria of now | withdrawn |
//! | `cleared` | the lead may be worked and its recipient owns it | withdrawn |
//! | `closed-by-compliance` | compliance has closed the lead | withdrawn |
//! | `churn-risk`, `touchpoint-due` | the account is at risk, and its recipient still looks after it | withdrawn |
//! | `publication-digest`, `changed-hands` | always: they report what a publication or an absence brought about | |
//!
//! No message about work on a lead is true while compliance holds it, or once it is closed.
//!
//! Several messages about one lead that are due to one recipient together are one message: the
//! latest that is still true, which mentions the ones before it in their order. So nobody hears
//! "yours now" after "is stuck".

use crate::account::state::Account;
use crate::clock::Clock;
use crate::lead::pending::{Moot, Pending};
use crate::lead::state::{Lead, Place};
use crate::lead::timers::{StepDue, ladder};
use crate::notification::{Notification, Particulars, Recipient, Role};
use chrono::{DateTime, Utc};
use policy::ids::{NotificationId, PersonId};
use policy::{Message, Rulebook, StateKind, WorkflowId};

/// What becomes of a notification that is about to go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Telling {
    /// It is true: send it so.
    Tell(Box<Told>),
    /// A later message, which is due too, tells it.
    With(NotificationId),
    /// It is not true any more.
    Withdraw {
        /// Why, in words.
        reason: String,
        /// Earlier messages to the same recipient. While this one was true they were left to it to tell.
        earlier: Vec<NotificationId>,
    },
}

/// A message as it is true now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// The particulars of now; of a report, those of what happened.
    pub particulars: Particulars,
    /// When the window ends, or ended.
    pub due_at: Option<DateTime<Utc>>,
    /// Where the lead went since, if the message reports what happened before that.
    pub moved_to: Option<String>,
    /// Who has it now, if the message reports what happened to another one's.
    pub went_to: Option<PersonId>,
    /// Its owner waits for the end of their quiet hours to be told that it is theirs.
    pub owner_not_told: bool,
    /// Earlier messages that it tells too, the oldest first.
    pub with: Vec<Pending>,
}

/// What becomes of a notification about a lead at an instant.
pub fn of_lead(lead: &Lead, rules: &Rulebook, notification: &Notification, at: DateTime<Utc>) -> Telling {
    let known = lead.undelivered.iter().find(|p| p.id == notification.id);
    let this = known.cloned().unwrap_or_else(|| Pending::of(notification, None));
    let due = |p: &&Pending| p.to.is_same_as(&this.to) && p.is_ready(at) && why_not(lead, p).is_none();
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
        return Telling::Withdraw { reason, earlier };
    }
    if let Some(last) = after.iter().rfind(due) {
        return Telling::With(last.id.clone());
    }
    let with = before.iter().filter(due).cloned().collect();
    let told = Told { with, ..afresh(lead, rules, notification, &this, at) };
    Telling::Tell(Box::new(told))
}

/// What becomes of a notification about an account.
pub fn of_account(account: &Account, notification: &Notification) -> Telling {
    let withdraw = |reason: &str| Telling::Withdraw { reason: reason.to_owned(), earlier: Vec::new() };
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
    Telling::Tell(Box::new(Told { particulars, ..Told::default() }))
}

/// What becomes of a notification about anything else: it reports what happened.
pub fn of_report(notification: &Notification) -> Telling {
    let particulars = notification.particulars.clone();
    Telling::Tell(Box::new(Told { particulars, ..Told::default() }))
}

/// Why a message is not true any more; `None`: it is.
fn why_not(lead: &Lead, p: &Pending) -> Option<String> {
    match p.moot {
        Some(Moot::Excused) => return Some("the breach was excused".to_owned()),
        Some(Moot::NeverGiven) => {
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

/// Of a message to a channel in the place of an owner nobody knows, the owner of then counts.
fn not_owned(lead: &Lead, p: &Pending) -> Option<String> {
    let of = p.person().or(p.owner.as_ref());
    (lead.owner.as_ref() != of).then(|| match &lead.owner {
        Some(_) => "someone else owns the lead now".to_owned(),
        None => "nobody owns the lead now".to_owned(),
    })
}

fn other_visit(lead: &Lead, p: &Pending) -> Option<String> {
    let is_same = match p.about.visit {
        Some(visit) => visit == lead.stuck_clocks && lead.kind == StateKind::Working,
        None => p.state.as_deref().is_none_or(|state| state == lead.state.as_str()),
    };
    (!is_same).then(|| match lead.kind {
        StateKind::Hold => "the lead is on hold".to_owned(),
        _ if p.state.as_deref() == Some(lead.state.as_str()) => {
            format!("the lead left {} and came back", lead.state)
        }
        _ => format!("the lead moved to {}", lead.state),
    })
}

fn other_clock(lead: &Lead, p: &Pending) -> Option<String> {
    let is_same = p.about.sla_clock.is_none_or(|clock| clock == lead.sla_clocks);
    (!is_same).then(|| "its clock restarted".to_owned())
}

/// The particulars of now.
fn afresh(
    lead: &Lead,
    rules: &Rulebook,
    notification: &Notification,
    p: &Pending,
    at: DateTime<Utc>,
) -> Told {
    let mut told = Told { particulars: notification.particulars.clone(), ..Told::default() };
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
                // A message that a lead is theirs says when it is due; how long it took is another one's.
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
                particulars.market = lead.profile.market.as_ref().map(ToString::to_string);
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
    particulars.state = Some(lead.state.to_string());
    particulars.market = lead.profile.market.as_ref().map(ToString::to_string);
    particulars.owner.clone_from(&lead.owner);
}

/// How a clock stands.
struct Measured {
    elapsed_s: i64,
    window_s: i64,
    due_at: DateTime<Utc>,
}

/// How the lead's clock of a workflow stands, if it is the one that a message is about.
fn measured(
    lead: &Lead,
    rules: &Rulebook,
    workflow: WorkflowId,
    p: &Pending,
    at: DateTime<Utc>,
) -> Option<Measured> {
    let ladder = ladder(lead, Place::of(lead), rules, workflow).ok()?;
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
