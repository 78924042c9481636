//! What shows in a policy, apart from its windows.

use super::{Lint, Warnings};
use policy::directory::Directory;
use policy::ids::PersonId;
use policy::measure::TimeOfDay;
use policy::wording::{Piece, Placeholder, parse_template};
use policy::{Action, Ladder, Policy, Template, Verdict, WorkflowId, well_known};
use rules::quiet;

/// The highest score that an event may have.
const SCORE_MAX: u16 = 1000;

pub(super) fn check(warnings: &mut Warnings, policy: &Policy, directory: Option<&Directory>) {
    let w = &policy.workflows;
    if w.high_value.score > SCORE_MAX {
        let said = format!("no lead reaches `{}`; a score is at most {SCORE_MAX}", w.high_value.score);
        warnings.policy(Lint::NeverFires, "workflows.high-value.score", said);
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
                "neither title nor text says `{lead}`; whoever reads it cannot tell what it is about",
            );
        }
    }
    if let Some(said) = policy.quiet_hours.as_ref().and_then(|quiet| minute_left(quiet.from, quiet.to)) {
        warnings.policy(Lint::MissingMinute, "quiet_hours", said);
    }
    if let (Some(_), Some(directory)) = (&policy.quiet_hours, directory) {
        check_zones(warnings, directory);
    }
}

/// What is said of quiet hours that leave a minute of the day. Hours that leave none are refused.
pub(super) fn minute_left(from: TimeOfDay, to: TimeOfDay) -> Option<String> {
    let minutes = |time: TimeOfDay| time.hour() * 60 + time.minute();
    let next_to = (minutes(to) + 1) % (24 * 60) == minutes(from);
    let said =
        "are quiet all day but for one minute, in which everybody is told at once; end them when people work";
    next_to.then(|| format!("`{from}` to `{to}` {said}"))
}

fn check_reassignments(warnings: &mut Warnings, ladder: Ladder<'_>) {
    let at = format!("workflows.{}", ladder.workflow);
    let said = "`max_reassignments` is 0, so that this puts the lead into the operations queue and never reassigns it; \
                write `queue-for-operations`";
    for (n, step) in ladder.steps.iter().enumerate() {
        if step.actions.contains(&Action::Reassign) {
            warnings.policy(Lint::NeverReassigns, format!("{at}.steps[{n}].do"), said);
        }
    }
    for (market, overrides) in ladder.markets {
        for (n, own) in overrides.iter().enumerate() {
            if own.actions.as_ref().is_some_and(|actions| actions.contains(&Action::Reassign)) {
                warnings.policy(Lint::NeverReassigns, format!("{at}.markets.{market}[{n}].do"), said);
            }
        }
    }
}

fn check_reasons(warnings: &mut Warnings, policy: &Policy) {
    let (at, flag) = ("workflows.compliance-flag.reason_codes", &policy.workflows.compliance_flag);
    for (code, _) in flag.reason_codes.iter().filter(|(_, reason)| reason.verdict.is_none()) {
        let said = match well_known(code) {
            Some(verdict) => format!(
                "does not say which verdict it is for, and is taken for one to {0}; write `verdict: {0}`, \
                 or let `leadctl policy migrate` write it",
                verdict.as_str()
            ),
            None => {
                "does not say which verdict it is for, so that it can clear nothing; write `verdict: clear` \
                     or `verdict: reject`"
                    .to_owned()
            }
        };
        warnings.policy(Lint::ReasonWithoutVerdict, format!("{at}.{code}"), said);
    }
    for verdict in [Verdict::Clear, Verdict::Reject] {
        if !flag.reason_codes.keys().any(|code| flag.code_for(code, verdict).is_ok()) {
            let said =
                format!("no reason is one to {0}, so that no officer can {0} a lead", verdict.as_str());
            warnings.policy(Lint::ReasonWithoutVerdict, at, said);
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
                let said = format!("`{}` is so in every market; leave it out", own.step);
                warnings.policy(Lint::RedundantOverride, format!("{at}[{n}]"), said);
            }
        }
        if overrides.is_empty() {
            warnings.policy(Lint::RedundantOverride, &at, "changes nothing; leave it out");
        }
        if !steps.is_empty() && policy.steps_in(workflow, market).is_empty() {
            let said = format!("every step is switched off; `{workflow}` does nothing in this market");
            warnings.policy(Lint::SwitchedOff, at, said);
        }
    }
}

/// The product's own titles name what they are about; a title of the policy's must, or its text.
fn names_its_subject(template: &Template) -> bool {
    let names = |text: &Option<String>| {
        let pieces = text.as_deref().map(parse_template).and_then(Result::ok).unwrap_or_default();
        pieces.contains(&Piece::Value(Placeholder::Lead))
    };
    template.title.is_none() || names(&template.title) || names(&template.text)
}

/// The quiet hours of the policy are by each person's own clock.
fn check_zones(warnings: &mut Warnings, directory: &Directory) {
    let people = directory.document().people.iter();
    let nowhere = people.filter(|(id, someone)| {
        someone.quiet_hours.is_none() && quiet::time_zone_of(directory, id).is_none()
    });
    let nowhere: Vec<&str> = nowhere.map(|(id, _)| PersonId::as_str(id)).collect();
    if !nowhere.is_empty() {
        let said = format!(
            "nobody can tell the time zone of {}, who are told at any hour; write their `time_zone` in the directory",
            nowhere.join(", ")
        );
        warnings.policy(Lint::NoTimeZone, "quiet_hours", said);
    }
}
