//! Compares an export with the live tables: every subject must be there, as the export has it or with later commits, and
//! the tables may have no older subject that the export lacks.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use audit::leaves::Leaf;
use audit::sha256;
use chrono::{DateTime, Utc};
use policy::ids::Subject;
use rules::roster::Standing;
use store::{DUE_SHARDS, Store};
use tokio::task::JoinSet;

use super::finding::{Findings, Place, Problem};
use super::history::{Folded, History};
use super::report::LiveCounts;
use crate::audit::tables;

/// How many subjects are read in parallel.
const READERS: usize = 32;

/// How a subject compares with the export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Now {
    Same,
    Moved,
}

/// A subject, its last entry in the export, and the comparison or a problem.
type Compared = (Subject, u64, Result<Now, String>);

/// A comparison with the live tables.
#[derive(Debug)]
pub struct LiveCheck {
    store: Store,
    reading: JoinSet<anyhow::Result<Compared>>,
    /// The subjects of the export, as hashes with a random key.
    seen: HashSet<u64>,
    hasher: RandomState,
    exported_at: Option<DateTime<Utc>>,
    findings: Findings,
    counts: LiveCounts,
}

impl LiveCheck {
    /// Begins a comparison.
    pub fn of(tables: &tables::Live) -> Self {
        Self {
            store: tables.store.clone(),
            reading: JoinSet::new(),
            seen: HashSet::new(),
            hasher: RandomState::new(),
            exported_at: None,
            findings: Findings::default(),
            counts: LiveCounts::default(),
        }
    }

    /// Compares a subject with its history in the export.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn check(&mut self, exported_at: DateTime<Utc>, history: History) -> anyhow::Result<()> {
        self.exported_at = Some(exported_at);
        self.seen.insert(self.hasher.hash_one(history.subject.to_string()));
        if self.reading.len() >= READERS {
            self.take_one().await?;
        }
        let store = self.store.clone();
        self.reading.spawn(async move {
            let now = compare(&store, &history).await?;
            Ok((history.subject, history.seq, now))
        });
        Ok(())
    }

    async fn take_one(&mut self) -> anyhow::Result<bool> {
        let Some(read) = self.reading.join_next().await else { return Ok(false) };
        let (subject, seq, now) = read??;
        match now {
            Ok(Now::Same) => self.counts.same += 1,
            Ok(Now::Moved) => self.counts.moved += 1,
            Err(why) => self.add(subject, seq, why),
        }
        Ok(true)
    }

    fn add(&mut self, subject: Subject, seq: u64, why: String) {
        let place = Place { subject: Some(subject), seq: Some(seq), ..Place::default() };
        self.findings.add(place, Problem::Live { why });
    }

    /// Waits for the running comparisons and looks for subjects that the export lacks.
    ///
    /// # Errors
    /// When the tables do not answer.
    pub async fn finish(mut self) -> anyhow::Result<(Findings, LiveCounts)> {
        while self.take_one().await? {}
        for shard in 0..DUE_SHARDS {
            let mut after = None;
            loop {
                let page = self.store.heads(shard, after.as_ref()).await?;
                for leaf in page.items {
                    self.look_for(&leaf).await?;
                }
                match page.next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
        }
        Ok((self.findings, self.counts))
    }

    async fn look_for(&mut self, leaf: &Leaf) -> anyhow::Result<()> {
        if self.seen.contains(&self.hasher.hash_one(&*leaf.subject)) {
            return Ok(());
        }
        let subject: Subject = leaf.subject.parse()?;
        let first = self.store.audit(&subject, None, 1).await?.items.into_iter().next();
        let Some(first) = first else {
            self.add(subject, 1, "it is in the live table without a history".to_owned());
            return Ok(());
        };
        if self.exported_at.is_some_and(|at| first.recorded_at < at) {
            self.add(subject, 1, "it was in the live table before the export, and is not in it".to_owned());
        } else {
            self.counts.new += 1;
        }
        Ok(())
    }
}

/// Compares one subject. The inner error is a problem.
async fn compare(store: &Store, history: &History) -> anyhow::Result<Result<Now, String>> {
    let state = match (&history.subject, &history.folded) {
        (Subject::Lead(id), Folded::Lead(folded)) => {
            let live = store.lead(id).await?;
            let commit = live.as_ref().map(|lead| lead.commit);
            state(history, commit, live.as_ref() == folded.as_deref())
        }
        (Subject::Account(id), Folded::Account(folded)) => {
            let live = store.account(id).await?;
            // An account counts entries, not commits.
            let seq = live.as_ref().map(|account| account.seq);
            let is_same = live.as_ref() == folded.as_deref();
            counted("entry", history.seq, seq, is_same)
        }
        (Subject::Publication(id), Folded::Publication(folded)) => {
            let text = store.revision_text(id).await?.map(|(text, _)| sha256([text.get().as_bytes()]));
            let said = history.published.as_ref().map(|published| &published.document_sha256);
            if text.map(|hash| hash.to_string()).as_ref() != said {
                return Ok(Err("the live table has another text of it than was published".to_owned()));
            }
            let live = store.publication(id).await?;
            let commit = live.as_ref().map(|publication| publication.commit);
            state(history, commit, live.as_ref() == folded.as_deref())
        }
        (Subject::Rep(id), Folded::Rep(folded)) => {
            let live = store.standings([id]).await?.standings.remove(id);
            let stands = |rep: &Standing| (rep.commit, rep.availability.clone(), rep.told_of);
            let is_same = live.as_ref().is_some_and(|live| stands(live) == stands(folded));
            counted("entry", history.seq, live.map(|live| live.seq), is_same)
        }
        _ => Err("its history is of another kind".to_owned()),
    };
    if state.is_err() || state == Ok(Now::Moved) {
        return Ok(state);
    }
    Ok(match store.head(&history.subject.to_string()).await? {
        None => Err("its head is missing in the live table".to_owned()),
        Some(leaf) if leaf.commit > history.commits => Ok(Now::Moved),
        Some(leaf) if leaf.commit < history.commits => Err(format!(
            "the live head has commit {}, and the export has {}; if the commit is only seconds old, try again",
            leaf.commit, history.commits
        )),
        Some(leaf) if leaf.head != history.head => Err("the live head is another one".to_owned()),
        Some(_) => state,
    })
}

fn state(history: &History, commit: Option<u64>, is_same: bool) -> Result<Now, String> {
    counted("commit", history.commits, commit, is_same)
}

fn counted(what: &str, exported: u64, live: Option<u64>, is_same: bool) -> Result<Now, String> {
    match live {
        None => Err("it is missing in the live table".to_owned()),
        Some(live) if live < exported => {
            Err(format!("the live table went back to {what} {live}; the export has {exported}"))
        }
        Some(live) if live > exported => Ok(Now::Moved),
        Some(_) if is_same => Ok(Now::Same),
        Some(_) => Err(format!("the live table has another state at {what} {exported} than its history")),
    }
}
