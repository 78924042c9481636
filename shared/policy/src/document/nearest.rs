//! "Did you mean": the nearest name there is.

/// How many letters a name may be off to be meant.
pub(super) const DISTANCE_MAX: usize = 3;

/// The nearest name there is, if it is near enough to be meant.
pub fn nearest<'k>(value: &str, known: &[&'k str]) -> Option<&'k str> {
    let nearest = known.iter().copied().min_by_key(|name| (distance(name, value), *name))?;
    (distance(nearest, value) <= DISTANCE_MAX && !value.is_empty()).then_some(nearest)
}

/// The nearest name there is, or some of those there are.
pub(crate) fn hint(value: &str, known: &[&str]) -> String {
    match nearest(value, known) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => {
            let mut names = known.to_vec();
            names.sort_unstable();
            names.dedup();
            let more = if names.len() > 12 { ", …" } else { "" };
            format!("write one of: {}{more}", names.iter().take(12).copied().collect::<Vec<_>>().join(", "))
        }
    }
}

/// Levenshtein distance, for "did you mean"; names are short.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(64).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (cb, above) in b.iter().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(ca != *cb)).min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
