//! From a command to what is written: load, decide, commit, and again if a race was lost.

use crate::aggregate::{Aggregate, Decided, Done, DueKey, Standing};
use crate::audit::head_of;
use crate::commit::{Part, Planned, Tried};
use crate::due::due_key_of;
use crate::error::StoreError;
use crate::item::{Item, get_document};
use crate::keys::{Key, instant};
use crate::publish::{DIRECTORY, POLICY};
use crate::rep::roster_of;
use crate::request::{ATTEMPTS_MAX, Found, pause};
use crate::seen::{Asked, Compared};
use crate::transaction::Ended;
use crate::{Store, seen};
use chrono::{DateTime, Utc};
use policy::PublishedPolicy;
use policy::directory::Directory;
use policy::ids::{AccountId, PersonId, TeamId};
use rules::account::Account;
use rules::account_view::AccountView;
use rules::outcome::Outcome;
use rules::reuse::Reuse;
use rules::roster::Roster;
use rules::world::{Need, Past, World};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A decision asks for no more than this: a few teams and accounts, and the revisions that were
/// published since the lead was last decided on.
const NEEDS_MAX: usize = 48;

/// What decisions have asked for so far; read at once the next time.
#[derive(Debug, Default)]
struct Needed {
    /// Teams, with all who were in them by any directory that was known.
    teams: BTreeMap<TeamId, BTreeSet<PersonId>>,
    accounts: BTreeSet<AccountId>,
}

impl Needed {
    /// Whether everybody in a team by a directory was asked for.
    fn has_all(&self, team: &TeamId, directory: &Directory) -> bool {
        let is_asked = |rep| self.teams.get(team).is_some_and(|reps| reps.contains(rep));
        directory.team(team).is_none_or(|team| team.reps.keys().all(is_asked))
    }
}

/// What a decision may know, owned.
#[derive(Debug)]
pub(crate) struct Knowledge {
    pub policy: Arc<PublishedPolicy>,
    pub directory: Arc<Directory>,
    pub rosters: BTreeMap<TeamId, Roster>,
    pub accounts: BTreeMap<AccountId, AccountView>,
    /// The versions of the accounts that were read; 0: there is none.
    pub account_versions: BTreeMap<AccountId, u64>,
    /// Revisions that were in force before, as far as a decision asked for them.
    pub past: Past,
}

impl Knowledge {
    pub fn world(&self) -> World<'_> {
        World {
            policy: &self.policy,
            directory: &self.directory,
            rosters: &self.rosters,
            accounts: &self.accounts,
            past: &self.past,
        }
    }

    fn learn_account(&mut self, id: AccountId, item: Option<&Item>) -> Result<(), StoreError> {
        let account: Option<Account> = item.map(get_document).transpose()?;
        self.account_versions.insert(id.clone(), account.as_ref().map_or(0, |a| a.commit));
        self.accounts.insert(id, account.map_or_else(AccountView::default, |a| a.view()));
        Ok(())
    }
}

/// What became of a command, before anything is made of a used id.
enum Ran<A: Aggregate> {
    Done(Done<A>),
    /// Its id was used for something else; nothing was written.
    Reused {
        reuse: Reuse,
        /// What tells this content from any other.
        content: String,
        before: Option<Standing<A>>,
    },
}

impl Store {
    /// Decides on a command and commits what follows. One whose id was used for something else is
    /// refused; the refusal is recorded, once for each other content.
    pub(crate) async fn run<A: Aggregate>(
        &self,
        command: &A::Command,
        dedupe: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Done<A>, StoreError> {
        let (reuse, mut content, before) = match self.try_to_run(command, dedupe, now).await? {
            Ran::Done(done) => return Ok(done),
            Ran::Reused { reuse, content, before } => (reuse, content, before),
        };
        let outcome = A::reused(command, reuse);
        if let (Some(refusal), Some(dedupe)) = (A::refusal(command, reuse), dedupe) {
            // One id may come with the same content for several subjects.
            let mut key = format!("{dedupe}#other/{}", A::subject(command));
            // Contents that differ in what is personal alone are told apart once that is sealed.
            for _ in 0..2 {
                key = format!("{key}/{content}");
                match self.try_to_run(&refusal, Some(&key), now).await? {
                    Ran::Done(done) => return Ok(Done { outcome, duplicate: false, ..done }),
                    Ran::Reused { content: sealed, .. } => content = sealed,
                }
            }
        }
        Ok(unwritten(outcome, false, before))
    }

    async fn try_to_run<A: Aggregate>(
        &self,
        command: &A::Command,
        dedupe: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Ran<A>, StoreError> {
        let subject = A::subject(command);
        let mut content = Asked::plain(A::asked(command)?);
        let mut asked = Needed::default();
        let mut tried: Vec<Tried<A>> = Vec::new();
        let mut at_zero: BTreeSet<PersonId> = BTreeSet::new();
        let mut unknown = None;
        let mut new_key = None;
        for attempt in 0..ATTEMPTS_MAX {
            pause(attempt).await;
            let found = self.load::<A>(command, dedupe, &asked, &tried).await?;
            if let Some(done) = settle(&found, &mut tried) {
                return Ok(Ran::Done(done));
            }
            let before = standing::<A>(found.get(&A::key(command)))?;
            let seen = dedupe.and_then(|dedupe| found.get(&Key::seen(dedupe)));
            let compared = seen.map(|item| seen::compare(item, &subject, &content.plain)).transpose()?;
            if let Some(Compared::Reused(reuse)) = compared {
                return Ok(Ran::Reused { reuse, content: content.name(), before });
            }
            // What is personal has to be sealed to be held against what was.
            let compares_personal = compared == Some(Compared::Same { personal: true })
                && (A::is_personal(command) || seen.and_then(seen::personal_of).is_some())
                && !before.as_ref().is_some_and(|before| before.state.erased());
            if let Some(item) = seen.filter(|_| !compares_personal) {
                return Ok(Ran::Done(unwritten(seen::outcome_of(item)?, true, before)));
            }
            // The outbox item goes with the delivery: where it is gone, the delivery is recorded.
            if A::delivered(command).is_some_and(|delivery| found.get(&Key::outbox(&delivery.id)).is_none()) {
                return Ok(Ran::Done(unwritten(Outcome::Applied, true, before)));
            }
            let sealed = self.sealed::<A>(command, before.as_ref(), &found, &mut new_key).await?;
            let (command, new_key) = (&*sealed.command, sealed.new_key);
            content.personal = A::asked_personal(command)?;
            if let Some(item) = seen {
                if seen::personal_of(item) == content.personal.as_deref() {
                    return Ok(Ran::Done(unwritten(seen::outcome_of(item)?, true, before)));
                }
                let reuse = Reuse::OtherContent;
                return Ok(Ran::Reused { reuse, content: content.name(), before });
            }
            let mut knowledge = self.knowledge(&found).await?;
            for (team, reps) in &asked.teams {
                // Who came since is asked for with their team.
                if asked.has_all(team, &knowledge.directory) {
                    knowledge.rosters.insert(team.clone(), roster_of(&found, reps)?);
                }
            }
            for id in A::names_account(command).into_iter().chain(&asked.accounts) {
                knowledge.learn_account(id.clone(), found.get(&Key::account(id)))?;
            }
            let decided = self
                .decide::<A>(before.as_ref().map(|b| &b.state), &mut knowledge, command, now, &mut asked)
                .await?;
            if decided.entries.is_empty() {
                // Its id is used all the same: a late repetition changes nothing either.
                if let Some(dedupe) = dedupe.filter(|_| seen::is_settled(&decided.outcome)) {
                    let version = before.as_ref().map_or(0, |before| before.state.version());
                    let mut item = seen::seen_item(dedupe, &subject, version, &content, now);
                    seen::put_outcome(&mut item, &decided.outcome)?;
                    if !self.remember(item).await? {
                        continue;
                    }
                }
                let Decided { outcome, after, wake_at, entries, .. } = decided;
                let stands = before.as_ref().and_then(|b| b.due.as_ref()).map(|due| instant(due.wake_at));
                // The key that stands is not where it belongs; nothing is written, so that it stays.
                let wake_moved = stands != wake_at.map(instant);
                return Ok(Ran::Done(Done {
                    outcome,
                    duplicate: false,
                    entries,
                    after,
                    notifications: Vec::new(),
                    wake_at,
                    wake_moved,
                    look_at: Vec::new(),
                }));
            }
            let before = before.as_ref();
            let planned =
                Planned { command, dedupe, asked: &content, now, before, new_key, at_zero: &at_zero };
            let (transaction, attempt) = self.plan(planned, &knowledge, decided)?;
            match transaction.commit(self).await {
                Ended::Done => return Ok(Ran::Done(attempt.into_done())),
                Ended::Lost(parts) => {
                    tracing::debug!(subject = %A::subject(command), ?parts, "lost a race; deciding again");
                    for part in parts {
                        match part {
                            Part::Less(rep) => _ = at_zero.insert(rep),
                            Part::LessAtZero(rep) => _ = at_zero.remove(&rep),
                            _ => {}
                        }
                    }
                    tried.push(attempt);
                }
                // An earlier try of the SDK's own, within this one, may have gone through.
                Ended::Busy => tried.push(attempt),
                Ended::Unknown(error) => {
                    tracing::warn!(subject = %A::subject(command), "a commit was not answered; looking it up");
                    unknown = Some(error);
                    tried.push(attempt);
                }
                Ended::Failed(error) => return Err(error),
            }
        }
        Err(unknown.unwrap_or(StoreError::Contention))
    }

    /// Reads the item, what the command names, the pointers, what decisions asked for, and whatever
    /// tells whether it was applied before: one request.
    async fn load<A: Aggregate>(
        &self,
        command: &A::Command,
        dedupe: Option<&str>,
        asked: &Needed,
        tried: &[Tried<A>],
    ) -> Result<Found, StoreError> {
        let accounts = A::names_account(command).into_iter().chain(&asked.accounts).map(Key::account);
        let leads = [A::key(command), Key::current(POLICY), Key::current(DIRECTORY)]
            .into_iter()
            .chain(accounts)
            .chain(asked.teams.values().flatten().map(Key::rep))
            .chain(dedupe.map(Key::seen))
            .chain(A::delivered(command).map(|delivery| Key::outbox(&delivery.id)));
        let audit = tried.iter().map(Tried::key);
        let data_key = A::is_personal(command).then(|| Key::data_key(&A::subject(command)));
        if data_key.is_some() {
            self.require_keys()?;
        }
        self.read(leads, audit, data_key).await
    }

    /// The published policy and directory that the pointers name.
    pub(crate) async fn knowledge(&self, found: &Found) -> Result<Knowledge, StoreError> {
        let (policy, directory) = futures::future::try_join(
            self.policy_of_pointer(found.get(&Key::current(POLICY))),
            self.directory_of_pointer(found.get(&Key::current(DIRECTORY))),
        )
        .await?;
        Ok(Knowledge {
            policy,
            directory,
            rosters: BTreeMap::new(),
            accounts: BTreeMap::new(),
            account_versions: BTreeMap::new(),
            past: Past::default(),
        })
    }

    /// Decides; reads what the decision lacks, and decides again.
    async fn decide<A: Aggregate>(
        &self,
        before: Option<&A>,
        knowledge: &mut Knowledge,
        command: &A::Command,
        now: DateTime<Utc>,
        asked: &mut Needed,
    ) -> Result<Decided<A>, StoreError> {
        for _ in 0..NEEDS_MAX {
            match A::decide(before, &knowledge.world(), command, now) {
                Ok(decided) => return Ok(decided),
                Err(Need::Team(team)) => {
                    let reps = asked.teams.entry(team.clone()).or_default();
                    reps.extend(knowledge.world().reps_of(&team).into_iter().cloned());
                    knowledge.rosters.insert(team, self.standings(&*reps).await?);
                }
                Err(Need::Account(id)) => {
                    let item = self.read_one(&Key::account(&id)).await?;
                    knowledge.learn_account(id.clone(), item.as_ref())?;
                    asked.accounts.insert(id);
                }
                Err(Need::Policy(revision)) => {
                    let policy = self.required_policy(revision).await?;
                    knowledge.past.policies.insert(revision, policy);
                }
                Err(Need::Directory(revision)) => {
                    let directory = self.directory(revision).await?;
                    // By this one there may be others in a team.
                    knowledge.rosters.retain(|team, _| asked.has_all(team, &directory));
                    knowledge.past.directories.insert(revision, directory);
                }
            }
        }
        Err(StoreError::corrupt(format!("what {} needs", A::subject(command))))
    }
}

/// The attempt that was written after all, if one was. One whose place in the audit somebody
/// else took never will be.
fn settle<A: Aggregate>(found: &Found, tried: &mut Vec<Tried<A>>) -> Option<Done<A>> {
    let wrote = |tried: &Tried<A>| found.get(&tried.key()).is_some_and(|item| tried.attempt.wrote(item));
    let ours = tried.iter().position(wrote);
    if let Some(ours) = ours {
        return Some(tried.swap_remove(ours).into_done());
    }
    tried.retain(|attempt| found.get(&attempt.key()).is_none());
    None
}

/// The answer where nothing is written.
fn unwritten<A: Aggregate>(outcome: Outcome, duplicate: bool, before: Option<Standing<A>>) -> Done<A> {
    let wake_at = before.as_ref().and_then(|b| b.due.as_ref()).map(|due: &DueKey| due.wake_at);
    Done {
        outcome,
        duplicate,
        entries: Vec::new(),
        after: before.map(|b| b.state),
        notifications: Vec::new(),
        wake_at,
        wake_moved: false,
        look_at: Vec::new(),
    }
}

/// Reads an item of a lead or an account.
pub(crate) fn standing<A: Aggregate>(item: Option<&Item>) -> Result<Option<Standing<A>>, StoreError> {
    item.map(|item| Ok(Standing { state: get_document(item)?, due: due_key_of(item)?, head: head_of(item)? }))
        .transpose()
}
