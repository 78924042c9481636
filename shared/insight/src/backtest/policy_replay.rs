//! The replay of the recorded history under one policy. It stores only what differs from history, so a
//! policy that changes little costs little.

use super::history::History;
use super::lead_store::LeadStore;
use super::overlay::{AccountOverlay, LeadOverlay, under};
use super::standings::Standings;
use crate::replay::ReplayError;
use chrono::{DateTime, Utc};
use policy::directory::Directory;
use policy::ids::{AccountId, LeadId, Subject};
use policy::{InForce, PublishedPolicy, Rulebook};
use rules::account::Account;
use rules::account_view::AccountView;
use rules::aggregate::Decision;
use rules::ask;
use rules::entry::Entry;
use rules::lead::{Command, Input, Lead, LeadFact};
use rules::outcome::Outcome;
use rules::record::Saw;
use rules::rep::load_changes;
use rules::roster::Roster;
use rules::world::{Learned, Missing, Past, World};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The replay of the history under one policy.
pub(super) struct PolicyReplay {
    pub(super) revisions: Arc<Past>,
    /// The policy, in force from the first record on.
    pub(super) policy: Arc<PublishedPolicy>,
    directory: Option<Arc<Directory>>,
    /// The rules of the latest decision.
    rules: Option<Arc<Rulebook>>,
    /// The directory revision that the record has reached.
    pub(super) current_directory: u32,
    pub(super) leads: LeadStore<LeadOverlay>,
    pub(super) accounts: HashMap<AccountId, AccountOverlay>,
    /// The leads of each account.
    pub(super) leads_of: BTreeMap<AccountId, BTreeSet<LeadId>>,
    pub(super) standings: Standings,
    /// The replay's own timers.
    pub(super) due: BTreeSet<(DateTime<Utc>, Subject)>,
    /// Decisions of people that did not apply in the replay, by kind.
    pub(super) not_applied: BTreeMap<String, u64>,
}

impl PolicyReplay {
    /// A replay that starts with nothing.
    pub fn new(revisions: Arc<Past>, policy: PublishedPolicy, directory: Option<Arc<Directory>>) -> Self {
        Self {
            revisions,
            policy: Arc::new(policy),
            directory,
            rules: None,
            current_directory: 0,
            leads: LeadStore::default(),
            accounts: HashMap::new(),
            leads_of: BTreeMap::new(),
            standings: Standings::default(),
            due: BTreeSet::new(),
            not_applied: BTreeMap::new(),
        }
    }

    /// The replay's next own timer.
    pub fn next_due(&self) -> Option<&(DateTime<Utc>, Subject)> {
        self.due.first()
    }

    /// Whether a lead has diverged from history.
    pub fn has_diverged(&self, id: &LeadId) -> bool {
        self.leads.get(id).is_some_and(|overlay| overlay.diverged.is_some())
    }

    /// The directory in force now.
    pub fn directory(&self) -> Option<Arc<Directory>> {
        let published = || self.revisions.directories.get(&self.current_directory);
        self.directory.as_ref().or_else(published).cloned()
    }

    /// The revisions in the replay for a lead that was decided under `recorded`.
    pub(super) fn in_force(&self, recorded: InForce) -> InForce {
        let directory = self.directory.as_ref().map_or(recorded.directory, |d| d.revision());
        InForce { policy: self.policy.revision, directory }
    }

    /// Moves the own timer of a subject.
    pub(super) fn set_timer(
        &mut self,
        subject: Subject,
        was: Option<DateTime<Utc>>,
        is: Option<DateTime<Utc>>,
    ) {
        if let Some(was) = was.filter(|_| was != is) {
            self.due.remove(&(was, subject.clone()));
        }
        if let Some(is) = is {
            self.due.insert((is, subject));
        }
    }

    pub(super) fn count_not_applied(&mut self, what: &str) {
        *self.not_applied.entry(what.to_owned()).or_default() += 1;
    }

    /// Updates the teams and the accounts after a change of a lead.
    pub(super) fn track_lead(
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

    /// Decides under the policy of the replay. `None` if the record has no directory yet, or lacks a revision;
    /// then no decision was possible.
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
        let mut assumed = Vec::new();
        let decision = ask::decide_at_once(lead, &mut world, command, now, |missing| match missing {
            Missing::Team(team) => {
                assumed.push(team.clone());
                Ok(Learned::Team(team, Roster::default()))
            }
            Missing::Account(id) => {
                let view = self.account_view(history, &id, saw);
                Ok(Learned::Account(id, view))
            }
            missing => Err(missing),
        });
        for team in assumed {
            world.rosters.remove(&team);
        }
        self.standings.take_back(world.rosters);
        decision.ok()
    }

    /// What leads in the replay know about an account.
    pub(super) fn account_view(&self, history: &History, id: &AccountId, saw: &Saw) -> AccountView {
        let diverged = self.accounts.get(id).and_then(|overlay| overlay.diverged.as_ref());
        if let Some(account) = diverged {
            return account.as_ref().map_or_else(AccountView::default, Account::view);
        }
        let seen = saw.accounts.get(id).cloned();
        seen.unwrap_or_else(|| history.account(id).map_or_else(AccountView::default, Account::view))
    }

    /// The world of the replay, without teams and accounts. `None` if the record has no directory yet.
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

    /// A lead in the replay: the diverged one, or the recorded one.
    pub(super) fn lead(
        &self,
        id: &LeadId,
        overlay: &LeadOverlay,
        recorded: Option<Lead>,
    ) -> Result<Option<Lead>, ReplayError> {
        Ok(match overlay.lead(id)? {
            Some(lead) => lead,
            None => recorded.map(|lead| {
                let in_force = self.in_force(lead.in_force);
                under(lead, in_force)
            }),
        })
    }

    /// Counts a decision of a person that applied in history and does not apply in the replay.
    pub(super) fn check_applied(
        &mut self,
        command: &Command,
        recorded: Option<&Outcome>,
        replayed: &Outcome,
    ) {
        let what = match &command.input {
            Input::Decide(_) => "compliance decisions",
            Input::Reopen(_) => "requests to reopen a review",
            Input::Resolve(_) => "resolutions of operations",
            Input::Erase(_) => "erasures of personal data",
            _ => return,
        };
        if recorded == Some(&Outcome::Applied) && *replayed != Outcome::Applied {
            self.count_not_applied(what);
        }
    }
}
