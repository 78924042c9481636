//! What is printed.

use crate::points::{Harm, KNOWN, ROUTES, Tally};
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
    text += "answered well:\n";
    for (route, times) in &tally.routes {
        _ = writeln!(text, "  {times:>9}  {route}");
    }
    text += "crash points (reached, crashed before, crashed after):\n";
    for (point, hits) in &tally.points {
        let (before, after) = (hits.crashed_before, hits.crashed_after);
        _ = writeln!(text, "  {:>9} {before:>5} {after:>5}  {point}", hits.reached);
    }
    text
}

/// The crashes that did not happen: at each point that a function comes to there has to be one on
/// each side of the request.
pub fn missed(tally: &Tally) -> Vec<(String, Harm)> {
    let mut missed = Vec::new();
    for (point, hits) in &tally.points {
        if point.starts_with("message ") || point.starts_with("tick ") {
            continue;
        }
        for (times, side) in
            [(hits.crashed_before, Harm::CrashBefore), (hits.crashed_after, Harm::CrashAfter)]
        {
            if times == 0 {
                missed.push((point.clone(), side));
            }
        }
    }
    missed
}

/// Points that plans strike and no function comes to, and what is sent and never answered well.
pub fn gone(tally: &Tally) -> impl Iterator<Item = &'static str> {
    let points = KNOWN.iter().filter(|point| !tally.points.contains_key(**point));
    points.chain(ROUTES.iter().filter(|route| !tally.routes.contains_key(**route))).copied()
}

/// The beginning of a text.
pub fn short(text: &str) -> String {
    text.chars().take(140).collect()
}
