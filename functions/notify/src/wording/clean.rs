//! Makes text from outside harmless: one line, no characters that reverse or hide the text around them, and a
//! bounded length. In addition, each channel escapes its own markup.

use unicode_segmentation::UnicodeSegmentation as _;

/// The longest company name in a message, in characters as a reader counts them.
pub const COMPANY_MAX: usize = 60;
/// The longest other text from outside, in the same characters.
pub const TEXT_MAX: usize = 300;

/// Invisible characters that change how others look: Unicode's Bidi_Control (`PropList.txt`), and the part of
/// Default_Ignorable_Code_Point (`DerivedCoreProperties.txt`) that no script needs. Joiners (U+200C, U+200D)
/// and variation selectors stay, because scripts and emoji need them.
const INVISIBLE: [(char, char); 14] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200b}'),
    ('\u{200e}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{e0000}', '\u{e007f}'),
];

/// A text from outside as one line of at most `graphemes_max` characters; `None` if nothing is left.
pub fn line(text: &str, graphemes_max: usize) -> Option<String> {
    let shown: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let words: Vec<&str> = shown.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then(|| cut(&line, graphemes_max))
}

/// The whole text without such characters; its lines stay.
pub fn paragraphs(text: &str) -> String {
    let is_shown = |c: &char| *c == '\n' || !(is_invisible(*c) || c.is_control());
    text.chars().filter(is_shown).collect()
}

/// The text with its first letter in upper case.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn cut(text: &str, graphemes_max: usize) -> String {
    match text.grapheme_indices(true).nth(graphemes_max) {
        None => text.to_owned(),
        Some(_) => {
            let kept: String = text.graphemes(true).take(graphemes_max.saturating_sub(1)).collect();
            format!("{}…", kept.trim_end())
        }
    }
}

fn is_invisible(c: char) -> bool {
    INVISIBLE.iter().any(|(from, to)| (*from..=*to).contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_and_turns_nothing_around() {
        let said = |text: &str| line(text, COMPANY_MAX);
        assert_eq!(
            said("Acme\u{202e}moc.live\u{2066}\r\nInc\u{2028}x").as_deref(),
            Some("Acmemoc.live Inc x")
        );
        assert_eq!(said(" \u{200b}\u{feff}\n"), None);
        // Right-to-left scripts, accents and joined emoji stay as they are.
        for kept in ["שלום בע״מ", "Ko\u{308}ln", "👩\u{200d}🔧 GmbH", "نمی\u{200c}خواهم"]
        {
            assert_eq!(said(kept).as_deref(), Some(kept));
        }
    }

    #[test]
    fn a_long_name_is_cut_between_characters_and_says_so() {
        let long = line(&"e\u{301}".repeat(500), COMPANY_MAX).unwrap();
        assert_eq!(long, format!("{}…", "e\u{301}".repeat(COMPANY_MAX - 1)));
        assert_eq!(line("abcdef", 6).as_deref(), Some("abcdef"));
        assert_eq!(line("abcdefg", 6).as_deref(), Some("abcde…"));
    }
}
