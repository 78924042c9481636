//! The arithmetic of working time.
//!
//! Two running totals, one on top of the other:
//!
//! - [`LocalDays`] counts the working seconds of *wall-clock* time before a wall-clock reading, as if
//!   every local day had 24 hours. A week repeats, so that is a multiplication; the dates that differ
//!   from their weekday carry a running correction, found by binary search.
//! - [`Timeline`] cuts real time at the changes of the zone's offset. Within a piece, real time and
//!   wall-clock time differ by a constant, so the seconds worked in it are a difference of two local
//!   counts. Each piece knows what to add so that the total runs on from the piece before. A gap
//!   skips local readings and a fold goes over some twice, and both come out right by themselves.

use super::local_days::{DateBlocks, LocalDays, WeekBlocks, around_the_clock};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Changes of offset are read up to here, 2251-01-01T00:00:00Z: the end of 2200, and fifty years.
const CHANGES_END_SECS: i64 = 8_867_491_200;
/// The table of changes has an entry for each stretch of this length: half a year.
const STRETCH_SECS: i64 = 1 << 24;

/// A stretch of real time in which the zone keeps one offset.
#[derive(Debug, Default, Clone, Copy)]
struct Piece {
    start: i64,
    offset: i64,
    /// Working seconds before its start.
    total: i64,
    /// What a local count lacks, within this piece, to be the running total over all pieces.
    carry: i64,
}

/// Working time along real time, in seconds since the Unix epoch.
#[derive(Debug)]
pub(super) struct Timeline {
    days: LocalDays,
    /// The piece before the first change.
    first: Piece,
    /// INVARIANT: sorted by start; each offset differs from the one before.
    changes: Vec<Piece>,
    /// For each stretch of [`STRETCH_SECS`] from the first change on: how many changes lie before it.
    before_stretch: Vec<u32>,
}

impl Timeline {
    pub(super) fn new(zone: &TimeZone, week: WeekBlocks, dates: DateBlocks) -> Self {
        let days = LocalDays::new(&week, &dates);
        let epoch = Timestamp::UNIX_EPOCH;
        let first = Piece { offset: i64::from(zone.to_offset(epoch).seconds()), ..Piece::default() };

        let mut changes = Vec::new();
        let mut last = first;
        for change in zone.following(epoch) {
            let (start, offset) = (change.timestamp().as_second(), i64::from(change.offset().seconds()));
            if start >= CHANGES_END_SECS {
                break;
            }
            if offset == last.offset {
                continue; // only the zone's name for its time changes
            }
            let total = last.carry + days.worked_before(start + last.offset);
            last = Piece { start, offset, total, carry: total - days.worked_before(start + offset) };
            changes.push(last);
        }
        let before_stretch = Self::stretches(&changes);
        Self { days, first, changes, before_stretch }
    }

    /// Round the clock.
    pub(super) fn always() -> Self {
        Self::new(&TimeZone::UTC, around_the_clock(), DateBlocks::new())
    }

    fn stretches(changes: &[Piece]) -> Vec<u32> {
        let (Some(first), Some(last)) = (changes.first(), changes.last()) else { return Vec::new() };
        let mut before = 0;
        let stretches = 0..=(last.start - first.start) / STRETCH_SECS;
        let begins = stretches.map(|stretch| first.start + stretch * STRETCH_SECS);
        let count = |begin| {
            before += changes.iter().skip(before).take_while(|piece| piece.start < begin).count();
            u32::try_from(before).unwrap_or(u32::MAX)
        };
        begins.map(count).collect()
    }

    /// The piece of an instant. A table tells where to begin to look, so that it is found at once.
    fn piece_at(&self, at: i64) -> &Piece {
        let Some(begins) = self.changes.first().map(|piece| piece.start).filter(|begins| *begins <= at)
        else {
            return &self.first;
        };
        let stretch = usize::try_from((at - begins) / STRETCH_SECS).unwrap_or(usize::MAX);
        let last = self.before_stretch.len().saturating_sub(1);
        let skipped = self.before_stretch.get(stretch.min(last)).map_or(0, |before| *before as usize);
        let later = self.changes.get(skipped..).unwrap_or_default();
        let after = skipped + later.iter().take_while(|piece| piece.start <= at).count();
        after.checked_sub(1).and_then(|last| self.changes.get(last)).unwrap_or(&self.first)
    }

    /// Working seconds before an instant, from an origin that is the same for all instants. It never
    /// falls, and rises by at most one a second.
    pub(super) fn worked_before(&self, at: i64) -> i64 {
        let piece = self.piece_at(at);
        piece.carry + self.days.worked_before(at + piece.offset)
    }

    pub(super) fn is_open(&self, at: i64) -> bool {
        self.days.is_open(at + self.piece_at(at).offset)
    }

    /// The earliest instant by which `secs > 0` have been worked since `from`, if it lies within
    /// `horizon_secs`.
    ///
    /// The total never falls, so the target is reached in the last piece that begins with less; and within a piece
    /// the count of local days has an inverse.
    pub(super) fn when_worked(&self, from: i64, secs: i64, horizon_secs: i64) -> Option<i64> {
        if secs > horizon_secs {
            return None;
        }
        let target = self.worked_before(from) + secs;
        let begun = self.changes.partition_point(|piece| piece.total < target);
        let piece = begun.checked_sub(1).and_then(|last| self.changes.get(last)).unwrap_or(&self.first);
        let reached = self.days.reaches(target - piece.carry)? - piece.offset;
        (reached <= from + horizon_secs).then_some(reached)
    }
}
