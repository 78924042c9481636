//! How somebody reads the same working hours. A slow and literal evaluation of them, block by
//! block, whose parts can be switched to what a peer makes of them: with all switches off it is
//! our definition, and each switch is one thing that a peer sees differently.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

pub const DAY_S: i64 = 86_400;
/// The years that are known of a zone: from the end of 1998 to that of 2025.
pub const ZONE_BEGIN_S: i64 = 915_000_000;
pub const ZONE_END_S: i64 = 1_767_225_600;

/// Blocks of a date, in seconds from its midnight.
pub type Blocks = Vec<(i64, i64)>;

/// A stretch of real time with one offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    pub start: i64,
    pub end: i64,
    pub offset: i64,
}

/// A zone as its changes.
pub struct Zone {
    pub name: &'static str,
    pub pieces: Vec<Piece>,
}

/// Working hours.
pub struct Hours {
    pub zone: Zone,
    /// Monday first.
    pub week: [Blocks; 7],
    /// Days since 1970-01-01.
    pub holidays: BTreeSet<i64>,
    pub exceptions: BTreeMap<i64, Blocks>,
}

/// What somebody sees differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// A special date takes the hours between its two midnights: the end of the night before goes,
    /// and of the night that begins on it what comes after midnight stays. To us it takes the blocks
    /// that begin on it.
    pub dates_are_days: bool,
    /// The edge of a block is an instant, and the hours between two edges count. To us every instant
    /// counts by what the wall clock shows.
    pub edges: Option<Edges>,
    /// An instant of a query is what the wall clock shows then, which is read as the later of two
    /// instants that show it.
    pub queries_are_local: bool,
}

/// Which instant an edge is that the wall clock shows twice, or never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edges {
    /// The first of the two; what is skipped counts on from the change (RFC 5545).
    First,
    /// The last of the two; what is skipped is the change.
    Last,
}

impl Zone {
    pub fn new(name: &'static str, tz: &TimeZone) -> Self {
        let begin = Timestamp::from_second(ZONE_BEGIN_S).expect("an instant");
        let offset = i64::from(tz.to_offset(begin).seconds());
        let mut pieces = vec![Piece { start: ZONE_BEGIN_S, end: ZONE_END_S, offset }];
        for change in tz.following(begin) {
            let (start, offset) = (change.timestamp().as_second(), i64::from(change.offset().seconds()));
            if start >= ZONE_END_S {
                break;
            }
            let last = pieces.last_mut().expect("there is a first");
            if offset != last.offset {
                last.end = start;
                pieces.push(Piece { start, end: ZONE_END_S, offset });
            }
        }
        Self { name, pieces }
    }

    /// What the wall clock shows.
    pub fn local(&self, at: i64) -> i64 {
        let piece = self.pieces.iter().rev().find(|piece| piece.start <= at).expect("within the years");
        at + piece.offset
    }

    /// The instants at which the wall clock shows it.
    fn shown(&self, local: i64) -> impl Iterator<Item = i64> {
        let instants = self.pieces.iter().map(move |p| (local - p.offset, p));
        instants.filter(|(at, p)| (p.start..p.end).contains(at)).map(|(at, _)| at)
    }

    fn instant(&self, local: i64, edges: Edges) -> i64 {
        let found = match edges {
            Edges::First => self.shown(local).next(),
            Edges::Last => self.shown(local).last(),
        };
        found.unwrap_or_else(|| {
            let (before, after) = self
                .pieces
                .iter()
                .zip(self.pieces.iter().skip(1))
                .find(|(before, after)| {
                    local >= before.end + before.offset && local < after.start + after.offset
                })
                .expect("what is never shown is skipped");
            match edges {
                Edges::First => local - before.offset,
                Edges::Last => after.start,
            }
        })
    }
}

impl Hours {
    pub fn special_days(&self) -> impl Iterator<Item = i64> {
        self.holidays.iter().chain(self.exceptions.keys()).copied()
    }

    /// The working time between two instants, as somebody reads it.
    pub fn elapsed(&self, reading: Reading, from: i64, to: i64) -> i64 {
        self.worked(reading, from, to).iter().map(|(start, end)| end - start).sum()
    }

    /// When so much will have passed, as somebody reads it.
    pub fn add(&self, reading: Reading, from: i64, secs: i64) -> i64 {
        let mut days = 8;
        loop {
            let mut left = secs;
            for (start, end) in self.worked(reading, from, from + days * DAY_S) {
                if end - start >= left {
                    return start + left;
                }
                left -= end - start;
            }
            days *= 2;
            assert!(days < 8000, "these hours never hold so much");
        }
    }

    /// The stretches of real time between two instants that are worked.
    fn worked(&self, reading: Reading, from: i64, to: i64) -> Vec<(i64, i64)> {
        let (local_from, local_to) = (self.zone.local(from), self.zone.local(to));
        // A day more on either side: nights come from the day before, and clocks change.
        let days = local_from.div_euclid(DAY_S) - 2..=local_to.max(local_from).div_euclid(DAY_S) + 2;
        let mut blocks = merged(days.flat_map(|day| self.blocks_of(day, reading)).collect());
        let (mut from, mut to) = (from, to);
        if reading.queries_are_local {
            blocks = clipped(&blocks, local_from, local_to);
            (from, to) = (i64::MIN, i64::MAX);
        }
        let stretches = match reading.edges {
            Some(edges) => {
                let instant = |local| self.zone.instant(local, edges);
                blocks.into_iter().map(|(start, end)| (instant(start), instant(end))).collect()
            }
            None => {
                let zone = &self.zone;
                let in_piece = |p: &Piece| clipped(&blocks_at(&blocks, p.offset), p.start, p.end);
                zone.pieces.iter().flat_map(in_piece).collect()
            }
        };
        clipped(&merged(stretches), from, to)
    }

    /// The blocks that begin on a day, in local time.
    fn blocks_of(&self, day: i64, reading: Reading) -> Blocks {
        let exception = self.exceptions.get(&day);
        let is_special = exception.is_some() || self.holidays.contains(&day);
        let usual = &self.week[usize::try_from((day + 3).rem_euclid(7)).expect("a weekday")];
        let at_day = |blocks: &Blocks| blocks_at(blocks, -day * DAY_S);
        if !reading.dates_are_days {
            return at_day(exception.unwrap_or(if is_special { const { &Vec::new() } } else { usual }));
        }
        let mut blocks = at_day(usual);
        if is_special {
            blocks = without_day(blocks, day);
        }
        blocks.extend(exception.map(at_day).unwrap_or_default());
        let next = day + 1;
        if self.exceptions.contains_key(&next) || self.holidays.contains(&next) {
            blocks = without_day(blocks, next);
        }
        blocks
    }
}

fn blocks_at(blocks: &Blocks, offset: i64) -> Blocks {
    blocks.iter().map(|(start, end)| (start - offset, end - offset)).collect()
}

fn without_day(blocks: Blocks, day: i64) -> Blocks {
    let (midnight, next) = (day * DAY_S, (day + 1) * DAY_S);
    let parts = |(start, end): (i64, i64)| [(start, end.min(midnight)), (start.max(next), end)];
    blocks.into_iter().flat_map(parts).filter(|(start, end)| start < end).collect()
}

fn clipped(blocks: &Blocks, from: i64, to: i64) -> Blocks {
    let inside = blocks.iter().map(|(start, end)| (*start.max(&from), *end.min(&to)));
    inside.filter(|(start, end)| start < end).collect()
}

/// Sorted, and joined where they touch.
fn merged(mut blocks: Blocks) -> Blocks {
    blocks.retain(|(start, end)| start < end);
    blocks.sort_unstable();
    let mut joined: Blocks = Vec::new();
    for (start, end) in blocks {
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    joined
}
