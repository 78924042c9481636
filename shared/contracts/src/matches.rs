//! Reads the matches of screenings, as sources send them: `flags` with a list of matches for each kind.
//!
//! A match that cannot be read may be any match, so it holds the lead as *unreadable*, with its sealed text
//! in the review. So a source that misspells a list or an id gets a warning, and no lead passes by mistake.

use crate::fields::{self, Fields, Problems};
use rules::screening::{Criterion, CriterionKind, Match, MatchDetails};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Most matches in one event.
pub const MATCHES_MAX: usize = 50;
/// Most aliases of one listed person or company.
pub const ALIASES_MAX: usize = 20;

/// Most bytes of text in an event's matches: lists and ids, and details about people. One audit item holds
/// the whole event, and its limit is 400 KB.
const CRITERIA_BYTES_MAX: usize = 32 * 1024;
const DETAILS_BYTES_MAX: usize = 48 * 1024;

/// The id of a match without a readable one.
const UNREADABLE: &str = "unreadable";
/// The longest text that is kept of an unreadable match; a fingerprint stands for the rest.
const UNREADABLE_CHARS_MAX: usize = 2_000;

/// The warning for `null`, which clears a field but no match: only compliance decides on a match.
const NOTHING_TAKEN_BACK: &str = "withdraws no match, ignored; compliance decides on matches";

/// The warning for matches in the wrong place.
const MEANT_AS_FLAGS: &str = "looks like a match, which belongs in `flags`; it holds the lead";

/// Other names that sources give to matches.
const SCREENING_NAMES: [&str; 8] =
    ["flags", "flag", "matches", "match", "screening", "screenings", "hits", "sanction"];

const KINDS: [(&str, CriterionKind); 4] = [
    ("sanctions", CriterionKind::Sanctions),
    ("pep", CriterionKind::Pep),
    ("adverse_media", CriterionKind::AdverseMedia),
    ("jurisdiction", CriterionKind::Jurisdiction),
];

/// Reads the matches of a lead's event. They belong in `lead.flags`; beside `lead` they count too.
pub(crate) fn read(root: &Fields<'_>, lead: &Fields<'_>, problems: &mut Problems) -> Vec<Match> {
    let mut found = Vec::new();
    for holder in [lead, root] {
        match holder.get("flags") {
            None => {}
            Some(Value::Null) => problems.warn(holder.at("flags"), NOTHING_TAKEN_BACK),
            Some(flags) => read_flags(flags, holder.at("flags"), &mut found, problems),
        }
        for name in holder.names().filter(|name| may_be_flags(name)) {
            let said = holder.get(name).filter(|said| said.is_object() || said.is_array());
            if let Some(said) = said.filter(|said| !is_nothing(said)) {
                problems.warn(holder.at(name), MEANT_AS_FLAGS);
                found.push(unreadable(name, said));
            }
        }
    }
    bounded(found)
}

/// Whether an unknown member is a misspelled or misplaced name of matches.
fn may_be_flags(name: &str) -> bool {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let letters = letters.to_ascii_lowercase();
    let of_kind = |(kind, _): &(&str, CriterionKind)| kind.replace('_', "") == letters;
    name != "flags" && (SCREENING_NAMES.contains(&letters.as_str()) || KINDS.iter().any(of_kind))
}

/// Cuts matches to the limits of an event; an unreadable match stands for the rest.
fn bounded(mut found: Vec<Match>) -> Vec<Match> {
    let all = found.len();
    let (mut fitting, mut criteria, mut details) = (0, 0, 0);
    for found in found.iter_mut().take(MATCHES_MAX) {
        let Criterion { match_id, list, list_version, .. } = &found.criterion;
        criteria += match_id.len() + list.len() + list_version.len();
        details += found.details.as_mut().map_or(0, |said| said.texts().map(|text| text.len()).sum());
        if criteria > CRITERIA_BYTES_MAX {
            break;
        }
        // A match counts without its details; details beyond the limit are dropped.
        if details > DETAILS_BYTES_MAX && found.criterion.kind != CriterionKind::Unreadable {
            found.details = None;
        }
        fitting += 1;
    }
    if fitting < all {
        // Different matches beyond the limit need a review of their own, even if their number is the same.
        let in_words = |found: &Match| serde_json::to_string(found).unwrap_or_default();
        let mut rest: Vec<String> = found.iter().skip(fitting).map(in_words).collect();
        rest.sort();
        let rest = Sha256::digest(rest.join("\n"));
        found.truncate(fitting);
        let text =
            format!("{all} matches; {fitting} of them were read (the others: SHA-256 {})", hex::encode(rest));
        found.push(unreadable("flags", &Value::String(text)));
    }
    found
}

fn read_flags(flags: &Value, at: String, found: &mut Vec<Match>, problems: &mut Problems) {
    let Value::Object(lists) = flags else {
        found.extend((!is_nothing(flags)).then(|| unreadable("flags", flags)));
        return;
    };
    let known = KINDS.iter().filter_map(|(name, kind)| Some((*name, Some(*kind), lists.get(*name)?)));
    let others = lists.iter().filter(|(name, _)| !KINDS.iter().any(|(known, _)| known == name));
    for (name, kind, list) in known.chain(others.map(|(name, list)| (name.as_str(), None, list))) {
        match (kind, list) {
            (_, Value::Null) => problems.warn(format!("{at}/{name}"), NOTHING_TAKEN_BACK),
            (_, nothing) if is_nothing(nothing) => {}
            (None, list) => found.push(unreadable(name, list)),
            (Some(kind), Value::Array(items)) => {
                for (n, item) in items.iter().enumerate() {
                    let place = format!("{at}/{name}/{n}");
                    let read = read_item(item, place.clone(), name, kind, problems);
                    let is_read = kind_is_read(&read);
                    if is_read && found.iter().any(|known| known.criterion.is_same_match(&read.criterion)) {
                        problems.warn(place, "duplicate match; the strongest one counts");
                    }
                    found.push(read);
                }
            }
            (Some(kind), item) => found.push(read_item(item, format!("{at}/{name}"), name, kind, problems)),
        }
    }
}

fn kind_is_read(found: &Match) -> bool {
    found.criterion.kind != CriterionKind::Unreadable
}

/// Whether a list has no match.
fn is_nothing(list: &Value) -> bool {
    list.is_null() || list.as_array().is_some_and(Vec::is_empty)
}

fn read_item(item: &Value, at: String, list: &str, kind: CriterionKind, problems: &mut Problems) -> Match {
    if !item.is_object() {
        return unreadable(list, item);
    }
    let fields = Fields::of(item, at, problems);
    // These three fields identify a match.
    let mut misread = Problems::default();
    let criterion = criterion(&fields, kind, &mut misread, problems);
    match criterion {
        Some(criterion) => {
            let details = details(&fields, problems);
            problems.warn_of_unknown(&fields);
            Match { criterion, details }
        }
        None => unreadable(list, item),
    }
}

fn criterion(
    fields: &Fields<'_>,
    kind: CriterionKind,
    misread: &mut Problems,
    problems: &mut Problems,
) -> Option<Criterion> {
    let match_id = fields.required("match_id", misread, identifier);
    let list = fields.required("list", misread, fields::line);
    let list_version = fields.required("list_version", misread, identifier);
    let strength = fields
        .optional("strength", problems, |v| fields::whole(100)(v).map(|n| u8::try_from(n).unwrap_or(100)));
    Some(Criterion { kind, match_id: match_id?, list: list?, list_version: list_version?, strength })
}

/// Reads an id; some lists number their records.
fn identifier(value: &Value) -> Result<String, String> {
    match value.as_u64() {
        Some(number) => Ok(number.to_string()),
        None => fields::line(value),
    }
}

fn details(fields: &Fields<'_>, problems: &mut Problems) -> Option<MatchDetails> {
    let mut line = |name: &str| fields.optional(name, problems, fields::line);
    let details = MatchDetails {
        name: line("name"),
        date_of_birth: line("date_of_birth"),
        nationality: line("nationality"),
        screened_name: line("screened_name"),
        headline: line("headline"),
        source: line("source"),
        url: fields.optional("url", problems, fields::note),
        aliases: fields.optional("aliases", problems, aliases).unwrap_or_default(),
        note: fields.optional("note", problems, fields::note),
    };
    details.is_said().then_some(details)
}

fn aliases(value: &Value) -> Result<Vec<String>, String> {
    let wrong = || format!("must be a list of at most {ALIASES_MAX} names");
    let list = value.as_array().filter(|list| list.len() <= ALIASES_MAX).ok_or_else(wrong)?;
    list.iter().map(|name| fields::line(name).map_err(|_| wrong())).collect()
}

/// A match that stands for something unreadable. The rules identify it by its sealed text.
fn unreadable(list: &str, item: &Value) -> Match {
    let whole = format!("{list}: {item}");
    let mut note: String = whole.chars().take(UNREADABLE_CHARS_MAX).collect();
    if note.len() < whole.len() {
        note.push_str(&format!("… ({} bytes, SHA-256 {})", whole.len(), hex::encode(Sha256::digest(&whole))));
    }
    let criterion = Criterion {
        kind: CriterionKind::Unreadable,
        match_id: UNREADABLE.to_owned(),
        list: "screening".to_owned(),
        list_version: UNREADABLE.to_owned(),
        strength: None,
    };
    Match { criterion, details: Some(MatchDetails { note: Some(note), ..MatchDetails::default() }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(lead: Value) -> (Vec<(CriterionKind, String)>, usize) {
        let mut problems = Problems::default();
        let event = json!({"lead": lead});
        let root = Fields::root(&event, &mut problems);
        let lead = root.object("lead", &mut problems);
        let found = read(&root, &lead, &mut problems);
        (found.into_iter().map(|m| (m.criterion.kind, m.criterion.match_id)).collect(), problems.found.len())
    }

    #[test]
    fn ids_of_matches_can_be_numbers_and_any_text() {
        for (id, read) in [
            (json!("ofac 123/ü#1"), "ofac 123/ü#1"),
            (json!("OFAC\\123"), "OFAC\\123"),
            (json!(36_123), "36123"),
            (json!("…"), "…"),
        ] {
            let item = json!({"match_id": id, "list": "OFAC-SDN", "list_version": 20_260_227});
            assert_eq!(
                found(json!({"flags": {"sanctions": [item]}})),
                (vec![(CriterionKind::Sanctions, read.to_owned())], 0)
            );
        }
    }

    #[test]
    fn an_unreadable_match_holds_the_lead() {
        let item = |field: &str, value: Value| {
            let mut item = json!({"match_id": "m-1", "list": "A", "list_version": "1"});
            item[field] = value;
            json!({"sanctions": [item]})
        };
        for flags in [
            item("match_id", json!("a\u{0}b")),
            item("match_id", json!("x".repeat(301))),
            item("match_id", json!("")),
            item("match_id", json!(null)),
            item("match_id", json!(["m-1"])),
            item("list", json!(7)),
            item("list_version", json!(null)),
            json!({"sanctions": ["m-1"]}),
            json!({"sanctions": "m-1"}),
            json!({"sanctions": true}),
            json!({"sanctons": [{"match_id": "m-1", "list": "A", "list_version": "1"}]}),
            json!("sanctions"),
            json!([{"match_id": "m-1"}]),
        ] {
            let (kinds, _) = found(json!({"flags": flags.clone()}));
            assert_eq!(kinds, [(CriterionKind::Unreadable, UNREADABLE.to_owned())], "{flags}");
        }
        for nothing in [json!(null), json!({}), json!([]), json!({"sanctions": [], "sanctons": null})] {
            assert_eq!(found(json!({"flags": nothing})), (Vec::new(), 0), "{nothing}");
        }
    }

    #[test]
    fn a_misplaced_match_holds_the_lead() {
        let list = json!([{"match_id": "m-1", "list": "A", "list_version": "1"}]);
        for lead in [
            json!({"Flags": {"sanctions": list.clone()}}),
            json!({"sanctions": list.clone()}),
            json!({"adverseMedia": list.clone()}),
            json!({"matches": list.clone()}),
        ] {
            let (kinds, _) = found(lead.clone());
            assert_eq!(kinds, [(CriterionKind::Unreadable, UNREADABLE.to_owned())], "{lead}");
        }
        for nothing in [json!({"sanctions": []}), json!({"jurisdiction": "US"}), json!({"matches": 3})] {
            assert_eq!(found(nothing.clone()), (Vec::new(), 0), "{nothing}");
        }
    }

    #[test]
    fn a_match_beside_a_wrong_one_counts_and_so_does_the_wrong_one() {
        let good = json!({"match_id": "m-1", "list": "A", "list_version": "1"});
        let (kinds, _) = found(json!({"flags": {"pep": [good, {"match_id": 1}]}}));
        let kinds: Vec<CriterionKind> = kinds.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, [CriterionKind::Pep, CriterionKind::Unreadable]);
    }

    #[test]
    fn matches_beyond_the_limit_are_one_that_holds() {
        let item = |n: usize| json!({"match_id": format!("m-{n}"), "list": "A", "list_version": "1"});
        let items: Vec<Value> = (0..MATCHES_MAX + 9).map(item).collect();
        let (kinds, _) = found(json!({"flags": {"sanctions": items}}));
        assert_eq!(kinds.len(), MATCHES_MAX + 1);
        assert_eq!(kinds.last().unwrap().0, CriterionKind::Unreadable);
        // The rest has its own identity, or one clearance would cover any other rest of the same size.
        let rest = |numbers: Vec<usize>| {
            let items: Vec<Value> = (0..MATCHES_MAX).chain(numbers).map(item).collect();
            let value = json!({"lead": {"flags": {"sanctions": items}}});
            let mut problems = Problems::default();
            let root = Fields::root(&value, &mut problems);
            let lead = root.object("lead", &mut problems);
            read(&root, &lead, &mut problems).pop().unwrap().details.unwrap().note
        };
        assert_eq!(rest(vec![100, 101]), rest(vec![100, 101]));
        assert_ne!(rest(vec![100, 101]), rest(vec![100, 102]));
    }
}
