//! The required properties, and the corner cases that must be reached so that the properties mean something.

use super::state::{CAPACITY, Delivery, Folded, Lead, Message, Run, Stage, State};
use super::steps::{Bundle, Cause, Step};
use stateright::{Model, Property};

impl Model for Bundle {
    type State = State;
    // With the next state, so that guards and effects are in one place.
    type Action = (Step, State);

    fn init_states(&self) -> Vec<State> {
        vec![self.beginning()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Self::Action>) {
        self.steps(state, actions);
    }

    fn next_state(&self, _: &State, (_, to): Self::Action) -> Option<State> {
        Some(to)
    }

    fn format_action(&self, (step, _): &Self::Action) -> String {
        format!("lead {}: {:?} {:?}", step.lead, step.who, step.what)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = safety();
        properties.extend(corners(self));
        properties
    }
}

pub const FOLDS: &str = "the audit folds to the lead";
pub const ONCE: &str = "an input is applied once";
pub const ONE_IS_FIRST: &str = "at most one is told that theirs was the first delivery";
pub const STAYS: &str = "what somebody was told is committed stays so";
pub const TOGETHER: &str = "no entry without its notification and no notification without its entry";
pub const ONE_SEND: &str =
    "a notification is sent once, and once more for each who sent and could not record it";
pub const TRUE: &str = "what the record says of a notification is so";
pub const ROOM: &str = "a rep carries what their leads say, and no more than they can";
pub const ALL_DONE: &str = "when nothing is left to do, all is applied, told and recorded";

/// A property of each lead.
macro_rules! of_each_lead {
    ($expectation:ident, $quantifier:ident, $name:expr, $condition:expr) => {{
        fn of_state(_: &Bundle, state: &State) -> bool {
            let condition: fn(&Lead) -> bool = $condition;
            state.leads.iter().$quantifier(condition)
        }
        Property::$expectation($name, of_state)
    }};
}

fn safety() -> Vec<Property<Bundle>> {
    vec![
        of_each_lead!(always, all, FOLDS, |lead| {
            let (history, rest) = lead.audit.split_at(usize::from(lead.version));
            let folded = history.iter().flatten().fold(Folded::default(), |fold, fact| fold.with(*fact));
            folded == lead.stored && history.iter().all(Option::is_some) && rest.iter().all(Option::is_none)
        }),
        of_each_lead!(always, all, ONCE, |lead| lead.stored.applied <= 1),
        of_each_lead!(always, all, ONE_IS_FIRST, |lead| lead.firsts <= 1),
        of_each_lead!(always, all, STAYS, |lead| {
            lead.stored.is_held == lead.was_held && lead.stored.applied >= lead.firsts
        }),
        of_each_lead!(always, all, TOGETHER, |lead| {
            let told = lead.stored.delivered + lead.stored.withdrawn;
            u8::from(lead.outbox.is_some()) + told == lead.stored.applied
        }),
        of_each_lead!(always, all, ONE_SEND, |lead| lead.sends <= 1 + lead.cuts),
        of_each_lead!(always, all, TRUE, |lead| {
            let Folded { applied, delivered, withdrawn, .. } = lead.stored;
            // Nobody can know whether a sender that crashed had sent it.
            applied >= u8::from(lead.sends > 0)
                && lead.sends >= delivered
                && (withdrawn == 0 || lead.sends <= lead.cuts)
        }),
        Property::always(ROOM, |_, state: &State| {
            let assigned: u8 = state.leads.iter().map(|lead| lead.stored.assigned).sum();
            state.load == assigned && state.load <= CAPACITY
        }),
        // No path is endless (another test checks that), so each ends in any order.
        Property::always(ALL_DONE, |bundle: &Bundle, state: &State| {
            let is_done = |lead: &Lead| lead.stored.applied == 1 && lead.outbox.is_none();
            state.leads.iter().take(bundle.causes.len()).all(is_done) || bundle.goes_on(state)
        }),
    ]
}

fn corners(bundle: &Bundle) -> Vec<Property<Bundle>> {
    let mut corners = vec![
        of_each_lead!(sometimes, any, "two deliveries are dealt with at once", |lead| {
            lead.deliveries.iter().all(|delivery| matches!(delivery, Delivery::Running(_)))
        }),
        of_each_lead!(sometimes, any, "a race is lost", |lead| {
            runs(lead).any(|run| run.tried != 0 && !run.wrote && run.late.is_none())
        }),
    ];
    if bundle.crashes > 0 {
        corners.push(of_each_lead!(
            sometimes,
            any,
            "the sweep hands on what a crash kept from the queue",
            |lead| { lead.is_swept && lead.sends == 0 && lead.cuts == 0 }
        ));
        corners.push(of_each_lead!(sometimes, any, "a notification is sent again after a crash", |lead| {
            lead.sends == 2 && lead.stored.delivered == 1
        }));
        corners.push(of_each_lead!(sometimes, any, "a transaction arrives after its sender died", |lead| {
            lead.orphan.is_some()
        }));
    }
    if bundle.faults > 0 {
        corners.push(of_each_lead!(
            sometimes,
            any,
            "an unknown outcome is found to have been written",
            |lead| {
                runs(lead)
                    .any(|run| matches!(run.stage, Stage::Read { state: Some(state), .. } if state.is_ours))
            }
        ));
        corners.push(of_each_lead!(sometimes, any, "an attempt races with a late one of its own", |lead| {
            runs(lead).any(|run| run.late.is_some() && matches!(run.stage, Stage::Commit(_)))
        }));
        corners.push(of_each_lead!(sometimes, any, "a message meets a claim", |lead| {
            lead.messages.contains(&Message::KeptBack) && lead.messages.contains(&Message::Ready)
        }));
    }
    if bundle.may_be_held {
        corners.push(of_each_lead!(sometimes, any, "a notification is withdrawn", |lead| {
            lead.stored.withdrawn == 1
        }));
    }
    if bundle.causes == [Cause::Event, Cause::Event] {
        corners.push(Property::sometimes(
            "both leads want the one place that is left",
            |_, state: &State| {
                let wants = |lead: &Lead| {
                    runs(lead).any(|run| {
                    matches!(run.stage, Stage::Commit(request) if request.decision.fact().assigns())
                })
                };
                state.leads.iter().all(wants)
            },
        ));
    }
    corners
}

fn runs(lead: &Lead) -> impl Iterator<Item = Run> {
    let deliveries = lead.deliveries.into_iter().filter_map(|delivery| match delivery {
        Delivery::Running(run) => Some(run),
        _ => None,
    });
    let messages = lead.messages.into_iter().filter_map(|message| match message {
        Message::Recording { run, .. } => Some(run),
        _ => None,
    });
    deliveries.chain(messages)
}
