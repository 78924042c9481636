//! Runs plans, and makes those that fail smaller.

use crate::check::{check, said};
use crate::defects::Defect;
use crate::many::Name;
use crate::plan::Plan;
use crate::points::Tally;
use crate::sim::Sim;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub wrong: Vec<String>,
    pub tally: Tally,
    pub trace: Vec<String>,
}

/// So long is a smaller plan looked for. It is only how small it becomes that hangs on it.
const SMALLER_FOR: Duration = Duration::from_secs(120);

thread_local! {
    /// Whether a panic of this thread is a run's own: it is told of as what is wrong, and not twice.
    static IS_RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// Keeps the panics of runs from being printed.
pub fn quiet_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !IS_RUNNING.get() {
            before(info);
        }
    }));
}

/// Runs a plan, and checks what came of it.
pub fn run(plan: &Plan, defect: Option<Defect>, with_trace: bool) -> Run {
    let was_running = IS_RUNNING.replace(true);
    let run = catch_unwind(AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut sim = Sim::run(plan, defect, with_trace).await;
            let wrong = check(&mut sim).await;
            Run { wrong, tally: sim.tally, trace: sim.trace.unwrap_or_default() }
        })
    }));
    IS_RUNNING.set(was_running);
    run.unwrap_or_else(|panic| Run {
        wrong: vec![format!("a panic: {}", said(panic.as_ref()))],
        tally: Tally::default(),
        trace: Vec::new(),
    })
}

/// The smallest plan that is found to fail as a plan of this name does, and what is wrong with it.
pub fn smaller(name: &Name) -> (Plan, Vec<String>) {
    let begun = Instant::now();
    let mut tree = name.tree();
    let mut best = (tree.current(), run(&tree.current(), None, false).wrong);
    while begun.elapsed() < SMALLER_FOR && tree.simplify() {
        loop {
            let plan = tree.current();
            let wrong = run(&plan, None, false).wrong;
            if !wrong.is_empty() {
                best = (plan, wrong);
                break;
            }
            if !tree.complicate() {
                return best;
            }
        }
    }
    best
}
