//! What shows in a directory, and in what the policy makes of it.

use super::{Lint, Warnings};
use chrono::{DateTime, TimeDelta, Utc};
use policy::Policy;
use policy::calendar::{CalendarDocument, Weekday3, WorkingTime};
use policy::directory::{Directory, Seniority, Team};
use rules::quiet;

/// How far ahead a calendar is looked at.
const YEAR: TimeDelta = TimeDelta::days(365);

pub(super) fn check(
    warnings: &mut Warnings,
    policy: &Policy,
    directory: &Directory,
    at: Option<DateTime<Utc>>,
) {
    let document = directory.document();
    for (id, calendar) in &document.calendars {
        check_hours(warnings, &format!("calendars.{id}"), calendar);
    }
    for (id, market) in &document.markets {
        if market.licensed_for.is_empty() {
            let said = "is empty; every lead whose country is known is held by compliance";
            warnings.directory(Lint::NoLicence, format!("markets.{id}.licensed_for"), said);
        }
        let calendar = directory.calendar(&market.calendar);
        if let (Some(at), Some(calendar)) = (at, calendar)
            && calendar.elapsed(at, at + YEAR) == WorkingTime::ZERO
        {
            let said =
                format!("`{}` has no working time in the year from {at}; no clock runs", market.calendar);
            warnings.directory(Lint::NoWorkingTime, format!("markets.{id}.calendar"), said);
        }
    }
    for (id, team) in &document.teams {
        check_team(warnings, &format!("teams.{id}.reps"), team, policy, at);
    }
    for path in directory.private_addresses() {
        warnings.directory(Lint::PrivateAddress, path, PRIVATE);
    }
    for (id, person) in &document.people {
        let left = person.quiet_hours.as_ref().and_then(|own| super::policy::minute_left(own.from, own.to));
        if let Some(said) = left {
            warnings.directory(Lint::MissingMinute, format!("people.{id}.quiet_hours"), said);
        }
        if person.quiet_hours.is_some() && quiet::time_zone_of(directory, id).is_none() {
            let said =
                "nobody can tell their time zone, so that they are told at any hour; write their `time_zone`";
            warnings.directory(Lint::NoTimeZone, format!("people.{id}.quiet_hours"), said);
        }
    }
}

/// What is said of an address on a private network.
const PRIVATE: &str = "leads to this machine or a private network; a deployment refuses it unless `AllowPrivateWebhooks` is set";

/// A block ends before the minute it names, so hours to 23:59 leave out the last minute of the day.
fn check_hours(warnings: &mut Warnings, at: &str, calendar: &CalendarDocument) {
    let ends_a_minute_early = |block: &str| block.ends_with("-23:59");
    let of_week = Weekday3::ALL.iter().filter_map(|day| Some((day, calendar.hours.get(day)?)));
    let of_week = of_week.map(|(day, blocks)| (format!("hours.{}", day.as_str()), blocks));
    let of_dates = calendar.exceptions.iter().enumerate();
    let of_dates = of_dates.map(|(n, date)| (format!("exceptions[{n}].hours"), &date.hours));
    for (path, blocks) in of_week.chain(of_dates) {
        for (n, block) in blocks.iter().enumerate().filter(|(_, block)| ends_a_minute_early(block)) {
            let whole = block == "00:00-23:59";
            let or = if whole { ", or use `always: true` if every day is open" } else { "" };
            let said = format!("`{block}` leaves out the last minute of the day; end it at `24:00`{or}");
            warnings.directory(Lint::MissingMinute, format!("{at}.{path}[{n}]"), said);
        }
    }
}

fn check_team(warnings: &mut Warnings, path: &str, team: &Team, policy: &Policy, at: Option<DateTime<Utc>>) {
    if team.reps.is_empty() {
        warnings.directory(Lint::EmptyTeam, path, "there is nobody; its leads go to the operations queue");
        return;
    }
    if team.reps.values().all(|rep| rep.capacity == 0) {
        let said = "nobody may carry a lead; its leads go to the operations queue";
        warnings.directory(Lint::NoCapacity, path, said);
    }
    let is_away = |at| team.reps.values().all(|rep| rep.on_leave_until.is_some_and(|until| until > at));
    if let Some(at) = at.filter(|at| is_away(*at)) {
        let said = format!("everybody is on leave at {at}; its leads go to the operations queue");
        warnings.directory(Lint::AllOnLeave, path, said);
    }
    let juniors = team.reps.values().all(|rep| rep.seniority == Seniority::Junior);
    if policy.workflows.high_value.reassign_juniors && juniors {
        let said = "everybody is a junior, and the policy gives juniors' high-value leads to seniors: they keep them";
        warnings.directory(Lint::NoSenior, path, said);
    }
}
