//! A difference, and what collects differences.

use super::touches;
use crate::ids::MarketId;
use crate::vocabulary::WorkflowId;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The part of the document.
    #[serde(rename = "part")]
    pub section: Section,
    /// In this market alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<MarketId>,
    /// What it is, in words.
    pub item: String,
    /// What it was; none if it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it is now; none if it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What it touches within its part, to find who else touches that: see [`ThreeWay`].
    #[serde(skip)]
    pub(super) touches: String,
}

/// What a difference is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", content = "name", rename_all = "kebab-case")]
pub enum Section {
    /// A workflow of the policy.
    Workflow(WorkflowId),
    /// The policy apart from its workflows: its name, states, intake, quiet hours.
    Policy,
    /// A calendar of the directory.
    Calendar(String),
    /// A market.
    Market(String),
    /// A team.
    Team(String),
    /// A person.
    Person(String),
    /// The rest of the directory: desks, webhooks, channels of Teams.
    Directory,
}

impl std::fmt::Display for Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Workflow(id) => write!(f, "{id}"),
            Self::Policy => f.write_str("policy"),
            Self::Calendar(id) => write!(f, "calendar `{id}`"),
            Self::Market(id) => write!(f, "market `{id}`"),
            Self::Team(id) => write!(f, "team `{id}`"),
            Self::Person(id) => write!(f, "person `{id}`"),
            Self::Directory => f.write_str("directory"),
        }
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.section)?;
        if let Some(market) = &self.market {
            write!(f, " in market `{market}`")?;
        }
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, ": {} {before} → {after}", self.item),
            (None, Some(after)) => write!(f, ": added: {} {after}", self.item),
            (Some(before), None) => write!(f, ": removed: {} {before}", self.item),
            (None, None) => write!(f, ": {}", self.item),
        }
    }
}

/// Collects the differences of one part.
pub(super) struct Changes<'a> {
    all: &'a mut Vec<Change>,
    section: Section,
    pub market: Option<MarketId>,
}

impl<'a> Changes<'a> {
    pub fn of(all: &'a mut Vec<Change>, section: Section) -> Self {
        Self { all, section, market: None }
    }

    /// Collects further differences of the same part in one market.
    pub fn in_market(&mut self, market: Option<&MarketId>) -> Changes<'_> {
        Changes { all: self.all, section: self.section.clone(), market: market.cloned() }
    }

    pub fn add(&mut self, item: impl Into<String>, before: Option<String>, after: Option<String>) {
        let item = item.into();
        let touches = touches::of(&item, before.as_deref().or(after.as_deref()));
        self.add_to(touches, item, before, after);
    }

    pub fn add_to(&mut self, touches: String, item: String, before: Option<String>, after: Option<String>) {
        let (section, market) = (self.section.clone(), self.market.clone());
        self.all.push(Change { section, market, item, before, after, touches });
    }

    /// Notes what happened, where there is no value before and after.
    pub fn say(&mut self, item: impl Into<String>) {
        self.add(item, None, None);
    }

    /// Notes a value that is another one now.
    pub fn value<T: PartialEq>(&mut self, item: &str, before: &T, after: &T, spelled: impl Fn(&T) -> String) {
        if before != after {
            self.add(item, Some(spelled(before)), Some(spelled(after)));
        }
    }

    /// Notes a value that may be there or not.
    pub fn option<T: PartialEq>(
        &mut self,
        item: &str,
        before: Option<&T>,
        after: Option<&T>,
        spelled: impl Fn(&T) -> String,
    ) {
        if before != after {
            self.add(item, before.map(&spelled), after.map(&spelled));
        }
    }

    /// Notes what was added to a set and taken from it.
    pub fn set<T: Ord>(
        &mut self,
        item: &str,
        before: &BTreeSet<T>,
        after: &BTreeSet<T>,
        spelled: impl Fn(&T) -> String,
    ) {
        // Members of a set are not in each other's way.
        for gone in before.difference(after).map(&spelled) {
            self.add_to(format!("{item} {gone}"), item.to_owned(), Some(gone), None);
        }
        for new in after.difference(before).map(&spelled) {
            self.add_to(format!("{item} {new}"), item.to_owned(), None, Some(new));
        }
    }

    /// Notes each name whose value is another one now, new, or gone.
    pub fn map<K: Ord, V: PartialEq>(
        &mut self,
        before: &BTreeMap<K, V>,
        after: &BTreeMap<K, V>,
        item: impl Fn(&K) -> String,
        spelled: impl Fn(&V) -> String,
    ) {
        for key in union(before, after) {
            self.option(&item(key), before.get(key), after.get(key), &spelled);
        }
    }
}

/// The names of either, in order.
pub(super) fn union<'a, K: Ord, V>(before: &'a BTreeMap<K, V>, after: &'a BTreeMap<K, V>) -> BTreeSet<&'a K> {
    before.keys().chain(after.keys()).collect()
}

/// Things in a list, in words.
pub(super) fn listed<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

/// A text as it is quoted.
pub(super) fn quoted(text: &(impl std::fmt::Display + ?Sized)) -> String {
    format!("“{text}”")
}
