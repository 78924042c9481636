//! What an event makes of a publication.

use crate::aggregate::FoldError;
use crate::entry::Entry;
use crate::publication::event::PublicationFact;
use crate::publication::state::Publication;
use policy::InForce;
use policy::ids::Subject;

/// What the first entry makes: a publication.
pub(super) fn begin(entry: &Entry<PublicationFact>) -> Result<Publication, FoldError> {
    FoldError::require_next(entry, 0)?;
    let (PublicationFact::Published { why, changes, publisher, .. }, Subject::Publication(id)) =
        (&entry.fact, &entry.subject)
    else {
        return Err(FoldError::beginning(entry));
    };
    Ok(Publication {
        kind: id.kind,
        revision: id.revision,
        seq: entry.seq,
        commit: entry.commit,
        changed_at: entry.at,
        published_at: entry.at,
        in_force: InForce { policy: entry.policy_revision, directory: entry.directory_revision },
        published_by: entry.actor.clone(),
        publisher: publisher.clone(),
        why: why.clone(),
        changes: changes.clone(),
        applied: None,
    })
}

/// What a later entry makes of a publication.
pub(super) fn follow(publication: &mut Publication, entry: &Entry<PublicationFact>) -> Result<(), FoldError> {
    FoldError::require_next(entry, publication.seq)?;
    match (&entry.fact, &entry.subject) {
        (PublicationFact::Applied(totals), Subject::Publication(_)) => {
            publication.applied = Some(totals.clone());
        }
        (PublicationFact::Notification(_), Subject::Publication(_)) => {}
        _ => return Err(FoldError::beginning(entry)),
    }
    (publication.seq, publication.commit, publication.changed_at) = (entry.seq, entry.commit, entry.at);
    Ok(())
}
