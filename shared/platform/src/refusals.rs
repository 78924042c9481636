//! What was refused at the door, for the log and the metric made of it: which way in, and which class of reason. Never
//! what was sent.
//!
//! Whoever sends a flood of bad requests must not be able to fill the log: of each class some are written one by one in
//! a minute, and then one line for many. Each line says how many it stands for, so that the metric counts all of them
//! but the last few of a flood.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::problem::Problem;

/// Lines of one class that are written one by one in a window.
pub const SINGLE_LINES_MAX: u32 = 10;
/// After that one line stands for so many.
pub const PER_LINE: u32 = 100;
/// How long a window is.
pub const WINDOW: TimeDelta = TimeDelta::minutes(1);
/// Classes that are told apart; what comes beyond is counted as one.
const CLASSES_MAX: usize = 256;
/// The longest name of a source in a line, in bytes; hooks have short ones.
const NAME_BYTES_MAX: usize = 64;

/// Counts refusals, and says which of them get a line.
#[derive(Debug, Default)]
struct Refusals {
    classes: BTreeMap<(String, &'static str), Class>,
}

#[derive(Debug)]
struct Class {
    began: DateTime<Utc>,
    /// Refusals in the window.
    seen: u32,
    /// Refusals since the last line.
    untold: u32,
}

impl Refusals {
    /// Takes one in; how many the line stands for that is now to be written, if one is.
    fn count(&mut self, way_in: &str, reason: &'static str, now: DateTime<Utc>) -> Option<u32> {
        let key = (way_in.to_owned(), reason);
        let key = if self.classes.len() < CLASSES_MAX || self.classes.contains_key(&key) {
            key
        } else {
            ("others".to_owned(), reason)
        };
        let class = self.classes.entry(key).or_insert(Class { began: now, seen: 0, untold: 0 });
        if now - class.began >= WINDOW || now < class.began {
            (class.began, class.seen) = (now, 0);
        }
        class.seen = class.seen.saturating_add(1);
        class.untold = class.untold.saturating_add(1);
        let is_told = class.seen <= SINGLE_LINES_MAX || class.untold >= PER_LINE;
        is_told.then(|| std::mem::take(&mut class.untold))
    }
}

/// Writes the answer of an API to the log, if it turned its caller away.
pub fn noted(way_in: &str, problem: Problem, now: DateTime<Utc>) -> Problem {
    if matches!(problem.status, 401 | 403) {
        refused(way_in, problem.kind, now);
    }
    problem
}

/// Writes a refusal to the log. `way_in` is a route or a hook's source, `reason` a class of reasons.
pub fn refused(way_in: &str, reason: &'static str, now: DateTime<Utc>) {
    static REFUSALS: LazyLock<Mutex<Refusals>> = LazyLock::new(Mutex::default);
    let way_in = if is_name(way_in) { way_in } else { "unreadable" };
    let told = REFUSALS.lock().unwrap_or_else(PoisonError::into_inner).count(way_in, reason, now);
    if let Some(count) = told {
        tracing::warn!(refused = reason, way_in, count, "refused at the door");
    }
}

/// Whether a name says no more than a name: what stands in a path is from outside.
fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b" /-_{}$".contains(&byte);
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_takes_few_lines_and_is_counted() {
        let mut refusals = Refusals::default();
        let now = DateTime::UNIX_EPOCH;
        let told: Vec<u32> =
            (0..100_000).filter_map(|_| refusals.count("hook generic", "no-match", now)).collect();
        assert!(told.len() < 1_100, "{} lines", told.len());
        assert!(told.iter().sum::<u32>() > 100_000 - PER_LINE);
        // The rest is told with the next one of a later window.
        let later = refusals.count("hook generic", "no-match", now + WINDOW).unwrap();
        assert_eq!(told.iter().sum::<u32>() + later, 100_001);
    }

    #[test]
    fn no_flood_hides_another_class() {
        let mut refusals = Refusals::default();
        let now = DateTime::UNIX_EPOCH;
        for n in 0..50_000 {
            _ = refusals.count(&format!("hook n{n}"), "no-match", now);
        }
        assert!(refusals.classes.len() <= CLASSES_MAX + 1);
        assert_eq!(refusals.count("GET /v1/leads", "no-group", now), Some(1));
    }

    #[test]
    fn what_stands_in_a_path_does_not_go_into_the_log() {
        for name in ["hook generic", "POST /v1/leads/{id}/flags", "$default"] {
            assert!(is_name(name), "{name}");
        }
        for content in ["", "a\nb", "kim@example.com", "é", &"x".repeat(65)] {
            assert!(!is_name(content), "{content}");
        }
    }
}
