//! Business time against two independent libraries, on random calendars and queries.
//!
//! All three are asked the same: how much working time lies between two instants, and when an
//! amount of it will have passed. Where an answer differs, [`reading`] has to compute the peer's
//! very answer from what that peer is known to see differently, and says which of it was needed; a
//! difference that it cannot compute fails the test. Speeds are shown (`--nocapture`), not judged.

mod calendars;
mod peers;
mod reading;

use calendars::{Case, Query, ZONES};
use chrono::{DateTime, Offset as _, TimeZone as _};
use fastrand::Rng;
use peers::{LIBRARIES, Library, Peer};
use policy::calendar::WorkingTime;
use reading::{DAY_S, Reading, ZONE_BEGIN_S, ZONE_END_S, Zone};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Each is two questions to each library: elapsed and add.
const QUERIES: usize = 100_000;
const CALENDARS: usize = 400;
const SEED: u64 = 20_260_302;

/// What became of the questions to one library.
#[derive(Default)]
struct Tally {
    asked: u64,
    /// It cannot be told such hours.
    not_asked: u64,
    /// By what explains them.
    differences: BTreeMap<String, u64>,
    ours: Duration,
    theirs: Duration,
}

#[test]
fn two_independent_libraries_agree_or_differ_by_what_they_are_known_to_see_differently() {
    let mut rng = Rng::with_seed(SEED);
    let zones = zones_that_all_know_alike();
    let mut tallies: [Tally; LIBRARIES.len()] = Default::default();
    for n in 0..CALENDARS {
        let case = Case::random(&mut rng, zones[n % zones.len()]);
        let peers = LIBRARIES.each_ref().map(|library| (library.told)(&case.hours));
        for _ in 0..QUERIES / CALENDARS {
            let query = case.query(&mut rng);
            check_the_definition(&case, query);
            for ((library, peer), tally) in LIBRARIES.iter().zip(&peers).zip(&mut tallies) {
                match peer {
                    Some(peer) => compare(&case, query, library, peer.as_ref(), tally),
                    None => tally.not_asked += 2,
                }
            }
        }
    }
    for (library, tally) in LIBRARIES.iter().zip(tallies) {
        report(library, &tally);
        // Most calendars are plain: a peer that hardly ever agrees was told something else.
        let differing: u64 = tally.differences.values().sum();
        assert!(tally.asked > 0 && differing * 4 < tally.asked, "{differing} of {} differ", tally.asked);
    }
}

/// With nothing seen differently, the readings are ours: what explains others is no other rule.
fn check_the_definition(case: &Case, Query { from, to, add_s }: Query) {
    let elapsed = case.hours.elapsed(Reading::default(), from.timestamp(), to.timestamp());
    assert_eq!(case.calendar.elapsed(from, to).secs(), elapsed, "{} {from} {to}", case.hours.zone.name);
    let due = case.hours.add(Reading::default(), from.timestamp(), add_s);
    let ours = case.calendar.add(from, WorkingTime::from_secs(add_s)).map(|at| at.timestamp());
    assert_eq!(ours, Some(due), "{} {from} + {add_s}s", case.hours.zone.name);
}

fn compare(case: &Case, query: Query, library: &Library, peer: &dyn Peer, tally: &mut Tally) {
    let Query { from, to, add_s } = query;
    let (ours, theirs) = timed(tally, || case.calendar.elapsed(from, to).secs(), || peer.elapsed(from, to));
    if ours != theirs {
        let read = |reading| case.hours.elapsed(reading, from.timestamp(), to.timestamp());
        tally.explain(library, theirs, &read, || {
            format!("{} elapsed {from} {to}: ours {ours}", case.hours.zone.name)
        });
    }
    let amount = WorkingTime::from_secs(add_s);
    let (ours, theirs) = timed(
        tally,
        || case.calendar.add(from, amount).map_or(0, |at| at.timestamp()),
        || peer.add(from, add_s),
    );
    if ours != theirs {
        let read = |reading| case.hours.add(reading, from.timestamp(), add_s);
        tally.explain(library, theirs, &read, || {
            format!("{} {from} + {add_s}s: ours {ours}", case.hours.zone.name)
        });
    }
}

fn timed(tally: &mut Tally, ours: impl FnOnce() -> i64, theirs: impl FnOnce() -> i64) -> (i64, i64) {
    tally.asked += 1;
    let begun = Instant::now();
    let ours = ours();
    tally.ours += begun.elapsed();
    let begun = Instant::now();
    let theirs = theirs();
    tally.theirs += begun.elapsed();
    (ours, theirs)
}

impl Tally {
    /// Finds the fewest things seen differently that give the peer's very answer.
    fn explain(
        &mut self,
        library: &Library,
        theirs: i64,
        read: &dyn Fn(Reading) -> i64,
        what: impl Fn() -> String,
    ) {
        let found = parts(library.reading).into_iter().find(|(_, reading)| read(*reading) == theirs);
        let Some((name, _)) = found else {
            panic!("{} {}, theirs {theirs}; nothing that is known explains it", library.name, what());
        };
        *self.differences.entry(name).or_default() += 1;
    }
}

/// A peer's reading in its parts, the fewest first.
fn parts(whole: Reading) -> Vec<(String, Reading)> {
    const NAMES: [&str; 3] =
        ["special dates are days", "edges of blocks are instants", "queries are local readings"];
    let has = [whole.dates_are_days, whole.edges.is_some(), whole.queries_are_local];
    let mut parts: Vec<(u32, String, Reading)> = (1..8u32)
        .filter(|set| (0..3).all(|bit| set & (1 << bit) == 0 || has[bit]))
        .map(|set| {
            let of = |bit: usize| set & (1 << bit) != 0;
            let names: Vec<&str> = (0..3).filter(|bit| of(*bit)).map(|bit| NAMES[bit]).collect();
            let reading = Reading {
                dates_are_days: of(0),
                edges: whole.edges.filter(|_| of(1)),
                queries_are_local: of(2),
            };
            (set.count_ones(), names.join(" + "), reading)
        })
        .collect();
    parts.sort_by_key(|(count, ..)| *count);
    parts.into_iter().map(|(_, name, reading)| (name, reading)).collect()
}

/// The peers bring zones of their own, of another release or of this machine: where the very data
/// differ there is nothing to compare.
fn zones_that_all_know_alike() -> Vec<&'static str> {
    let known: Vec<&str> = ZONES.into_iter().filter(|name| is_known_alike(name)).collect();
    let left_out: Vec<&&str> = ZONES.iter().filter(|name| !known.contains(*name)).collect();
    println!("zones: {}; left out, since their data differ: {left_out:?}", known.len());
    assert!(known.len() * 2 > ZONES.len(), "the peers' zones are others: {left_out:?}");
    known
}

fn is_known_alike(name: &'static str) -> bool {
    let ours = jiff::tz::TimeZoneDatabase::bundled().get(name).expect("a bundled zone");
    let (Ok(machines), Ok(chronos)) = (jiff::tz::db().get(name), name.parse::<chrono_tz::Tz>()) else {
        return false;
    };
    let (ours, machines) = (Zone::new(name, &ours), Zone::new(name, &machines));
    let is_chronos = |at: i64| {
        let utc = DateTime::from_timestamp(at, 0).unwrap().naive_utc();
        at + i64::from(chronos.offset_from_utc_datetime(&utc).fix().local_minus_utc()) == ours.local(at)
    };
    // At each of our changes and the second before it, and once a day for a change of theirs that we do not have.
    let mut days = (ZONE_BEGIN_S..ZONE_END_S).step_by(usize::try_from(DAY_S).unwrap());
    let mut changes = ours.pieces.iter().skip(1).flat_map(|piece| [piece.start - 1, piece.start]);
    ours.pieces == machines.pieces && changes.all(is_chronos) && days.all(is_chronos)
}

fn report(library: &Library, tally: &Tally) {
    let per = |time: Duration| time.as_nanos() / u128::from(tally.asked.max(1));
    println!(
        "{}: {} questions, {} not asked (no dated exceptions); ours {} ns, theirs {} ns a question, {:.1} times ours",
        library.name,
        tally.asked,
        tally.not_asked,
        per(tally.ours),
        per(tally.theirs),
        tally.theirs.as_secs_f64() / tally.ours.as_secs_f64().max(f64::EPSILON),
    );
    for (name, count) in &tally.differences {
        println!("    {count} differ: {name}");
    }
}
