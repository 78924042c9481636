//! The record of a commit: what it answered, what the decision saw, and what came of it. With the
//! same lead, the same revisions, the same input, what was seen and the same instant, [`decide`]
//! comes to the same entries again; that is what a replay rests on.
//!
//! What is personal in an input stands apart from it, in one place (`personal`), as it does in a
//! fact and in a lead. In a store its texts are sealed before the rules see them; to the rules a
//! sealed text is a text like any other.
//!
//! [`decide`]: crate::aggregate::Aggregate::decide

use crate::account_view::AccountView;
use crate::aggregate::Consulted;
use crate::entry::{Actor, Entry};
use crate::recordable::{PersonalInput, Recordable};
use crate::roster::{Availability, Roster, Standing};
use crate::world::World;
use chrono::{DateTime, Utc};
use policy::ids::{AccountId, PersonId, Subject, TeamId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

/// What a commit answered and what its decision saw.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Recorded {
    /// Who brought the input. Entries of timers name the clock instead.
    pub actor: Actor,
    /// The input: a [`RecordedInput`] of a lead, an account or a rep.
    pub input: Box<RawValue>,
    /// The teams and accounts that the decision looked at, as they were seen.
    #[serde(default, skip_serializing_if = "Saw::is_empty")]
    pub saw: Saw,
    /// The policy that was current.
    pub policy_revision: u32,
    /// The directory that was current.
    pub directory_revision: u32,
}

/// An input as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedInput<I> {
    /// What was asked, without what is personal in it.
    pub asked: I,
    /// What is personal in it.
    #[serde(default, skip_serializing_if = "PersonalInput::is_empty")]
    pub personal: PersonalInput,
}

impl<I: Recordable> RecordedInput<I> {
    /// An input, to be recorded.
    pub fn of(input: &I) -> Self {
        let mut asked = input.clone();
        let personal = asked.set_apart();
        Self { asked, personal }
    }

    /// The input as it was.
    pub fn into_input(self) -> I {
        let Self { mut asked, personal } = self;
        asked.put_back(personal);
        asked
    }
}

impl Recorded {
    /// What a decision answered and saw.
    ///
    /// # Errors
    /// None in practice: every input can be written as JSON.
    pub fn of<I: Recordable>(
        actor: &Actor,
        input: &I,
        consulted: &Consulted,
        world: &World,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            actor: actor.clone(),
            input: to_raw_value(&RecordedInput::of(input))?,
            saw: Saw::of(consulted, world),
            policy_revision: world.in_force().policy,
            directory_revision: world.in_force().directory,
        })
    }

    /// The input as it was.
    ///
    /// # Errors
    /// If it is not an input of this kind of subject.
    pub fn input<I: Recordable>(&self) -> Result<I, serde_json::Error> {
        Ok(serde_json::from_str::<RecordedInput<I>>(self.input.get())?.into_input())
    }
}

/// The teams and accounts that a decision looked at, as they were seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Saw {
    /// How teams stood; a rep who is not here carried nothing and was never given a lead.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub teams: BTreeMap<TeamId, BTreeMap<PersonId, SeenStanding>>,
    /// What leads were to know of accounts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<AccountId, AccountView>,
}

/// How a rep stood, as far as routing looks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SeenStanding {
    /// Open leads that they carried.
    pub load: u32,
    /// When they were last given a lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_assigned_at: Option<DateTime<Utc>>,
    /// What they said of their availability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<Availability>,
    /// Since when they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_at: Option<DateTime<Utc>>,
}

impl SeenStanding {
    fn of(standing: &Standing) -> Self {
        let Standing { load, last_assigned_at, availability, said_at, .. } = standing.clone();
        Self { load, last_assigned_at, availability, said_at }
    }

    /// As routing takes it.
    pub fn to_standing(&self) -> Standing {
        let Self { load, last_assigned_at, availability, said_at } = self.clone();
        Standing { load, last_assigned_at, availability, said_at, ..Standing::default() }
    }
}

impl Saw {
    /// What a decision looked at, out of the world it was taken in.
    pub fn of(consulted: &Consulted, world: &World) -> Self {
        let seen = |roster: &Roster| {
            let standings = roster.standings.iter().map(|(rep, s)| (rep.clone(), SeenStanding::of(s)));
            standings.filter(|(_, seen)| *seen != SeenStanding::default()).collect()
        };
        let teams = consulted.teams.iter();
        let accounts = consulted.accounts.iter();
        Self {
            teams: teams.filter_map(|id| Some((id.clone(), seen(world.rosters.get(id)?)))).collect(),
            accounts: accounts.filter_map(|id| Some((id.clone(), world.accounts.get(id)?.clone()))).collect(),
        }
    }

    /// Whether nothing was looked at.
    pub fn is_empty(&self) -> bool {
        self.teams.is_empty() && self.accounts.is_empty()
    }

    /// The teams as routing takes them.
    pub fn rosters(&self) -> BTreeMap<TeamId, Roster> {
        let roster = |seen: &BTreeMap<PersonId, SeenStanding>| Roster {
            standings: seen.iter().map(|(rep, s)| (rep.clone(), s.to_standing())).collect(),
        };
        self.teams.iter().map(|(team, seen)| (team.clone(), roster(seen))).collect()
    }
}

/// A commit with all that is known of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CommitRecord {
    /// Whose history it belongs to.
    pub subject: Subject,
    /// Its place there, from 1, without gaps.
    pub commit: u64,
    /// The identity of the input that it answers.
    pub cause: String,
    /// When its last entry took effect.
    pub at: DateTime<Utc>,
    /// When it was decided, by the clock on the wall.
    pub recorded_at: DateTime<Utc>,
    /// What it answered; absent in commits of before inputs were recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Recorded>,
    /// The entries, a JSON array as it was written.
    pub entries: Box<RawValue>,
}

impl CommitRecord {
    /// The record of a commit; `None` if there are no entries, since then nothing is recorded.
    ///
    /// # Errors
    /// None in practice: every fact can be written as JSON.
    pub fn of<F: Serialize>(
        entries: &[Entry<F>],
        recorded: Recorded,
        recorded_at: DateTime<Utc>,
    ) -> Result<Option<Self>, serde_json::Error> {
        let Some(last) = entries.last() else { return Ok(None) };
        Ok(Some(Self {
            subject: last.subject.clone(),
            commit: last.commit,
            cause: last.cause.clone(),
            at: last.at,
            recorded_at,
            recorded: Some(recorded),
            entries: to_raw_value(entries)?,
        }))
    }

    /// The entries.
    ///
    /// # Errors
    /// If they are not entries of this kind of subject.
    pub fn entries<F: DeserializeOwned>(&self) -> Result<Vec<Entry<F>>, serde_json::Error> {
        serde_json::from_str(self.entries.get())
    }
}

/// The version of the export format that this crate writes and reads.
pub const FORMAT_VERSION: u32 = 2;

/// The first line of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT_VERSION`]
    pub format_version: u32,
    /// What it was exported from.
    pub deployment: String,
    /// The table of leads, accounts and published revisions.
    pub leads_table: String,
    /// The table of the audit.
    pub audit_table: String,
    /// When.
    pub exported_at: DateTime<Utc>,
}

/// A line of an export with a published policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PolicyLine {
    /// The whole of it: a [`PublishedPolicy`](policy::PublishedPolicy), in the text that was stored.
    pub policy: Box<RawValue>,
}

/// A line of an export with a published directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DirectoryLine {
    /// Counts publications, from 1.
    pub revision: u32,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// The whole document: a [`DirectoryDocument`](policy::directory::DirectoryDocument), in the text that was stored.
    pub directory: Box<RawValue>,
}

/// The last line of an export: without it, or with other counts, something is missing, and with
/// another hash something was changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct End {
    /// How many policies there were.
    pub policies: u64,
    /// How many directories.
    pub directories: u64,
    /// How many commits.
    pub commits: u64,
    /// The SHA-256 of every line before this one.
    pub sha256: String,
}
