//! Names people, places, lists and times for a reader.

use super::clean::{TEXT_MAX, capital, line};
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use policy::calendar::WorkingTime;
use policy::directory::Directory;
use policy::ids::PersonId;
use policy::measure::spelled;
use rules::notification::Recipient;
use rules::quiet::time_zone_of;
use rules::screening::{Criterion, CriterionKind};

/// Stands for a person known only by a token's identifier.
const UNNAMED: &str = "a person who is not in the directory";
/// The list of a flag that a person raised. Recorded flags have this text.
const BY_HAND: &str = "raised by hand";
/// The prefix of a jurisdiction's match id: `jurisdiction-<market>-<country>`.
const JURISDICTION: &str = "jurisdiction-";

/// A person by name. Without an entry in the directory, the id is not shown.
pub fn person(directory: &Directory, id: &PersonId) -> String {
    known(directory, id.as_str()).unwrap_or_else(|| UNNAMED.to_owned())
}

/// People by name, each once. The audit may have an id in the directory, an email address, a token's subject,
/// or a name that a source gave.
pub fn people<'a>(directory: &Directory, all: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = Vec::new();
    for text in all {
        let name = known(directory, text.trim()).or_else(|| named(text));
        names.extend(name.filter(|name| !names.contains(name)));
    }
    if names.is_empty() { UNNAMED.to_owned() } else { names.join(", ") }
}

fn known(directory: &Directory, text: &str) -> Option<String> {
    let by_email = || directory.person_by_email(text).and_then(|id| directory.person(id));
    let person = directory.person(&PersonId::from(text)).or_else(by_email)?;
    line(&person.name, TEXT_MAX)
}

/// A name that a source gave; a machine's identifier is not a name.
fn named(text: &str) -> Option<String> {
    let is_opaque = !text.contains([' ', '@'])
        && text.len() >= 16
        && text.bytes().filter(u8::is_ascii_digit).count() >= 4;
    line(text, TEXT_MAX).filter(|_| !is_opaque)
}

/// The time zone of the recipient: the person's own, the team manager's, or the compliance desk's.
pub fn zone<'a>(directory: &'a Directory, to: &Recipient) -> Option<&'a str> {
    match to {
        Recipient::Person { person, .. } => time_zone_of(directory, person),
        Recipient::TeamChannel { manager, .. } => time_zone_of(directory, manager),
        Recipient::ComplianceDesk => {
            let calendar = directory.document().compliance.calendar.as_ref()?;
            directory.calendar(calendar).map(|calendar| calendar.time_zone_name())
        }
        Recipient::OperationsDesk => None,
    }
}

/// A time for a reader: `11:00 (New York)`, with the day unless it is today.
pub fn time_of_day(at: DateTime<Utc>, now: DateTime<Utc>, zone: Option<&str>) -> String {
    let known = zone.and_then(|name| TimeZoneDatabase::bundled().get(name).ok());
    let place = match (&known, zone) {
        (Some(_), Some(name)) => city(name),
        _ => "UTC".to_owned(),
    };
    let zone = known.unwrap_or(TimeZone::UTC);
    let local =
        |at: DateTime<Utc>| Timestamp::from_second(at.timestamp()).ok().map(|at| zone.to_datetime(at));
    let (Some(then), Some(today)) = (local(at), local(now)) else { return at.to_rfc3339() };
    let form = match (then.date() == today.date(), then.year() == today.year()) {
        (true, _) => "%H:%M",
        (false, true) => "%a, %b %-d, %H:%M",
        (false, false) => "%a, %b %-d, %Y, %H:%M",
    };
    format!("{} ({place})", then.strftime(form))
}

/// `America/New_York` is New York.
fn city(zone: &str) -> String {
    zone.rsplit('/').next().unwrap_or(zone).replace('_', " ")
}

/// A duration in business hours, from seconds.
pub fn duration(secs: i64) -> String {
    let days = secs / 86_400;
    if days >= 2 {
        // Minutes do not matter after several days.
        let hours = secs % 86_400 / 3600;
        return if hours == 0 { format!("{days}d") } else { format!("{days}d{hours}h") };
    }
    spelled(WorkingTime::from_secs(secs))
}

/// Whether a person raised the flag.
pub fn is_raised_by_hand(found: &Criterion) -> bool {
    found.kind != CriterionKind::Unreadable && found.list == BY_HAND
}

/// A criterion of compliance, in words. `flagged_by` names the people who raised a flag.
pub fn criterion(found: &Criterion, flagged_by: Option<&str>, now: DateTime<Utc>) -> String {
    let clean = |text: &str| line(text, TEXT_MAX).unwrap_or_default();
    let (id, list) = (clean(&found.match_id), clean(&found.list).replace('-', " "));
    let kind = kind(found.kind);
    if found.kind == CriterionKind::Unreadable {
        return kind.to_owned();
    }
    if is_raised_by_hand(found) {
        let by = flagged_by.unwrap_or("hand");
        return format!("{kind}, flagged by {by} on {}", date_of(&found.list_version, now));
    }
    if let (CriterionKind::Jurisdiction, Some((market, country))) = (found.kind, places(&found.match_id)) {
        let licensed: Vec<String> =
            found.list_version.split(',').filter(|c| !c.is_empty()).map(self::country).collect();
        let licensed = if licensed.is_empty() { "nowhere".to_owned() } else { licensed.join(", ") };
        return format!("{} is not licensed in {market} (licensed: {licensed})", self::country(country));
    }
    let strength = found.strength.map(|strength| format!(", {strength} %")).unwrap_or_default();
    let version = match NaiveDate::parse_from_str(&found.list_version, "%Y-%m-%d") {
        Ok(_) => format!("list of {}", date(&found.list_version)),
        Err(_) => format!("list version {}", clean(&found.list_version)),
    };
    match found.kind {
        CriterionKind::Sanctions => format!("{list} match {id} ({version}){strength}"),
        _ => format!("{kind}: {list} match {id} ({version}){strength}"),
    }
}

/// A kind of criterion, in words.
pub fn kind(kind: CriterionKind) -> &'static str {
    match kind {
        CriterionKind::Sanctions => "Sanctions match",
        CriterionKind::Pep => "Politically exposed person",
        CriterionKind::Jurisdiction => "Jurisdiction not licensed",
        CriterionKind::AdverseMedia => "Adverse media",
        CriterionKind::Unreadable => "A screening that could not be read",
    }
}

fn places(match_id: &str) -> Option<(String, &str)> {
    let (market, country) = match_id.strip_prefix(JURISDICTION)?.rsplit_once('-')?;
    Some((self::market(market), country))
}

/// A market as people write it: `DACH`, `US`, `North America`.
pub fn market(id: &str) -> String {
    let id = line(id, TEXT_MAX).unwrap_or_default();
    if id.len() <= 4 {
        return id.to_uppercase();
    }
    let words = id.split(['-', '_']).map(capital);
    words.collect::<Vec<_>>().join(" ")
}

/// A country by its English name (ISO 3166-1); any other text stays as it is.
pub fn country(code: &str) -> String {
    match celes::Country::from_alpha2(code) {
        Ok(country) => country.long_name.trim_start_matches("The ").to_owned(),
        Err(_) => line(code, TEXT_MAX).unwrap_or_default(),
    }
}

/// A date without its year, if that is the current one.
fn date_of(text: &str, now: DateTime<Utc>) -> String {
    let year = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|date| date.year());
    let date = date(text);
    match year {
        Some(year) if year == now.year() => date.trim_end_matches(&format!(", {year}")).to_owned(),
        _ => date,
    }
}

fn date(text: &str) -> String {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_or_else(
        |_| line(text, TEXT_MAX).unwrap_or_default(),
        |date| date.format("%b %-d, %Y").to_string(),
    )
}
