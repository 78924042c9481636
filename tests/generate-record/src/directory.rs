//! The directory of a made-up audit.

use anyhow::Context as _;
use policy::directory::Directory;
use policy::ids::PersonId;
use serde_json::{Map, Value, json};

/// The number of reps of each team.
pub const REPS_PER_TEAM: u32 = 12;

/// A directory of this many teams; the one of the twentieth day has one more holiday.
///
/// # Errors
/// None in practice: the directory is valid.
pub fn of(teams: u32, later: bool) -> anyhow::Result<Directory> {
    let week = |hours: Value| json!({"mon": hours, "tue": hours, "wed": hours, "thu": hours, "fri": hours});
    let holidays = if later { json!([{"date": "2026-03-24", "name": "Made-up Day"}]) } else { json!([]) };
    let calendars = json!({
        "new-york": {"time_zone": "America/New_York", "hours": week(json!(["09:00-17:00"])), "holidays": holidays},
        "berlin": {"time_zone": "Europe/Berlin", "hours": week(json!(["08:30-12:30", "13:30-17:30"])), "holidays": holidays},
    });
    let (mut markets, mut all, mut people) = (Map::new(), Map::new(), Map::new());
    let person = |name: &str| json!({"name": name, "email": format!("{name}@example.test")});
    for team in 0..teams {
        let calendar = if team % 2 == 0 { "new-york" } else { "berlin" };
        let manager = format!("mgr-{team}");
        let name = format!("t-{team}");
        let market = json!({"calendar": calendar, "team": name, "licensed_for": ["US", "DE"]});
        markets.insert(format!("m-{team}"), market);
        let mut reps = Map::new();
        for rep in 0..REPS_PER_TEAM {
            let name = rep_of(team, rep).to_string();
            let seniority = if rep % 3 == 0 { "senior" } else { "junior" };
            reps.insert(name.clone(), json!({"seniority": seniority, "capacity": 150}));
            people.insert(name.clone(), person(&name));
        }
        let channel = format!("#{name}");
        all.insert(name, json!({"manager": manager, "channel": channel, "reps": reps}));
        people.insert(manager.clone(), person(&manager));
    }
    let document = json!({
        "calendars": calendars, "markets": markets, "teams": all, "people": people,
        "compliance": {"channel": "#compliance"}, "operations": {"channel": "#operations"},
    });
    Directory::check(serde_json::from_value(document)?).context("the made-up directory")
}

/// A rep of a team.
pub fn rep_of(team: u32, rep: u32) -> PersonId {
    PersonId::new(format!("rep-{team}-{rep}"))
}
