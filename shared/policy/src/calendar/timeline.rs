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

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Seconds of a local day by the wall clock.
pub(super) const DAY_SECS: i64 = 86_400;
const WEEK_DAYS: i64 = 7;
/// 1970-01-01 was a Thursday: three days into the week.
const EPOCH_WEEKDAY: i64 = 3;
/// Changes of offset are read up to here, 2251-01-01T00:00:00Z: the end of 2200, and fifty years.
const CHANGES_END_SECS: i64 = 8_867_491_200;

/// A block of hours, in seconds from the midnight that its date begins with.
///
/// INVARIANT: `0 <= start < DAY_SECS` and `start < end <= start + DAY_SECS`; an end after `DAY_SECS`
/// lies on the next date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) start: i64,
    pub(super) end: i64,
}

/// The blocks that begin on each weekday, Monday first.
pub(super) type WeekBlocks = [Vec<Block>; 7];
/// The blocks that begin on a date that differs from its weekday, by days since 1970-01-01.
pub(super) type DateBlocks = BTreeMap<i64, Vec<Block>>;

/// The working seconds of one local date, including what the date before carries over.
#[derive(Debug, Default)]
struct DayPattern {
    /// INVARIANT: sorted, disjoint, not empty, within the day.
    spans: Vec<Span>,
    total: i64,
}

#[derive(Debug)]
struct Span {
    start: i64,
    end: i64,
    /// Working seconds of the day before `start`.
    before: i64,
}

impl DayPattern {
    fn new(own: &[Block], of_the_day_before: &[Block]) -> Self {
        let carried = of_the_day_before
            .iter()
            .filter(|block| block.end > DAY_SECS)
            .map(|block| (0, block.end - DAY_SECS));
        let own = own.iter().map(|block| (block.start, block.end.min(DAY_SECS)));
        let mut pieces: Vec<(i64, i64)> = carried.chain(own).collect();
        pieces.sort_unstable();

        let mut pattern = Self::default();
        for (start, end) in pieces {
            // What an earlier piece covers already is not counted again.
            let start = pattern.spans.last().map_or(start, |last| start.max(last.end));
            if start < end {
                pattern.spans.push(Span { start, end, before: pattern.total });
                pattern.total += end - start;
            }
        }
        pattern
    }

    /// The last span that begins at or before a second of the day.
    fn span_at(&self, second: i64) -> Option<&Span> {
        let after = self.spans.partition_point(|span| span.start <= second);
        self.spans.get(after.checked_sub(1)?)
    }

    fn worked_before(&self, second: i64) -> i64 {
        self.span_at(second).map_or(0, |span| span.before + second.min(span.end) - span.start)
    }

    fn is_open(&self, second: i64) -> bool {
        self.span_at(second).is_some_and(|span| second < span.end)
    }
}

/// A weekday in its week.
#[derive(Debug, Default)]
struct WeekDay {
    pattern: DayPattern,
    /// Working seconds of the week before this day.
    before: i64,
}

/// A date whose working time is not what its weekday says.
#[derive(Debug)]
struct SpecialDay {
    day: i64,
    pattern: DayPattern,
    /// How much more was worked than the weekdays say, on all special days up to and with this one.
    surplus_through: i64,
}

/// Working time on the local wall clock, where every day has 24 hours.
#[derive(Debug)]
struct LocalDays {
    week: [WeekDay; 7],
    week_total: i64,
    /// INVARIANT: sorted by day, each day once.
    special: Vec<SpecialDay>,
}

impl LocalDays {
    fn new(blocks: &WeekBlocks, dates: &DateBlocks) -> Self {
        let mut week: [WeekDay; 7] = Default::default();
        let mut week_total = 0;
        let days_before = blocks.iter().cycle().skip(6);
        for ((slot, own), before) in week.iter_mut().zip(blocks).zip(days_before) {
            *slot = WeekDay { pattern: DayPattern::new(own, before), before: week_total };
            week_total += slot.pattern.total;
        }
        let mut days = Self { week, week_total, special: Vec::new() };

        let blocks_of = |day: i64| -> &[Block] {
            dates.get(&day).or_else(|| blocks.get(weekday_index(day))).map_or(&[], Vec::as_slice)
        };
        let mut surplus = 0;
        // A date tells on the day after it too, by the night it has or has not.
        for day in dates.keys().flat_map(|day| [*day, *day + 1]) {
            if days.special.last().is_some_and(|last| last.day >= day) {
                continue;
            }
            let pattern = DayPattern::new(blocks_of(day), blocks_of(day - 1));
            surplus += pattern.total - days.weekday(day).map_or(0, |usual| usual.pattern.total);
            days.special.push(SpecialDay { day, pattern, surplus_through: surplus });
        }
        days
    }

    fn weekday(&self, day: i64) -> Option<&WeekDay> {
        self.week.get(weekday_index(day))
    }

    /// How many special days lie before a day, and the special day that it is itself.
    fn special_at(&self, day: i64) -> (usize, Option<&SpecialDay>) {
        let before = self.special.partition_point(|special| special.day < day);
        (before, self.special.get(before).filter(|special| special.day == day))
    }

    /// Working seconds before a local reading (in seconds since 1970-01-01T00:00 local), counted from
    /// the Monday before that; negative for readings before it.
    fn worked_before(&self, local: i64) -> i64 {
        let (day, second) = (local.div_euclid(DAY_SECS), local.rem_euclid(DAY_SECS));
        let weeks = (day + EPOCH_WEEKDAY).div_euclid(WEEK_DAYS);
        let (special_before, special) = self.special_at(day);
        let surplus = special_before
            .checked_sub(1)
            .and_then(|last| self.special.get(last))
            .map_or(0, |last| last.surplus_through);
        let Some(usual) = self.weekday(day) else {
            return 0;
        };
        let pattern = special.map_or(&usual.pattern, |special| &special.pattern);
        weeks * self.week_total + usual.before + surplus + pattern.worked_before(second)
    }

    fn is_open(&self, local: i64) -> bool {
        let (day, second) = (local.div_euclid(DAY_SECS), local.rem_euclid(DAY_SECS));
        let usual = self.weekday(day).map(|usual| &usual.pattern);
        let pattern = self.special_at(day).1.map(|special| &special.pattern).or(usual);
        pattern.is_some_and(|pattern| pattern.is_open(second))
    }
}

/// The place of a day (since 1970-01-01) in its week, Monday being 0.
pub(super) fn weekday_index(day: i64) -> usize {
    usize::try_from((day + EPOCH_WEEKDAY).rem_euclid(WEEK_DAYS)).unwrap_or(0)
}

/// A stretch of real time in which the zone keeps one offset.
#[derive(Debug, Default, Clone, Copy)]
struct Piece {
    start: i64,
    offset: i64,
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
            last = Piece { start, offset, carry: total - days.worked_before(start + offset) };
            changes.push(last);
        }
        Self { days, first, changes }
    }

    /// Round the clock.
    pub(super) fn always() -> Self {
        Self::new(&TimeZone::UTC, around_the_clock(), DateBlocks::new())
    }

    fn piece_at(&self, at: i64) -> &Piece {
        let after = self.changes.partition_point(|piece| piece.start <= at);
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
    /// The total never falls, so this is a binary search for the instant at which it reaches the
    /// target. Steps double from the earliest second possible, so that within a block the first look
    /// finds it.
    pub(super) fn when_worked(&self, from: i64, secs: i64, horizon_secs: i64) -> Option<i64> {
        if secs > horizon_secs {
            return None;
        }
        let target = self.worked_before(from) + secs;
        let horizon = from + horizon_secs;
        // INVARIANT: worked_before(short) < target, for a second works at most one.
        let mut short = from + secs - 1;
        let mut step = 1;
        let mut reached = horizon.min(short + step);
        while self.worked_before(reached) < target {
            if reached >= horizon {
                return None;
            }
            short = reached;
            step *= 2;
            reached = horizon.min(short + step);
        }
        while reached - short > 1 {
            let middle = short + (reached - short) / 2;
            if self.worked_before(middle) < target {
                short = middle;
            } else {
                reached = middle;
            }
        }
        Some(reached)
    }
}

/// Every second of every weekday.
pub(super) fn around_the_clock() -> WeekBlocks {
    std::array::from_fn(|_| vec![Block { start: 0, end: DAY_SECS }])
}
