//! The charts of a report as inline SVG: the baseline beside the candidate. They use the page's colors, light and dark.

use std::fmt::Write as _;

use insight::backtest::Pair;
use policy::measure::grouped;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 220.0;
/// Room for the numbers on the left, and for the dates below.
const LEFT: f64 = 76.0;
const BELOW: f64 = 30.0;
const TOP: f64 = 18.0;
/// The width of the longest date.
const DATE: f64 = 90.0;
/// How many dates fit below.
const LABELS_MAX: usize = 8;

/// One point of a chart: its name and its two numbers.
pub(super) type Point = (String, Pair);

/// Bars side by side.
pub(super) fn bars(title: &str, points: &[Point], baseline: &str) -> String {
    chart(title, points, |svg, x, width, y| {
        for (n, (name, pair)) in points.iter().enumerate() {
            let begin = x(n) - width / 2.0;
            for (side, said, value, shift) in
                [("baseline", baseline, pair.baseline, 0.12), ("candidate", "candidate", pair.candidate, 0.5)]
            {
                let (top, bottom) = (y(value), y(0));
                _ = write!(
                    svg,
                    r#"<rect class="{side}" x="{:.1}" y="{top:.1}" width="{:.1}" height="{:.1}" rx="2"><title>{}: {} {}</title></rect>"#,
                    begin + width * shift,
                    width * 0.36,
                    (bottom - top).max(0.0),
                    escape(name),
                    grouped(value),
                    escape(said)
                );
            }
        }
    })
}

/// Lines over time.
pub(super) fn lines(title: &str, points: &[Point], baseline: &str) -> String {
    chart(title, points, |svg, x, width, y| {
        for (side, value) in
            [("baseline", (|p: &Pair| p.baseline) as fn(&Pair) -> u64), ("candidate", |p| p.candidate)]
        {
            let places: Vec<String> = points
                .iter()
                .enumerate()
                .map(|(n, (_, pair))| format!("{:.1},{:.1}", x(n), y(value(pair))))
                .collect();
            _ = write!(svg, r#"<polyline class="line {side}" points="{}"/>"#, places.join(" "));
        }
        for (n, (name, pair)) in points.iter().enumerate() {
            _ = write!(
                svg,
                r#"<rect class="hover" x="{:.1}" y="{TOP}" width="{width:.1}" height="{:.1}"><title>{}: {} {}, {} candidate</title></rect>"#,
                x(n) - width / 2.0,
                HEIGHT - TOP - BELOW,
                escape(name),
                grouped(pair.baseline),
                escape(baseline),
                grouped(pair.candidate)
            );
        }
    })
}

fn chart(
    title: &str,
    points: &[Point],
    draw: impl Fn(&mut String, &dyn Fn(usize) -> f64, f64, &dyn Fn(u64) -> f64),
) -> String {
    let most = points.iter().map(|(_, pair)| pair.baseline.max(pair.candidate)).max().unwrap_or(0);
    let ceiling = round_up(most);
    let width = (WIDTH - LEFT) / points.len().max(1) as f64;
    let x = |n: usize| LEFT + width * (n as f64 + 0.5);
    let y = |value: u64| HEIGHT - BELOW - (HEIGHT - BELOW - TOP) * value as f64 / ceiling as f64;
    let mut svg = format!(
        r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{}"><title>{}</title>"#,
        escape(title),
        escape(title)
    );
    for quarter in [0, 2, 4] {
        let value = ceiling * quarter / 4;
        let at = y(value);
        _ = write!(
            svg,
            r#"<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{at:.1}" y2="{at:.1}"/><text class="number" x="{:.1}" y="{:.1}">{}</text>"#,
            LEFT - 8.0,
            at + 4.0,
            grouped(value)
        );
    }
    let every = points.len().div_ceil(LABELS_MAX).max(1);
    for (n, (name, _)) in points.iter().enumerate().step_by(every) {
        _ = write!(
            svg,
            r#"<text class="{}" x="{:.1}" y="{:.1}">{}</text>"#,
            // The last one would be cut off at the edge.
            if x(n) + DATE / 2.0 > WIDTH { "date last" } else { "date" },
            if x(n) + DATE / 2.0 > WIDTH { WIDTH } else { x(n) },
            HEIGHT - 8.0,
            escape(name)
        );
    }
    draw(&mut svg, &x, width, &y);
    svg.push_str("</svg>");
    svg
}

/// The next round number that can be halved and quartered.
fn round_up(most: u64) -> u64 {
    let mut step = 4u64;
    loop {
        for factor in [1, 2, 3, 5] {
            if let Some(ceiling) = step.checked_mul(factor).filter(|ceiling| *ceiling >= most) {
                return ceiling;
            }
        }
        match step.checked_mul(10) {
            Some(next) => step = next,
            None => return most.max(1),
        }
    }
}

/// Escapes text for markup.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_on_a_round_number_at_or_over_the_most() {
        let found: Vec<u64> = [0, 3, 5, 19, 21, 399, 401, 4_000, u64::MAX].map(round_up).to_vec();
        assert_eq!(found, [4, 4, 8, 20, 40, 400, 800, 4_000, u64::MAX]);
    }

    #[test]
    fn text_in_markup_stays_text() {
        let chart = bars("<script>", &[("\"><b".to_owned(), Pair { baseline: 1, candidate: 2 })], "\"><i");
        assert!(!chart.contains("<script") && !chart.contains("\"><b") && !chart.contains("<i"), "{chart}");
    }
}
