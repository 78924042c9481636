//! `Store::run`: read, decide, commit, and start over after a lost race or a lost answer.

use super::state::{Delivery, GuardRead, Lead, Message, Run, Stage, State, StateRead};
use super::steps::{Actor, Cause, Next, StepKind};
use super::transaction::{Decision, Request, Safeguard, commit};

/// One of its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStep {
    /// Reads the lead, and the audit items of its attempts.
    ReadsTheState,
    /// Reads the dedupe item or the outbox item, and the rep.
    ReadsTheGuard,
    /// Both at the same time.
    ReadsAll,
    Commits,
    /// Committed, but the answer is lost.
    CommitsUnanswered,
    /// Not committed, and the answer is lost.
    IsLostUnanswered,
    /// Abandoned while still under way.
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
    /// It wrote the commit.
    First,
    /// The command was applied before, or there is nothing to do.
    Repeated,
}

/// All possible next states of a run.
pub fn run_steps(next: &mut Next<'_>, n: usize, who: Actor, cause: Cause, run: Run) {
    if let Some(request) = run.late {
        let mut to = *next.from;
        let wrote = commit(&mut to, n, &request, &next.bundle.missing);
        let run = Run { late: None, wrote: run.wrote || wrote, ..run };
        put(&mut to, n, who, run);
        next.push(n, who, StepKind::Runs(RunStep::ItsLateTransactionArrives), to);
    }
    match run.stage {
        Stage::Read { state, guard } => reads(next, n, who, cause, run, state, guard),
        Stage::Commit(request) => commits(next, n, who, run, request),
    }
}

fn reads(
    next: &mut Next<'_>,
    n: usize,
    who: Actor,
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

/// With both halves it settles its attempts, drops a repetition, or decides.
fn read_on(
    next: &mut Next<'_>,
    n: usize,
    who: Actor,
    cause: Cause,
    run: Run,
    what: RunStep,
    read: (Option<StateRead>, Option<GuardRead>),
) {
    let mut to = *next.from;
    let (Some(state), Some(guard)) = read else {
        let stage = Stage::Read { state: read.0, guard: read.1 };
        put(&mut to, n, who, Run { stage, ..run });
        return next.push(n, who, StepKind::Runs(what), to);
    };
    let decision = match run.delivery {
        Some(fact) => Some(Decision::Delivery(fact)),
        None if cause == Cause::Event => {
            Some(Decision::Event { is_assigned: guard.load < super::state::CAPACITY })
        }
        // A threshold that has fired is no longer due.
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
    next.push(n, who, StepKind::Runs(what), to);
}

fn commits(next: &mut Next<'_>, n: usize, who: Actor, run: Run, request: Request) {
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
    next.push(n, who, StepKind::Runs(RunStep::Commits), answered);

    let Some(faults) = next.from.faults.checked_sub(1) else { return };
    if wrote {
        put(&mut to, n, who, Run { wrote: true, ..again });
        to.faults = faults;
        next.push(n, who, StepKind::Runs(RunStep::CommitsUnanswered), to);
    }
    let mut lost = State { faults, ..*next.from };
    put(&mut lost, n, who, again);
    next.push(n, who, StepKind::Runs(RunStep::IsLostUnanswered), lost);
    if run.late.is_none() {
        put(&mut lost, n, who, Run { late: Some(request), ..again });
        next.push(n, who, StepKind::Runs(RunStep::IsStillUnderWay), lost);
    }
}

fn put(state: &mut State, n: usize, who: Actor, run: Run) {
    let lead = &mut state.leads[n];
    match who {
        Actor::Delivery(d) => lead.deliveries[d] = Delivery::Running(run),
        Actor::Message(m) => {
            if let Message::Recording { run: of, .. } = &mut lead.messages[m] {
                *of = run;
            }
        }
        Actor::Sweep | Actor::Other => unreachable!("only functions that write run"),
    }
}

fn end(state: &mut State, n: usize, who: Actor, run: Run, ended: &Ended) {
    let lead: &mut Lead = &mut state.leads[n];
    // A finished run does not wait for its transactions; they may still arrive.
    lead.orphan = lead.orphan.or(run.late);
    match (who, ended) {
        (Actor::Delivery(d), Ended::First) => {
            lead.firsts += 1;
            lead.deliveries[d] = Delivery::Committed;
        }
        (Actor::Delivery(d), Ended::Repeated) => lead.deliveries[d] = Delivery::Answered,
        (Actor::Message(m), _) => lead.messages[m] = Message::Recorded,
        (Actor::Sweep | Actor::Other, _) => unreachable!("only functions that write run"),
    }
}
