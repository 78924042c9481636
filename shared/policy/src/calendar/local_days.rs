//! Working time by the wall clock, as if every local day had 24 hours.
//!
//! A week repeats, so that counting is a multiplication. The dates that differ from their weekday carry a
//! running correction, found by binary search.

use std::collections::BTreeMap;

/// Seconds of a local day by the wall clock.
pub(super) const DAY_SECS: i64 = 86_400;
const WEEK_DAYS: i64 = 7;
/// 1970-01-01 was a Thursday: three days into the week.
const EPOCH_WEEKDAY: i64 = 3;

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

    /// The earliest second of the day before which so many have been worked, `1..=total`.
    fn reaches(&self, worked: i64) -> Option<i64> {
        let after = self.spans.partition_point(|span| span.before < worked);
        let span = self.spans.get(after.checked_sub(1)?)?;
        Some(span.start + worked - span.before)
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
    /// Working seconds before this day.
    before: i64,
    /// How much more was worked than the weekdays say, on all special days up to and with this one.
    surplus_through: i64,
}

/// Working time on the local wall clock, where every day has 24 hours.
#[derive(Debug)]
pub(super) struct LocalDays {
    week: [WeekDay; 7],
    week_total: i64,
    /// INVARIANT: sorted by day, each day once.
    special: Vec<SpecialDay>,
}

impl LocalDays {
    pub(super) fn new(blocks: &WeekBlocks, dates: &DateBlocks) -> Self {
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
            let before = days.usual_before(day) + surplus;
            surplus += pattern.total - days.weekday(day).map_or(0, |usual| usual.pattern.total);
            days.special.push(SpecialDay { day, pattern, before, surplus_through: surplus });
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

    /// Working seconds before a day, if no date differed from its weekday.
    fn usual_before(&self, day: i64) -> i64 {
        let weeks = (day + EPOCH_WEEKDAY).div_euclid(WEEK_DAYS);
        weeks * self.week_total + self.weekday(day).map_or(0, |usual| usual.before)
    }

    /// Working seconds before a local reading (in seconds since 1970-01-01T00:00 local), counted from
    /// the Monday before that; negative for readings before it.
    pub(super) fn worked_before(&self, local: i64) -> i64 {
        let (day, second) = (local.div_euclid(DAY_SECS), local.rem_euclid(DAY_SECS));
        let (special_before, special) = self.special_at(day);
        if let Some(special) = special {
            return special.before + special.pattern.worked_before(second);
        }
        let surplus = special_before
            .checked_sub(1)
            .and_then(|last| self.special.get(last))
            .map_or(0, |last| last.surplus_through);
        let pattern = self.weekday(day).map_or(0, |usual| usual.pattern.worked_before(second));
        self.usual_before(day) + surplus + pattern
    }

    /// The earliest local reading before which so many seconds have been worked: the inverse of
    /// [`worked_before`](Self::worked_before). `None` if no weekday has working time.
    pub(super) fn reaches(&self, worked: i64) -> Option<i64> {
        // The last special day that began before that.
        let after = self.special.partition_point(|special| special.before < worked);
        let last = after.checked_sub(1).and_then(|last| self.special.get(last));
        if let Some(special) = last.filter(|special| worked <= special.before + special.pattern.total) {
            return Some(special.day * DAY_SECS + special.pattern.reaches(worked - special.before)?);
        }
        if self.week_total == 0 {
            return None;
        }
        // From there to the next special day the weeks repeat.
        let usual = worked - last.map_or(0, |last| last.surplus_through);
        // 1..=week_total of the week, so that it is reached in it.
        let weeks = (usual - 1).div_euclid(self.week_total);
        let of_week = usual - weeks * self.week_total;
        let began = self.week.iter().rposition(|day| day.before < of_week)?;
        let (day, weekday) = (i64::try_from(began).ok()?, self.week.get(began)?);
        let second = weekday.pattern.reaches(of_week - weekday.before)?;
        Some((weeks * WEEK_DAYS - EPOCH_WEEKDAY + day) * DAY_SECS + second)
    }

    pub(super) fn is_open(&self, local: i64) -> bool {
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

/// Every second of every weekday.
pub(super) fn around_the_clock() -> WeekBlocks {
    std::array::from_fn(|_| vec![Block { start: 0, end: DAY_SECS }])
}
