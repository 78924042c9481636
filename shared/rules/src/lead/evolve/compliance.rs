//! What the facts of compliance do to a lead: holds, reviews, clearances, rejections.

use crate::clock::Clock;
use crate::entry::{ActorKind, Entry};
use crate::lead::event::LeadFact;
use crate::lead::evolve::clocks::{begin_visit, pause_visit, restart_sla, settle_clocks};
use crate::lead::party::ScreenedParty;
use crate::lead::review::{
    CLEARANCES_MAX, CRITERIA_MAX, Clearance, DecisionRef, Rejection, ReopeningAsked, Review, UnderReview,
    Vote,
};
use crate::lead::state::Lead;
use crate::lead::visit::{HeldFrom, StateVisit};
use crate::personal::PersonalKind;
use crate::screening::Criterion;
use policy::ids::StateId;
use policy::{StateKind, Verdict};
use std::collections::BTreeSet;

pub(super) fn apply(lead: &mut Lead, entry: &Entry<LeadFact>) {
    let at = entry.at;
    match &entry.fact {
        LeadFact::ComplianceHeld { from, would_be_owner } => {
            lead.held_from =
                Some(HeldFrom { state: from.clone(), kind: lead.kind, entered_at: lead.entered_at });
            hold(lead, entry);
            lead.review = Some(Review {
                opened_at: at,
                revision: entry.seq,
                clock: Clock::start(1, at, 100),
                criteria: Vec::new(),
                flagged_by: Vec::new(),
                would_be_owner: would_be_owner.clone(),
                vote: None,
            });
        }
        LeadFact::ComplianceMatched { .. } => matched(lead, entry),
        LeadFact::ComplianceMatchRemembered { criterion, flagged_by }
            if lead.unanswered.iter().any(|known| known.criterion.is_same_match(criterion)) =>
        {
            add_flagger(&mut lead.unanswered_flagged_by, flagged_by.as_ref(), entry);
        }
        LeadFact::WouldBeOwnerNamed { to } => {
            if let Some(review) = &mut lead.review {
                review.would_be_owner = Some(to.clone());
            }
        }
        LeadFact::ReviewVoted { verdict, reason_code, reason, officer } => {
            if let Some(review) = &mut lead.review {
                review.revision = entry.seq;
                review.vote = Some(Vote {
                    officer: officer.clone(),
                    verdict: *verdict,
                    reason_code: reason_code.clone(),
                    reason: reason.clone(),
                });
            }
        }
        LeadFact::ReviewDecided { .. } => decided(lead, entry),
        LeadFact::ReopeningAsked { officer, reason } => {
            if let Some(rejection) = &mut lead.rejection {
                rejection.revision = entry.seq;
                rejection.asked =
                    Some(ReopeningAsked { officer: officer.clone(), reason: reason.clone(), at });
            }
        }
        LeadFact::ReviewReopened { .. } => reopened(lead, entry),
        _ => {}
    }
}

/// A decision is taken on what an officer saw. Another company, contact, country or market is
/// something else to see, and to decide.
pub(super) fn follow_premises(lead: &mut Lead, seq: u64) {
    if let Some(review) = &mut lead.review {
        review.revision = seq;
        review.vote = None;
    }
}

fn hold(lead: &mut Lead, entry: &Entry<LeadFact>) {
    lead.state = StateId::from(StateId::COMPLIANCE_HOLD);
    lead.kind = StateKind::Hold;
    lead.entered_at = entry.at;
    pause_visit(&mut lead.visit, entry.at);
}

fn matched(lead: &mut Lead, entry: &Entry<LeadFact>) {
    let LeadFact::ComplianceMatched { criterion, screened, flagged_by, personal } = &entry.fact else {
        return;
    };
    let found = UnderReview { criterion: criterion.clone(), screened: screened.clone() };
    lead.unanswered.retain(|known| *known != found);
    let (criteria, flaggers) = match (&mut lead.review, &mut lead.rejection) {
        (Some(review), _) => {
            review.revision = entry.seq;
            // What the first officer decided on is not what is to be decided now.
            review.vote = None;
            (&mut review.criteria, &mut review.flagged_by)
        }
        (None, Some(rejection)) => {
            rejection.revision = entry.seq;
            rejection.asked = None;
            (&mut rejection.criteria, &mut rejection.flagged_by)
        }
        (None, None) => return,
    };
    add(criteria, found);
    add_all(flaggers, &lead.unanswered_flagged_by);
    add_flagger(flaggers, flagged_by.as_ref(), entry);
    lead.personal_kinds.extend(personal.as_ref().map(|_| PersonalKind::Screening));
    if let Some(details) = personal {
        lead.personal.matches.insert(criterion.key(), details.clone());
    }
}

fn add_all<'p>(flaggers: &mut Vec<String>, who: impl IntoIterator<Item = &'p String>) {
    for by in who {
        if !flaggers.contains(by) {
            flaggers.push(by.clone());
        }
    }
}

/// A person is known by the token's subject, too, whatever name the flag gives them.
fn add_flagger(flaggers: &mut Vec<String>, flagged_by: Option<&String>, entry: &Entry<LeadFact>) {
    let is_by_staff = flagged_by.is_some() && entry.actor.kind == ActorKind::Staff;
    add_all(flaggers, flagged_by.into_iter().chain(is_by_staff.then_some(&entry.actor.id)));
}

/// Found again of the same party, the strongest finding is what is to be decided. Of another party, or
/// where nobody can tell which one is stronger, it is a question of its own.
fn add(criteria: &mut Vec<UnderReview>, found: UnderReview) {
    match criteria.iter_mut().find(|known| known.is_one_with(&found)) {
        Some(known) => {
            let strength = known.criterion.strength.max(found.criterion.strength);
            *known = found;
            known.criterion.strength = strength;
        }
        None => criteria.push(found),
    }
}

fn decided(lead: &mut Lead, entry: &Entry<LeadFact>) {
    let LeadFact::ReviewDecided { verdict, reason_code, officers, criteria, lapsed, to, kind, .. } =
        &entry.fact
    else {
        return;
    };
    let at = entry.at;
    let decided =
        DecisionRef { at, officers: officers.clone(), reason_code: reason_code.clone(), seq: entry.seq };
    let (review, held_from) = (lead.review.take(), lead.held_from.take());
    lead.state = to.clone();
    lead.kind = *kind;
    lead.entered_at = at;
    match verdict {
        Verdict::Clear => {
            keep_unanswered(lead, lapsed, &decided);
            add_all(&mut lead.unanswered_flagged_by, review.iter().flat_map(|review| &review.flagged_by));
            if lead.unanswered.is_empty() {
                lead.unanswered_flagged_by.clear();
            }
            // The record keeps all that was found. The lead keeps only what is still to be answered.
            let keys: BTreeSet<String> = lead.unanswered.iter().map(|found| found.criterion.key()).collect();
            lead.personal.matches.retain(|key, _| keys.contains(key));
            for found in criteria {
                remember(lead, Clearance::of(found, decided.clone()));
            }
            // The lead goes on in the same state: the clock starts again, with the window it had.
            if *kind == StateKind::Working {
                if lead.visit.stuck.is_none() {
                    // The rejection ended the visit. A rep who lost the lead in that visit does not get it
                    // back.
                    let taken_from = std::mem::take(&mut lead.visit.taken_from);
                    begin_visit(lead, at, None);
                    lead.visit.taken_from = taken_from;
                } else {
                    restart_sla(lead, at);
                }
                settle_clocks(lead, at);
            }
        }
        Verdict::Reject => {
            let left = lead.left.take();
            let taken_from = std::mem::take(&mut lead.visit.taken_from);
            lead.visit = StateVisit { taken_from, ..StateVisit::default() };
            lead.rejection = held_from.map(|held_from| Rejection {
                at,
                revision: entry.seq,
                decided,
                held_from,
                left,
                criteria: criteria.iter().chain(lapsed).cloned().collect(),
                flagged_by: review.as_ref().map(|review| review.flagged_by.clone()).unwrap_or_default(),
                would_be_owner: review.and_then(|review| review.would_be_owner),
                asked: None,
            });
        }
    }
}

/// Keeps what was found of other parties. What does not fit is one question, for whomever the lead names next.
fn keep_unanswered(lead: &mut Lead, lapsed: &[UnderReview], decided: &DecisionRef) {
    lead.unanswered.extend(lapsed.iter().cloned());
    let excess = lead.unanswered.len().saturating_sub(CRITERIA_MAX);
    if excess == 0 {
        return;
    }
    lead.unanswered.drain(..=excess);
    lead.unanswered.retain(|found| !found.criterion.is_for_more());
    let criterion = Criterion::for_more(decided.at);
    // None of them is of whom the officer decided on.
    let now =
        UnderReview { screened: Some(ScreenedParty::of(lead, &criterion)), criterion: criterion.clone() };
    remember(lead, Clearance::of(&now, decided.clone()));
    lead.unanswered.push(UnderReview { criterion, screened: Some(ScreenedParty::default()) });
}

/// Keeps a clearance beside those of other versions, strengths and parties. One that the new one
/// covers has nothing more to say.
fn remember(lead: &mut Lead, clearance: Clearance) {
    let is_covered = |known: &Clearance| {
        known.kind == clearance.kind
            && known.match_id == clearance.match_id
            && known.list == clearance.list
            && known.list_version == clearance.list_version
            && known.screened == clearance.screened
            && known.strength <= clearance.strength
            && known.strength.is_some() == clearance.strength.is_some()
    };
    lead.clearances.retain(|known| !is_covered(known));
    if lead.clearances.len() >= CLEARANCES_MAX {
        lead.clearances.remove(0);
    }
    lead.clearances.push(clearance);
}

fn reopened(lead: &mut Lead, entry: &Entry<LeadFact>) {
    let Some(rejection) = lead.rejection.take() else { return };
    hold(lead, entry);
    lead.left = rejection.left;
    lead.held_from = Some(rejection.held_from);
    lead.review = Some(Review {
        opened_at: entry.at,
        revision: entry.seq,
        clock: Clock::start(1, entry.at, 100),
        criteria: rejection.criteria,
        flagged_by: rejection.flagged_by,
        would_be_owner: rejection.would_be_owner,
        vote: None,
    });
}
