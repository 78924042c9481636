//! What the sealed texts of a record say, for whoever may know it. An export keeps every commit as it
//! is, so that its chain can be checked; what is under the seals stands in lines of its own beside it.

use std::collections::BTreeMap;

use audit::ChainedCommit;
use contracts::sight::PERSONAL;
use policy::ids::Subject;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{PersonalData, Store};

/// A line with what the sealed texts of a commit say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// Whose history the commit belongs to.
    pub subject: Subject,
    /// Its place there.
    pub commit: u64,
    /// What each sealed text says.
    pub texts: BTreeMap<String, String>,
}

/// Opens the sealed texts of commits.
pub struct Opener<'s> {
    store: &'s Store,
    /// The last subject that was asked for: commits of one come one after the other.
    last: Option<(Subject, PersonalData)>,
}

impl<'s> Opener<'s> {
    /// With what the store has of data keys.
    pub fn new(store: &'s Store) -> Self {
        Self { store, last: None }
    }

    /// What the sealed texts of a commit say; `None` if there are none, or their key was destroyed.
    ///
    /// # Errors
    /// When table or key service do not answer, or a text was changed.
    pub async fn open(&mut self, commit: &ChainedCommit) -> anyhow::Result<Option<Opened>> {
        let recorded = commit.recorded.as_ref().map_or("", |recorded| recorded.get());
        let mut sealed = Vec::new();
        for text in [commit.entries.get(), recorded] {
            // Most commits have nothing personal, and need not be read.
            if text.contains("\"personal\"") {
                collect(&serde_json::from_str(text)?, false, &mut sealed);
            }
        }
        if sealed.is_empty() {
            return Ok(None);
        }
        let last = self.last.take().filter(|(subject, _)| *subject == commit.subject);
        let (_, personal) = match last {
            Some(last) => self.last.insert(last),
            None => {
                let personal = self.store.personal_data(&commit.subject).await?;
                self.last.insert((commit.subject.clone(), personal))
            }
        };
        let mut texts = BTreeMap::new();
        for text in sealed {
            if let Some(opened) = personal.open(&text)? {
                texts.insert(text, opened);
            }
        }
        let (subject, commit) = (commit.subject.clone(), commit.commit);
        Ok((!texts.is_empty()).then_some(Opened { subject, commit, texts }))
    }
}

fn collect(value: &Value, is_personal: bool, sealed: &mut Vec<String>) {
    match value {
        Value::String(text) if is_personal && sealing::is_sealed(text) => sealed.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, is_personal, sealed)),
        Value::Object(members) => {
            for (name, member) in members {
                collect(member, is_personal || name == PERSONAL, sealed);
            }
        }
        _ => {}
    }
}
