//! `Store::run`: read, decide, commit, and again if a race was lost or no answer came.

use super::state::{Delivery, GuardRead, Lead, Message, Run, Stage, State, StateRead};
use super::steps::{Cause, Next, What, Who};
use super::transaction::{Decision, Request, Safeguard, commit};

/// A step of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStep {
    /// Reads the lead, and the audit items of its attempts.
    ReadsTheState,
    /// Reads the dedupe item or the outbox item, and the rep.
    ReadsTheGuard,
    /// Both at one instant.
    ReadsAll,
    Commits,
    /// Committed, and never answered.
    CommitsUnanswered,
    /// Not committed, and never answered.
    IsLostUnanswered,
    /// Given up on while it is still under way.
    IsStillUnderWay,
    ItsLateTransactionArrives,
}

impl RunStep {
    pub fn is_a_fault(self) -> bool {
        matches!(self, Self::CommitsUnanswered | Self::IsLostUnanswered | Self::IsStillUnderWay)
    }
}

/// How a run ended.
enum Ended {
    /// It wrote it.
    First,
    /// It was applied before, or there is nothing to do.
    Repeated,
}

/// All that can come next of a run.
pub fn run_steps(next: &mut Next<'_>, n: usize, who: Who, cause: Cause, run: Run) {
    if let Some(request) = run.late {
        let mut to = *next.from;
        let wrote = commit(&mut to, n, &request, &next.bundle.missing);
        let run = Run { late: None, wrote: run.wrote || wrote, ..run };
        put(&mut to, n, who, run);
        next.push(n, who, What::Runs(RunStep::ItsLateTransactionArrives), to);
    }
    match run.stage {
        Stage::Read { state, guard } => reads(next, n, who, cause, run, state, guard),
        Stage::Commit(request) => commits(next, n, who, run, request),
    }
}

fn reads(
    next: &mut Next<'_>,
    n: usize,
    who: Who,
    cause: Cause,
    run: Run,
    state: Option<StateRead>,
    guard: Option<GuardRead>,
) {
    let lead = &next.from.leads[n];
    let is_ours = if next.lacks(Safeguard::AttemptId) {
        (0..lead.audit.len()).any(|place| run.tried & (1 << place) != 0 && lead.audit[place].is_some())
    } else {
        run.wrote
    };
    let is_repeated = match run.delivery {
        Some(_) => lead.outbox.is_none(),
        None => cause == Cause::Event && lead.seen,
    };
    let read_state = StateRead { version: lead.version, stored: lead.stored, is_ours };
    let read_guard = GuardRead { is_repeated, load: next.from.load };
    if next.bundle.reads_a_snapshot {
        let both = (Some(read_state), Some(read_guard));
        return read_on(next, n, who, cause, run, RunStep::ReadsAll, both);
    }
    if state.is_none() {
        read_on(next, n, who, cause, run, RunStep::ReadsTheState, (Some(read_state), guard));
    }
    if guard.is_none() {
        read_on(next, n, who, cause, run, RunStep::ReadsTheGuard, (state, Some(read_guard)));
    }
}

/// With both halves it settles what it tried, drops a repetition, or decides.
fn read_on(
    next: &mut Next<'_>,
    n: usize,
    who: Who,
    cause: Cause,
    run: Run,
    what: RunStep,
    read: (Option<StateRead>, Option<GuardRead>),
) {
    let mut to = *next.from;
    let (Some(state), Some(guard)) = read else {
        let stage = Stage::Read { state: read.0, guard: read.1 };
        put(&mut to, n, who, Run { stage, ..run });
        return next.push(n, who, What::Runs(what), to);
    };
    let decision = match run.delivery {
        Some(fact) => Some(Decision::Delivery(fact)),
        None if cause == Cause::Event => {
            Some(Decision::Event { is_assigned: guard.load < super::state::CAPACITY })
        }
        // What has fired is not due.
        None => (state.stored.applied == 0).then_some(Decision::Wake),
    };
    match decision {
        _ if state.is_ours => end(&mut to, n, who, run, &Ended::First),
        Some(decision) if !guard.is_repeated => {
            let (before, version, load) = (state.stored, state.version, guard.load);
            let stage = Stage::Commit(Request { decision, before, version, load });
            put(&mut to, n, who, Run { stage, ..run });
        }
        _ => end(&mut to, n, who, run, &Ended::Repeated),
    }
    next.push(n, who, What::Runs(what), to);
}

fn commits(next: &mut Next<'_>, n: usize, who: Who, run: Run, request: Request) {
    let again = Run {
        stage: Stage::Read { state: None, guard: None },
        tried: run.tried | (1 << request.version),
        ..run
    };
    let mut to = *next.from;
    let wrote = commit(&mut to, n, &request, &next.bundle.missing);
    let mut answered = to;
    if wrote {
        end(&mut answered, n, who, run, &Ended::First);
    } else {
        put(&mut answered, n, who, again);
    }
    next.push(n, who, What::Runs(RunStep::Commits), answered);

    let Some(troubles) = next.from.troubles.checked_sub(1) else { return };
    if wrote {
        put(&mut to, n, who, Run { wrote: true, ..again });
        to.troubles = troubles;
        next.push(n, who, What::Runs(RunStep::CommitsUnanswered), to);
    }
    let mut lost = State { troubles, ..*next.from };
    put(&mut lost, n, who, again);
    next.push(n, who, What::Runs(RunStep::IsLostUnanswered), lost);
    if run.late.is_none() {
        put(&mut lost, n, who, Run { late: Some(request), ..again });
        next.push(n, who, What::Runs(RunStep::IsStillUnderWay), lost);
    }
}

fn put(state: &mut State, n: usize, who: Who, run: Run) {
    let lead = &mut state.leads[n];
    match who {
        Who::Delivery(d) => lead.deliveries[d] = Delivery::Running(run),
        Who::Message(m) => {
            if let Message::Recording { run: of, .. } = &mut lead.messages[m] {
                *of = run;
            }
        }
        Who::Sweep | Who::Somebody => unreachable!("only functions that write run"),
    }
}

fn end(state: &mut State, n: usize, who: Who, run: Run, ended: &Ended) {
    let lead: &mut Lead = &mut state.leads[n];
    // Whoever is done waits for no transaction of theirs; it may arrive all the same.
    lead.orphan = lead.orphan.or(run.late);
    match (who, ended) {
        (Who::Delivery(d), Ended::First) => {
            lead.firsts += 1;
            lead.deliveries[d] = Delivery::Committed;
        }
        (Who::Delivery(d), Ended::Repeated) => lead.deliveries[d] = Delivery::Answered,
        (Who::Message(m), _) => lead.messages[m] = Message::Recorded,
        (Who::Sweep | Who::Somebody, _) => unreachable!("only functions that write run"),
    }
}
