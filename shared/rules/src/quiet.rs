//! Quiet hours: when a person gets no direct messages, in that person's own time zone.
//!
//! They hold messages back and nothing else: clocks go on, thresholds are reached, and channels are
//! told at any hour. What is for somebody in their quiet hours waits until these end, and the
//! request says so, so that the record shows why it went out late.
//!
//! Quiet hours of a date begin when the wall clock first shows `from` on it, and end when it first
//! shows `to` after that. What a change of the clocks skips is shown at the instant of the change;
//! what it repeats is shown the first time.

use crate::notification::Recipient;
use chrono::{DateTime, Utc};
use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan as _};
use policy::directory::{ALWAYS, Directory};
use policy::ids::{PersonId, TeamId};
use policy::measure::TimeOfDay;
use policy::{Message, Policy};

/// The instant before which a message is not to go out, if it is asked for in its recipient's quiet
/// hours. Somebody of whom nobody can tell where they live is told at any hour.
pub(crate) fn not_before(
    policy: &Policy,
    directory: &Directory,
    to: &Recipient,
    message: Message,
    at: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let Recipient::Person { person, .. } = to else { return None };
    let (from, to) = hours_of(policy, directory, person, message)?;
    let zone = TimeZoneDatabase::bundled().get(time_zone_of(directory, person)?).ok()?;
    end_of_quiet(&zone, from, to, at)
}

/// When a person's quiet hours begin and end: their own, or those of the policy.
fn hours_of(
    policy: &Policy,
    directory: &Directory,
    person: &PersonId,
    message: Message,
) -> Option<(TimeOfDay, TimeOfDay)> {
    let of_policy = policy.quiet_hours.as_ref();
    if of_policy.is_some_and(|quiet| quiet.except.contains(&message)) {
        return None;
    }
    let own = directory.person(person)?.quiet_hours.as_ref().map(|own| (own.from, own.to));
    own.or_else(|| of_policy.map(|quiet| (quiet.from, quiet.to)))
}

/// The time zone a person lives in: their own, or that of the market whose team they are in or
/// manage. Of several markets and teams the first by name; round the clock is nowhere.
pub fn time_zone_of<'a>(directory: &'a Directory, person: &PersonId) -> Option<&'a str> {
    if let Some(own) = &directory.person(person)?.time_zone {
        return Some(own);
    }
    let teams = || directory.document().teams.iter();
    let managed = teams().filter(|(_, team)| team.manager == *person).map(|(id, _)| id);
    directory.team_of(person).into_iter().chain(managed).find_map(|team| zone_of_team(directory, team))
}

fn zone_of_team<'a>(directory: &'a Directory, team: &TeamId) -> Option<&'a str> {
    let markets = directory.document().markets.iter().filter(|(_, market)| market.team == *team);
    let calendars = markets.map(|(_, market)| &market.calendar).filter(|id| id.as_str() != ALWAYS);
    calendars.filter_map(|id| directory.calendar(id)).map(|calendar| calendar.time_zone_name()).next()
}

/// When the quiet hours end that an instant lies in; `None` if it lies in none.
fn end_of_quiet(zone: &TimeZone, from: TimeOfDay, to: TimeOfDay, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let now = Timestamp::new(at.timestamp(), i32::try_from(at.timestamp_subsec_nanos()).ok()?).ok()?;
    let today = zone.to_datetime(now).date();
    let mut end = now;
    // Those of yesterday may reach into today; where they meet the next ones, these go on.
    for date in [today.yesterday().ok()?, today, today.tomorrow().ok()?] {
        let until = if to > from { date } else { date.tomorrow().ok()? };
        let (begins, ends) = (first_shown(zone, date, from)?, first_shown(zone, until, to)?);
        if begins <= end && end < ends {
            end = ends;
        }
    }
    (end > now).then(|| DateTime::from_timestamp(end.as_second(), 0)).flatten()
}

/// When the wall clock first shows a time of a date, or has gone past it.
fn first_shown(zone: &TimeZone, date: Date, time: TimeOfDay) -> Option<Timestamp> {
    let (hour, minute) = (i8::try_from(time.hour()).ok()?, i8::try_from(time.minute()).ok()?);
    let local = date.at(hour, minute, 0, 0);
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
            offset.to_timestamp(local).ok()
        }
        // By the offset of before, a skipped time lies behind the change.
        AmbiguousOffset::Gap { before, .. } => {
            let behind = before.to_timestamp(local).ok()?.checked_add(1.second()).ok()?;
            zone.preceding(behind).next().map(|change| change.timestamp())
        }
    }
}

#[cfg(test)]
mod tests;
