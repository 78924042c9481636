//! Revisions in memory, so that a decision costs no more than the two pointers.

use policy::directory::Directory;
use policy::{PublishedPolicy, Rulebook};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most revisions in memory: the current one, and those that leads were last decided under.
const KEPT_MAX: usize = 32;

/// Revisions that were read before.
#[derive(Debug, Default)]
pub(crate) struct RevisionCache {
    pub policies: Mutex<BTreeMap<u32, Arc<PublishedPolicy>>>,
    pub directories: Mutex<BTreeMap<u32, Arc<Directory>>>,
    pub rules: Mutex<BTreeMap<(u32, u32), Arc<Rulebook>>>,
}

pub(crate) fn cached<K, T>(map: &Mutex<BTreeMap<K, T>>) -> MutexGuard<'_, BTreeMap<K, T>> {
    // Each change is a single insertion, so a panic leaves the map intact.
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn keep<K: Ord, T: Clone>(map: &Mutex<BTreeMap<K, T>>, revision: K, value: &T) {
    let mut map = cached(map);
    map.insert(revision, value.clone());
    while map.len() > KEPT_MAX {
        map.pop_first();
    }
}
