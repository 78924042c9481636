//! An explanation as text for people, with times in UTC and in the market's time zone.

use super::action::WorkflowAction;
use super::explanation::{
    ClockState, Explanation, FiredEntry, PlannedStep, Readiness, Reason, Status, WorkflowExplanation,
};
use chrono::{DateTime, SecondsFormat, Utc};
use policy::calendar::{WorkingTime, local_time};
use policy::measure::spelled;
use rules::notification::Recipient;
use serde::Serialize;
use std::fmt;
use std::fmt::{Display, Formatter};

impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let when = TimeFormat { time_zone: self.time_zone.as_deref() };
        writeln!(f, "{} at {}", self.lead, when.at(self.at))?;
        if let Some(ahead) = self.ahead_to {
            writeln!(
                f,
                "{} is in the future: the armed steps below happen if nothing else does",
                when.at(ahead)
            )?;
        }
        let market = self.market.as_ref().map_or("none", |market| market.as_str());
        let owner = self.owner.as_ref().map_or("nobody", |owner| owner.as_str());
        writeln!(f, "in {} since {}, market {market}, owner {owner}", self.state, when.at(self.entered_at))?;
        let (policy, directory) = (self.policy_revision, self.directory_revision);
        writeln!(f, "entries up to {}, policy revision {policy}, directory revision {directory}", self.seq)?;
        if let Some(zone) = &self.time_zone {
            writeln!(f, "times in parentheses are in {zone}")?;
        }
        if let Some(ends) = self.hold_ends_at {
            writeln!(f, "the hold ends at {}", when.at(ends))?;
        }
        if let Some(ends) = self.retention_ends_at {
            writeln!(f, "personal data is kept until {}", when.at(ends))?;
        }
        if let Some(erased) = self.erased_at {
            writeln!(f, "personal data was erased at {}", when.at(erased))?;
        }
        for queued in &self.operations {
            let (since, ends) = (when.at(queued.since), &queued.ends_when);
            writeln!(f, "in the operations queue since {since}: {}; until {ends}", queued.text)?;
        }
        if let Some(dismissed) = &self.dismissed {
            let reasons: Vec<&str> = dismissed.reasons.iter().map(|reason| reason.text.as_str()).collect();
            let (since, reasons) = (when.at(dismissed.since), reasons.join("; "));
            writeln!(
                f,
                "dismissed from the operations queue at {since} (“{}”): {reasons}; the lead returns when anything new \
                 happens to it",
                dismissed.note
            )?;
        }
        for later in &self.recorded_later {
            let (at, recorded) = (when.at(later.at), when.at(later.recorded_at));
            writeln!(f, "entry {} took effect at {at} and was recorded only at {recorded}", later.seq)?;
        }
        self.workflows.iter().try_for_each(|explanation| workflow(f, &when, explanation))
    }
}

/// Formats times.
struct TimeFormat<'a> {
    time_zone: Option<&'a str>,
}

impl TimeFormat<'_> {
    fn at(&self, at: DateTime<Utc>) -> String {
        let utc = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        match self.time_zone.and_then(|zone| local_time(at, zone)) {
            Some(local) => format!("{utc} ({local})"),
            None => utc,
        }
    }
}

fn workflow(f: &mut Formatter<'_>, when: &TimeFormat<'_>, explanation: &WorkflowExplanation) -> fmt::Result {
    let status = match explanation.status {
        Status::Armed => "armed",
        Status::Paused => "paused",
        Status::Fired => "fired",
        Status::Inactive => "inactive",
    };
    writeln!(f, "\n{} (version {}): {status}", explanation.workflow, explanation.version)?;
    explanation.because.iter().try_for_each(|because| reason(f, when, because))?;
    if let Some(state) = &explanation.clock {
        clock(f, when, state)?;
    }
    explanation.fired.iter().try_for_each(|entry| fired(f, when, entry))?;
    explanation.steps.iter().try_for_each(|step| planned(f, when, step))
}

fn reason(f: &mut Formatter<'_>, when: &TimeFormat<'_>, because: &Reason) -> fmt::Result {
    write!(f, "  {}", because.text)?;
    if let Some(since) = because.since {
        write!(f, ", since {}", when.at(since))?;
    }
    if let Some(until) = because.until {
        write!(f, ", until {}", when.at(until))?;
    }
    writeln!(f)
}

fn clock(f: &mut Formatter<'_>, when: &TimeFormat<'_>, state: &ClockState) -> fmt::Result {
    let time = |secs| spelled(WorkingTime::from_secs(secs));
    write!(f, "  clock {} ran {}", state.number, time(state.elapsed_s))?;
    if let Some(window) = state.window_s {
        write!(f, " of {}", time(window))?;
    }
    if state.window_percent != 100 {
        write!(f, ", {} % of the policy's window", state.window_percent)?;
    }
    write!(f, ", on calendar {}", state.calendar)?;
    if let Some(since) = state.rests_since {
        write!(f, "; paused since {}", when.at(since))?;
    }
    if let Some(until) = state.history_until {
        write!(f, "; steps passed until {} are history", when.at(until))?;
    }
    writeln!(f)
}

fn fired(f: &mut Formatter<'_>, when: &TimeFormat<'_>, entry: &FiredEntry) -> fmt::Result {
    write!(f, "  fired {}", when.at(entry.at))?;
    if let Some(step) = &entry.step {
        write!(f, " {step}")?;
    }
    if let Some(clock) = entry.clock {
        write!(f, " of clock {clock}")?;
    }
    write!(f, ": {}", entry.fact)?;
    if let Some(does) = &entry.does {
        write!(f, ", {}", action(when, does))?;
    }
    writeln!(f, " [{}, entry {}, version {}]", entry.subject, entry.seq, entry.version)
}

fn planned(f: &mut Formatter<'_>, when: &TimeFormat<'_>, step: &PlannedStep) -> fmt::Result {
    let name = step.step.as_deref().unwrap_or("it");
    let at = step.at.map(|at| when.at(at)).unwrap_or_default();
    match (step.readiness, step.at) {
        (Readiness::Armed, _) => write!(f, "  next  {at} {name}")?,
        (Readiness::Preempted, _) => {
            write!(f, "  never {at} {name}: the clock ends before that if nothing else happens")?;
        }
        (Readiness::Resting, Some(_)) => write!(f, "  later {name}, due at {at} after the hold")?,
        (Readiness::Resting, None) => write!(f, "  later {name}")?,
        (Readiness::WithNextInput, _) => write!(f, "  next  {name} comes with the lead's next input")?,
        (Readiness::TooFar, _) => write!(f, "  never {name}")?,
    }
    if let Some(after) = step.after_s {
        write!(f, ", after {}", spelled(WorkingTime::from_secs(after)))?;
    }
    if let Some(percent) = step.percent.filter(|percent| *percent != 100) {
        write!(f, " ({percent} %)")?;
    }
    if step.readiness == Readiness::Armed && step.does.is_empty() {
        write!(f, ": nothing left to do")?;
    }
    for (n, does) in step.does.iter().enumerate() {
        write!(f, "{} {}", if n == 0 { ":" } else { ";" }, action(when, does))?;
    }
    writeln!(f)
}

fn action(when: &TimeFormat<'_>, does: &WorkflowAction) -> String {
    let name = |person: &Option<_>| person.as_ref().map_or("nobody".to_owned(), ToString::to_string);
    match does {
        WorkflowAction::Tell { message, to, not_before } => {
            let to = match to {
                Recipient::Person { role, person } => format!("{person} ({})", name_of(role)),
                Recipient::TeamChannel { team, manager } => format!("{manager} on the channel of {team}"),
                Recipient::ComplianceDesk => "the compliance desk".to_owned(),
                Recipient::OperationsDesk => "the operations desk".to_owned(),
            };
            let waits = not_before.map(|end| format!(" when quiet hours end, {}", when.at(end)));
            format!("{} to {to}{}", name_of(message), waits.unwrap_or_default())
        }
        WorkflowAction::RecordBreach { owner, .. } => format!("breach, owner {}", name(owner)),
        WorkflowAction::ExcuseBreach { breach } => format!("breach in entry {breach} excused"),
        WorkflowAction::Reassign { from, to, team } => {
            format!("reassignment from {} to {to} ({team})", name(from))
        }
        WorkflowAction::KeepOwner { reason } => format!("the owner keeps it: {}", name_of(reason)),
        WorkflowAction::QueueForOperations { reason } => {
            format!("into the operations queue: {}", name_of(reason))
        }
        WorkflowAction::Supersede { by } => format!("superseded by {by}"),
        WorkflowAction::Hold { from } => format!("held, from {from}"),
        WorkflowAction::RaisePriority {} => "priority high".to_owned(),
        WorkflowAction::RemindOfTouchpoint {} => "touchpoint due".to_owned(),
        WorkflowAction::ResumeOutreach { reason } => format!("outreach resumes: {reason}"),
    }
}

/// A name as in documents and the audit.
fn name_of<T: Serialize>(name: &T) -> String {
    let value = serde_json::to_value(name).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
