//! What an event makes of a publication.

use crate::aggregate::FoldError;
use crate::entry::Entry;
use crate::publication::event::PublicationFact;
use crate::publication::state::Publication;
use policy::InForce;
use policy::ids::Subject;

/// What one entry makes of a publication.
pub(super) fn evolve(
    publication: Option<Publication>,
    entry: &Entry<PublicationFact>,
) -> Result<Publication, FoldError> {
    let after = publication.as_ref().map_or(0, |publication| publication.seq);
    if entry.seq != after.saturating_add(1) {
        return Err(FoldError::Gap { subject: entry.subject.clone(), seq: entry.seq, after });
    }
    let mut publication = match (publication, &entry.fact, &entry.subject) {
        (None, PublicationFact::Published { why, changes, publisher, .. }, Subject::Publication(id)) => {
            Publication {
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
            }
        }
        (
            Some(publication),
            PublicationFact::Applied(_) | PublicationFact::Notification(_),
            Subject::Publication(_),
        ) => publication,
        _ => return Err(FoldError::Beginning { subject: entry.subject.clone(), seq: entry.seq }),
    };
    if let PublicationFact::Applied(totals) = &entry.fact {
        publication.applied = Some(totals.clone());
    }
    (publication.seq, publication.commit, publication.changed_at) = (entry.seq, entry.commit, entry.at);
    Ok(publication)
}
