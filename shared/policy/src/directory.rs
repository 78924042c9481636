//! The directory: calendars, markets, teams and people, as a document with revisions.
//! Availability and load change from minute to minute; they are in the rules.

use crate::address::Reach;
use crate::calendar::{Calendar, CalendarDocument, time_zone};
use crate::document::{Document, DocumentError, Problems};
use crate::ids::{CalendarId, Country, MarketId, PersonId, TeamId};
use crate::measure::{TimeOfDay, whole_day};
use crate::source_rights::SourceRights;
use crate::{address, source_rights};
use chrono::{DateTime, Utc};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The built-in calendar: open around the clock.
pub const ALWAYS: &str = "always";

/// A directory: calendars, markets, teams, and people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DirectoryDocument {
    /// Calendars by name. `always` is built in.
    pub calendars: BTreeMap<CalendarId, CalendarDocument>,
    /// Markets by name.
    pub markets: BTreeMap<MarketId, Market>,
    /// Teams by name.
    pub teams: BTreeMap<TeamId, Team>,
    /// Everyone who can get messages, by id.
    pub people: BTreeMap<PersonId, Person>,
    /// The compliance team.
    pub compliance: Desk,
    /// The operations team.
    pub operations: Desk,
    /// Web addresses for messages: a person uses one with `notify: webhook:<name>`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub webhooks: BTreeMap<String, String>,
    /// Microsoft Teams workflow addresses: a person uses one with `notify: teams:<name>`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub teams_channels: BTreeMap<String, String>,
    /// What each source may write, by the name of its hook. A source that is not listed may write everything.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, SourceRights>,
}

/// A market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// The calendar of its business hours.
    pub calendar: CalendarId,
    /// The team that works its leads.
    pub team: TeamId,
    /// The countries that it is licensed for. Compliance holds leads from other countries.
    pub licensed_for: BTreeSet<Country>,
    /// The person who is notified about strategic accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regional_vp: Option<PersonId>,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// The manager.
    pub manager: PersonId,
    /// The channel for messages to the manager.
    pub channel: String,
    /// Its reps.
    pub reps: BTreeMap<PersonId, Rep>,
}

/// A rep on a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rep {
    /// Junior or senior.
    pub seniority: Seniority,
    /// The most open leads at a time.
    pub capacity: u32,
    /// The countries that the rep may work. Default: all that the market is licensed for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licensed_for: Option<BTreeSet<Country>>,
    /// On leave until then. Availability that is set later through the API takes precedence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_leave_until: Option<DateTime<Utc>>,
}

/// How experienced a rep is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Seniority {
    /// Hands high-value leads to a senior rep, if the policy says so.
    Junior,
    /// Can take high-value leads from junior reps.
    Senior,
}

impl Seniority {
    /// Its name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Junior => "junior",
            Self::Senior => "senior",
        }
    }
}

/// A person who can get messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The name that colleagues see.
    pub name: String,
    /// The work email address. It identifies the person in Slack and at sign-in.
    pub email: String,
    /// The channel for direct messages: `slack` (default), `email`, `teams:<name>`, or `webhook:<name>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<String>,
    /// The person's IANA time zone, for quiet hours and times. Default: that of their team's market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Their own quiet hours. Default: the policy's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<PersonalQuietHours>,
}

/// Quiet hours of one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PersonalQuietHours {
    /// When they start, every day.
    pub from: TimeOfDay,
    /// When they end; a time earlier than `from` is on the next day.
    pub to: TimeOfDay,
}

/// A group that gets messages on a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Desk {
    /// Its channel.
    pub channel: String,
    /// The calendar of its business hours. Default: around the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarId>,
}

/// A checked directory: every name in it refers to something that exists.
#[derive(Debug, Clone)]
pub struct Directory {
    revision: u32,
    published_at: DateTime<Utc>,
    document: DirectoryDocument,
    calendars: BTreeMap<CalendarId, Calendar>,
    // The people of the document, as decisions look them up.
    people: FxHashMap<PersonId, Person>,
    team_of: FxHashMap<PersonId, TeamId>,
}

impl Directory {
    /// Reads and checks a directory document.
    pub fn parse(yaml: &str) -> Result<Self, DocumentError> {
        Self::examine(&Document::read(yaml)?)
    }

    /// Takes and checks a directory from a document that was read.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn examine(document: &Document) -> Result<Self, DocumentError> {
        document.examine(|document| {
            let mut problems = Problems::default();
            addresses(&mut problems, &document);
            Self::checked(document, problems)
        })
    }

    /// Checks a directory document; all problems at once. Addresses are not looked at: one that was
    /// published before they were checked must still be read, and whoever sends looks at them.
    pub fn check(document: DirectoryDocument) -> Result<Self, DocumentError> {
        Self::checked(document, Problems::default())
    }

    fn checked(document: DirectoryDocument, mut problems: Problems) -> Result<Self, DocumentError> {
        let mut calendars = BTreeMap::from([(CalendarId::from(ALWAYS), Calendar::always())]);
        for (id, calendar) in &document.calendars {
            if id.as_str() == ALWAYS {
                problems.add(format!("calendars.{id}"), "`always` is built in; choose another name");
            }
            match Calendar::compile(calendar) {
                Ok(compiled) => _ = calendars.insert(id.clone(), compiled),
                Err(found) => {
                    for problem in found {
                        problems.add(format!("calendars.{id}.{}", problem.path), problem.problem);
                    }
                }
            }
        }
        let person = |problems: &mut Problems, path: String, id: &PersonId| {
            if !document.people.contains_key(id) {
                problems.unknown(path, "person", id.as_str(), document.people.keys().map(PersonId::as_str));
            }
        };
        let calendar = |problems: &mut Problems, path: String, id: &CalendarId| {
            if id.as_str() != ALWAYS && !document.calendars.contains_key(id) {
                let known = document.calendars.keys().map(CalendarId::as_str).chain([ALWAYS]);
                problems.unknown(path, "calendar", id.as_str(), known);
            }
        };
        for (id, market) in &document.markets {
            let at = format!("markets.{id}");
            calendar(&mut problems, format!("{at}.calendar"), &market.calendar);
            if !document.teams.contains_key(&market.team) {
                problems.unknown(
                    format!("{at}.team"),
                    "team",
                    market.team.as_str(),
                    document.teams.keys().map(TeamId::as_str),
                );
            }
            if let Some(vp) = &market.regional_vp {
                person(&mut problems, format!("{at}.regional_vp"), vp);
            }
            countries(&mut problems, &format!("{at}.licensed_for"), &market.licensed_for);
        }
        let mut team_of = FxHashMap::default();
        for (id, team) in &document.teams {
            let at = format!("teams.{id}");
            person(&mut problems, format!("{at}.manager"), &team.manager);
            for (rep_id, rep) in &team.reps {
                let at = format!("{at}.reps.{rep_id}");
                person(&mut problems, at.clone(), rep_id);
                if let Some(licences) = &rep.licensed_for {
                    countries(&mut problems, &format!("{at}.licensed_for"), licences);
                }
                if let Some(other) = team_of.insert(rep_id.clone(), id.clone()) {
                    problems.add(
                        at,
                        format!("`{rep_id}` is already on team `{other}`; keep each rep on one team"),
                    );
                }
            }
        }
        for (name, desk) in [("compliance", &document.compliance), ("operations", &document.operations)] {
            if let Some(id) = &desk.calendar {
                calendar(&mut problems, format!("{name}.calendar"), id);
            }
        }
        let mut emails = BTreeMap::new();
        for (id, someone) in &document.people {
            let at = format!("people.{id}");
            if !someone.email.contains('@') {
                problems.add(format!("{at}.email"), format!("`{}` is not an email address", someone.email));
            }
            if let Some(other) = emails.insert(someone.email.to_lowercase(), id) {
                problems.add(
                    format!("{at}.email"),
                    format!(
                        "`{}` is already the email address of `{other}`; give each person their own",
                        someone.email
                    ),
                );
            }
            if let Some(zone) = &someone.time_zone
                && let Err(expected) = time_zone(zone)
            {
                problems.add(format!("{at}.time_zone"), format!("`{zone}` is not {expected}"));
            }
            if let Some(quiet) = &someone.quiet_hours
                && quiet.from == quiet.to
            {
                problems.add(format!("{at}.quiet_hours.to"), whole_day(quiet.to));
            }
            match someone.notify.as_deref() {
                None | Some("slack" | "email") => {}
                Some(text) => {
                    let (kind, known, name) = match text.split_once(':') {
                        Some(("webhook", name)) => ("webhook", &document.webhooks, name),
                        Some(("teams", name)) => ("Teams channel", &document.teams_channels, name),
                        _ => {
                            let right = "write `slack`, `email`, `teams:<name>`, or `webhook:<name>`";
                            problems
                                .add(format!("{at}.notify"), format!("`{text}` is not a channel; {right}"));
                            continue;
                        }
                    };
                    if !known.contains_key(name) {
                        let names = known.keys().map(String::as_str);
                        problems.unknown(format!("{at}.notify"), kind, name, names);
                    }
                }
            }
        }
        for (name, rights) in &document.sources {
            let at = format!("sources.{name}");
            for id in rights.markets.iter().flatten() {
                if !document.markets.contains_key(id) {
                    let known = document.markets.keys().map(MarketId::as_str);
                    problems.unknown(format!("{at}.markets"), "market", id.as_str(), known);
                }
            }
            for field in rights.fields.iter().flatten() {
                if !source_rights::FIELDS.contains(&field.as_str()) {
                    problems.unknown(format!("{at}.fields"), "field", field, source_rights::FIELDS);
                }
            }
        }
        let (revision, published_at) = (0, DateTime::UNIX_EPOCH);
        let people = document.people.iter().map(|(id, person)| (id.clone(), person.clone())).collect();
        problems.into_result(Self { revision, published_at, document, calendars, people, team_of })
    }

    /// The same, as a revision that was published.
    #[must_use]
    pub fn published(self, revision: u32, published_at: DateTime<Utc>) -> Self {
        Self { revision, published_at, ..self }
    }

    /// Counts publications, from 1; 0 of one that was not published.
    pub fn revision(&self) -> u32 {
        self.revision
    }

    /// When it was published.
    pub fn published_at(&self) -> DateTime<Utc> {
        self.published_at
    }

    /// The document it was read from.
    pub fn document(&self) -> &DirectoryDocument {
        &self.document
    }

    /// A market, if the directory has it.
    pub fn market(&self, id: &MarketId) -> Option<&Market> {
        self.document.markets.get(id)
    }

    /// A team, if the directory has it.
    pub fn team(&self, id: &TeamId) -> Option<&Team> {
        self.document.teams.get(id)
    }

    /// The team a rep is in.
    pub fn team_of(&self, rep: &PersonId) -> Option<&TeamId> {
        self.team_of.get(rep)
    }

    /// A rep's place in their team.
    pub fn rep(&self, id: &PersonId) -> Option<&Rep> {
        self.team(self.team_of(id)?)?.reps.get(id)
    }

    /// A person, if the directory has them.
    pub fn person(&self, id: &PersonId) -> Option<&Person> {
        self.people.get(id)
    }

    /// Who signs in with this e-mail address.
    pub fn person_by_email(&self, email: &str) -> Option<&PersonId> {
        self.document.people.iter().find(|(_, p)| p.email.eq_ignore_ascii_case(email)).map(|(id, _)| id)
    }

    /// A calendar by name.
    pub fn calendar(&self, id: &CalendarId) -> Option<&Calendar> {
        self.calendars.get(id)
    }

    /// What a source may write; `None`: everything.
    pub fn rights_of(&self, source: &str) -> Option<&SourceRights> {
        self.document.sources.get(source)
    }

    /// The addresses in it that lead to this machine or a private network, each by its path.
    pub fn private_addresses(&self) -> Vec<String> {
        let is_private = |url: &str| address::read(url).is_ok_and(|(_, reach)| reach == Reach::Private);
        places(&self.document).filter(|(_, url)| is_private(url)).map(|(path, _)| path).collect()
    }

    /// The names of its calendars, `always` among them.
    pub fn calendar_names(&self) -> impl Iterator<Item = &str> {
        self.calendars.keys().map(CalendarId::as_str)
    }
}

/// Every web address in a directory, with its path.
fn places(document: &DirectoryDocument) -> impl Iterator<Item = (String, &str)> {
    let of = |section: &'static str, all| {
        let all: &BTreeMap<String, String> = all;
        all.iter().map(move |(name, url)| (format!("{section}.{name}"), url.as_str()))
    };
    of("webhooks", &document.webhooks).chain(of("teams_channels", &document.teams_channels))
}

fn addresses(problems: &mut Problems, document: &DirectoryDocument) {
    for (path, url) in places(document) {
        if let Err(wrong) = address::read(url) {
            problems.add(path, format!("`{url}` {wrong}"));
        }
    }
}

fn countries(problems: &mut Problems, at: &str, list: &BTreeSet<Country>) {
    for country in list {
        if !is_country(country.as_str()) {
            problems
                .add(at, format!("`{country}` is not a country code; write two capital letters, e.g. `US`"));
        }
    }
}

/// Whether a text has the shape of an ISO 3166-1 alpha-2 code.
pub fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase())
}
