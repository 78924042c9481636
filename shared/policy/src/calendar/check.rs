//! Everything that can be wrong with a calendar document, found in one look.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use chrono::NaiveDate;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::document::{CalendarDocument, CalendarProblem, Weekday};
use super::local_days::{self, Block, DAY_SECS, DateBlocks, WeekBlocks};
use super::text::{nearest_zone, parse_block, parse_length};
use super::working_time::WorkingTime;

/// The zone of a calendar that is always open and names no other.
pub(super) const UTC: &str = "UTC";
/// The dates that can be written, as text: those for which changes of local time are known.
const DATES: std::ops::RangeInclusive<&str> = "1970-01-01"..="2200-12-31";
/// The shape of a block; an error message continues with it.
const A_BLOCK: &str = "a block of hours; write it as `09:00-17:00`, over midnight as `22:00-06:00`, \
                       and a whole day as `00:00-24:00`";
const A_BUSINESS_DAY: &str = "a length of up to 24 hours; write it as `8h`, `7h30m`, or `45m`";

/// The time zone with a name. The error completes the sentence "… is not".
pub(crate) fn time_zone(name: &str) -> Result<TimeZone, String> {
    let found = TimeZoneDatabase::bundled().get(name).ok().filter(|zone| !zone.is_unknown());
    found.ok_or_else(|| {
        let suggestion = nearest_zone(name).unwrap_or("Europe/Berlin");
        format!("a time zone of the IANA database; write a name such as `{suggestion}`")
    })
}

/// A document without problems, with its texts read.
pub(super) struct Checked {
    pub(super) time_zone: String,
    pub(super) zone: TimeZone,
    pub(super) week: WeekBlocks,
    pub(super) dates: DateBlocks,
    pub(super) business_day: WorkingTime,
}

/// Reads a document, or says everything that is wrong with it.
pub(super) fn check(doc: &CalendarDocument) -> Result<Checked, Vec<CalendarProblem>> {
    let mut check = Check { doc, problems: Vec::new() };
    let zone = check.time_zone();
    let week = check.week();
    let holidays = check.holidays();
    let dates = check.exceptions(&holidays, &week);
    let business_day = check.business_day(&week);
    match (zone, business_day, check.problems.is_empty()) {
        (Some((time_zone, zone)), Some(business_day), true) => {
            let week = if doc.always {
                local_days::around_the_clock()
            } else {
                week.map(|day| day.into_iter().map(|written| written.block).collect())
            };
            Ok(Checked { time_zone, zone, week, dates, business_day })
        }
        _ => Err(check.problems),
    }
}

/// A block with where and how it was written.
struct Written {
    path: String,
    text: String,
    block: Block,
}

struct Check<'a> {
    doc: &'a CalendarDocument,
    problems: Vec<CalendarProblem>,
}

impl Check<'_> {
    fn problem(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        self.problems.push(CalendarProblem { path: path.into(), problem: problem.into() });
    }

    /// Notes a value that is not what belongs there.
    fn is_not(&mut self, path: impl Into<String>, value: &str, expected: &str) {
        self.problem(path, format!("`{value}` is not {expected}"));
    }

    fn time_zone(&mut self) -> Option<(String, TimeZone)> {
        let written = self.doc.time_zone.as_str();
        let name = if written.is_empty() && self.doc.always { UTC } else { written };
        match time_zone(name) {
            Ok(zone) => Some((zone.iana_name().unwrap_or(name).to_owned(), zone)),
            Err(expected) => {
                self.is_not("time_zone", written, &expected);
                None
            }
        }
    }

    fn week(&mut self) -> [Vec<Written>; 7] {
        let doc = self.doc;
        if doc.always {
            for (field, is_empty) in [
                ("hours", doc.hours.is_empty()),
                ("holidays", doc.holidays.is_empty()),
                ("exceptions", doc.exceptions.is_empty()),
            ] {
                if !is_empty {
                    self.problem(
                        "always",
                        format!("cannot be combined with `{field}`; remove one of the two"),
                    );
                }
            }
        } else if doc.hours.values().all(Vec::is_empty) {
            self.problem(
                "hours",
                "is empty; write at least one block, such as `mon: [\"09:00-17:00\"]`, or `always: true`",
            );
        }
        let week = Weekday::ALL.map(|weekday| {
            let blocks = doc.hours.get(&weekday).map_or(&[][..], Vec::as_slice);
            self.blocks(&format!("hours.{}", weekday.as_str()), blocks)
        });
        for (before, day) in week.iter().cycle().skip(6).zip(&week) {
            self.refuse_night_into(before, day);
        }
        week
    }

    fn blocks(&mut self, path: &str, texts: &[String]) -> Vec<Written> {
        let mut blocks = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let path = format!("{path}[{index}]");
            match parse_block(text) {
                Some(block) => blocks.push(Written { path, text: text.clone(), block }),
                None => self.is_not(path, text, A_BLOCK),
            }
        }
        blocks.sort_by_key(|written| written.block.start);
        for (earlier, later) in blocks.iter().zip(blocks.iter().skip(1)) {
            if later.block.start < earlier.block.end {
                self.overlap(later, earlier);
            }
        }
        blocks
    }

    /// Finds where the last block of a day runs over midnight into the next day's.
    fn refuse_night_into(&mut self, day: &[Written], next: &[Written]) {
        let (Some(night), Some(morning)) = (day.last(), next.first()) else {
            return;
        };
        if morning.block.start + DAY_SECS < night.block.end {
            self.overlap(morning, night);
        }
    }

    fn overlap(&mut self, later: &Written, earlier: &Written) {
        let problem = format!(
            "`{}` overlaps `{}` ({}); write blocks that do not overlap",
            later.text, earlier.text, earlier.path
        );
        self.problem(later.path.as_str(), problem);
    }

    fn date(&mut self, path: &str, text: &str) -> Option<i64> {
        // Only the one spelling, which also sorts as text.
        let read =
            text.parse::<NaiveDate>().ok().filter(|date| date.to_string() == text && DATES.contains(&text));
        if read.is_none() {
            self.is_not(path, text, "a date from 1970 to 2200; write it as `2026-12-25`");
        }
        read.map(|date| i64::from(date.to_epoch_days()))
    }

    /// The holidays, each with its place in the list.
    fn holidays(&mut self) -> BTreeMap<i64, usize> {
        let mut holidays = BTreeMap::new();
        for (index, holiday) in self.doc.holidays.iter().enumerate() {
            if let Some(day) = self.date(&format!("holidays[{index}].date"), &holiday.date) {
                // Two holidays may fall on one date.
                holidays.entry(day).or_insert(index);
            }
        }
        holidays
    }

    fn exceptions(&mut self, holidays: &BTreeMap<i64, usize>, week: &[Vec<Written>; 7]) -> DateBlocks {
        let mut exceptions: BTreeMap<i64, Vec<Written>> = BTreeMap::new();
        for (index, exception) in self.doc.exceptions.iter().enumerate() {
            let path = format!("exceptions[{index}]");
            let blocks = self.blocks(&format!("{path}.hours"), &exception.hours);
            let date_path = format!("{path}.date");
            let Some(day) = self.date(&date_path, &exception.date) else {
                continue;
            };
            if let Some(holiday) = holidays.get(&day) {
                let date = &exception.date;
                let problem =
                    format!("`{date}` is also a holiday (holidays[{holiday}]); remove one of the two");
                self.problem(date_path.as_str(), problem);
            }
            match exceptions.entry(day) {
                Entry::Vacant(free) => {
                    free.insert(blocks);
                }
                Entry::Occupied(_) => self.problem(
                    date_path,
                    format!("`{}` already has an exception; write one with all its blocks", exception.date),
                ),
            }
        }
        // What an exception itself carries over midnight must not run into the next date. A weekday's
        // night that runs into an exception cannot be cut, so there the two are joined.
        for (day, blocks) in &exceptions {
            let next = day + 1;
            let usual =
                || week.get(local_days::weekday_index(next)).filter(|_| !holidays.contains_key(&next));
            if let Some(next) = exceptions.get(&next).or_else(usual) {
                self.refuse_night_into(blocks, next);
            }
        }
        let closed = holidays.keys().map(|day| (*day, Vec::new()));
        let own = exceptions
            .into_iter()
            .map(|(day, written)| (day, written.into_iter().map(|written| written.block).collect()));
        closed.chain(own).collect()
    }

    fn business_day(&mut self, week: &[Vec<Written>; 7]) -> Option<WorkingTime> {
        if let Some(text) = &self.doc.business_day {
            let read = parse_length(text);
            if read.is_none() {
                self.is_not("business_day", text, A_BUSINESS_DAY);
            }
            return read;
        }
        if self.doc.always {
            return Some(WorkingTime::from_secs(DAY_SECS));
        }
        if self.problems.iter().any(|problem| problem.path.starts_with("hours")) {
            return None; // lengths of blocks that cannot be read would only mislead
        }
        let length =
            |day: &[Written]| day.iter().map(|written| written.block.end - written.block.start).sum();
        let lengths: Vec<(Weekday, i64)> = Weekday::ALL
            .into_iter()
            .zip(week.iter().map(|day| length(day)))
            .filter(|(_, secs)| *secs > 0)
            .collect();
        let (_, first) = *lengths.first()?;
        if lengths.iter().all(|(_, secs)| *secs == first) {
            return Some(WorkingTime::from_secs(first));
        }
        let listed: Vec<String> = lengths
            .iter()
            .map(|(weekday, secs)| format!("{} {}h{:02}m", weekday.as_str(), secs / 3600, secs % 3600 / 60))
            .collect();
        self.problem(
            "business_day",
            format!(
                "is missing, and weekdays have different lengths ({}); write the length to use, such as `8h`",
                listed.join(", ")
            ),
        );
        None
    }
}
