//! Fits text to the limits of a channel. Lengths are in UTF-16 units, the strictest way to count characters.

/// The length of a text.
#[must_use]
pub fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The text on one line, with single spaces.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Cuts plain text to a length, with an ellipsis where something is missing.
#[must_use]
pub fn cut(text: &str, max: usize) -> String {
    if units(text) <= max {
        return text.to_owned();
    }
    let mut left = max - 1;
    let mut short: String = text
        .chars()
        .take_while(|character| {
            let fits = character.len_utf16() <= left;
            left = left.saturating_sub(character.len_utf16());
            fits
        })
        .collect();
    short.push('…');
    short
}
