//! Makes up an audit: any number of leads over thirty days, from a seed, decided by the rules that the functions run. The
//! tests of exports, verification and backtests use it, and measurements with more leads than a person would write down.

mod directory;
mod play;
mod publications;
mod span;
mod writer;

use chrono::TimeDelta;
use policy::{Policy, PublishedPolicy};
use rules::record::{CommitRecord, FORMAT_VERSION, Header};
use rules::world::Past;
use std::io::Write;

use play::Play;
use span::DAYS;
use writer::Writer;

pub use span::begin;

/// How many leads a team works. Teams have nothing to do with each other.
const LEADS_PER_TEAM: u32 = 2_500;

/// Writes a made-up audit as an export. The same seed gives the same bytes.
///
/// # Errors
/// When `out` cannot be written.
pub fn write<W: Write>(out: W, leads: u32, seed: u64, policy: &Policy) -> anyhow::Result<W> {
    let header = Header {
        format_version: FORMAT_VERSION,
        deployment: format!("made up from seed {seed}"),
        leads_table: "none".to_owned(),
        audit_table: "none".to_owned(),
        exported_at: begin() + TimeDelta::days(DAYS),
    };
    let mut writer = Writer::begin(out, &header)?;
    let mut revisions = None;
    generate(leads, seed, policy, &mut |record, all| {
        revisions.get_or_insert_with(|| all.clone());
        writer.commit(&record)
    })?;
    publications::write(&mut writer, &revisions.unwrap_or_default())?;
    writer.finish()
}

/// Makes up commits and passes on each, those of a subject in order, with all revisions.
///
/// # Errors
/// Those of `each`.
pub fn generate(
    leads: u32,
    seed: u64,
    policy: &Policy,
    each: &mut dyn FnMut(CommitRecord, &Past) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let teams = leads.div_ceil(LEADS_PER_TEAM).max(1);
    let directory = directory::of(teams, false)?;
    let (later_policy, later_directory) = (tightened(policy), directory::of(teams, true)?);
    for team in 0..teams {
        let first = team * LEADS_PER_TEAM;
        let published = PublishedPolicy::next(None, policy.clone(), "made-up", begin());
        let mut play = Play::new(published, directory.clone(), team, seed);
        play.plan(first..leads.min(first + LEADS_PER_TEAM));
        let (records, revisions) = play.run(&later_policy, &later_directory)?;
        for record in records {
            each(record, &revisions)?;
        }
    }
    Ok(())
}

/// The policy that is published on the tenth day.
fn tightened(policy: &Policy) -> Policy {
    let mut policy = policy.clone();
    policy.workflows.high_value.score = 80;
    policy.workflows.sla_breach.max_reassignments = 1;
    policy
}
