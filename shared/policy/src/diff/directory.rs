//! What is different between two directories.

use super::change::{Change, Changes, Section, listed, quoted, union};
use crate::calendar::{CalendarDocument, HoursException};
use crate::directory::{Desk, DirectoryDocument, Market, Person, PersonalQuietHours, Rep, Team};
use crate::ids::Country;
use crate::source_rights::SourceRights;
use std::collections::{BTreeMap, BTreeSet};

/// What is different between two directories: calendars, markets, teams, people, and the rest.
#[must_use]
pub fn directories(before: &DirectoryDocument, after: &DirectoryDocument) -> Vec<Change> {
    let mut all = Vec::new();
    each(&mut all, &before.calendars, &after.calendars, Section::Calendar, calendar);
    each(&mut all, &before.markets, &after.markets, Section::Market, market);
    each(&mut all, &before.teams, &after.teams, Section::Team, team);
    each(&mut all, &before.people, &after.people, Section::Person, person);
    let mut changes = Changes::of(&mut all, Section::Directory);
    for (name, was, is) in [
        ("compliance", &before.compliance, &after.compliance),
        ("operations", &before.operations, &after.operations),
    ] {
        desk(&mut changes, name, was, is);
    }
    addresses(&mut changes, "webhook", &before.webhooks, &after.webhooks);
    addresses(&mut changes, "Teams channel", &before.teams_channels, &after.teams_channels);
    for name in union(&before.sources, &after.sources) {
        let (was, is) = (before.sources.get(name), after.sources.get(name));
        if was.is_some() != is.is_some() && was.or(is) == Some(&UNLIMITED) {
            changes.say(format!("source `{name}` can still write everything"));
        }
        source(&mut changes, name, was.unwrap_or(&UNLIMITED), is.unwrap_or(&UNLIMITED));
    }
    all
}

/// Goes over what has names: what is new or gone, and what is different of what stays.
fn each<K: Ord + ToString, V>(
    all: &mut Vec<Change>,
    before: &BTreeMap<K, V>,
    after: &BTreeMap<K, V>,
    section: impl Fn(String) -> Section,
    compare: impl Fn(&mut Changes<'_>, &V, &V),
) {
    for name in union(before, after) {
        let mut changes = Changes::of(all, section(name.to_string()));
        match (before.get(name), after.get(name)) {
            (Some(was), Some(is)) => compare(&mut changes, was, is),
            (Some(_), None) => changes.say("removed"),
            (None, _) => changes.say("added"),
        }
    }
}

fn calendar(changes: &mut Changes<'_>, was: &CalendarDocument, is: &CalendarDocument) {
    changes.value("time zone:", &was.time_zone, &is.time_zone, Clone::clone);
    if was.always != is.always {
        changes.say(if is.always { "now open around the clock" } else { "now open only during its hours" });
    }
    let item = |weekday: &crate::calendar::Weekday| format!("{}:", weekday.as_str());
    changes.map(&was.hours, &is.hours, item, |blocks| listed(blocks));
    let holidays = |document: &CalendarDocument| -> BTreeSet<String> {
        let holidays = document.holidays.iter();
        holidays.map(|holiday| format!("{} ({})", holiday.date, holiday.name)).collect()
    };
    changes.set("holiday", &holidays(was), &holidays(is), Clone::clone);
    let exceptions = |document: &CalendarDocument| -> BTreeMap<String, HoursException> {
        document.exceptions.iter().map(|exception| (exception.date.clone(), exception.clone())).collect()
    };
    let hours = |exception: &HoursException| {
        let hours = if exception.hours.is_empty() { "closed".to_owned() } else { listed(&exception.hours) };
        format!("{hours} ({})", exception.name)
    };
    changes.map(&exceptions(was), &exceptions(is), |date| format!("hours on {date}:"), hours);
    changes.value("business day:", &was.business_day, &is.business_day, |length| {
        length.clone().unwrap_or_else(|| "the length of its weekdays".to_owned())
    });
    if was != is && same_otherwise(was, is) {
        changes.say("reordered, with no effect");
    }
}

/// Whether only the order of holidays and exceptions is another.
fn same_otherwise(was: &CalendarDocument, is: &CalendarDocument) -> bool {
    let sorted = |document: &CalendarDocument| {
        let mut document = document.clone();
        document.holidays.sort_by(|a, b| (&a.date, &a.name).cmp(&(&b.date, &b.name)));
        document.exceptions.sort_by(|a, b| a.date.cmp(&b.date));
        document
    };
    sorted(was) == sorted(is)
}

fn market(changes: &mut Changes<'_>, was: &Market, is: &Market) {
    changes.value("calendar:", &was.calendar, &is.calendar, named);
    changes.value("team:", &was.team, &is.team, named);
    changes.set("license for", &was.licensed_for, &is.licensed_for, Country::to_string);
    changes.option("regional VP:", was.regional_vp.as_ref(), is.regional_vp.as_ref(), named);
}

/// Who knows an address may post to it: what it is stays in the directory.
fn addresses(
    changes: &mut Changes<'_>,
    what: &str,
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) {
    for name in union(before, after) {
        match (before.get(name), after.get(name)) {
            (Some(was), Some(is)) if was != is => changes.say(format!("{what} `{name}` has a new address")),
            (Some(_), Some(_)) => {}
            (Some(_), None) => changes.say(format!("{what} `{name}` removed")),
            (None, _) => changes.say(format!("{what} `{name}` added")),
        }
    }
}

/// What a source may write that the directory does not name.
const UNLIMITED: SourceRights = SourceRights { markets: None, fields: None };

fn source(changes: &mut Changes<'_>, name: &str, was: &SourceRights, is: &SourceRights) {
    changes.value(&format!("source `{name}` can write to markets:"), &was.markets, &is.markets, |markets| {
        markets.as_ref().map_or_else(|| "all".to_owned(), listed)
    });
    changes.value(&format!("source `{name}` can write fields:"), &was.fields, &is.fields, |fields| {
        fields.as_ref().map_or_else(|| "all".to_owned(), listed)
    });
}

fn named(name: &impl ToString) -> String {
    format!("`{}`", name.to_string())
}

fn team(changes: &mut Changes<'_>, was: &Team, is: &Team) {
    changes.value("manager:", &was.manager, &is.manager, named);
    changes.value("channel:", &was.channel, &is.channel, Clone::clone);
    for id in union(&was.reps, &is.reps) {
        match (was.reps.get(id), is.reps.get(id)) {
            (Some(was), Some(is)) => rep(changes, id.as_str(), was, is),
            (before, after) => changes.option(&format!("rep {id},"), before, after, |rep| {
                format!("{}, capacity {}", rep.seniority.as_str(), rep.capacity)
            }),
        }
    }
}

fn rep(changes: &mut Changes<'_>, id: &str, was: &Rep, is: &Rep) {
    changes.value(&format!("{id} seniority:"), &was.seniority, &is.seniority, |s| s.as_str().to_owned());
    changes.value(&format!("{id} capacity:"), &was.capacity, &is.capacity, u32::to_string);
    changes.value(&format!("{id} licensed for:"), &was.licensed_for, &is.licensed_for, |licences| {
        licences.as_ref().map_or_else(|| "everything its market is licensed for".to_owned(), listed)
    });
    changes.value(&format!("{id} on leave until:"), &was.on_leave_until, &is.on_leave_until, |until| {
        until.map_or_else(
            || "not on leave".to_owned(),
            |until| until.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
        )
    });
}

fn person(changes: &mut Changes<'_>, was: &Person, is: &Person) {
    changes.value("name:", &was.name, &is.name, quoted);
    if was.email != is.email {
        changes.say("has a new email address");
    }
    changes.value("notified by", &was.notify, &is.notify, |notify| {
        notify.clone().unwrap_or_else(|| "slack, the default".to_owned())
    });
    changes.value("time zone:", &was.time_zone, &is.time_zone, |zone| {
        zone.clone().unwrap_or_else(|| "the time zone of their team's market".to_owned())
    });
    changes.value("quiet hours:", &was.quiet_hours, &is.quiet_hours, |quiet| {
        let own = |quiet: &PersonalQuietHours| format!("{} to {}", quiet.from, quiet.to);
        quiet.as_ref().map_or_else(|| "the policy's".to_owned(), own)
    });
}

fn desk(changes: &mut Changes<'_>, name: &str, was: &Desk, is: &Desk) {
    changes.value(&format!("{name} channel:"), &was.channel, &is.channel, Clone::clone);
    changes.value(&format!("calendar of {name}:"), &was.calendar, &is.calendar, |calendar| {
        calendar.as_ref().map_or_else(|| "around the clock".to_owned(), named)
    });
}
