//! The commit: one transaction writes the item, its audit entries, its notifications, its dedupe item and the
//! reps that the decision relied on.

use crate::aggregate::{Committed, Loaded, Stored};
use crate::attributes::VERSION;
use crate::audit::{AttemptId, NewCommit, put_head};
use crate::due::put_due_key;
use crate::error::StoreError;
use crate::item::number;
use crate::keys::Key;
use crate::knowledge::Knowledge;
use crate::outbox::{Requested, outbox_item};
use crate::seen::{ContentDigest, put_outcome, seen_item};
use crate::standing::rep_change;
use crate::store::Store;
use crate::transaction::{Condition, Transaction, Write};
use audit::Hash;
use chrono::{DateTime, Utc};
use policy::ids::{PersonId, Subject};
use rules::aggregate::Decision;
use rules::entry::Entry;
use rules::outcome::Outcome;
use rules::rep::LoadChange;
use sealing::NewKey;
use std::collections::{BTreeMap, BTreeSet};

/// The context of a commit.
pub(crate) struct CommitContext<'a, A: Stored> {
    pub command: &'a A::Command,
    pub dedupe: Option<&'a str>,
    /// The digest of the command; used only with a dedupe key.
    pub asked: &'a ContentDigest,
    pub now: DateTime<Utc>,
    pub before: Option<&'a Loaded<A>>,
    /// The new data key for the personal data of the command.
    pub new_key: Option<&'a NewKey>,
    /// Reps whose load was found to be zero.
    pub at_zero: &'a BTreeSet<PersonId>,
}

/// A commit that was sent.
#[derive(Debug)]
pub(crate) struct SentCommit<A: Stored> {
    pub subject: Subject,
    pub commit: u64,
    pub attempt: AttemptId,
    outcome: Outcome,
    entries: Vec<Entry<A::Fact>>,
    after: A,
    wake_at: Option<DateTime<Utc>>,
    wake_moved: bool,
    /// The reps to check.
    reps_to_check: Vec<PersonId>,
}

impl<A: Stored> SentCommit<A> {
    /// The key of its audit item.
    pub fn key(&self) -> Key {
        Key::audit(&self.subject, self.commit)
    }

    pub fn into_committed(self) -> Committed<A> {
        let notifications: Vec<Requested> =
            self.entries.iter().filter_map(|e| A::requested(&e.fact)).map(Requested::of).collect();
        Committed {
            outcome: self.outcome,
            duplicate: false,
            entries: self.entries,
            state: Some(self.after),
            notifications,
            wake_at: self.wake_at,
            wake_moved: self.wake_moved,
            reps_to_check: self.reps_to_check,
        }
    }
}

impl Store {
    /// Builds the transaction that writes a decision.
    pub(crate) fn plan<A: Stored>(
        &self,
        planned: CommitContext<'_, A>,
        knowledge: &Knowledge,
        decided: Decision<A>,
    ) -> Result<(Transaction, SentCommit<A>), StoreError> {
        let CommitContext { command, dedupe, asked, now, before, new_key, at_zero } = planned;
        let (subject, key) = (A::subject(command), A::key(command));
        let rests_on = A::rests_on(command, &decided);
        let Decision { outcome, entries, changed, wake_at, relied_on, consulted } = decided;
        let Some(after) = changed.map(|after| after.after(before.map(|before| &before.state))) else {
            return Err(StoreError::corrupt(format!("the decision on {subject}")));
        };
        let (leads, mut tx) = (self.leads_table(), Transaction::new());

        let mut item = key.attributes();
        after.write(&key, &mut item)?;
        item.insert(VERSION.to_owned(), number(after.version()));
        let due = A::due_key(command, before.and_then(|b| b.due.as_ref()), wake_at, now);
        let stood = before.and_then(|b| b.due.as_ref()).map(|due| due.wake_at);
        let wake_moved = due.as_ref().is_some_and(|due| Some(due.wake_at) != stood);
        put_due_key(&mut item, &key, due.as_ref());
        let seen_version = before.map_or(0, |b| b.state.version());

        let attempt = AttemptId::random();
        let recorded = A::recorded(command, &consulted, &knowledge.world)
            .map_err(|error| StoreError::unreadable(subject.to_string(), error))?;
        let writing = NewCommit {
            subject: &subject,
            commit: after.commit(),
            cause: A::cause(command),
            entries: &entries,
            recorded: recorded.as_ref(),
            now,
            attempt: &attempt,
            prev: before.map_or(Hash::ZERO, |b| b.head),
        };
        let (audit, head) = writing.item()?;
        put_head(&mut item, &subject, after.commit(), head);
        tx.put(Write::State, leads, item, Condition::Version(seen_version))?;
        tx.put(Write::Audit, self.audit_table(), audit, Condition::Absent)?;
        let is_erasing = after.erased() && !before.is_some_and(|b| b.state.erased());
        self.plan_data_key(&mut tx, &subject, is_erasing, new_key, now)?;

        // A source may send a malformed input again, corrected, under the same id.
        let may_come_mended = matches!(outcome, Outcome::Invalid { .. }) && A::comes_from_a_source(command);
        if let Some(dedupe) = dedupe.filter(|_| !may_come_mended) {
            let mut item = seen_item(dedupe, &subject, after.commit(), asked, now);
            put_outcome(&mut item, &outcome)?;
            tx.put(Write::Seen, leads, item, Condition::Absent)?;
        }
        for notification in entries.iter().filter_map(|e| A::requested(&e.fact)) {
            tx.put(Write::Outbox, leads, outbox_item(&subject, notification, now)?, Condition::Always)?;
        }
        if let Some(delivery) = A::delivered(command) {
            tx.delete(Write::Delivered, leads, &Key::outbox(&delivery.id), Condition::Present)?;
            for earlier in &delivery.with {
                tx.delete(Write::Delivered, leads, &Key::outbox(earlier), Condition::Always)?;
            }
        }
        let changes = A::load_changes(before.map(|b| &b.state), &after, &entries);
        let reps_to_check =
            changes.iter().filter(|change| change.is_looked_at()).map(|change| change.rep.clone()).collect();
        self.plan_reps(&mut tx, changes, &relied_on, (at_zero, now))?;
        if let Some(account) = rests_on
            && let Some(version) = knowledge.account_versions.get(&account)
        {
            tx.check(Write::Account, leads, &Key::account(&account), Condition::Version(*version))?;
        }

        let commit = after.commit();
        let sent = SentCommit {
            subject,
            commit,
            attempt,
            outcome,
            entries,
            after,
            wake_at,
            wake_moved,
            reps_to_check,
        };
        Ok((tx, sent))
    }

    fn plan_reps(
        &self,
        tx: &mut Transaction,
        changes: Vec<LoadChange>,
        relied_on: &BTreeMap<PersonId, u64>,
        (at_zero, now): (&BTreeSet<PersonId>, DateTime<Utc>),
    ) -> Result<(), StoreError> {
        let table = self.leads_table();
        for (rep, seen) in relied_on {
            // A rep who was considered on the way, but did not get the lead: the decision still depends on
            // them.
            if !changes.iter().any(|change| change.rep == *rep) {
                tx.check(Write::Rep, table, &Key::rep(rep), Condition::Version(*seen))?;
            }
        }
        for change in changes {
            let is_at_zero = at_zero.contains(&change.rep);
            let seen = relied_on.get(&change.rep).copied();
            let key = Key::rep(&change.rep);
            let write = match (change.delta < 0, is_at_zero) {
                (false, _) => Write::Rep,
                (true, false) => Write::LoadDecrease(change.rep.clone()),
                (true, true) => Write::LoadDecreaseAtZero(change.rep.clone()),
            };
            tx.update(write, table, &key, rep_change(&change, seen, is_at_zero, now))?;
        }
        Ok(())
    }
}
