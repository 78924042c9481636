//! Logs refused requests, for a metric: the route or hook, and the class of reason. Never any content of the
//! request.
//!
//! A flood of bad requests must not fill the log. Of each class, the first refusals in a minute have a line
//! each, and then one line stands for many. Each line has the number it stands for, so that the metric counts
//! all but the last few of a flood.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::problem::Problem;

/// Refusals of one class with a line each, in one window.
pub const SINGLE_LINES_MAX: u32 = 10;
/// Refusals for which one further line stands.
pub const PER_LINE: u32 = 100;
/// The length of a window.
pub const WINDOW: TimeDelta = TimeDelta::minutes(1);
/// Most classes that are counted apart; further ones count as one.
const CLASSES_MAX: usize = 256;
/// The longest name of a route or hook in a line, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Counts refusals, and decides which get a line.
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
    unlogged: u32,
}

impl Refusals {
    /// Counts a refusal. Returns the number that a line now stands for, if one is due.
    fn count(&mut self, entry: &str, reason: &'static str, now: DateTime<Utc>) -> Option<u32> {
        let key = (entry.to_owned(), reason);
        let key = if self.classes.len() < CLASSES_MAX || self.classes.contains_key(&key) {
            key
        } else {
            ("others".to_owned(), reason)
        };
        let class = self.classes.entry(key).or_insert(Class { began: now, seen: 0, unlogged: 0 });
        if now - class.began >= WINDOW || now < class.began {
            (class.began, class.seen) = (now, 0);
        }
        class.seen = class.seen.saturating_add(1);
        class.unlogged = class.unlogged.saturating_add(1);
        let is_due = class.seen <= SINGLE_LINES_MAX || class.unlogged >= PER_LINE;
        is_due.then(|| std::mem::take(&mut class.unlogged))
    }
}

/// Logs a problem with status 401 or 403, and returns it.
pub fn logged(entry: &str, problem: Problem, now: DateTime<Utc>) -> Problem {
    if matches!(problem.status, 401 | 403) {
        log(entry, problem.kind, now);
    }
    problem
}

/// Logs a refusal. `entry` is a route or a hook's source, `reason` a class of reasons.
pub fn log(entry: &str, reason: &'static str, now: DateTime<Utc>) {
    static REFUSALS: LazyLock<Mutex<Refusals>> = LazyLock::new(Mutex::default);
    let entry = if is_name(entry) { entry } else { "unreadable" };
    let logged = REFUSALS.lock().unwrap_or_else(PoisonError::into_inner).count(entry, reason, now);
    if let Some(count) = logged {
        tracing::warn!(refused = reason, way_in = entry, count, "request refused");
    }
}

/// Whether a text is a plain name: a path comes from outside and may hold anything.
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
        let logged: Vec<u32> =
            (0..100_000).filter_map(|_| refusals.count("hook generic", "no-match", now)).collect();
        assert!(logged.len() < 1_100, "{} lines", logged.len());
        assert!(logged.iter().sum::<u32>() > 100_000 - PER_LINE);
        // The first line of a later window includes the rest.
        let later = refusals.count("hook generic", "no-match", now + WINDOW).unwrap();
        assert_eq!(logged.iter().sum::<u32>() + later, 100_001);
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
    fn content_of_a_path_does_not_get_into_the_log() {
        for name in ["hook generic", "POST /v1/leads/{id}/flags", "$default"] {
            assert!(is_name(name), "{name}");
        }
        for content in ["", "a\nb", "kim@example.com", "é", &"x".repeat(65)] {
            assert!(!is_name(content), "{content}");
        }
    }
}
