//! Warnings about a directory, alone and together with the policy.

use super::quiet_hours::all_but_one_minute;
use super::warning::{Lint, Warnings};
use chrono::{DateTime, TimeDelta, Utc};
use policy::Policy;
use policy::calendar::{CalendarDocument, Weekday, WorkingTime};
use policy::directory::{Directory, Seniority, Team};
use rules::quiet;

/// How far ahead the check for working time looks.
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
            let text = "is empty; compliance holds every lead whose country is known";
            warnings.directory(Lint::NoLicence, format!("markets.{id}.licensed_for"), text);
        }
        let calendar = directory.calendar(&market.calendar);
        if let (Some(at), Some(calendar)) = (at, calendar)
            && calendar.elapsed(at, at + YEAR) == WorkingTime::ZERO
        {
            let text =
                format!("`{}` has no working time in the year from {at}; no clock runs", market.calendar);
            warnings.directory(Lint::NoWorkingTime, format!("markets.{id}.calendar"), text);
        }
    }
    for (id, team) in &document.teams {
        check_team(warnings, &format!("teams.{id}.reps"), team, policy, at);
    }
    for path in directory.private_addresses() {
        warnings.directory(Lint::PrivateAddress, path, PRIVATE);
    }
    for (id, person) in &document.people {
        let minute = person.quiet_hours.as_ref().and_then(|own| all_but_one_minute(own.from, own.to));
        if let Some(text) = minute {
            warnings.directory(Lint::MissingMinute, format!("people.{id}.quiet_hours"), text);
        }
        if person.quiet_hours.is_some() && quiet::time_zone_of(directory, id).is_none() {
            let text = "the time zone is unknown, so messages go out at any hour; set `time_zone`";
            warnings.directory(Lint::NoTimeZone, format!("people.{id}.quiet_hours"), text);
        }
    }
}

/// The warning about an address on a private network.
const PRIVATE: &str = "points to this machine or a private network; a deployment refuses it unless \
     `AllowPrivateWebhooks` is set";

/// A block ends before the minute it names, so hours until 23:59 lack the last minute of the day.
fn check_hours(warnings: &mut Warnings, at: &str, calendar: &CalendarDocument) {
    let ends_a_minute_early = |block: &str| block.ends_with("-23:59");
    let of_week = Weekday::ALL.iter().filter_map(|day| Some((day, calendar.hours.get(day)?)));
    let of_week = of_week.map(|(day, blocks)| (format!("hours.{}", day.as_str()), blocks));
    let of_dates = calendar.exceptions.iter().enumerate();
    let of_dates = of_dates.map(|(n, date)| (format!("exceptions[{n}].hours"), &date.hours));
    for (path, blocks) in of_week.chain(of_dates) {
        for (n, block) in blocks.iter().enumerate().filter(|(_, block)| ends_a_minute_early(block)) {
            let whole = block == "00:00-23:59";
            let or = if whole { ", or use `always: true` if every day is open" } else { "" };
            let text = format!("`{block}` leaves out the last minute of the day; end it at `24:00`{or}");
            warnings.directory(Lint::MissingMinute, format!("{at}.{path}[{n}]"), text);
        }
    }
}

fn check_team(warnings: &mut Warnings, path: &str, team: &Team, policy: &Policy, at: Option<DateTime<Utc>>) {
    if team.reps.is_empty() {
        warnings.directory(Lint::EmptyTeam, path, "has no reps; its leads go to the operations queue");
        return;
    }
    if team.reps.values().all(|rep| rep.capacity == 0) {
        let text = "every capacity is 0; its leads go to the operations queue";
        warnings.directory(Lint::NoCapacity, path, text);
    }
    let is_away = |at| team.reps.values().all(|rep| rep.on_leave_until.is_some_and(|until| until > at));
    if let Some(at) = at.filter(|at| is_away(*at)) {
        let text = format!("every rep is on leave at {at}; its leads go to the operations queue");
        warnings.directory(Lint::AllOnLeave, path, text);
    }
    let juniors = team.reps.values().all(|rep| rep.seniority == Seniority::Junior);
    if policy.workflows.high_value.reassign_juniors && juniors {
        let text = "every rep is a junior; the policy gives juniors' high-value leads to seniors, so here the juniors \
             keep them";
        warnings.directory(Lint::NoSenior, path, text);
    }
}
