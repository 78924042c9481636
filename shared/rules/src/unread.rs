//! What nobody here understood of an input. It is told and recorded, and bounded: its names come
//! from outside.

use serde::{Deserialize, Serialize};

/// How many places are named.
pub const PLACES_MAX: usize = 20;
/// How long the name of a place is, in characters.
pub const PLACE_CHARS_MAX: usize = 100;

/// Where something stands in an input that was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Unread {
    /// JSON pointers (RFC 6901), shortened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// How many more there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Unread {
    /// Names the first places and counts the others.
    pub fn of(places: impl IntoIterator<Item = String>) -> Self {
        let mut unread = Self::default();
        for place in places {
            if unread.members.len() < PLACES_MAX {
                unread.members.push(place);
            } else {
                unread.more = unread.more.saturating_add(1);
            }
        }
        unread
    }

    /// Whether all was understood.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

/// A name from outside as a text that may be shown and kept: of one line, of a bounded length, and
/// without what turns the direction of the text around it.
pub fn harmless(name: &str, chars_max: usize) -> String {
    let is_odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut chars = name.chars().map(|c| if is_odd(c) { '\u{fffd}' } else { c });
    let mut text: String = chars.by_ref().take(chars_max).collect();
    if chars.next().is_some() {
        text.pop();
        text.push('…');
    }
    text
}

/// The name that was meant, if one is near; `known` are the names there are.
pub fn meant<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    policy::document::nearest(name, known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_places_are_named_and_the_others_counted() {
        let unread = Unread::of((0..50).map(|n| format!("/lead/m{n}")));
        assert_eq!((unread.members.len(), unread.more), (PLACES_MAX, 30));
        assert!(Unread::of([]).is_empty());
    }

    #[test]
    fn a_name_from_outside_is_of_one_line_and_bounded() {
        assert_eq!(harmless("a\nb\u{202e}c", 10), "a\u{fffd}b\u{fffd}c");
        assert_eq!(harmless("abcdef", 4), "abc…");
        assert_eq!(harmless("abcd", 4), "abcd");
    }
}
