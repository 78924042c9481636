//! Opens the sealed personal data of an export. The export keeps every commit as it is, so that its chain can be checked;
//! the opened texts are in lines of their own.

use std::collections::BTreeMap;

use audit::ChainedCommit;
use contracts::sight::PERSONAL;
use policy::ids::Subject;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{PersonalData, Store};

/// A line with the opened texts of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// The commit's subject.
    pub subject: Subject,
    /// The commit's number.
    pub commit: u64,
    /// Each sealed text with the opened one.
    pub texts: BTreeMap<String, String>,
}

/// Opens the sealed texts of commits.
pub struct Opener<'s> {
    store: &'s Store,
    /// The last subject: its commits come one after the other.
    last: Option<(Subject, PersonalData)>,
}

impl<'s> Opener<'s> {
    /// Opens with the data keys of the store.
    pub fn new(store: &'s Store) -> Self {
        Self { store, last: None }
    }

    /// Opens the sealed texts of a commit; `None` if there are none, or their key was destroyed.
    ///
    /// # Errors
    /// When the table or KMS does not answer, or a text was changed.
    pub async fn open(&mut self, commit: &ChainedCommit) -> anyhow::Result<Option<Opened>> {
        let recorded = commit.recorded.as_ref().map_or("", |recorded| recorded.get());
        let mut sealed = Vec::new();
        for text in [commit.entries.get(), recorded] {
            // Most commits have no personal data and need no parsing.
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
