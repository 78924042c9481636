//! Compliance flag.
//!
//! **What**: holds a lead, opens a review, tells the would-be owner that the lead is held and the
//! compliance team why; an officer clears or rejects it.
//! **When**: a sanctions match, a politically exposed person, a jurisdiction that the market is
//! not licensed for, or adverse media; on arrival or at any later time.
//! **Why**: working such a lead can be an offense. While it is held, no sales action happens. A clearance is remembered with what it rested on, so that a person decides a question once
//! and every other question is asked.

use crate::aggregate::Undecided;
use crate::lead::command::{LeadEvent, ReviewDecision};
use crate::lead::decide::cleared::assign_cleared;
use crate::lead::decide::deciding::{Deciding, RoutingResult};
use crate::lead::event::{LeadFact, Threshold};
use crate::lead::party::{NamedParty, ScreenedParty};
use crate::lead::review::{CRITERIA_MAX, UnderReview};
use crate::lead::state::Lead;
use crate::lead::workflows::high_value;
use crate::notification::{Particulars, Recipient, Role};
use crate::patch::Patch;
use crate::personal::fingerprint;
use crate::screening::{Criterion, CriterionKind, Match};
use policy::directory::Directory;
use policy::ids::{PersonId, StateId};
use policy::{Message, Rulebook, StateKind, Verdict, WorkflowId};

const WORKFLOW: Option<(WorkflowId, Option<&str>)> = Some((WorkflowId::ComplianceFlag, None));

/// Holds the lead if an event brings a criterion that nobody has cleared.
pub(crate) fn screen(d: &mut Deciding<'_>, event: &LeadEvent) -> Result<(), Undecided> {
    let (flagged_by, named) = (event.flagged_by.as_deref(), &event.named_party());
    let mut matches = Screening { matches: &event.matches, flagged_by, named }.flagged();
    let moved = !event.changes.market.is_keep() || !event.changes.country.is_keep();
    matches.extend(
        jurisdiction_of(d)
            .map(|criterion| Match { criterion, details: None })
            .filter(|m| moved || !is_cleared(d, m))
            .map(Flagged::of_lead),
    );
    let again = d.lead().into_iter().flat_map(|lead| asked_again(lead, d.rules.directory()));
    matches.extend(again.map(Flagged::of_lead));
    // The owner that the event names is who would have it, held or not.
    let named = if let Patch::Set(owner) = &event.owner { Some(owner.clone()) } else { None };
    flag(d, matches, named)
}

/// What an input says that a screening found.
pub(crate) struct Screening<'e> {
    /// The matches.
    pub matches: &'e [Match],
    /// Who raised them by hand.
    pub flagged_by: Option<&'e str>,
    /// Whom they are about.
    pub named: &'e NamedParty,
}

impl<'e> Screening<'e> {
    /// The matches, each with who flagged it and of whom it was found.
    pub fn flagged(&self) -> Vec<Flagged<'e>> {
        let Self { matches, flagged_by, named } = *self;
        matches.iter().map(|found| Flagged { found: found.clone(), flagged_by, named: Some(named) }).collect()
    }
}

/// A match, who flagged it by hand, and of whom it was found.
pub(crate) struct Flagged<'e> {
    found: Match,
    flagged_by: Option<&'e str>,
    /// `None`: of whom the lead names now.
    named: Option<&'e NamedParty>,
}

impl Flagged<'_> {
    fn of_lead(found: Match) -> Self {
        Self { found, flagged_by: None, named: None }
    }
}

/// What was found of the company that the lead names again, and what nobody answered.
fn asked_again(lead: &Lead, directory: &Directory) -> Vec<Match> {
    let again = lead.unanswered.iter().filter(|found| is_to_be_asked(found, lead, directory));
    let found = |found: &UnderReview| Match {
        criterion: found.criterion.clone(),
        details: lead.personal.matches.get(&found.criterion.key()).cloned(),
    };
    again.map(found).collect()
}

/// Whether what nobody has answered is a question of whom the lead names now.
fn is_to_be_asked(found: &UnderReview, lead: &Lead, directory: &Directory) -> bool {
    let UnderReview { criterion, .. } = found;
    // The jurisdiction is looked at each time, by itself.
    !is_ours(criterion) && lapse(found, lead, directory).is_none() && !has_cleared(lead, criterion)
}

/// Holds the lead if its market is not licensed for its jurisdiction, whatever brought that about.
/// Of a lead that is held already, the review has one more criterion.
pub(crate) fn screen_jurisdiction(d: &mut Deciding<'_>) -> Result<(), Undecided> {
    let Some(lead) = d.lead().filter(|lead| !lead.is_closed()) else { return Ok(()) };
    if is_licensed(lead, d.rules) {
        return Ok(());
    }
    let found = jurisdiction_of(d).map(|criterion| Match { criterion, details: None });
    let new = found.into_iter().filter(|found| !is_cleared(d, found));
    flag(d, new.map(Flagged::of_lead).collect(), None)
}

/// Whether the market of a lead is licensed for its country, as far as both are known.
fn is_licensed(lead: &Lead, rules: &Rulebook) -> bool {
    let Some((id, country)) = lead.profile.market.as_ref().zip(lead.profile.country.as_ref()) else {
        return true;
    };
    rules.market(id).is_none_or(|market| market.is_licensed_for(country))
}

fn is_cleared(d: &Deciding<'_>, found: &Match) -> bool {
    d.lead().is_some_and(|lead| has_cleared(lead, &found.criterion))
}

/// Whether an officer has cleared a match of whom the lead names now.
pub fn has_cleared(lead: &Lead, criterion: &Criterion) -> bool {
    criterion.is_cleared_by(&lead.clearances, &ScreenedParty::of(lead, criterion))
}

fn jurisdiction_of(d: &Deciding<'_>) -> Option<Criterion> {
    let lead = d.lead().filter(|lead| !is_licensed(lead, d.rules))?;
    jurisdiction(lead, d.rules.directory())
}

/// The jurisdiction as a criterion: the list is the market's licences, its version their text, so
/// that a clearance holds until the licences change.
pub fn jurisdiction(lead: &Lead, directory: &Directory) -> Option<Criterion> {
    let (id, country) = (lead.profile.market.as_ref()?, lead.profile.country.as_ref()?);
    let market = directory.market(id)?;
    if market.licensed_for.contains(country) {
        return None;
    }
    let licences: Vec<&str> = market.licensed_for.iter().map(|c| c.as_str()).collect();
    Some(Criterion {
        kind: CriterionKind::Jurisdiction,
        match_id: format!("jurisdiction-{id}-{country}"),
        list: format!("{LICENCES}{id}"),
        list_version: licences.join(","),
        strength: None,
    })
}

/// Where the lists of our own screening begin: the licences of a market.
const LICENCES: &str = "market-licences/";

/// Why a criterion of a review no longer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LapseReason {
    /// The market is licensed for the jurisdiction now, or the lead is in another market or country.
    Licensed,
    /// It was found of another company than the lead names now.
    OtherParty,
}

/// Whether a criterion still holds of what the lead and the directory say now.
pub fn lapse(found: &UnderReview, lead: &Lead, directory: &Directory) -> Option<LapseReason> {
    let UnderReview { criterion, screened } = found;
    if is_ours(criterion) && jurisdiction(lead, directory).is_none_or(|now| !now.is_same_match(criterion)) {
        return Some(LapseReason::Licensed);
    }
    // A match lapses only if the lead names another company now. If the company was not known when the match
    // was found, or only the contact changed, an officer decides.
    let is_other = |then: &ScreenedParty| then.is_other_company(&ScreenedParty::of(lead, criterion));
    screened.as_ref().is_some_and(is_other).then_some(LapseReason::OtherParty)
}

/// Whether it is our own screening's: that of the jurisdiction.
fn is_ours(criterion: &Criterion) -> bool {
    criterion.kind == CriterionKind::Jurisdiction && criterion.list.starts_with(LICENCES)
}

/// Holds the lead for matches that nobody has cleared, or adds them to the review that is open.
pub(crate) fn flag(
    d: &mut Deciding<'_>,
    matches: Vec<Flagged<'_>>,
    named: Option<PersonId>,
) -> Result<(), Undecided> {
    if matches.is_empty() {
        return Ok(());
    }
    let Some(lead) = d.lead().cloned() else { return Ok(()) };
    let rejected = lead.rejection.as_ref().map(|rejection| &rejection.criteria);
    let open: &[UnderReview] =
        lead.review.as_ref().map(|review| &review.criteria).or(rejected).map_or(&[], |c| c);
    let mut new: Vec<(Match, ScreenedParty, Option<&str>)> = Vec::new();
    for Flagged { mut found, flagged_by, named } in matches {
        let (mut screened, is_known) = match named {
            Some(named) => {
                name_unreadable(&mut found, lead.seq);
                named.screened(&lead, &found.criterion)
            }
            None => (ScreenedParty::of(&lead, &found.criterion), true),
        };
        let criterion = &found.criterion;
        let is_cleared = || criterion.is_cleared_by(&lead.clearances, &screened);
        // An officer saw it, and it comes back when the lead names that party.
        let is_of_another = |seen: &UnderReview| {
            seen.asks(criterion, &screened) && !is_to_be_asked(seen, &lead, d.rules.directory())
        };
        let is_seen = || named.is_some() && lead.unanswered.iter().any(is_of_another);
        if is_known && (is_cleared() || is_seen()) {
            let flagged_by = flagged_by.map(str::to_owned);
            d.fact(WORKFLOW, LeadFact::ComplianceMatchRemembered { criterion: found.criterion, flagged_by });
            continue;
        }
        let question = UnderReview { criterion: found.criterion.clone(), screened: Some(screened.clone()) };
        if open.len() + new.len() >= CRITERIA_MAX && !open.iter().any(|open| open.is_one_with(&question)) {
            let since = lead.review.as_ref().map(|review| review.opened_at);
            let since = since.or(lead.rejection.as_ref().map(|rejection| rejection.at));
            found = Match { criterion: Criterion::for_more(since.unwrap_or(d.at())), details: None };
            // They may be of anybody.
            screened = ScreenedParty::default();
        }
        let criterion = &found.criterion;
        let known = open.iter().any(|open| open.asks(criterion, &screened))
            || new.iter().any(|(new, of, _)| new.criterion == *criterion && *of == screened);
        if !known || is_new_flagger(&lead, flagged_by) {
            new.push((found, screened, flagged_by));
        }
    }
    if new.is_empty() {
        return Ok(());
    }
    let matched =
        |(found, screened, flagged_by): (Match, ScreenedParty, Option<&str>)| LeadFact::ComplianceMatched {
            criterion: found.criterion,
            screened: Some(screened),
            flagged_by: flagged_by.map(str::to_owned),
            personal: found.details,
        };
    if lead.is_disqualified() {
        // It is closed; what was found belongs into the record, and into the review if it is opened again.
        for found in new {
            d.fact(WORKFLOW, matched(found));
        }
        return Ok(());
    }
    let already_held = lead.is_held();
    if !already_held {
        let would_be_owner = would_be_owner(d, &lead, named)?;
        d.fact(WORKFLOW, LeadFact::ComplianceHeld { from: lead.state.clone(), would_be_owner });
    }
    for found in new {
        d.fact(WORKFLOW, matched(found));
    }
    if !already_held {
        tell_would_be_owner(d);
    }
    tell_desk(d);
    Ok(())
}

fn tell_desk(d: &mut Deciding<'_>) {
    let context = context(d);
    d.notify(
        Some((WorkflowId::ComplianceFlag, None)),
        Recipient::ComplianceDesk,
        Message::ReviewNeeded,
        context,
    );
}

/// Something that nobody could read has no name of its own. Its text, which is sealed, gives it one:
/// the same text is the same match, and nobody can tell the text from the name. Of an erased lead no
/// text is kept, so that each is a question of its own.
fn name_unreadable(found: &mut Match, after: u64) {
    if found.criterion.kind == CriterionKind::Unreadable {
        let text = found.details.as_ref().and_then(|details| details.note.as_deref());
        let name = text.map_or_else(|| format!("after-{after}"), |text| fingerprint([text]));
        found.criterion.match_id = format!("unreadable-{name}");
    }
}

/// Whether a flag adds a person who then cannot decide either.
fn is_new_flagger(lead: &Lead, flagged_by: Option<&str>) -> bool {
    let open = lead.review.as_ref().map(|review| &review.flagged_by);
    let flaggers = open.or(lead.rejection.as_ref().map(|rejection| &rejection.flagged_by));
    flaggers.zip(flagged_by).is_some_and(|(flaggers, by)| !flaggers.iter().any(|known| known == by))
}

/// A lead can be held before its source has said whose it is (a screening was faster). Whom the
/// source names then would have it, and is told.
pub(crate) fn name_would_be_owner(d: &mut Deciding<'_>) {
    let Some(lead) = d.lead() else { return };
    let is_open = lead.review.as_ref().is_some_and(|review| review.would_be_owner.is_none());
    if let Some(to) = lead.crm_owner.clone()
        && is_open
    {
        d.fact(WORKFLOW, LeadFact::WouldBeOwnerNamed { to });
        tell_would_be_owner(d);
    }
}

/// Tells the would-be owner that the lead is held, but not why.
fn tell_would_be_owner(d: &mut Deciding<'_>) {
    let person = d.lead().and_then(|l| l.review.as_ref()?.would_be_owner.clone());
    if let Some(person) = person.filter(|p| d.rules.directory().person(p).is_some()) {
        let to = Recipient::Person { role: Role::WouldBeOwner, person };
        let particulars = Particulars { state: None, ..d.particulars() };
        d.notify(Some((WorkflowId::ComplianceFlag, None)), to, Message::Held, particulars);
    }
}

/// The owner, the person that the event names, or the rep that routing would choose.
fn would_be_owner(
    d: &mut Deciding<'_>,
    lead: &Lead,
    named: Option<PersonId>,
) -> Result<Option<PersonId>, Undecided> {
    if let Some(owner) = lead.owner.clone().or(named) {
        return Ok(Some(owner));
    }
    if lead.is_closed() {
        return Ok(None);
    }
    let relied_on = d.relied_on.clone();
    let chosen = match d.route(false)? {
        RoutingResult::To { rep, .. } => Some(rep),
        RoutingResult::Nobody { .. } | RoutingResult::NoTeam => None,
    };
    // Nothing is assigned yet, so nothing hangs on how the rep stands.
    d.relied_on = relied_on;
    Ok(chosen)
}

/// The full context of a review, for the compliance team. Nothing personal is in it.
fn context(d: &Deciding<'_>) -> Particulars {
    let particulars = d.particulars();
    let Some(review) = d.lead().and_then(|l| l.review.as_ref()) else {
        return particulars;
    };
    Particulars {
        owner: review.would_be_owner.clone(),
        criteria: review.criteria.iter().map(|found| found.criterion.clone()).collect(),
        flagged_by: if review.flagged_by.is_empty() { None } else { Some(review.flagged_by.join(", ")) },
        state: d.lead().and_then(|l| l.held_from.as_ref()).map(|held| held.state.clone()),
        ..particulars
    }
}

/// Surfaces a review that is getting old.
pub(crate) fn remind(d: &mut Deciding<'_>, step: &str, threshold: &Threshold) {
    let particulars =
        Particulars { step: Some(step.into()), elapsed_s: Some(threshold.elapsed_s), ..context(d) };
    d.notify(
        Some((WorkflowId::ComplianceFlag, Some(step))),
        Recipient::ComplianceDesk,
        Message::ReviewAgeing,
        particulars,
    );
}

/// Records an authorized officer's decision. Where the policy asks for two officers, the second one's
/// decision counts.
pub(crate) fn conclude(d: &mut Deciding<'_>, decision: &ReviewDecision) -> Result<(), Undecided> {
    let Some(lead) = d.lead().cloned() else {
        return Ok(());
    };
    let (Some(review), Some(held_from)) = (&lead.review, &lead.held_from) else {
        return Ok(());
    };
    let ReviewDecision { verdict, reason_code, reason, officer, .. } = decision.clone();
    let mut officers = vec![officer.clone()];
    if d.rules.policy().workflows.compliance_flag.officers_for(&reason_code) > 1 {
        match &review.vote {
            Some(vote) if vote.verdict == verdict && vote.officer != officer => {
                officers.insert(0, vote.officer.clone())
            }
            // The first vote, or one that disagrees with it: another officer must confirm.
            _ => {
                d.fact(WORKFLOW, LeadFact::ReviewVoted { verdict, reason_code, reason, officer });
                return Ok(());
            }
        }
    }
    let (to, kind) = match verdict {
        Verdict::Clear => (held_from.state.clone(), held_from.kind),
        Verdict::Reject => (StateId::from(StateId::DISQUALIFIED_COMPLIANCE), StateKind::Terminal),
    };
    let in_review_s = review.clock.elapsed(&d.rules.reviews().calendar, d.at()).secs();
    // A clearance covers what holds of the lead as it is, which is what the officer saw.
    let has_lapsed = |found: &UnderReview| lapse(found, &lead, d.rules.directory()).is_some();
    let (mut lapsed, holding): (Vec<_>, Vec<_>) = review.criteria.iter().cloned().partition(has_lapsed);
    let screened_now = |found: &UnderReview| ScreenedParty::of(&lead, &found.criterion);
    if verdict == Verdict::Clear {
        // The officer decided for the company and contact that the lead names now; for those of the match it is open.
        let is_of_another = |found: &UnderReview| {
            found.screened.as_ref().is_some_and(|then| !then.is_named_by(&screened_now(found)))
        };
        // What stands for more matches is asked of each party once.
        let is_kept = |found: &UnderReview| {
            lead.unanswered.iter().any(|known| known.criterion.is_same_match(&found.criterion))
        };
        let is_for_more = |found: &UnderReview| found.criterion.is_for_more() && !is_kept(found);
        let stays = |found: &&UnderReview| is_of_another(found) || is_for_more(found);
        lapsed.extend(holding.iter().filter(stays).cloned());
    }
    let criteria = holding
        .into_iter()
        .map(|found| UnderReview { screened: Some(screened_now(&found)), ..found })
        .collect();
    let would_be_owner = lead.owner.clone().or_else(|| review.would_be_owner.clone());
    d.fact(
        WORKFLOW,
        LeadFact::ReviewDecided {
            verdict,
            reason_code,
            reason,
            officers,
            criteria,
            lapsed,
            in_review_s,
            to,
            kind,
        },
    );
    match verdict {
        Verdict::Clear => {
            // The licences may have changed meanwhile; then it stays with compliance.
            screen_jurisdiction(d)?;
            if d.lead().is_some_and(Lead::is_held) {
                return Ok(());
            }
            d.follow_state();
            assign_cleared(d)?;
            let closed = d.lead().is_none_or(Lead::is_closed);
            if !closed && let Some(to) = d.owner(Role::Owner) {
                let particulars = d.particulars();
                d.notify(Some((WorkflowId::ComplianceFlag, None)), to, Message::Cleared, particulars);
            }
            high_value::evaluate(d)
        }
        Verdict::Reject => {
            if let Some(person) = would_be_owner.filter(|p| d.rules.directory().person(p).is_some()) {
                let to = Recipient::Person { role: Role::WouldBeOwner, person };
                let particulars = Particulars { state: None, ..d.particulars() };
                d.notify(
                    Some((WorkflowId::ComplianceFlag, None)),
                    to,
                    Message::ClosedByCompliance,
                    particulars,
                );
            }
            Ok(())
        }
    }
}

/// Records that an authorized officer asks to reopen the review of a rejected lead. The second
/// officer opens it.
pub(crate) fn reopen(d: &mut Deciding<'_>, officer: String, reason: String) {
    let Some(rejection) = d.lead().and_then(|lead| lead.rejection.as_ref()) else { return };
    match &rejection.asked {
        Some(asked) if asked.officer != officer => {
            let officers = vec![asked.officer.clone(), officer];
            d.fact(WORKFLOW, LeadFact::ReviewReopened { reason, officers });
            tell_would_be_owner(d);
            tell_desk(d);
        }
        _ => d.fact(WORKFLOW, LeadFact::ReopeningAsked { reason, officer }),
    }
}
