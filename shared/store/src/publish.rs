//! Publishes policies and directories. The loop is like `Store::run`, but the subject of a publication is
//! known only once the pointer is read.

use crate::attributes::{DOC, VERSION};
use crate::audit::{AttemptId, NewCommit, put_head};
use crate::due::{DueKey, put_due_key};
use crate::error::StoreError;
use crate::item::{canonical, document, exact, get_number, get_text, number, text};
use crate::keys::Key;
use crate::request::{ATTEMPTS_MAX, pause};
use crate::revisions::{DIRECTORY, POLICY, PUBLISHED_AT, series};
use crate::seen;
use crate::seen::{ContentDigest, seen_item};
use crate::store::Store;
use crate::transaction::{Condition, Transaction, TransactionOutcome, Write};
use audit::Hash;
use chrono::{DateTime, Utc};
use policy::directory::Directory;
use policy::ids::{PublicationId, PublicationKind, Subject};
use policy::{CheckedPolicy, InForce, Policy, PublishedPolicy, diff};
use rules::aggregate::Aggregate as _;
use rules::entry::Entry;
use rules::publication;
use rules::publication::{Publication, PublicationFact, Publishing};
use std::collections::BTreeMap;

/// The result of publishing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The revision with this content.
    pub revision: u32,
    /// Whether this call published it. It did not if the content was already in force, or the call is a
    /// repetition.
    pub is_new: bool,
}

/// The document to publish.
#[derive(Debug, Clone, Copy)]
enum NewDocument<'a> {
    Policy(&'a Policy),
    Directory(&'a Directory),
}

impl NewDocument<'_> {
    /// The digest of a request to publish.
    fn digest(self, kind: PublicationKind, why: &str, base: Option<u32>) -> Result<String, StoreError> {
        let what = Subject::Publication(PublicationId { kind, revision: 0 });
        match self {
            Self::Policy(policy) => seen::digest(&what, &(base, why, policy)),
            Self::Directory(directory) => seen::digest(&what, &(base, why, directory.document())),
        }
    }
}

fn hash_of(text: &str) -> String {
    audit::sha256([text.as_bytes()]).to_string()
}

impl Store {
    /// Publishes a policy as the next revision. With `expected_base`, only while that is the current revision
    /// (0: while there is none). If the content is already in force, nothing is published. A repeated dedupe
    /// key returns the first result.
    ///
    /// # Errors
    /// [`StoreError::StaleBase`] if another revision is current; [`StoreError::InvalidDocument`] if the policy names
    /// something that the published directory lacks.
    pub async fn publish_policy(
        &self,
        policy: &CheckedPolicy,
        publishing: &Publishing<'_>,
        dedupe: Option<&str>,
        expected_base: Option<u32>,
    ) -> Result<Published, StoreError> {
        self.publish(NewDocument::Policy(policy), publishing, dedupe, expected_base).await
    }

    /// Publishes a directory as the next revision; see [`Store::publish_policy`].
    ///
    /// # Errors
    /// [`StoreError::StaleBase`] if another revision is current; [`StoreError::InvalidDocument`] if the directory
    /// lacks something that the published policy names.
    pub async fn publish_directory(
        &self,
        directory: &Directory,
        publishing: &Publishing<'_>,
        dedupe: Option<&str>,
        expected_base: Option<u32>,
    ) -> Result<Published, StoreError> {
        self.publish(NewDocument::Directory(directory), publishing, dedupe, expected_base).await
    }

    /// The document of the next policy revision, and the first entry of its history; `None` if its base has
    /// the same content.
    async fn next_policy(
        &self,
        policy: &Policy,
        publishing: &Publishing<'_>,
        base: u32,
    ) -> Result<Option<(String, Entry<PublicationFact>)>, StoreError> {
        let before = if base == 0 { None } else { self.policy(base).await? };
        let directory = match self.read_one(&Key::current(DIRECTORY)).await? {
            Some(pointer) => Some(self.directory_of_pointer(Some(&pointer)).await?),
            None => None,
        };
        if let Some(directory) = &directory {
            policy.check_against(directory).map_err(StoreError::InvalidDocument)?;
        }
        if before.as_ref().is_some_and(|before| before.policy == *policy) {
            return Ok(None);
        }
        let by = publishing.by.id.as_str();
        let next = PublishedPolicy::next(before.as_deref(), policy.clone(), by, publishing.now);
        let id = PublicationId { kind: PublicationKind::Policy, revision: next.revision };
        let directory = directory.map_or(0, |directory| directory.revision());
        let in_force = InForce { policy: next.revision, directory };
        let versions = next.versions.iter().map(|(id, version)| (*id, version.version)).collect();
        let changes =
            before.map_or_else(Vec::new, |before| diff::in_words(&diff::policies(&before.policy, policy)));
        let text = canonical(&Key::revision(POLICY, next.revision), &next)?;
        let entry = publication::begin(id, base, publishing, in_force, changes, versions, hash_of(&text));
        Ok(Some((text, entry)))
    }

    /// The directory's counterpart of [`Store::next_policy`].
    async fn next_directory(
        &self,
        directory: &Directory,
        publishing: &Publishing<'_>,
        base: u32,
    ) -> Result<Option<(String, Entry<PublicationFact>)>, StoreError> {
        let before = if base == 0 { None } else { Some(self.directory(base).await?) };
        let policy = match self.read_one(&Key::current(POLICY)).await? {
            Some(pointer) => Some(self.policy_of_pointer(Some(&pointer)).await?),
            None => None,
        };
        if let Some(policy) = &policy {
            policy.policy.check_against(directory).map_err(StoreError::InvalidDocument)?;
        }
        if before.as_ref().is_some_and(|before| before.document() == directory.document()) {
            return Ok(None);
        }
        let revision = base.saturating_add(1);
        let id = PublicationId { kind: PublicationKind::Directory, revision };
        let in_force = InForce { policy: policy.map_or(0, |policy| policy.revision), directory: revision };
        let changes = before.map_or_else(Vec::new, |before| {
            diff::in_words(&diff::directories(before.document(), directory.document()))
        });
        let text = canonical(&Key::revision(DIRECTORY, revision), directory.document())?;
        let none = BTreeMap::new();
        let entry = publication::begin(id, base, publishing, in_force, changes, none, hash_of(&text));
        Ok(Some((text, entry)))
    }

    async fn publish(
        &self,
        new: NewDocument<'_>,
        publishing: &Publishing<'_>,
        dedupe: Option<&str>,
        expected_base: Option<u32>,
    ) -> Result<Published, StoreError> {
        let kind = match new {
            NewDocument::Policy(_) => PublicationKind::Policy,
            NewDocument::Directory(_) => PublicationKind::Directory,
        };
        let series = series(kind);
        let asked = ContentDigest::plain(new.digest(kind, publishing.why, expected_base)?);
        let mut tried: Vec<(PublicationId, AttemptId)> = Vec::new();
        let mut unknown = None;
        for attempt in 0..ATTEMPTS_MAX {
            pause(attempt).await;
            let keys = [Key::current(series)].into_iter().chain(dedupe.map(Key::seen));
            let audit = tried.iter().map(|(id, _)| Key::audit(&Subject::Publication(*id), 1));
            let found = self.read(keys, audit, []).await?;
            let wrote = |(id, attempt): &&(PublicationId, AttemptId)| {
                let item = found.get(&Key::audit(&Subject::Publication(*id), 1));
                item.is_some_and(|item| attempt.wrote(item))
            };
            if let Some((id, _)) = tried.iter().find(wrote) {
                return Ok(Published { revision: id.revision, is_new: true });
            }
            if let Some(seen) = dedupe.and_then(|dedupe| found.get(&Key::seen(dedupe))) {
                let revision = match get_text(seen, seen::SEEN_SUBJECT)?.parse() {
                    Ok(Subject::Publication(id)) if id.kind == kind => id.revision,
                    _ => return Err(StoreError::UsedForOtherSubject),
                };
                let is_same = match seen::digest_of(seen) {
                    Some(before) => before == asked.plain,
                    None => self.says(revision, new).await?,
                };
                if !is_same {
                    return Err(StoreError::UsedForOtherContent);
                }
                return Ok(Published { revision, is_new: false });
            }
            let current =
                found.get(&Key::current(series)).map_or(Ok(0), |pointer| get_number(pointer, VERSION))?;
            if expected_base.is_some_and(|base| base != current) {
                return Err(StoreError::StaleBase { current });
            }
            let next = match new {
                NewDocument::Policy(policy) => self.next_policy(policy, publishing, current).await?,
                NewDocument::Directory(directory) => {
                    self.next_directory(directory, publishing, current).await?
                }
            };
            let Some((json, entry)) = next else {
                // The key counts as used anyway, so that a late repetition publishes nothing either.
                if let Some(dedupe) = dedupe {
                    let subject = Subject::Publication(PublicationId { kind, revision: current });
                    if !self.remember(seen_item(dedupe, &subject, 1, &asked, publishing.now)).await? {
                        continue;
                    }
                }
                return Ok(Published { revision: current, is_new: false });
            };
            let id = PublicationId { kind, revision: current.saturating_add(1) };
            let attempt = AttemptId::random();
            let dedupe = dedupe.map(|dedupe| (dedupe, &asked));
            let tx = self.revision(id, json, &entry, dedupe, &attempt, publishing.now)?;
            match tx.commit(self).await {
                TransactionOutcome::Committed => {
                    return Ok(Published { revision: id.revision, is_new: true });
                }
                TransactionOutcome::ConditionFailed(_) | TransactionOutcome::Busy => {}
                TransactionOutcome::Unknown(error) => unknown = Some(error),
                TransactionOutcome::Failed(error) => return Err(error),
            }
            tried.push((id, attempt));
        }
        Err(unknown.unwrap_or(StoreError::Contention))
    }

    /// Whether a revision has the content to publish.
    async fn says(&self, revision: u32, new: NewDocument<'_>) -> Result<bool, StoreError> {
        Ok(match new {
            NewDocument::Policy(policy) => self.required_policy(revision).await?.policy == *policy,
            NewDocument::Directory(directory) => {
                self.directory(revision).await?.document() == directory.document()
            }
        })
    }

    /// Builds the transaction for a revision: its document, the pointer to it, and the start of its history.
    /// The history falls due at once, and stays due until the publication has reached all affected leads.
    fn revision(
        &self,
        id: PublicationId,
        json: String,
        entry: &Entry<PublicationFact>,
        dedupe: Option<(&str, &ContentDigest)>,
        attempt: &AttemptId,
        now: DateTime<Utc>,
    ) -> Result<Transaction, StoreError> {
        let (series, table, revision) = (series(id.kind), self.leads_table(), id.revision);
        let state = Publication::evolve(None, entry).map_err(|error| StoreError::Defect {
            subject: Subject::Publication(id),
            source: error.into(),
        })?;
        let mut tx = Transaction::new();
        let mut item = Key::revision(series, revision).attributes();
        item.insert(DOC.to_owned(), text(json));
        item.insert(PUBLISHED_AT.to_owned(), exact(now));
        item.insert("published_by".to_owned(), text(&entry.actor.id));
        tx.put(Write::State, table, item, Condition::Absent)?;
        let mut pointer = Key::current(series).attributes();
        pointer.insert(VERSION.to_owned(), number(revision));
        tx.put(Write::State, table, pointer, Condition::Version(u64::from(revision.saturating_sub(1))))?;
        for copy in Key::pointer_copies(series) {
            let mut copy = copy.attributes();
            copy.insert(VERSION.to_owned(), number(revision));
            tx.put(Write::State, table, copy, Condition::Always)?;
        }
        // Each document was checked against the other, so of two simultaneous publications only one succeeds
        // at first.
        let (other, stands) = match id.kind {
            PublicationKind::Policy => (DIRECTORY, entry.directory_revision),
            PublicationKind::Directory => (POLICY, entry.policy_revision),
        };
        tx.check(Write::State, table, &Key::current(other), Condition::Version(u64::from(stands)))?;
        let key = Key::publication(&id);
        let mut item = key.attributes();
        item.insert(DOC.to_owned(), text(document(&key, &state)?));
        item.insert(VERSION.to_owned(), number(state.commit));
        let due = state.wake_at().map(|wake_at| DueKey { wake_at, handed_at: None });
        put_due_key(&mut item, &key, due.as_ref());
        let subject = Subject::Publication(id);
        let writing = NewCommit {
            subject: &subject,
            commit: 1,
            cause: &entry.cause,
            entries: std::slice::from_ref(entry),
            recorded: None,
            now,
            attempt,
            prev: Hash::ZERO,
        };
        let (audit, head) = writing.item()?;
        put_head(&mut item, &subject, 1, head);
        tx.put(Write::State, table, item, Condition::Absent)?;
        tx.put(Write::Audit, self.audit_table(), audit, Condition::Absent)?;
        if let Some((dedupe, asked)) = dedupe {
            let item = seen_item(dedupe, &subject, 1, asked, now);
            tx.put(Write::Seen, table, item, Condition::Absent)?;
        }
        Ok(tx)
    }
}
