//! `decide`: what should happen to a lead. Whatever was due is settled first, then the input is
//! applied, so that the record does not hang on when sweeps ran.

use crate::aggregate::Decision;
use crate::world::World;

pub(crate) mod assign;
mod catch_up;
pub(crate) mod cleared;
pub(crate) mod deciding;
mod delivery;
mod event;
mod evidence;
mod held;
mod hold;
pub(crate) mod moves;
pub(crate) mod operations;
pub(crate) mod order;
pub(crate) mod owners;
mod review;
mod settle;
mod staff;

use crate::aggregate::Undecided;
use crate::entry::Entry;
use crate::lead::command::{Command, Input};
use crate::lead::decide::deciding::Deciding;
use crate::lead::event::LeadFact;
use crate::lead::state::Lead;
use crate::lead::workflows::compliance_flag;
use crate::lead::workflows::compliance_flag::Screening;
use crate::outcome::Outcome;
use crate::recordable::Recordable as _;

use chrono::{DateTime, Utc};
use std::borrow::Cow;

/// What should happen to a lead, given an input at an instant.
///
/// # Errors
/// [`Undecided`] names what the world lacks; read it and decide again. Nothing else can go wrong.
pub(super) fn decide(
    lead: Option<&Lead>,
    world: &World,
    command: &Command,
    now: DateTime<Utc>,
) -> Result<Decision<Lead>, Undecided> {
    let mut d = Deciding::new(lead, world, command, now);
    if d.lead().is_some() {
        catch_up::catch_up(&mut d)?;
        let until = d.now;
        settle::settle(&mut d, until)?;
    }
    d.begin_input(now);
    // Licences change without any lead's doing.
    compliance_flag::screen_jurisdiction(&mut d)?;
    let outcome = match &*taken(&d, &command.input) {
        Input::Event(event) => {
            let outcome = event::apply(&mut d, event)?;
            event::note_unread(&mut d, event);
            outcome
        }
        Input::Wake => Outcome::Applied,
        Input::RefusedAtDoor { field, why, matches, flagged_by, named } => {
            let found = Screening { matches, flagged_by: flagged_by.as_deref(), named };
            event::refuse_at_door(&mut d, field, why, found)?
        }
        Input::ApplyAccount => event::apply_account(&mut d)?,
        Input::Offer => assign::take_offer(&mut d)?,
        Input::OwnerPresence => owners::follow_presence(&mut d)?,
        Input::Decide(decision) => review::decide(&mut d, decision)?,
        Input::Reopen(reopening) => review::reopen(&mut d, reopening),
        Input::Resolve(resolution) => staff::resolve(&mut d, resolution)?,
        Input::Erase(erasure) => staff::erase(&mut d, erasure),
        Input::Delivery(delivery) => delivery::apply(&mut d, delivery),
    };
    let is_news = matches!(command.input, Input::Event(_)) && d.has_news();
    operations::reconcile(&mut d, is_news);
    settle::settle_after_input(&mut d)?;
    // That something was not understood is no change.
    let is_news = |entry: &Entry<LeadFact>| !matches!(entry.fact, LeadFact::InputNotUnderstood(_));
    let outcome = match outcome {
        Outcome::Applied if !d.entries.iter().any(is_news) => Outcome::Unchanged,
        outcome => outcome,
    };
    let wake_at = d.next_due().wake_at;
    d.finish(outcome, wake_at)
}

/// What is taken of an input: of a lead whose personal data was erased, nothing personal.
fn taken<'i>(d: &Deciding<'_>, input: &'i Input) -> Cow<'i, Input> {
    let mut taken = Cow::Borrowed(input);
    if d.lead().is_some_and(Lead::is_erased) && input.is_personal() {
        taken.to_mut().forget();
    }
    taken
}
