//! An explanation as text for people: instants in UTC, and by the clock on the market's wall.

use super::{Because, ClockState, Does, Explanation, Fired, Planned, Readiness, Status, WorkflowExplanation};
use chrono::{DateTime, SecondsFormat, Utc};
use policy::calendar::{WorkingTime, local_time};
use policy::measure::spelled;
use rules::notification::Recipient;
use serde::Serialize;
use std::fmt;
use std::fmt::{Display, Formatter};

impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let when = Clockwork { time_zone: self.time_zone.as_deref() };
        writeln!(f, "{} at {}", self.lead, when.at(self.at))?;
        if let Some(ahead) = self.ahead_to {
            writeln!(
                f,
                "{} is still to come: what is armed below is what will be if nothing happens",
                when.at(ahead)
            )?;
        }
        let market = self.market.as_ref().map_or("none", |market| market.as_str());
        let owner = self.owner.as_ref().map_or("nobody", |owner| owner.as_str());
        writeln!(f, "in {} since {}, market {market}, owner {owner}", self.state, when.at(self.entered_at))?;
        let (policy, directory) = (self.policy_revision, self.directory_revision);
        writeln!(f, "entries up to {}, policy revision {policy}, directory revision {directory}", self.seq)?;
        if let Some(zone) = &self.time_zone {
            writeln!(f, "times in brackets are those of {zone}")?;
        }
        if let Some(ends) = self.hold_ends_at {
            writeln!(f, "the hold ends at {}", when.at(ends))?;
        }
        if let Some(ends) = self.retention_ends_at {
            writeln!(f, "its personal data is kept until {}", when.at(ends))?;
        }
        if let Some(erased) = self.erased_at {
            writeln!(f, "its personal data was erased at {}", when.at(erased))?;
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
                "dismissed from the operations queue at {since} (“{}”): {reasons}; it comes back when \
                anything new is said of the lead",
                dismissed.note
            )?;
        }
        for later in &self.recorded_later {
            let (at, recorded) = (when.at(later.at), when.at(later.recorded_at));
            writeln!(f, "entry {} took effect at {at} and was recorded at {recorded} only", later.seq)?;
        }
        self.workflows.iter().try_for_each(|part| workflow(f, &when, part))
    }
}

/// Writes instants.
struct Clockwork<'a> {
    time_zone: Option<&'a str>,
}

impl Clockwork<'_> {
    fn at(&self, at: DateTime<Utc>) -> String {
        let utc = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        match self.time_zone.and_then(|zone| local_time(at, zone)) {
            Some(local) => format!("{utc} ({local})"),
            None => utc,
        }
    }
}

fn workflow(f: &mut Formatter<'_>, when: &Clockwork<'_>, part: &WorkflowExplanation) -> fmt::Result {
    let status = match part.status {
        Status::Armed => "armed",
        Status::Paused => "paused",
        Status::Fired => "fired",
        Status::Not => "not",
    };
    writeln!(f, "\n{} (version {}): {status}", part.workflow, part.version)?;
    part.because.iter().try_for_each(|because| reason(f, when, because))?;
    if let Some(state) = &part.clock {
        clock(f, when, state)?;
    }
    part.fired.iter().try_for_each(|entry| fired(f, when, entry))?;
    part.steps.iter().try_for_each(|step| planned(f, when, step))
}

fn reason(f: &mut Formatter<'_>, when: &Clockwork<'_>, because: &Because) -> fmt::Result {
    write!(f, "  {}", because.text)?;
    if let Some(since) = because.since {
        write!(f, ", since {}", when.at(since))?;
    }
    if let Some(until) = because.until {
        write!(f, ", until {}", when.at(until))?;
    }
    writeln!(f)
}

fn clock(f: &mut Formatter<'_>, when: &Clockwork<'_>, state: &ClockState) -> fmt::Result {
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
        write!(f, "; it rests since {}", when.at(since))?;
    }
    if let Some(until) = state.history_until {
        write!(f, "; what it passed until {} is history", when.at(until))?;
    }
    writeln!(f)
}

fn fired(f: &mut Formatter<'_>, when: &Clockwork<'_>, entry: &Fired) -> fmt::Result {
    write!(f, "  fired {}", when.at(entry.at))?;
    if let Some(step) = &entry.step {
        write!(f, " {step}")?;
    }
    if let Some(clock) = entry.clock {
        write!(f, " of clock {clock}")?;
    }
    write!(f, ": {}", entry.fact)?;
    if let Some(does) = &entry.does {
        write!(f, ", {}", done(when, does))?;
    }
    writeln!(f, " [{}, entry {}, version {}]", entry.subject, entry.seq, entry.version)
}

fn planned(f: &mut Formatter<'_>, when: &Clockwork<'_>, step: &Planned) -> fmt::Result {
    let name = step.step.as_deref().unwrap_or("it");
    let at = step.at.map(|at| when.at(at)).unwrap_or_default();
    match (step.readiness, step.at) {
        (Readiness::Armed, _) => write!(f, "  next  {at} {name}")?,
        (Readiness::Preempted, _) => {
            write!(f, "  never {at} {name}: its clock ends before, if nothing happens")?;
        }
        (Readiness::Resting, Some(_)) => write!(f, "  rests {name}, which would come at {at}")?,
        (Readiness::Resting, None) => write!(f, "  rests {name}")?,
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
        write!(f, ": nothing is left to do, as things stand")?;
    }
    for (n, does) in step.does.iter().enumerate() {
        write!(f, "{} {}", if n == 0 { ":" } else { ";" }, done(when, does))?;
    }
    writeln!(f)
}

fn done(when: &Clockwork<'_>, does: &Does) -> String {
    let name = |person: &Option<_>| person.as_ref().map_or("nobody".to_owned(), ToString::to_string);
    match does {
        Does::Tell { message, to, not_before } => {
            let to = match to {
                Recipient::Person { role, person } => format!("{person} ({})", written(role)),
                Recipient::TeamChannel { team, manager } => format!("{manager} on the channel of {team}"),
                Recipient::ComplianceDesk => "the compliance desk".to_owned(),
                Recipient::OperationsDesk => "the operations desk".to_owned(),
            };
            let waits = not_before.map(|end| format!(" when quiet hours end, {}", when.at(end)));
            format!("{} to {to}{}", written(message), waits.unwrap_or_default())
        }
        Does::RecordBreach { owner, .. } => format!("a breach, owned by {}", name(owner)),
        Does::ExcuseBreach { breach } => format!("the breach of entry {breach} was none"),
        Does::Reassign { from, to, team } => format!("from {} to {to} of {team}", name(from)),
        Does::KeepOwner { reason } => format!("the owner keeps it: {}", written(reason)),
        Does::QueueForOperations { reason } => format!("into the operations queue: {}", written(reason)),
        Does::Supersede { by } => format!("not acted on, by {by}"),
        Does::Hold { from } => format!("held, from {from}"),
        Does::RaisePriority {} => "priority high".to_owned(),
        Does::RemindOfTouchpoint {} => "the touchpoint is due".to_owned(),
        Does::ResumeOutreach { reason } => format!("outreach goes on: {reason}"),
    }
}

/// A name as documents and the audit write it.
fn written<T: Serialize>(name: &T) -> String {
    let written = serde_json::to_value(name).unwrap_or_default();
    written.as_str().unwrap_or_default().to_owned()
}
