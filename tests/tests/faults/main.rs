//! The fault simulation: the whole bundle on one thread, under one seed, with everything going wrong
//! that can.
//!
//! ```text
//! cargo test -p leadwatch-tests --test faults                                     60 seeds, and what is kept
//! cargo test -p leadwatch-tests --release --test faults -- --seeds 50000          more
//! cargo test -p leadwatch-tests --test faults -- --seed 42                        one, with its trace
//! cargo test -p leadwatch-tests --test faults -- --replay plan.json               a plan that was printed
//! ```

mod absence;
mod bundle;
mod check;
mod database;
mod defects;
mod find;
mod grants;
mod invocations;
mod many;
mod outside;
mod plan;
mod points;
mod premises;
mod promises;
mod queues;
mod report;
mod seeding;
mod sim;
mod sources;
mod staff;
mod strike;
mod truth;
mod version;
mod wire;

use clap::Parser;
use defects::Defect;
use find::Run;
use plan::Plan;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

/// No seed is higher, so that there is room for as many as anybody runs.
const SEED_MAX: u64 = u64::MAX / 2;

/// Runs the whole bundle under random faults, and checks that nothing is lost and nothing done twice.
#[derive(Debug, Parser)]
#[command(name = "faults")]
struct Options {
    /// How many seeds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=SEED_MAX))]
    from: u64,
    /// One seed, with its trace.
    #[arg(long, conflicts_with = "replay")]
    seed: Option<u64>,
    /// A plan as JSON, with its trace.
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// Also fails on a right that no call used; a thousand seeds always do.
    #[arg(long)]
    rights: bool,
    /// Runs at a time; as many as there are cores, if nobody says.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// What `cargo test` hands to every test: runs only what has this in its name.
    #[arg(hide = true)]
    filter: Vec<String>,
    #[arg(long, hide = true)]
    exact: bool,
    #[arg(long, hide = true)]
    nocapture: bool,
    #[arg(long, hide = true)]
    list: bool,
    #[arg(long, hide = true)]
    test_threads: Option<NonZeroUsize>,
    #[arg(long, short, hide = true)]
    quiet: bool,
}

/// A part of what `cargo test` runs; whether it holds.
type Part = fn(&Options) -> bool;

fn main() -> ExitCode {
    let options = Options::parse();
    if options.list {
        return ExitCode::SUCCESS;
    }
    find::quiet_panics();
    let is_well = if let Some(path) = &options.replay {
        match read(path) {
            Ok(plan) => shown(&plan),
            Err(error) => {
                eprintln!("{}: {error}", path.display());
                return ExitCode::from(2);
            }
        }
    } else if let Some(seed) = options.seed {
        shown(&plan::of_seed(seed).current())
    } else {
        let is_asked = |name: &str| options.filter.iter().all(|filter| name.contains(filter.as_str()));
        let parts: [(&str, Part); 4] = [
            ("a_run_repeats_itself_byte_for_byte", repeats_itself),
            ("what_was_wrong_once_is_right", kept_plans_hold),
            ("the_simulator_finds_each_deliberate_defect", defects_are_found),
            ("whatever_goes_wrong_nothing_is_lost_and_nothing_done_twice", seeds_hold),
        ];
        parts.iter().filter(|(name, _)| is_asked(name)).fold(true, |is_well, (name, part)| {
            let holds = part(&options);
            println!("{name}: {}", if holds { "ok" } else { "FAILED" });
            is_well && holds
        })
    };
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(path: &Path) -> Result<Plan, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("is no plan: {error}"))
}

/// Runs one plan with its trace.
fn shown(plan: &Plan) -> bool {
    println!("{}", plan.to_json());
    let Run { wrong, tally, trace } = find::run(plan, None, true);
    for line in trace {
        println!("{line}");
    }
    print!("{}", report::harms(&tally));
    for what in &wrong {
        println!("WRONG: {what}");
    }
    wrong.is_empty()
}

/// Two runs of a plan are the same to the byte.
fn repeats_itself(options: &Options) -> bool {
    (options.from..options.from + 12).all(|seed| {
        let plan = plan::of_seed(seed).current();
        let (once, again) = (find::run(&plan, None, true), find::run(&plan, None, true));
        let differs = once.trace.iter().zip(&again.trace).position(|(a, b)| a != b);
        if let Some(line) = differs {
            println!("seed {seed} differs: {:?} and {:?}", once.trace[line], again.trace[line]);
        }
        once == again && !once.trace.is_empty()
    })
}

/// The plans that failed once.
fn kept_plans_hold(_: &Options) -> bool {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults");
    let Ok(files) = std::fs::read_dir(&kept) else {
        println!("{} cannot be read", kept.display());
        return false;
    };
    let mut paths: Vec<PathBuf> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    paths.sort();
    paths.iter().fold(true, |is_well, path| {
        let wrong = match read(path) {
            Ok(plan) => find::run(&plan, None, false).wrong,
            Err(error) => vec![error],
        };
        for what in &wrong {
            println!("{}: {what}", path.display());
        }
        is_well && wrong.is_empty()
    })
}

/// So many seeds come to every point and use every right; with fewer, neither is asked for.
const SEEDS_FOR_ALL_POINTS: u64 = 1_000;

/// Each deliberate defect shows within so many seeds.
const DEFECT_SEEDS_MAX: u64 = 300;

fn defects_are_found(options: &Options) -> bool {
    let (next, are_found) = (AtomicUsize::new(0), AtomicBool::new(true));
    std::thread::scope(|scope| {
        for _ in 0..many::threads(options) {
            scope.spawn(|| {
                while let Some(defect) = Defect::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    are_found.fetch_and(is_found(*defect, options.from), Ordering::Relaxed);
                }
            });
        }
    });
    are_found.into_inner()
}

fn is_found(defect: Defect, from: u64) -> bool {
    // What found it the last time most likely finds it again.
    let seeds = std::iter::once(defect.last_found_by()).chain(from..from + DEFECT_SEEDS_MAX);
    let mut found = seeds.into_iter().filter_map(|seed| {
        let wrong = find::run(&plan::of_seed(seed).current(), Some(defect), false).wrong;
        Some((seed, wrong.into_iter().next()?))
    });
    let first = found.next();
    match &first {
        Some((seed, wrong)) => println!("  {defect:?}: found by seed {seed}: {}", report::short(wrong)),
        None => println!("  {defect:?}: NOT found within {DEFECT_SEEDS_MAX} seeds"),
    }
    first.is_some()
}

/// The seeds; the first that fails is made smaller and printed.
fn seeds_hold(options: &Options) -> bool {
    let begun = Instant::now();
    let mut found = many::run(options);
    let is_whole = found.run >= SEEDS_FOR_ALL_POINTS && found.failed.is_empty();
    if is_whole {
        many::strike_what_was_missed(&mut found);
    }
    print!("{}", report::table(&found.tally, found.run, begun.elapsed()));
    let missed = if is_whole { found.missed() } else { Vec::new() };
    for (point, side) in &missed {
        println!("no {} at: {point}", side.name());
    }
    let gone: Vec<&str> = if is_whole { report::gone(&found.tally).collect() } else { Vec::new() };
    for point in &gone {
        println!("never come to: {point}");
    }
    let mut rights = grants::not_granted(&found.tally.uses);
    if is_whole || options.rights {
        rights.extend(grants::not_used(&found.tally.uses));
    }
    for wrong in &rights {
        println!("{wrong}");
    }
    for (plan, wrong) in &found.failed {
        println!("{plan}: {}", wrong.join("\n  "));
    }
    if let Some((name, _)) = found.failed.first() {
        println!("making {name} smaller …");
        let (plan, wrong) = find::smaller(name);
        println!("{}\nWRONG: {}", plan.to_json(), wrong.join("\n  "));
        println!("Keep it in a file and run it again with --replay FILE.");
    }
    if found.run < options.seeds {
        println!("{} of {} seeds were run", found.run, options.seeds);
        return false;
    }
    found.failed.is_empty() && missed.is_empty() && gone.is_empty() && rights.is_empty()
}
