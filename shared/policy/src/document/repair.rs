//! Finds every misfit of a document, not the first one alone. What does not fit is noted and
//! replaced by a stand-in that does, and the document is read again, until it can be read whole.
//! What was read so is good for finding out what else is wrong, and for nothing else.

use super::problem::Position;
use super::shape::{Mismatch, Reader, ShapeError};
use super::tree::{Content, Entry, Node, Step};
use serde::de::DeserializeOwned;

/// Misfits that are noted at most; whoever has more has the wrong file.
const MISMATCHES_MAX: usize = 50;
/// Readings at most: each misfit needs a few to find what fits in its place.
const READINGS_MAX: usize = 20 * MISMATCHES_MAX;

/// What can stand in for anything in a policy or a directory.
const STAND_INS: [&str; 9] =
    ["1%", "1s", "1d", "00:00", "1", "true", "2000-01-01", "2000-01-01T00:00:00Z", "x"];

/// What reading a document gave.
pub(super) struct Read<T> {
    /// The value; with mismatches, some of it stood in for. `None` if not even that can be had.
    pub value: Option<T>,
    /// What does not fit, with the node that stood there, or for a name its place.
    pub mismatches: Vec<(ShapeError, Option<Node>, Option<Position>)>,
}

/// Reads a document into its type, to the end.
pub(super) fn read<T: DeserializeOwned>(root: &Node) -> Read<T> {
    let mut root = root.clone();
    let mut mismatches = Vec::new();
    for _ in 0..READINGS_MAX {
        let mut error = match T::deserialize(Reader(&root)) {
            Ok(value) => return Read { value: Some(value), mismatches },
            Err(error) => error,
        };
        error.path.reverse();
        let stands = if error.of_name { None } else { root.at(&error.path).cloned() };
        let is_stand_in = stands.as_ref().is_some_and(|node| node.stand_in.is_some());
        let place = if error.of_name { root.name_at(&error.path) } else { None };
        let repaired = repair(&mut root, &error);
        if !is_stand_in {
            mismatches.push((error, stands, place));
        }
        if !repaired || mismatches.len() >= MISMATCHES_MAX {
            break;
        }
    }
    Read { value: None, mismatches }
}

/// Puts something that may fit in place of what does not; false if nothing is left to try.
fn repair(root: &mut Node, error: &ShapeError) -> bool {
    if error.of_name {
        return remove(root, &error.path);
    }
    let Some(node) = root.at(&error.path) else { return false };
    let (place, next) = (node.place, node.stand_in.map_or(0, |n| n + 1));
    match (&error.what, &mut node.content) {
        (Mismatch::Missing(name), Content::Map(entries)) => {
            let Some(value) = stand_in(0, place) else { return false };
            entries.push(Entry { name: (*name).to_owned(), place, value });
            return true;
        }
        (Mismatch::UnknownValue { known, .. }, _) if next <= STAND_INS.len() => {
            if let Some(first) = known.first() {
                let content = Content::Scalar { text: (*first).to_owned(), plain: true };
                *node = Node { place, content, stand_in: Some(next) };
                return true;
            }
        }
        _ => {}
    }
    match stand_in(next, place) {
        Some(other) => *node = other,
        // Nothing fits, but a list is one without it.
        None => return remove(root, &error.path),
    }
    true
}

/// The stand-ins in their order: the texts, a list, a block.
fn stand_in(n: usize, place: Position) -> Option<Node> {
    let content = match STAND_INS.get(n) {
        Some(text) => Content::Scalar { text: (*text).to_owned(), plain: true },
        None if n == STAND_INS.len() => Content::List(Vec::new()),
        None if n == STAND_INS.len() + 1 => Content::Map(Vec::new()),
        None => return None,
    };
    Some(Node { place, content, stand_in: Some(n) })
}

/// Takes away an item of a list, or a name that does not belong.
fn remove(root: &mut Node, path: &[Step]) -> bool {
    let Some((last, parent)) = path.split_last() else { return false };
    match (root.at(parent).map(|node| &mut node.content), last) {
        (Some(Content::List(items)), Step::Index(n)) => {
            items.get_mut(*n).is_some_and(|item| item.take().is_some())
        }
        (Some(Content::Map(entries)), Step::Name(name)) => {
            let before = entries.len();
            entries.retain(|entry| entry.name != *name);
            entries.len() < before
        }
        _ => false,
    }
}
