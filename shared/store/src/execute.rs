//! Takes a command to its commit: load, decide, commit, and start over after a lost race.

use crate::aggregate::{Committed, Loaded, Stored};
use crate::commit::{CommitContext, SentCommit};
use crate::due::{DueKey, due_key_of};
use crate::error::StoreError;
use crate::item::Item;
use crate::keys::{Key, instant};
use crate::knowledge::{Knowledge, Requirements};
use crate::read::Items;
use crate::request::{ATTEMPTS_MAX, pause};
use crate::revisions::{DIRECTORY, POLICY};
use crate::seen;
use crate::seen::{Comparison, ContentDigest};
use crate::standing::roster_of;
use crate::store::Store;
use crate::transaction::{TransactionOutcome, Write};
use chrono::{DateTime, Utc};
use policy::ids::PersonId;
use rules::aggregate::Decision;
use rules::ask::{Answer, Asking};
use rules::outcome::Outcome;
use rules::reuse::Reuse;
use rules::world::{Learned, Missing};
use std::collections::BTreeSet;

/// The result of a command, before a reused id is handled.
enum RunResult<A: Stored> {
    Committed(Committed<A>),
    /// The id was used for something else. Nothing was written.
    Reused {
        reuse: Reuse,
        /// Identifies this content.
        content: String,
        before: Option<Loaded<A>>,
    },
}

impl Store {
    /// Decides on a command and commits the result. If the id was used for something else, the command is
    /// refused; the refusal is recorded once for each other content.
    pub(crate) async fn run<A: Stored>(
        &self,
        command: &A::Command,
        dedupe: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Committed<A>, StoreError> {
        let (reuse, mut content, before) = match self.try_to_run(command, dedupe, now).await? {
            RunResult::Committed(done) => return Ok(done),
            RunResult::Reused { reuse, content, before } => (reuse, content, before),
        };
        let outcome = A::reused(command, reuse);
        if let (Some(refusal), Some(dedupe)) = (A::refusal(command, reuse), dedupe) {
            // The same id and content may come for several subjects.
            let mut key = format!("{dedupe}#other/{}", A::subject(command));
            // If only the personal data differs, the contents differ only once it is sealed.
            for _ in 0..2 {
                key = format!("{key}/{content}");
                match self.try_to_run(&refusal, Some(&key), now).await? {
                    RunResult::Committed(done) => return Ok(Committed { outcome, duplicate: false, ..done }),
                    RunResult::Reused { content: sealed, .. } => content = sealed,
                }
            }
        }
        Ok(unwritten(outcome, false, before))
    }

    async fn try_to_run<A: Stored>(
        &self,
        command: &A::Command,
        dedupe: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<RunResult<A>, StoreError> {
        let subject = A::subject(command);
        let mut content = ContentDigest::plain(A::content_digest(command)?);
        let mut asked = Requirements::default();
        let mut sent: Vec<SentCommit<A>> = Vec::new();
        let mut at_zero: BTreeSet<PersonId> = BTreeSet::new();
        let mut unknown = None;
        let mut new_key = None;
        for attempt in 0..ATTEMPTS_MAX {
            pause(attempt).await;
            let found = self.load::<A>(command, dedupe, &asked, &sent).await?;
            if let Some(done) = settle(&found, &mut sent) {
                return Ok(RunResult::Committed(done));
            }
            let before = loaded::<A>(found.get(&A::key(command)))?;
            let seen = dedupe.and_then(|dedupe| found.get(&Key::seen(dedupe)));
            let compared = seen.map(|item| seen::compare(item, &subject, &content.plain)).transpose()?;
            if let Some(Comparison::Reused(reuse)) = compared {
                return Ok(RunResult::Reused { reuse, content: content.name(), before });
            }
            // Personal data can be compared only in sealed form.
            let compares_personal = compared == Some(Comparison::Same { personal: true })
                && (A::is_personal(command) || seen.and_then(seen::personal_of).is_some())
                && !before.as_ref().is_some_and(|before| before.state.erased());
            if let Some(item) = seen.filter(|_| !compares_personal) {
                return Ok(RunResult::Committed(unwritten(seen::outcome_of(item)?, true, before)));
            }
            if A::is_outdated(command, before.as_ref().map(|before| &before.state)) {
                return Ok(RunResult::Committed(unwritten(Outcome::Unchanged, false, before)));
            }
            // The recorded delivery removed the outbox item: if it is gone, this delivery was recorded
            // before.
            if A::delivered(command).is_some_and(|delivery| found.get(&Key::outbox(&delivery.id)).is_none()) {
                return Ok(RunResult::Committed(unwritten(Outcome::Applied, true, before)));
            }
            let sealed = self.sealed::<A>(command, before.as_ref(), &found, &mut new_key).await?;
            let new_key = sealed.new_key;
            let completed = A::completed(&sealed.command, before.as_ref().map(|before| &before.state));
            let command = &*completed;
            content.personal = A::personal_digest(command)?;
            if let Some(item) = seen {
                if seen::personal_of(item) == content.personal.as_deref() {
                    return Ok(RunResult::Committed(unwritten(seen::outcome_of(item)?, true, before)));
                }
                let reuse = Reuse::OtherContent;
                return Ok(RunResult::Reused { reuse, content: content.name(), before });
            }
            let mut knowledge = self.knowledge(&found, &A::key(command)).await?;
            for (team, reps) in &asked.teams {
                // A rep who joined the team later is read together with the team.
                if asked.has_all(team, knowledge.world.rules.directory()) {
                    knowledge.world.learn(Learned::Team(team.clone(), roster_of(&found, reps)?));
                }
            }
            for id in A::names_account(command).into_iter().chain(&asked.accounts) {
                knowledge.learn_account(id.clone(), found.get(&Key::account(id)))?;
            }
            let decided = self
                .decide::<A>(before.as_ref().map(|b| &b.state), &mut knowledge, command, now, &mut asked)
                .await?;
            if decided.entries.is_empty() {
                // The id counts as used anyway, so that a late repetition changes nothing either.
                if let Some(dedupe) = dedupe.filter(|_| seen::is_settled(&decided.outcome)) {
                    let version = before.as_ref().map_or(0, |before| before.state.version());
                    let mut item = seen::seen_item(dedupe, &subject, version, &content, now);
                    seen::put_outcome(&mut item, &decided.outcome)?;
                    if !self.remember(item).await? {
                        continue;
                    }
                }
                let Decision { outcome, wake_at, entries, .. } = decided;
                let stands = before.as_ref().and_then(|b| b.due.as_ref()).map(|due| instant(due.wake_at));
                // Nothing is written, so the due key stays where it is, even if it is wrong.
                let wake_moved = stands != wake_at.map(instant);
                return Ok(RunResult::Committed(Committed {
                    outcome,
                    duplicate: false,
                    entries,
                    state: before.map(|before| before.state),
                    notifications: Vec::new(),
                    wake_at,
                    wake_moved,
                    reps_to_check: Vec::new(),
                }));
            }
            let before = before.as_ref();
            let planned =
                CommitContext { command, dedupe, asked: &content, now, before, new_key, at_zero: &at_zero };
            let (transaction, commit) = self.plan(planned, &knowledge, decided)?;
            match transaction.commit(self).await {
                TransactionOutcome::Committed => return Ok(RunResult::Committed(commit.into_committed())),
                TransactionOutcome::ConditionFailed(writes) => {
                    tracing::debug!(subject = %A::subject(command), ?writes, "lost a race; deciding again");
                    for write in writes {
                        match write {
                            Write::LoadDecrease(rep) => _ = at_zero.insert(rep),
                            Write::LoadDecreaseAtZero(rep) => _ = at_zero.remove(&rep),
                            _ => {}
                        }
                    }
                    sent.push(commit);
                }
                // The SDK repeats calls: an earlier try within this call may have succeeded.
                TransactionOutcome::Busy => sent.push(commit),
                TransactionOutcome::Unknown(error) => {
                    tracing::warn!(subject = %A::subject(command), "a commit got no answer; looking it up in the audit");
                    unknown = Some(error);
                    sent.push(commit);
                }
                TransactionOutcome::Failed(error) => return Err(error),
            }
        }
        Err(unknown.unwrap_or(StoreError::Contention))
    }

    /// Reads everything in one request: the item, the subjects that the command names, the pointers, what
    /// decisions asked for, and the items that show whether the command was applied before.
    async fn load<A: Stored>(
        &self,
        command: &A::Command,
        dedupe: Option<&str>,
        asked: &Requirements,
        sent: &[SentCommit<A>],
    ) -> Result<Items, StoreError> {
        let accounts = A::names_account(command).into_iter().chain(&asked.accounts).map(Key::account);
        let key = A::key(command);
        let leads = [key.pointer_for(POLICY), key.pointer_for(DIRECTORY), key]
            .into_iter()
            .chain(accounts)
            .chain(asked.teams.values().flatten().map(Key::rep))
            .chain(dedupe.map(Key::seen))
            .chain(A::delivered(command).map(|delivery| Key::outbox(&delivery.id)));
        let audit = sent.iter().map(SentCommit::key);
        let data_key = A::is_personal(command).then(|| Key::data_key(&A::subject(command)));
        if data_key.is_some() {
            self.require_keys()?;
        }
        self.read(leads, audit, data_key).await
    }

    /// Decides. If the decision lacks something, reads it and decides again.
    async fn decide<A: Stored>(
        &self,
        before: Option<&A>,
        knowledge: &mut Knowledge,
        command: &A::Command,
        now: DateTime<Utc>,
        asked: &mut Requirements,
    ) -> Result<Decision<A>, StoreError> {
        let mut asking = Asking::default();
        loop {
            let answer = asking.decide(before, &mut knowledge.world, command, now);
            let answer =
                answer.map_err(|source| StoreError::Defect { subject: A::subject(command), source })?;
            let missing = match answer {
                Answer::Given(decision) => return Ok(decision),
                Answer::Lacking(missing) => missing,
            };
            let world = &mut knowledge.world;
            match missing {
                Missing::Team(team) => {
                    let reps = asked.teams.entry(team.clone()).or_default();
                    reps.extend(world.reps_of(&team).into_iter().cloned());
                    world.learn(Learned::Team(team, self.standings(&*reps).await?));
                }
                Missing::Account(id) => {
                    let item = self.read_one(&Key::account(&id)).await?;
                    knowledge.learn_account(id.clone(), item.as_ref())?;
                    asked.accounts.insert(id);
                }
                missing => {
                    let learned = self.learn(missing, world).await?;
                    if let Learned::Directory(directory) = &learned {
                        // In this directory, the team may have other members.
                        world.rosters.retain(|team, _| asked.has_all(team, directory));
                    }
                    world.learn(learned);
                }
            }
        }
    }
}

/// The attempt that was written, if any. An attempt whose place in the audit is taken can no longer succeed.
fn settle<A: Stored>(found: &Items, sent: &mut Vec<SentCommit<A>>) -> Option<Committed<A>> {
    let wrote = |sent: &SentCommit<A>| found.get(&sent.key()).is_some_and(|item| sent.attempt.wrote(item));
    let ours = sent.iter().position(wrote);
    if let Some(ours) = ours {
        return Some(sent.swap_remove(ours).into_committed());
    }
    sent.retain(|attempt| found.get(&attempt.key()).is_none());
    None
}

/// The answer if nothing is written.
fn unwritten<A: Stored>(outcome: Outcome, duplicate: bool, before: Option<Loaded<A>>) -> Committed<A> {
    let wake_at = before.as_ref().and_then(|b| b.due.as_ref()).map(|due: &DueKey| due.wake_at);
    Committed {
        outcome,
        duplicate,
        entries: Vec::new(),
        state: before.map(|b| b.state),
        notifications: Vec::new(),
        wake_at,
        wake_moved: false,
        reps_to_check: Vec::new(),
    }
}

/// Reads an aggregate from its item.
pub(crate) fn loaded<A: Stored>(item: Option<&Item>) -> Result<Option<Loaded<A>>, StoreError> {
    item.map(|item| {
        let state = A::read(item)?;
        let head = state.head(item)?;
        Ok(Loaded { state, due: due_key_of(item)?, head })
    })
    .transpose()
}
