//! A replay: what one policy makes of what really happened. It keeps only what is not as in history,
//! so that a policy that changes little costs little.

use super::kept::{Apart, History, LeadInPlay};
use super::shelf::Shelf;
use super::standings::Standings;
use crate::replay::{ReplayError, Replayed};
use chrono::{DateTime, Utc};
use policy::directory::Directory;
use policy::ids::{AccountId, LeadId, Subject};
use policy::{InForce, PublishedPolicy, Rulebook};
use rules::aggregate::Decision;
use rules::ask;
use rules::entry::Entry;
use rules::lead::{Command, Lead, LeadFact};
use rules::outcome::Outcome;
use rules::record::{CommitRecord, Saw};
use rules::rep::{LoadChange, load_changes};
use rules::roster::Roster;
use rules::world::{Learned, Missing, Past, World};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::accounts::AccountInPlay;

/// A replay.
pub(super) struct Play {
    pub(super) revisions: Arc<Past>,
    /// The policy, in force from the first record on.
    pub(super) policy: Arc<PublishedPolicy>,
    directory: Option<Arc<Directory>>,
    /// The rules that it was last decided by.
    rules: Option<Arc<Rulebook>>,
    /// The directory that the record is at.
    pub(super) current_directory: u32,
    pub(super) leads: Shelf<LeadInPlay>,
    pub(super) accounts: HashMap<AccountId, AccountInPlay>,
    /// The leads of accounts.
    pub(super) leads_of: BTreeMap<AccountId, BTreeSet<LeadId>>,
    pub(super) standings: Standings,
    /// What the replay looks at by itself.
    pub(super) due: BTreeSet<(DateTime<Utc>, Subject)>,
    /// Decisions of people that made no sense in the replay, by what was decided.
    pub(super) not_applied: BTreeMap<String, u64>,
}

/// A recorded commit of a lead, with what history made of it.
pub(super) struct LeadCommit<'c> {
    pub id: &'c LeadId,
    pub record: &'c CommitRecord,
    pub saw: &'c Saw,
    pub command: Option<&'c Command>,
    pub was: Option<&'c Lead>,
    pub was_wake: Option<DateTime<Utc>>,
    pub is: &'c Replayed<Lead, LeadFact>,
    /// The directory that it was decided under.
    pub directory: Option<&'c Directory>,
    pub load_changes: &'c [LoadChange],
}

/// What a replay made of a lead.
#[expect(clippy::large_enum_variant, reason = "one is made at a time, and taken apart at once")]
pub(super) enum Made {
    /// The same as history.
    AsInHistory,
    /// Something of its own.
    Own { was: Option<Lead>, is: Option<Lead>, entries: Vec<Entry<LeadFact>> },
}

impl Play {
    /// A replay with nothing replayed.
    pub fn new(revisions: Arc<Past>, policy: PublishedPolicy, directory: Option<Arc<Directory>>) -> Self {
        Self {
            revisions,
            policy: Arc::new(policy),
            directory,
            rules: None,
            current_directory: 0,
            leads: Shelf::default(),
            accounts: HashMap::new(),
            leads_of: BTreeMap::new(),
            standings: Standings::default(),
            due: BTreeSet::new(),
            not_applied: BTreeMap::new(),
        }
    }

    /// When the replay looks at something by itself next.
    pub fn next_due(&self) -> Option<&(DateTime<Utc>, Subject)> {
        self.due.first()
    }

    /// Whether a lead went its own way.
    pub fn is_apart(&self, id: &LeadId) -> bool {
        self.leads.get(id).is_some_and(|kept| kept.apart.is_some())
    }

    /// The directory as it is now.
    pub fn directory(&self) -> Option<Arc<Directory>> {
        let published = || self.revisions.directories.get(&self.current_directory);
        self.directory.as_ref().or_else(published).cloned()
    }

    /// The revisions of the replay for a lead that was decided on under these of the record.
    pub(super) fn in_force(&self, recorded: InForce) -> InForce {
        let directory = self.directory.as_ref().map_or(recorded.directory, |d| d.revision());
        InForce { policy: self.policy.revision, directory }
    }

    pub(super) fn arm(&mut self, subject: Subject, was: Option<DateTime<Utc>>, is: Option<DateTime<Utc>>) {
        if let Some(was) = was.filter(|_| was != is) {
            self.due.remove(&(was, subject.clone()));
        }
        if let Some(is) = is {
            self.due.insert((is, subject));
        }
    }

    pub(super) fn could_not_apply(&mut self, what: &str) {
        *self.not_applied.entry(what.to_owned()).or_default() += 1;
    }

    /// Lets the teams and the accounts know what became of a lead.
    pub(super) fn note_lead(
        &mut self,
        id: &LeadId,
        was: Option<&Lead>,
        is: Option<&Lead>,
        entries: &[Entry<LeadFact>],
    ) {
        let Some(is) = is else { return };
        if let Some(directory) = self.directory() {
            self.standings.change_replayed(&directory, &load_changes(was, is, entries));
        }
        let account = |lead: Option<&Lead>| lead.and_then(|lead| lead.profile.account_id.clone());
        let (from, to) = (account(was), account(Some(is)));
        if from != to {
            if let Some(leads) = from.and_then(|from| self.leads_of.get_mut(&from)) {
                leads.remove(id);
            }
            if let Some(to) = to {
                self.leads_of.entry(to).or_default().insert(id.clone());
            }
        }
    }

    /// Decides under the policy that is tried. `None` if the record names no directory yet, or a
    /// revision that it lacks; then nothing could have been decided.
    pub(super) fn decide(
        &mut self,
        history: &History,
        lead: Option<&Lead>,
        command: &Command,
        saw: &Saw,
        now: DateTime<Utc>,
    ) -> Option<Decision<Lead>> {
        let mut world = self.world()?;
        world.rosters = self.standings.lend_replayed();
        let mut unseen = Vec::new();
        let decision = ask::decide_at_once(lead, &mut world, command, now, |missing| match missing {
            Missing::Team(team) => {
                unseen.push(team.clone());
                Ok(Learned::Team(team, Roster::default()))
            }
            Missing::Account(id) => {
                let view = self.account_view(history, &id, saw);
                Ok(Learned::Account(id, view))
            }
            missing => Err(missing),
        });
        for team in unseen {
            world.rosters.remove(&team);
        }
        self.standings.take_back(world.rosters);
        decision.ok()
    }

    /// What the replay knows, without teams and accounts; `None` if the record names no directory yet.
    pub(super) fn world(&mut self) -> Option<World> {
        let directory = self.directory()?;
        let in_force = InForce { policy: self.policy.revision, directory: directory.revision() };
        let rules = match self.rules.take().filter(|rules| rules.in_force() == in_force) {
            Some(rules) => rules,
            None => Arc::new(Rulebook::new(Arc::clone(&self.policy), directory)),
        };
        self.rules = Some(Arc::clone(&rules));
        Some(World { past: Arc::clone(&self.revisions), ..World::new(rules) })
    }

    /// A lead as the replay has it, out of what was kept of it.
    pub(super) fn lead(
        &self,
        id: &LeadId,
        kept: &LeadInPlay,
        recorded: Option<Lead>,
    ) -> Result<Option<Lead>, ReplayError> {
        Ok(match kept.own(id)? {
            Some(own) => own,
            None => recorded.map(|lead| {
                let in_force = self.in_force(lead.in_force);
                super::kept::under(lead, in_force)
            }),
        })
    }

    pub(super) fn note_not_applied(
        &mut self,
        command: &Command,
        recorded: Option<&Outcome>,
        replayed: &Outcome,
    ) {
        use rules::lead::Input;
        let what = match &command.input {
            Input::Decide(_) => "compliance decisions",
            Input::Reopen(_) => "requests to reopen a review",
            Input::Resolve(_) => "resolutions of operations",
            Input::Erase(_) => "erasures of personal data",
            _ => return,
        };
        if recorded == Some(&Outcome::Applied) && *replayed != Outcome::Applied {
            self.could_not_apply(what);
        }
    }
}

/// What was asked to be told of a lead that went its own way, for deliveries to come.
pub(super) fn note_asked(apart: &mut Apart, in_history: &[Entry<LeadFact>], in_play: &[Entry<LeadFact>]) {
    apart.asked_in_history(super::leads::asked(in_history));
    apart.asked_in_play(super::leads::asked(in_play));
}
