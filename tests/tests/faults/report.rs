//! What is printed.

use crate::points::{KNOWN, Tally};
use indicatif::{ProgressBar, ProgressStyle};
use std::fmt::Write as _;
use std::time::Duration;

/// A bar, where somebody looks.
pub fn progress(seeds: u64) -> ProgressBar {
    let bar = ProgressBar::new(seeds);
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} seeds, {per_sec}, {eta} left");
    bar.set_style(style.expect("a template"));
    bar
}

/// What went wrong, by kind.
pub fn harms(tally: &Tally) -> String {
    let mut text = String::new();
    for (name, times) in &tally.harms {
        _ = writeln!(text, "  {times:>9}  {name}");
    }
    text
}

/// What the seeds came to.
pub fn table(tally: &Tally, seeds: u64, took: Duration) -> String {
    let minutes = took.as_secs_f64() / 60.0;
    let mut text = format!(
        "{seeds} seeds in {:.0} s, {:.0} a minute\nfaults:\n",
        took.as_secs_f64(),
        seeds as f64 / minutes
    );
    text += &harms(tally);
    text += "crash points (reached, crashed before, crashed after):\n";
    for (point, hits) in &tally.points {
        let (before, after) = (hits.crashed_before, hits.crashed_after);
        _ = writeln!(text, "  {:>9} {before:>5} {after:>5}  {point}", hits.reached);
    }
    text
}

/// Points that were come to and not struck on both sides, and those that plans do not know.
pub fn missed(tally: &Tally) -> Vec<String> {
    let is_request = |point: &str| !point.starts_with("message ") && !point.starts_with("tick ");
    let points = tally.points.iter().filter(|(point, hits)| {
        let is_struck = hits.crashed_before > 0 && hits.crashed_after > 0;
        !KNOWN.contains(&point.as_str()) || (is_request(point) && !is_struck)
    });
    let gone = KNOWN.iter().filter(|point| !tally.points.contains_key(**point));
    points
        .map(|(point, _)| point.clone())
        .chain(gone.map(|point| format!("{point} (never come to)")))
        .collect()
}

/// The beginning of a text.
pub fn short(text: &str) -> String {
    text.chars().take(140).collect()
}
