//! The effect of a publication in words, before and after it.

use super::revisions::route;
use crate::api::{Answer, Api};
use anyhow::Context as _;
use insight::effect::Effect;
use policy::ids::PublicationKind;
use policy::measure::grouped;
use rules::publication::Totals;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::IsTerminal as _;

/// The API's answer to a dry run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Trial {
    changes: Vec<String>,
    versions_that_rise: Vec<String>,
    /// The effect on open leads; absent if it was not computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    effect: Option<Effect>,
    #[serde(default, skip_serializing)]
    next: Option<String>,
}

/// Dry-runs a publication over all open leads. The inner result is the API's answer if it refuses.
///
/// # Errors
/// When the API does not answer.
pub(super) async fn dry_run(
    api: &Api,
    kind: PublicationKind,
    body: &Value,
    without_effect: bool,
) -> anyhow::Result<Result<Trial, Answer>> {
    let is_terminal = std::io::stderr().is_terminal();
    let mut found: Option<Trial> = None;
    let mut cursor = String::new();
    loop {
        let answer = api.post(&format!("{}?dry_run=true{cursor}", route(kind)), body).await?;
        if answer.status != 200 {
            return Ok(Err(answer));
        }
        let mut trial: Trial = serde_json::from_value(answer.body)
            .context("the API's answer is from another version; use the leadctl of that version")?;
        if let Some(found) = found.take() {
            let mut effect = found.effect.unwrap_or_default();
            effect.add(trial.effect.take().unwrap_or_default());
            trial = Trial { effect: Some(effect), next: trial.next, ..found };
        }
        match trial.next.take().filter(|_| !without_effect) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => {
                if is_terminal {
                    eprint!("\r\x1b[K");
                }
                if without_effect {
                    trial.effect = None;
                }
                return Ok(Ok(trial));
            }
        }
        if is_terminal {
            let leads = trial.effect.as_ref().map_or(0, |effect| effect.totals.leads);
            eprint!("\r\x1b[K  … {} leads checked", grouped(leads));
        }
        found = Some(trial);
    }
}

impl Trial {
    /// The changes and the effect, one per line.
    pub fn words(&self) -> Vec<String> {
        let mut lines = vec!["Changes:".to_owned()];
        lines.extend(self.changes.iter().map(|change| format!("  {change}")));
        if !self.versions_that_rise.is_empty() {
            let names: Vec<String> = self.versions_that_rise.iter().map(|id| format!("`{id}`")).collect();
            lines.push(format!("  New versions: {}.", names.join(", ")));
        }
        if let Some(effect) = &self.effect {
            lines.push("Effect on open leads, as of now:".to_owned());
            lines.extend(effect_words(effect).into_iter().map(|line| format!("  {line}")));
        }
        lines
    }
}

fn effect_words(effect: &Effect) -> Vec<String> {
    let Effect { totals, messages, given, queued, held, digests } = effect;
    let mut lines = vec![moved(totals, "would be", "would wait")];
    lines.extend(passed(totals, "would already be"));
    for (n, what) in [
        (given, "would go to another rep"),
        (queued, "would enter the operations queue"),
        (held, "would be held by compliance"),
    ] {
        if *n > 0 {
            lines.push(format!("{} {what}.", leads(*n)));
        }
    }
    let digests: Vec<&str> = digests.iter().map(String::as_str).collect();
    lines.push(match (*messages, digests.as_slice()) {
        (0, []) => "No messages would go out.".to_owned(),
        (0, channels) => format!("One digest each would go to {}; no other messages.", channels.join(", ")),
        (n, []) => format!("{} would go out.", counted(n, "message")),
        (n, channels) => {
            let channels = channels.join(", ");
            format!("{} would go out, and one digest each to {channels}.", counted(n, "message"))
        }
    });
    lines
}

/// The outcome of a publication, in a sentence or two.
pub(super) fn outcome(applied: &Value) -> String {
    let totals = applied.get("leads").cloned().and_then(|totals| serde_json::from_value(totals).ok());
    let totals: Totals = totals.unwrap_or_default();
    let mut lines = vec![moved(&totals, "were", "now wait")];
    lines.extend(passed(&totals, "are already"));
    lines.join("\n")
}

fn moved(totals: &Totals, were: &str, wait: &str) -> String {
    match (totals.leads, totals.moved) {
        (0, _) => format!("No open leads {were} affected."),
        (checked, 0) => format!("{} checked; none {wait} for another time.", leads(checked)),
        (checked, moved) => {
            format!("{} checked; {} {wait} for another time.", leads(checked), grouped(moved))
        }
    }
}

fn passed(totals: &Totals, are: &str) -> Vec<String> {
    let line = |passed: &rules::publication::PassedThreshold| {
        let team = passed.team.as_ref().map(|team| format!(" of {team}")).unwrap_or_default();
        let (workflow, step) = (passed.step.workflow, &passed.step.step);
        format!(
            "{}{team} {are} past {workflow}/{step}; no message goes out for each of them.",
            leads(passed.leads)
        )
    };
    totals.passed.iter().map(line).collect()
}

fn leads(n: u64) -> String {
    counted(n, "lead")
}

fn counted(n: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn trial(effect: Value) -> Trial {
        let value = json!({"changes": ["sla-breach: imminent 80 % → 70 %"],
            "versions_that_rise": ["sla-breach"], "effect": effect, "next": null});
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_effect_reads_as_sentences() {
        let passed = json!([{"team": "us-sales", "workflow": "sla-breach", "step": "imminent", "leads": 3}]);
        let effect = json!({"leads": 1200, "moved": 17, "passed": passed, "messages": 1, "given": 2,
            "queued": 0, "held": 0, "digests": ["#us-sales"]});
        let expected = [
            "Changes:",
            "  sla-breach: imminent 80 % → 70 %",
            "  New versions: `sla-breach`.",
            "Effect on open leads, as of now:",
            "  1,200 leads checked; 17 would wait for another time.",
            "  3 leads of us-sales would already be past sla-breach/imminent; no message goes out for each of them.",
            "  2 leads would go to another rep.",
            "  1 message would go out, and one digest each to #us-sales.",
        ];
        assert_eq!(trial(effect).words(), expected);
        let nothing = trial(json!({"leads": 0, "moved": 0})).words();
        assert_eq!(nothing[4..], ["  No open leads would be affected.", "  No messages would go out."]);
    }

    #[test]
    fn an_outcome_counts_what_was_checked_and_what_moved() {
        let outcome = |leads: u64, moved: u64| outcome(&json!({"leads": {"leads": leads, "moved": moved}}));
        assert_eq!(outcome(0, 0), "No open leads were affected.");
        assert_eq!(outcome(1, 0), "1 lead checked; none now wait for another time.");
        assert_eq!(outcome(12, 4), "12 leads checked; 4 now wait for another time.");
    }
}
