//! How a history differs from the one that a scenario expects, for a reader.

use similar::{ChangeTag, TextDiff};
use std::collections::VecDeque;
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

/// The parts that differ, each with its heading, and how many are alike in between.
pub fn report(expected: &str, actual: &str) -> String {
    let mut report = paint(FAINT, "- the file expects   + what happened") + "\n";
    let mut alike = 0;
    // The last line ends like every other, or it would differ by its end.
    let [expected, actual] = [expected, actual].map(|text| format!("{}\n", text.trim_end()));
    for part in parts(&TextDiff::from_lines(expected.as_str(), actual.as_str())) {
        if !part.differs {
            alike += 1;
            continue;
        }
        skip(&mut report, &mut alike);
        show(&mut report, &part.lines);
    }
    skip(&mut report, &mut alike);
    report
}

fn parts<'a>(diff: &TextDiff<'a, 'a, 'a, str>) -> Vec<Part<'a>> {
    let mut parts: Vec<Part<'a>> = Vec::new();
    for change in diff.iter_all_changes() {
        let (tag, line) = (change.tag(), change.value().trim_end_matches('\n'));
        let is_heading = !line.starts_with(' ');
        if is_heading || parts.is_empty() {
            parts.push(Part::default());
        }
        let part = parts.last_mut().expect("there is one");
        part.differs |= tag != ChangeTag::Equal;
        part.lines.push((tag, line));
    }
    parts
}

fn skip(report: &mut String, alike: &mut usize) {
    if *alike > 0 {
        let _ = writeln!(report, "{}", paint(FAINT, &format!("  … {alike} without a difference")));
        *alike = 0;
    }
}

fn show(report: &mut String, lines: &[(ChangeTag, &str)]) {
    for lines in lines.chunk_by(|a, b| (a.0 == ChangeTag::Equal) == (b.0 == ChangeTag::Equal)) {
        let of = |tag| lines.iter().filter(move |line| line.0 == tag).map(|line| line.1);
        of(ChangeTag::Equal).for_each(|line| _ = writeln!(report, "  {line}"));
        let mut happened: VecDeque<&str> = of(ChangeTag::Insert).collect();
        for expected in of(ChangeTag::Delete) {
            let became = happened.iter().position(|line| kind(line) == kind(expected));
            // What happened before it is new.
            happened.drain(..became.unwrap_or(0)).for_each(|line| added(report, line));
            let _ = writeln!(report, "{}", paint(RED, &format!("- {expected}")));
            if let Some(line) = became.and_then(|_| happened.pop_front()) {
                added(report, line);
                let _ = writeln!(report, "      {}", words(expected, line));
            }
        }
        happened.into_iter().for_each(|line| added(report, line));
    }
}

fn added(report: &mut String, line: &str) {
    let _ = writeln!(report, "{}", paint(GREEN, &format!("+ {line}")));
}

/// What kind of entry a line is: a line becomes another of its kind.
fn kind(line: &str) -> Option<&str> {
    line.split_whitespace().next()
}

/// The words in which a line differs from what was expected, because lines are long.
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
