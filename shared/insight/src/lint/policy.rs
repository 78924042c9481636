//! Warnings about a policy, except about its windows.

use super::quiet_hours::all_but_one_minute;
use super::warning::{Lint, Warnings};
use policy::directory::Directory;
use policy::ids::PersonId;
use policy::wording::{Placeholder, TemplateSegment, parse_template};
use policy::{Action, Ladder, Policy, Template, Verdict, WorkflowId, well_known};
use rules::quiet;

/// The highest score that an event may have.
const SCORE_MAX: u16 = 1000;

pub(super) fn check(warnings: &mut Warnings, policy: &Policy, directory: Option<&Directory>) {
    let w = &policy.workflows;
    if w.high_value.score > SCORE_MAX {
        let text = format!("no lead reaches `{}`; a score is at most {SCORE_MAX}", w.high_value.score);
        warnings.policy(Lint::NeverFires, "workflows.high-value.score", text);
    }
    for ladder in policy.ladders() {
        if w.sla_breach.max_reassignments == 0 {
            check_reassignments(warnings, ladder);
        }
        check_overrides(warnings, policy, ladder);
    }
    check_reasons(warnings, policy);
    for workflow in WorkflowId::ALL {
        for (message, _) in policy.messages(workflow).iter().filter(|(_, t)| !names_its_subject(t)) {
            warnings.policy(
                Lint::NamelessTemplate,
                format!("workflows.{workflow}.messages.{}", message.as_str()),
                "neither title nor text says `{lead}`; people cannot tell which lead it is about",
            );
        }
    }
    if let Some(text) = policy.quiet_hours.as_ref().and_then(|quiet| all_but_one_minute(quiet.from, quiet.to))
    {
        warnings.policy(Lint::MissingMinute, "quiet_hours", text);
    }
    if let (Some(_), Some(directory)) = (&policy.quiet_hours, directory) {
        check_zones(warnings, directory);
    }
}

fn check_reassignments(warnings: &mut Warnings, ladder: Ladder<'_>) {
    let at = format!("workflows.{}", ladder.workflow);
    let text = "`max_reassignments` is 0, so this step queues the lead for operations and never reassigns it; write \
         `queue-for-operations`";
    for (n, step) in ladder.steps.iter().enumerate() {
        if step.actions.contains(&Action::Reassign) {
            warnings.policy(Lint::NeverReassigns, format!("{at}.steps[{n}].do"), text);
        }
    }
    for (market, overrides) in ladder.markets {
        for (n, own) in overrides.iter().enumerate() {
            if own.actions.as_ref().is_some_and(|actions| actions.contains(&Action::Reassign)) {
                warnings.policy(Lint::NeverReassigns, format!("{at}.markets.{market}[{n}].do"), text);
            }
        }
    }
}

fn check_reasons(warnings: &mut Warnings, policy: &Policy) {
    let (at, flag) = ("workflows.compliance-flag.reason_codes", &policy.workflows.compliance_flag);
    for (code, _) in flag.reason_codes.iter().filter(|(_, reason)| reason.verdict.is_none()) {
        let text = match well_known(code) {
            Some(verdict) => format!(
                "does not say which verdict it is for, so Leadwatch assumes {0}; write `verdict: {0}`, or let `leadctl \
                 policy migrate` write it",
                verdict.as_str()
            ),
            None => {
                "does not say which verdict it is for, so it can clear nothing; write `verdict: clear` or `verdict: \
                 reject`"
                    .to_owned()
            }
        };
        warnings.policy(Lint::ReasonWithoutVerdict, format!("{at}.{code}"), text);
    }
    for verdict in [Verdict::Clear, Verdict::Reject] {
        if !flag.reason_codes.keys().any(|code| flag.code_for(code, verdict).is_ok()) {
            let text = format!("no reason code is for `{0}`, so no officer can {0} a lead", verdict.as_str());
            warnings.policy(Lint::ReasonWithoutVerdict, at, text);
        }
    }
}

fn check_overrides(warnings: &mut Warnings, policy: &Policy, ladder: Ladder<'_>) {
    let Ladder { workflow, steps, .. } = ladder;
    for (market, overrides) in ladder.markets {
        let at = format!("workflows.{workflow}.markets.{market}");
        for (n, own) in overrides.iter().enumerate().filter(|(_, own)| !own.off) {
            let Some(base) = steps.iter().find(|step| step.step == own.step) else { continue };
            let same_at = own.at.is_none_or(|at| at == base.at);
            let same_do = own.actions.as_ref().is_none_or(|actions| *actions == base.actions);
            if same_at && same_do {
                let text = format!("`{}` is the same in every market; remove it", own.step);
                warnings.policy(Lint::RedundantOverride, format!("{at}[{n}]"), text);
            }
        }
        if overrides.is_empty() {
            warnings.policy(Lint::RedundantOverride, &at, "changes nothing; remove it");
        }
        if !steps.is_empty() && policy.steps_in(workflow, market).is_empty() {
            let text = format!("every step is switched off; `{workflow}` does nothing in this market");
            warnings.policy(Lint::SwitchedOff, at, text);
        }
    }
}

/// Whether a message names its lead. The built-in titles do; with a title of the policy, the title or the
/// text must.
fn names_its_subject(template: &Template) -> bool {
    let names = |text: &Option<String>| {
        let pieces = text.as_deref().map(parse_template).and_then(Result::ok).unwrap_or_default();
        pieces.contains(&TemplateSegment::Value(Placeholder::Lead))
    };
    template.title.is_none() || names(&template.title) || names(&template.text)
}

/// The policy's quiet hours are in each person's own time zone, so each person needs a known one.
fn check_zones(warnings: &mut Warnings, directory: &Directory) {
    let people = directory.document().people.iter();
    let without_zone = people.filter(|(id, someone)| {
        someone.quiet_hours.is_none() && quiet::time_zone_of(directory, id).is_none()
    });
    let without_zone: Vec<&str> = without_zone.map(|(id, _)| PersonId::as_str(id)).collect();
    if !without_zone.is_empty() {
        let text = format!(
            "the time zone of {} is unknown, so messages go out at any hour; set `time_zone` in the directory",
            without_zone.join(", ")
        );
        warnings.policy(Lint::NoTimeZone, "quiet_hours", text);
    }
}
