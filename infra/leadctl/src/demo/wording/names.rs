//! People, teams, desks and durations as a reader knows them.

use policy::directory::DirectoryDocument;
use std::collections::BTreeMap;

/// The people and channels of a directory.
#[derive(Debug, Default)]
pub(crate) struct Names {
    people: BTreeMap<String, String>,
    team_channels: BTreeMap<String, String>,
    compliance: String,
    operations: String,
}

impl Names {
    pub fn of(directory: &DirectoryDocument) -> Self {
        let people = directory.people.iter().map(|(id, person)| (id.to_string(), person.name.clone()));
        let channels = directory.teams.iter().map(|(id, team)| (id.to_string(), team.channel.clone()));
        Self {
            people: people.collect(),
            team_channels: channels.collect(),
            compliance: directory.compliance.channel.clone(),
            operations: directory.operations.channel.clone(),
        }
    }

    /// A person's name without what stands in brackets behind it; the id of a person whom the directory lacks.
    pub fn person(&self, id: &str) -> String {
        let name = self.people.get(id).map_or(id, String::as_str);
        name.split(" (").next().unwrap_or(name).to_owned()
    }

    pub fn team_channel(&self, team: &str) -> String {
        self.team_channels.get(team).cloned().unwrap_or_else(|| format!("the channel of {team}"))
    }

    pub fn compliance(&self) -> &str {
        &self.compliance
    }

    pub fn operations(&self) -> &str {
        &self.operations
    }
}

/// `Ben`, `Ben and Max`, `Ben, Max and Cam`.
pub(super) fn joined(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A duration in seconds with at most two units: `2 s`, `1 min 30 s`, `48 h` as `2 days`.
pub(super) fn span(secs: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    let secs = secs.max(0);
    // Seconds say nothing beside hours.
    let secs = if secs >= HOUR - MINUTE / 2 { (secs + MINUTE / 2) / MINUTE * MINUTE } else { secs };
    let units =
        [(secs / DAY, "day"), (secs % DAY / HOUR, "h"), (secs % HOUR / MINUTE, "min"), (secs % MINUTE, "s")];
    let spelled = units.iter().skip_while(|(n, _)| *n == 0).take(2).filter(|(n, _)| *n > 0);
    let spelled: Vec<String> = spelled
        .map(|(n, unit)| format!("{n} {unit}{}", if *unit == "day" && *n != 1 { "s" } else { "" }))
        .collect();
    if spelled.is_empty() { "0 s".to_owned() } else { spelled.join(" ") }
}

/// `1 lead`, `2 leads`.
pub(super) fn counted(n: i64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
