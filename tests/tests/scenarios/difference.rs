//! How a history differs from the one that a scenario expects, for a reader.

use similar::{ChangeTag, TextDiff};
use std::fmt::Write as _;
use std::io::IsTerminal as _;

const RED: &str = "31";
const GREEN: &str = "32";
const FAINT: &str = "2";

/// The lines of a heading, each with its sign, and whether any of them differs.
#[derive(Default)]
struct Part<'a> {
    lines: Vec<(ChangeTag, &'a str)>,
    differs: bool,
}

/// The parts that differ, each with its heading, and how many are the same in between.
pub fn report(expected: &str, actual: &str) -> String {
    let mut report = paint(FAINT, "- the file expects   + what happened") + "\n";
    let mut same = 0;
    for part in parts(&TextDiff::from_lines(expected.trim_end(), actual.trim_end())) {
        if !part.differs {
            same += 1;
            continue;
        }
        skip(&mut report, &mut same);
        show(&mut report, &part.lines);
    }
    skip(&mut report, &mut same);
    report
}

fn parts<'a>(diff: &TextDiff<'a, 'a, 'a, str>) -> Vec<Part<'a>> {
    let mut parts: Vec<Part<'a>> = Vec::new();
    for change in diff.iter_all_changes() {
        let line = change.value().trim_end_matches('\n');
        let (tag, is_heading) = (change.tag(), !line.starts_with(' '));
        if is_heading || parts.is_empty() {
            parts.push(Part::default());
        }
        let part = parts.last_mut().expect("there is one");
        part.differs |= tag != ChangeTag::Equal;
        part.lines.push((tag, line));
    }
    parts
}

fn skip(report: &mut String, same: &mut usize) {
    if *same > 0 {
        let _ = writeln!(report, "{}", paint(FAINT, &format!("  … {same} the same")));
        *same = 0;
    }
}

fn show(report: &mut String, lines: &[(ChangeTag, &str)]) {
    for (n, (tag, line)) in lines.iter().enumerate() {
        let _ = match tag {
            ChangeTag::Equal => writeln!(report, "  {line}"),
            ChangeTag::Delete => writeln!(report, "{}", paint(RED, &format!("- {line}"))),
            ChangeTag::Insert => writeln!(report, "{}", paint(GREEN, &format!("+ {line}"))),
        };
        // One line that became another: its words that differ, because lines are long.
        let before = n.checked_sub(1).and_then(|n| lines.get(n));
        if let (ChangeTag::Insert, Some((ChangeTag::Delete, old))) = (tag, before) {
            let _ = writeln!(report, "      {}", words(old, line));
        }
    }
}

/// `from a b to c`, in words.
fn words(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (old.split_whitespace().collect(), new.split_whitespace().collect());
    let diff = TextDiff::from_slices(&old, &new);
    let of = |tag: ChangeTag| {
        let words = diff.iter_all_changes().filter(|change| change.tag() == tag).map(|change| change.value());
        words.collect::<Vec<_>>().join(" ")
    };
    let shown = |text: String, colour: &str| {
        if text.is_empty() { "nothing".to_owned() } else { paint(colour, &text) }
    };
    format!("{} → {}", shown(of(ChangeTag::Delete), RED), shown(of(ChangeTag::Insert), GREEN))
}

fn paint(colour: &str, text: &str) -> String {
    if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        format!("\u{1b}[{colour}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}
