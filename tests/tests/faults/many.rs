//! Many seeds, on all cores; and then a crash on each side of every request that none of them crashed at.

use crate::plan::{self, Plan};
use crate::points::{Harm, Tally};
use crate::{Options, find, report};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// So many failures are looked for.
const FAILURES_MAX: usize = 5;
/// The exit status of what was ended by Ctrl-C.
const INTERRUPTED: i32 = 130;
/// So many seeds are remembered of those that come to a point.
const SEEDS_OF_A_POINT: usize = 6;

/// A plan by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// The plan of a seed.
    Seed(u64),
    /// That of a seed, with a crash at a point before the request is done, or after it.
    Struck { seed: u64, point: String, after: bool },
}

impl Name {
    /// The plan, as it can be made smaller.
    pub fn tree(&self) -> plan::Tree {
        match self {
            Self::Seed(seed) => plan::of_seed(*seed),
            Self::Struck { seed, point, after } => plan::of_seed_with_crash(*seed, point.clone(), *after),
        }
    }

    fn plan(&self) -> Plan {
        self.tree().current()
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Seed(seed) => write!(f, "seed {seed}"),
            Self::Struck { seed, point, after } => {
                write!(f, "seed {seed} with a crash {} {point}", if *after { "after" } else { "before" })
            }
        }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    pub tally: Tally,
    pub failed: Vec<(Name, Vec<String>)>,
    /// How many seeds were run.
    pub run: u64,
    /// Seeds that come to each point.
    seeds: BTreeMap<String, Vec<u64>>,
}

impl Found {
    /// The points that seeds come to and on which side of them nothing was crashed. What only a run
    /// that was struck elsewhere comes to is left out: it would have no end.
    pub fn missed(&self) -> Vec<(String, Harm)> {
        let mut missed = report::missed(&self.tally);
        missed.retain(|(point, _)| self.seeds.contains_key(point));
        missed
    }
}

/// Runs the seeds that are asked for, until somebody presses Ctrl-C.
pub fn run(options: &Options) -> Found {
    let next = AtomicU64::new(options.from);
    let end = options.from.saturating_add(options.seeds);
    let found: Mutex<Found> = Mutex::default();
    let stop = Arc::new(AtomicBool::new(false));
    stop_on_ctrl_c(Arc::clone(&stop));
    let progress = report::progress(options.seeds);
    std::thread::scope(|scope| {
        for _ in 0..threads(options) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let name = Name::Seed(seed);
                    let run = find::run(&name.plan(), None, false);
                    progress.inc(1);
                    let mut found = found.lock().expect("nobody panics while holding it");
                    for point in run.tally.points.keys() {
                        let seeds = found.seeds.entry(point.clone()).or_default();
                        if seeds.len() < SEEDS_OF_A_POINT {
                            seeds.push(seed);
                        }
                    }
                    found.tally.add(&run.tally);
                    found.run += 1;
                    if !run.wrong.is_empty() {
                        found.failed.push((name, run.wrong));
                        stop.fetch_or(found.failed.len() >= FAILURES_MAX, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    progress.finish_and_clear();
    let mut found = found.into_inner().expect("nobody panics while holding it");
    found.failed.sort();
    found
}

/// How many runs go on at a time.
pub fn threads(options: &Options) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    options.threads.or(options.test_threads).map_or(cores, usize::from)
}

/// What was found until then is told. Pressed once more, it ends all.
fn stop_on_ctrl_c(stop: Arc<AtomicBool>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    std::thread::spawn(move || {
        while runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            if stop.swap(true, Ordering::Relaxed) {
                std::process::exit(INTERRUPTED);
            }
        }
    });
}

/// Crashes at the points that the seeds came to and did not crash at, on the side that is missing: up
/// to the crash such a run is that of a seed which comes there.
pub fn strike_what_was_missed(found: &mut Found) {
    for (point, side) in found.missed() {
        let after = side == Harm::CrashAfter;
        let mut seeds = found.seeds.get(&point).cloned().unwrap_or_default();
        seeds.sort_unstable();
        for seed in seeds {
            let name = Name::Struck { seed, point: point.clone(), after };
            let run = find::run(&name.plan(), None, false);
            found.tally.add(&run.tally);
            if !run.wrong.is_empty() {
                found.failed.push((name, run.wrong));
            }
            let hits = found.tally.points.get(&point).cloned().unwrap_or_default();
            if if after { hits.crashed_after > 0 } else { hits.crashed_before > 0 } {
                break;
            }
        }
    }
}
