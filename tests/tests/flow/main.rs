//! The real binaries in the real emulator, over HTTP: from a signed webhook to a message in the
//! sink, to a decision with a token, to the history.
//!
//! One stack serves all tests. It starts with the first one that runs, beside whatever else runs
//! on this machine, and ends with the last. A test has leads and accounts of its own, so that all
//! can run at once; it polls with a bounded patience and asserts on no duration.
//!
//! | module | what for |
//! | --- | --- |
//! | [`world`] | the stack, and what a test does with it |
//! | [`aws`] | the emulator's own APIs, for what a test does behind the functions' backs |
//! | [`documents`] | the policy and the directory of the run |
//! | the others | tests |

mod api;
mod aws;
mod bus;
mod changing;
mod checkpoints;
mod decisions;
mod deployment;
mod documents;
mod door;
mod erasure;
mod events;
mod explain;
mod figures;
mod guarded;
mod operations;
mod poison;
mod publications;
mod queues;
mod story;
mod telling;
mod world;

use libtest_mimic::{Arguments, Trial};
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::RwLock;
use world::World;

/// Tests mostly wait; more of them at once than there are processors.
const TESTS_AT_ONCE: usize = 12;

/// A test: what it shows, and how.
pub struct Flow {
    name: &'static str,
    play: fn(&'static World) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// The tests of a module, by the names of their functions.
macro_rules! flows {
    ($($name:ident),* $(,)?) => {
        pub const FLOWS: &[crate::Flow] = &[
            $(crate::Flow { name: stringify!($name), play: |world| Box::pin($name(world)) }),*
        ];
    };
}
pub(crate) use flows;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(TESTS_AT_ONCE);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = Arc::new(runtime.expect("a runtime starts"));
    let modules = [
        // Those that take longest begin first.
        changing::FLOWS,
        publications::FLOWS,
        story::FLOWS,
        queues::FLOWS,
        telling::FLOWS,
        events::FLOWS,
        door::FLOWS,
        guarded::FLOWS,
        decisions::FLOWS,
        erasure::FLOWS,
        operations::FLOWS,
        api::FLOWS,
        explain::FLOWS,
        bus::FLOWS,
        deployment::FLOWS,
    ];
    let mut trials: Vec<Trial> =
        modules.into_iter().flatten().map(|flow| trial(flow, &runtime, Beside::Others)).collect();
    // What they change for a moment stops the checkpoints of all.
    trials.extend(checkpoints::FLOWS.iter().map(|flow| trial(flow, &runtime, Beside::Nothing)));
    trials.extend(poison::FLOWS.iter().map(|flow| trial(flow, &runtime, Beside::Nothing)));
    let figures = figures::FLOWS.iter().map(|flow| trial(flow, &runtime, Beside::Nothing));
    // They assert nothing; whoever wants them asks.
    trials.extend(figures.map(|trial| trial.with_ignored_flag(true)));
    let conclusion = libtest_mimic::run(&arguments, trials);
    runtime.block_on(world::end(conclusion.num_failed > 0));
    conclusion.exit_code()
}

/// What may run at the same time.
#[derive(Clone, Copy)]
enum Beside {
    Others,
    Nothing,
}

fn trial(flow: &'static Flow, runtime: &Arc<Runtime>, beside: Beside) -> Trial {
    static RUNNING: RwLock<()> = RwLock::const_new(());
    let runtime = Arc::clone(runtime);
    let test = move || {
        runtime.block_on(async {
            let (_others, _nothing) = match beside {
                Beside::Others => (Some(RUNNING.read().await), None),
                Beside::Nothing => (None, Some(RUNNING.write().await)),
            };
            let world = world::started().await?;
            (flow.play)(world).await;
            Ok(())
        })
    };
    Trial::test(flow.name, test)
}
