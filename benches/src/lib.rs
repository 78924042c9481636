//! What the benchmarks of `benches/` are run on: a lead of the seeded policy and directory.

use chrono::{DateTime, TimeDelta, Utc};
use insight::simulate::Simulation;
use policy::directory::Directory;
use policy::{Policy, PublishedPolicy};
use rules::entry::Actor;
use rules::lead::{Command, Input, Lead, LeadEvent};
use rules::patch::Patch;
use rules::world::World;

const POLICY: &str = include_str!("../../infra/policies/default.yaml");
const DIRECTORY: &str = include_str!("../../infra/policies/directory.yaml");

/// A lead that was answered by nobody yet, and the world that it lives in.
pub struct Scene {
    /// The lead.
    pub lead: Lead,
    /// What decisions may know.
    pub world: World,
    arrived: DateTime<Utc>,
}

impl Scene {
    /// A lead in the morning of a working day.
    pub fn new() -> Self {
        let arrived: DateTime<Utc> = "2026-03-02T15:00:00Z".parse().expect("an instant");
        let policy = Policy::parse(POLICY).expect("the seeded policy");
        let directory = Directory::parse(DIRECTORY).expect("the seeded directory");
        let published = PublishedPolicy::next(None, policy, "bench", arrived - TimeDelta::days(1));
        let mut simulation = Simulation::new(published, directory);
        let mut event = LeadEvent::at(arrived);
        event.creates = true;
        event.changes.market = Patch::Set("us".into());
        event.changes.country = Patch::Set("US".into());
        event.changes.company = Patch::Set("Acme".to_owned());
        event.changes.source = Patch::Set("inbound_web".into());
        event.owner = Patch::Set("rep-bob".into());
        simulation.lead(&command("arrival", Input::Event(Box::new(event))), arrived);
        let lead = simulation.leads().values().next().expect("a lead").clone();
        Self { lead, world: simulation.world().clone(), arrived }
    }

    /// When the owner is warned.
    pub fn warning_at(&self) -> DateTime<Utc> {
        rules::lead::wake_at(&self.lead, &self.world.rules).expect("a step to come")
    }

    /// So many minutes after its arrival.
    pub fn at(&self, minutes: i64) -> DateTime<Utc> {
        self.arrived + TimeDelta::minutes(minutes)
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}

fn command(cause: &str, input: Input) -> Command {
    Command { lead: "L-1".into(), actor: Actor::source("crm"), cause: cause.to_owned(), input }
}

/// Something may be due.
pub fn wake() -> Command {
    command("wake", Input::Wake)
}

/// One field is another one now.
pub fn plain_update(at: DateTime<Utc>) -> Command {
    let mut event = LeadEvent::at(at);
    event.changes.score = Patch::Set(50);
    command("update", Input::Event(Box::new(event)))
}

/// The score rises over the threshold.
pub fn high_value(at: DateTime<Utc>) -> Command {
    let mut event = LeadEvent::at(at);
    event.changes.score = Patch::Set(95);
    command("high value", Input::Event(Box::new(event)))
}
