//! What is different between two policies, or two directories, in words: per workflow and per
//! market, so that whoever publishes sees what it comes to and not what was typed.

mod change;
mod directory;
mod policy;
mod three_way;
mod touches;

pub use change::{Change, Section};
pub use directory::directories;
pub use policy::{policies, versions_that_rise};
pub use three_way::ThreeWay;

/// Lines of a record at most, and characters of each: a publication's first entry has to be one item
/// of the store.
const LINES_MAX: usize = 200;
const LINE_CHARS_MAX: usize = 300;

/// Differences as a record keeps them: in words, and no more than it can hold.
#[must_use]
pub fn in_words(changes: &[Change]) -> Vec<String> {
    let line = |change: &Change| {
        let text = change.to_string();
        if text.chars().count() <= LINE_CHARS_MAX {
            return text;
        }
        text.chars().take(LINE_CHARS_MAX - 1).chain(['…']).collect()
    };
    let mut lines: Vec<String> = changes.iter().take(LINES_MAX).map(line).collect();
    if changes.len() > LINES_MAX {
        lines.push(format!("… and {} more", changes.len() - LINES_MAX));
    }
    lines
}
