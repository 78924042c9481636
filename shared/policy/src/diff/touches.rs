//! What a difference touches, so that two changes of the same thing are found.

/// What follows the name of a step, a state or a rep in the name of a difference.
const FIELDS: [&str; 9] = [
    " does",
    " stays as it is",
    " is switched ",
    " seniority",
    " capacity",
    " licensed for",
    " on leave until",
    " channel",
    " is",
];

/// What a difference touches: a name, and behind a slash a field of it. Nothing for what is new or
/// gone as a whole.
pub(super) fn of(item: &str, value: Option<&str>) -> String {
    match item {
        "added" | "removed" => return String::new(),
        "state" => {
            let name = value.and_then(|value| value.split(',').next()).unwrap_or_default();
            return format!("state {name}");
        }
        _ => {}
    }
    let item = item.strip_prefix("step ").unwrap_or(item).trim_end_matches([':', ',']);
    let ends = FIELDS.iter().filter_map(|field| Some((item.split_once(field)?.0, field)));
    match ends.min_by_key(|(name, _)| name.len()) {
        // A step that is off, or stays, is another one as a whole.
        Some((name, &(" stays as it is" | " is switched "))) => name.to_owned(),
        Some((name, field)) => format!("{name}/{}", field.trim()),
        None => item.strip_prefix("rep ").unwrap_or(item).to_owned(),
    }
}
