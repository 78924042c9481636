//! What an event makes of a rep.

use crate::aggregate::FoldError;
use crate::entry::Entry;
use crate::rep::event::RepFact;
use crate::roster::{Availability, LeadsOfAbsent, ReportedAbsence, Standing};
use chrono::{DateTime, Utc};

/// Whether what is said is over already: nobody means that.
pub fn is_over(availability: &Availability, now: DateTime<Utc>) -> bool {
    availability.until.is_some_and(|until| until <= now)
}

/// What an entry makes of a standing. Its history has no beginning of its own.
pub(super) fn follow(standing: &mut Standing, entry: &Entry<RepFact>) -> Result<(), FoldError> {
    FoldError::require_next(entry, standing.seq)?;
    match &entry.fact {
        RepFact::AvailabilitySet(availability) => {
            let goes_on = |before: &Availability| !before.available && !is_over(before, entry.at);
            if availability.available || !standing.availability.as_ref().is_some_and(goes_on) {
                standing.told_of = None;
            }
            standing.availability = Some(availability.clone());
            standing.said_at = Some(entry.at);
            // They may have room now, or leads that cannot wait for them.
            standing.looks = standing.looks.saturating_add(1);
        }
        RepFact::AbsenceFollowed(digest) => {
            standing.untold = LeadsOfAbsent::default();
            if !digest.is_over {
                standing.told_of = Some(ReportedAbsence { until: digest.until });
            }
        }
        RepFact::Notification(_) => {}
    }
    (standing.seq, standing.commit) = (entry.seq, entry.commit);
    Ok(())
}
