//! What an event makes of a publication.

use crate::entry::Entry;
use crate::publication::event::PublicationFact;
use crate::publication::state::Publication;
use policy::InForce;
use policy::ids::Subject;

/// Folds a whole history; `None` if it is none.
pub fn fold<'a>(entries: impl IntoIterator<Item = &'a Entry<PublicationFact>>) -> Option<Publication> {
    entries.into_iter().try_fold(None, |publication, entry| evolve(publication, entry).map(Some))?
}

/// What one entry makes of a publication; `None` if it does not follow.
pub fn evolve(publication: Option<Publication>, entry: &Entry<PublicationFact>) -> Option<Publication> {
    let Subject::Publication(id) = entry.subject else { return None };
    let mut publication = match (publication, &entry.fact) {
        (None, PublicationFact::Published { why, changes, publisher, .. }) => Publication {
            kind: id.kind,
            revision: id.revision,
            seq: 0,
            commit: 0,
            changed_at: entry.at,
            published_at: entry.at,
            in_force: InForce { policy: entry.policy_revision, directory: entry.directory_revision },
            published_by: entry.actor.clone(),
            publisher: publisher.clone(),
            why: why.clone(),
            changes: changes.clone(),
            applied: None,
        },
        (Some(publication), PublicationFact::Applied(_) | PublicationFact::Notification(_)) => publication,
        _ => return None,
    };
    if entry.seq != publication.seq.saturating_add(1) {
        return None;
    }
    if let PublicationFact::Applied(totals) = &entry.fact {
        publication.applied = Some(totals.clone());
    }
    (publication.seq, publication.commit, publication.changed_at) = (entry.seq, entry.commit, entry.at);
    Some(publication)
}
