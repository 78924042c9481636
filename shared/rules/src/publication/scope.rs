//! Which leads are in the scope of a publication.

use crate::lead::state::Lead;
use policy::ids::{PersonId, Source};
use policy::impact::{Scope, Sources};

/// Whether a lead is in a scope.
pub fn holds(scope: &Scope, lead: &Lead) -> bool {
    let is_owned_by = |person: &PersonId| lead.owner.as_ref() == Some(person);
    match scope {
        Scope::State { market, state, sources } => {
            lead.waits_in() == Some((market, state)) && covers(sources, &lead.source())
        }
        Scope::Market(market) => lead.profile.market.as_ref() == Some(market),
        Scope::Owner(person) | Scope::TakenOver(person) => is_owned_by(person),
        Scope::HeldUnowned => lead.is_held() && lead.owner.is_none(),
        Scope::Queued | Scope::InOperations => lead.operations.is_some(),
        Scope::Dismissed => lead.operations.is_none() && lead.dismissed.is_some(),
        Scope::Reviews => lead.in_review_since().is_some(),
        Scope::Closed => lead.is_closed() && !lead.is_erased(),
    }
}

/// Whether a lead that is found in a scope counts as looked at, whatever follows. Of what waits for its owner to
/// be cleared, or is over, only what an owner left behind counts.
pub fn counts(scope: &Scope, lead: &Lead) -> bool {
    match scope {
        Scope::HeldUnowned | Scope::TakenOver(_) | Scope::InOperations => false,
        Scope::Owner(_) | Scope::Market(_) => !lead.is_closed(),
        _ => true,
    }
}

/// Whether a lead is not counted in an earlier scope already.
pub fn is_first(earlier: &[Scope], lead: &Lead) -> bool {
    !earlier.iter().any(|scope| counts(scope, lead) && holds(scope, lead))
}

/// The scope at a place, and those before it.
pub fn at(scopes: &[Scope], place: usize) -> Option<(&[Scope], &Scope)> {
    scopes.get(..place).zip(scopes.get(place))
}

fn covers(sources: &Sources, source: &Source) -> bool {
    match sources {
        Sources::One(one) => one == source,
        Sources::AllBut(others) => !others.contains(source),
    }
}
