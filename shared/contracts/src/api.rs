//! Bodies of the staff API.

use crate::fields::{FieldProblem, Fields, Problems};
use crate::{event, fields};
use chrono::{DateTime, Utc};
use policy::Verdict;
use rules::account::AccountInput;
use rules::lead::{Erasure, LeadEvent, Resolution, ResolutionAction};
use rules::roster::Availability;
use rules::screening::{Criterion, CriterionKind, Match, MatchDetails};
use serde_json::Value;

/// The body of a review decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// `clear` or `reject`.
    pub verdict: Verdict,
    /// One of the policy's reason codes.
    pub reason_code: String,
    /// The reason in words.
    pub reason: String,
}

fn read<T>(
    value: &Value,
    with: impl FnOnce(&Fields<'_>, &mut Problems) -> Option<T>,
) -> Result<T, Vec<FieldProblem>> {
    let mut problems = Problems::default();
    let root = Fields::root(value, &mut problems);
    let body = with(&root, &mut problems);
    // A person who writes an unknown member means something by it, and can correct it.
    problems.refuse_unknown(&root);
    match body {
        Some(body) if problems.found.is_empty() => Ok(body),
        _ => Err(problems.found),
    }
}

/// `{"decision":"clear"|"reject","reason_code":…,"reason":…}`
pub fn decision(value: &Value) -> Result<Decision, Vec<FieldProblem>> {
    read(value, decision_of)
}

pub(crate) fn decision_of(root: &Fields<'_>, problems: &mut Problems) -> Option<Decision> {
    let verdict = root.required("decision", problems, fields::name(&["clear", "reject"]));
    let reason_code = root.required("reason_code", problems, fields::id::<String>);
    let reason = root.required("reason", problems, fields::text);
    Some(Decision { verdict: verdict?, reason_code: reason_code?, reason: reason? })
}

/// `{"reason":…}`
pub fn reopening(value: &Value) -> Result<String, Vec<FieldProblem>> {
    read(value, reopening_of)
}

pub(crate) fn reopening_of(root: &Fields<'_>, problems: &mut Problems) -> Option<String> {
    root.required("reason", problems, fields::text)
}

/// `{"resolution":"dismiss"|"assign"|"set-market","rep":…,"market":…,"note":…}`
pub fn resolution(value: &Value) -> Result<Resolution, Vec<FieldProblem>> {
    read(value, resolution_of)
}

pub(crate) fn resolution_of(root: &Fields<'_>, problems: &mut Problems) -> Option<Resolution> {
    let note = root.required("note", problems, fields::text);
    let kind = root.required("resolution", problems, |v| match v.as_str() {
        Some(kind @ ("dismiss" | "assign" | "set-market")) => Ok(kind.to_owned()),
        _ => Err(format!("must be {}", fields::one_of(&["dismiss", "assign", "set-market"]))),
    })?;
    let action = match kind.as_str() {
        "assign" => ResolutionAction::Assign { rep: root.required("rep", problems, fields::id)? },
        "set-market" => {
            ResolutionAction::SetMarket { market: root.required("market", problems, fields::id)? }
        }
        _ => ResolutionAction::Dismiss,
    };
    Some(Resolution { action, note: note?, seen: None })
}

/// `{"reference":"DSR-2026-17","reason":…}`
pub fn erasure(value: &Value) -> Result<Erasure, Vec<FieldProblem>> {
    read(value, erasure_of)
}

pub(crate) fn erasure_of(root: &Fields<'_>, problems: &mut Problems) -> Option<Erasure> {
    let reference = root.required("reference", problems, fields::id::<String>);
    let reason = root.required("reason", problems, fields::text);
    Some(Erasure { reference: reference?, reason: reason? })
}

/// The body of a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// The revision that the document was made from.
    pub base: u32,
    /// The reason for publishing it, in words.
    pub why: String,
    /// The document.
    pub document: Value,
}

/// `{"base":12,"why":…,"policy":{…}}`, and with `directory`.
pub fn publish(value: &Value, kind: &str) -> Result<Publish, Vec<FieldProblem>> {
    read(value, |root, problems| {
        let base = root.required("base", problems, fields::whole(u64::from(u32::MAX)));
        let why = root.required("why", problems, fields::text);
        let document = root.required(kind, problems, |value| match value {
            Value::Object(_) => Ok(value.clone()),
            _ => Err("must be an object with the whole document".to_owned()),
        });
        let base = u32::try_from(base?).ok()?;
        Some(Publish { base, why: why?, document: document? })
    })
}

/// `{"available":true|false,"until":…}`
pub fn availability(value: &Value) -> Result<Availability, Vec<FieldProblem>> {
    read(value, availability_of)
}

pub(crate) fn availability_of(root: &Fields<'_>, problems: &mut Problems) -> Option<Availability> {
    let available = root.required("available", problems, fields::boolean);
    let until = root.optional("until", problems, fields::instant);
    Some(Availability { available: available?, until })
}

/// `{"signal":…,"evidence":…}`, as of now.
pub fn churn_signal(value: &Value, now: DateTime<Utc>) -> Result<AccountInput, Vec<FieldProblem>> {
    read(value, |root, problems| event::churn_signal(root, now, problems))
}

/// `{"outcome":"completed","note":…}` or `{"outcome":"false-positive","signal_id":…,"note":…}`
pub fn retention(value: &Value) -> Result<AccountInput, Vec<FieldProblem>> {
    read(value, |root, problems| {
        let note = root.required("note", problems, fields::text);
        let outcome = root.required("outcome", problems, |v| match v.as_str() {
            Some(kind @ ("completed" | "false-positive")) => Ok(kind.to_owned()),
            _ => Err(format!("must be {}", fields::one_of(&["completed", "false-positive"]))),
        })?;
        if outcome == "completed" {
            return Some(AccountInput::RetentionCompleted { note: note? });
        }
        let signal_id = root.required("signal_id", problems, fields::line);
        Some(AccountInput::FalsePositive { signal_id: signal_id?, note: note? })
    })
}

/// `{"kind":"sanctions"|"pep"|"jurisdiction"|"adverse_media","note":…}`: a flag raised by hand. The match is
/// the flag itself, so that clearing it clears nothing else.
pub fn flag(value: &Value, id: &str, by: &str, now: DateTime<Utc>) -> Result<LeadEvent, Vec<FieldProblem>> {
    read(value, |root, problems| {
        let kind: Option<CriterionKind> = root.required(
            "kind",
            problems,
            fields::name(&["sanctions", "pep", "jurisdiction", "adverse_media"]),
        );
        let note = root.required("note", problems, fields::text);
        let criterion = Criterion {
            kind: kind?,
            match_id: format!("manual-{id}"),
            list: "raised by hand".to_owned(),
            list_version: now.format("%Y-%m-%d").to_string(),
            strength: None,
        };
        let details = Some(MatchDetails { note: Some(note?), ..MatchDetails::default() });
        let matches = vec![Match { criterion, details }];
        Some(LeadEvent { matches, flagged_by: Some(by.to_owned()), ..LeadEvent::at(now) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn errors(found: Result<impl std::fmt::Debug, Vec<FieldProblem>>) -> Vec<String> {
        found
            .unwrap_err()
            .into_iter()
            .map(|problem| format!("{} {}", problem.pointer, problem.detail))
            .collect()
    }

    #[test]
    fn an_unknown_member_of_a_body_is_an_error() {
        let body =
            json!({"decision": "clear", "reason_code": "false-match", "reason": "Checked.", "reasn": "x"});
        assert_eq!(errors(decision(&body)), ["/reasn unknown member; did you mean `reason`?"]);
        let body = json!({"available": false, "whenever": 1});
        assert_eq!(
            errors(availability(&body)),
            ["/whenever unknown member; the members are `available`, `until`"]
        );
        let body = json!({"reference": "DSR-1", "reason": "Asked for.", "lead": "L-2"});
        assert_eq!(errors(erasure(&body)).len(), 1);
        let body = json!({"resolution": "dismiss", "note": "Done.", "rep": "rep-ana"});
        assert_eq!(errors(resolution(&body)), ["/rep unknown member; the members are `note`, `resolution`"]);
        let body = json!({"kind": "pep", "note": "Seen.", "strength": 90});
        assert_eq!(errors(flag(&body, "k", "ana", DateTime::UNIX_EPOCH)).len(), 1);
        let body = json!({"signal": "usage_down", "evidence": {"any": "thing"}, "at": 1});
        assert_eq!(errors(churn_signal(&body, DateTime::UNIX_EPOCH)).len(), 1);
        let body = json!({"outcome": "completed", "note": "They stay.", "signal_id": "s"});
        assert_eq!(errors(retention(&body)).len(), 1);
        let body = json!({"base": 1, "why": "Better.", "policy": {}, "force": true});
        assert_eq!(errors(publish(&body, "policy")).len(), 1);
    }
}
