//! Reduces an explanation to what its readers may see, by the table of who sees what (`contracts::sight`).

use contracts::sight::table::EXPLANATION;
use contracts::sight::{Reader, audience};
use insight::explain::{Condition, Explanation, Status};
use policy::WorkflowId;

/// An explanation as readers may see it.
pub fn shown_to(mut explanation: Explanation, readers: &[Reader]) -> Explanation {
    let sees = |member: &str| audience(EXPLANATION, member).includes_any(readers);
    let mut is_held = false;
    for part in &mut explanation.workflows {
        part.because.retain(|because| sees(&condition(because.condition)));
        if part.workflow != WorkflowId::ComplianceFlag {
            continue;
        }
        is_held = part.because.iter().any(|because| because.condition == Condition::ComplianceHold);
        if !sees("compliance-flag.status") {
            part.status = if is_held { Status::Fired } else { Status::Inactive };
        }
        if !sees("compliance-flag.clock") {
            part.clock = None;
        }
        if !sees("compliance-flag.steps") {
            part.steps.clear();
        }
        if !sees("compliance-flag.fired.does") {
            part.fired.iter_mut().for_each(|fired| fired.does = None);
        }
    }
    // While a lead is held, only reminders of its review are due.
    if is_held && !sees("compliance-flag.steps") {
        explanation.wake_at = None;
    }
    explanation
}

/// The name of a condition in the table.
fn condition(condition: Condition) -> String {
    let name = serde_json::to_value(condition).unwrap_or_default();
    name.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use contracts::sight::{Audience, named};
    use insight::explain::{FiredEntry, PlannedStep, Readiness, WorkflowAction, WorkflowExplanation};
    use policy::ids::Subject;
    use rules::notification::Recipient;
    use serde_json::json;

    /// Readers who must not see what compliance knows.
    const OTHERS: [Reader; 6] = [
        Reader::Viewer,
        Reader::Rep,
        Reader::CustomerSuccess,
        Reader::Bus,
        Reader::Person,
        Reader::TeamChannel,
    ];

    /// Every condition: each leads to the next one.
    fn conditions() -> Vec<Condition> {
        let mut all = vec![Condition::Closed];
        while let Some(next) = match all.last().expect("the first one") {
            Condition::Closed => Some(Condition::MarketUnknown),
            Condition::MarketUnknown => Some(Condition::NoWindow),
            Condition::NoWindow => Some(Condition::NoSteps),
            Condition::NoSteps => Some(Condition::Returns),
            Condition::Returns => Some(Condition::AllPassed),
            Condition::AllPassed => Some(Condition::TooFar),
            Condition::TooFar => Some(Condition::NotBegun),
            Condition::NotBegun => Some(Condition::ComplianceHold),
            Condition::ComplianceHold => Some(Condition::OnHold),
            Condition::OnHold => Some(Condition::WaitingOnCustomer),
            Condition::WaitingOnCustomer => Some(Condition::OutreachPaused),
            Condition::OutreachPaused => Some(Condition::CriterionMet),
            Condition::CriterionMet => Some(Condition::CriterionNotMet),
            Condition::CriterionNotMet => Some(Condition::Rearms),
            Condition::Rearms => Some(Condition::MatchOpen),
            Condition::MatchOpen => Some(Condition::NoMatchOpen),
            Condition::NoMatchOpen => Some(Condition::MatchesCleared),
            Condition::MatchesCleared => Some(Condition::Jurisdiction),
            Condition::Jurisdiction => Some(Condition::NoAccount),
            Condition::NoAccount => Some(Condition::NoSignal),
            Condition::NoSignal => Some(Condition::SignalStands),
            Condition::SignalStands => None,
        } {
            all.push(next);
        }
        all
    }

    fn explanation(condition: Condition) -> Explanation {
        let part = |workflow: &str| {
            let because = [
                json!({"condition": condition, "text": "said"}),
                json!({"condition": Condition::ComplianceHold, "text": "compliance holds the lead"}),
            ];
            json!({"workflow": workflow, "version": 1, "status": Status::Armed, "because": because,
                "clock": {"number": 1, "runs": true, "elapsed_s": 4711, "window_percent": 100, "calendar": "always"},
                "fired": [FiredEntry { subject: Subject::Lead("L-1".into()), seq: 3, at: DateTime::UNIX_EPOCH, due_at: None, step: None,
                    version: 1, clock: None, fact: "notification.requested".to_owned(),
                    does: Some(WorkflowAction::Tell { message: policy::Message::Held,
                        to: Recipient::ComplianceDesk, not_before: None }) }],
                "steps": [PlannedStep { step: None, percent: None, after_s: None, readiness: Readiness::WithNextInput, at: None,
                    does: Vec::new() }]})
        };
        let held = json!({"lead": "L-1", "at": DateTime::UNIX_EPOCH, "policy_revision": 1, "directory_revision": 1, "seq": 4,
            "state": "COMPLIANCE_HOLD", "entered_at": DateTime::UNIX_EPOCH, "wake_at": DateTime::UNIX_EPOCH,
            "workflows": [part("sla-breach"), part("compliance-flag")]});
        serde_json::from_value(held).expect("an explanation")
    }

    #[test]
    fn only_those_who_must_know_see_a_review_in_an_explanation() {
        for condition in conditions() {
            let name = json!(condition);
            let to = named(EXPLANATION, name.as_str().expect("a name"));
            let to =
                to.unwrap_or_else(|| panic!("name the condition {name} in the table, under `{EXPLANATION}`"));
            for reader in OTHERS {
                let seen = shown_to(explanation(condition), &[reader]);
                let [sales, compliance] = &seen.workflows[..] else { panic!("two parts") };
                let is_told = |part: &WorkflowExplanation| {
                    part.because.iter().any(|because| because.condition == condition)
                };
                assert_eq!(is_told(compliance), to.includes(reader), "{condition:?}, {reader:?}");
                assert_eq!(compliance.status, Status::Fired);
                assert!(compliance.clock.is_none() && compliance.steps.is_empty());
                assert!(compliance.fired.iter().all(|fired| fired.does.is_none()));
                assert_eq!(seen.wake_at, None, "the next reminder of the review");
                assert!(sales.clock.is_some() && sales.steps.len() == 1 && sales.fired[0].does.is_some());
            }
            for reader in [Reader::Compliance, Reader::Operations] {
                let whole = explanation(condition);
                assert_eq!(shown_to(whole.clone(), &[reader]), whole);
            }
        }
        assert_eq!(audience(EXPLANATION, "match-open"), Audience::MustKnow);
    }
}
