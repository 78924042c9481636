//! Caches recent data keys, so that not every commit calls the key service.

use crate::data_key::DataKey;
use crate::wrap::{KeyWrap, NewKey, WrapError};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Most keys in the cache: those of the subjects that one function handles within minutes.
const KEYS_MAX: usize = 512;

/// Makes and opens data keys, and caches the last ones by their wrapped form. Once the wrapped key is
/// destroyed, nobody can reach the cached key.
#[derive(Debug)]
pub struct Keyring {
    wrap: Arc<dyn KeyWrap>,
    known: Mutex<Known>,
}

type Wrapped = (String, Vec<u8>);

#[derive(Debug, Default)]
struct Known {
    keys: HashMap<Wrapped, DataKey>,
    /// Oldest first.
    order: VecDeque<Wrapped>,
}

impl Keyring {
    /// Begins with an empty cache.
    pub fn new(wrap: Arc<dyn KeyWrap>) -> Self {
        Self { wrap, known: Mutex::default() }
    }

    /// Makes a data key for a subject.
    ///
    /// # Errors
    /// If the key service fails or refuses.
    pub async fn generate(&self, subject: &str) -> Result<NewKey, WrapError> {
        let made = self.wrap.generate(subject).await?;
        self.remember(subject, &made.wrapped, &made.key);
        Ok(made)
    }

    /// Unwraps the data key of a subject.
    ///
    /// # Errors
    /// If the key service fails or refuses.
    pub async fn open(&self, subject: &str, wrapped: &[u8]) -> Result<DataKey, WrapError> {
        let known = self.known().keys.get(&(subject.to_owned(), wrapped.to_owned())).cloned();
        if let Some(key) = known {
            return Ok(key);
        }
        let key = self.wrap.open(subject, wrapped).await?;
        self.remember(subject, wrapped, &key);
        Ok(key)
    }

    fn remember(&self, subject: &str, wrapped: &[u8], key: &DataKey) {
        let name = (subject.to_owned(), wrapped.to_owned());
        let mut known = self.known();
        if known.keys.insert(name.clone(), key.clone()).is_some() {
            return;
        }
        known.order.push_back(name);
        if known.order.len() > KEYS_MAX
            && let Some(oldest) = known.order.pop_front()
        {
            known.keys.remove(&oldest);
        }
    }

    /// Ignores poisoning: no panic leaves the cache half changed.
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LocalWrap;
    use futures::future::BoxFuture;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Debug)]
    struct Counting(LocalWrap, AtomicUsize);

    impl KeyWrap for Counting {
        fn generate<'a>(&'a self, subject: &'a str) -> BoxFuture<'a, Result<NewKey, WrapError>> {
            self.0.generate(subject)
        }

        fn open<'a>(
            &'a self,
            subject: &'a str,
            wrapped: &'a [u8],
        ) -> BoxFuture<'a, Result<DataKey, WrapError>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.open(subject, wrapped)
        }
    }

    #[tokio::test]
    async fn a_key_is_fetched_once_and_the_oldest_is_evicted() {
        let wrap = Arc::new(Counting(LocalWrap::random().unwrap(), AtomicUsize::new(0)));
        let ring = Keyring::new(wrap.clone());
        let first = ring.generate("lead/L-0").await.unwrap().wrapped;
        ring.open("lead/L-0", &first).await.unwrap();
        assert_eq!(wrap.1.load(Ordering::Relaxed), 0);
        assert!(matches!(ring.open("lead/L-1", &first).await, Err(WrapError::Foreign)));
        for n in 1..=KEYS_MAX {
            ring.generate(&format!("lead/L-{n}")).await.unwrap();
        }
        ring.open("lead/L-0", &first).await.unwrap();
        ring.open("lead/L-0", &first).await.unwrap();
        assert_eq!(wrap.1.load(Ordering::Relaxed), 2, "once for the other subject, once after the eviction");
        let known = ring.known();
        assert_eq!((known.keys.len(), known.order.len()), (KEYS_MAX, KEYS_MAX));
    }
}
