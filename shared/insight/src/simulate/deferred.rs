//! Notifications that wait for the end of quiet hours.

use chrono::{DateTime, Utc};
use policy::ids::Subject;
use rules::notification::{Notification, NotificationFact};
use std::collections::BTreeMap;

/// Notifications that wait for the end of quiet hours, by the time when they end.
#[derive(Debug, Clone, Default)]
pub(super) struct DeferredNotifications(BTreeMap<DateTime<Utc>, Vec<(Subject, Notification)>>);

impl DeferredNotifications {
    pub fn follow(&mut self, subject: &Subject, fact: &NotificationFact) {
        if let NotificationFact::Requested(notification) = fact
            && let Some(at) = notification.not_before
        {
            self.0.entry(at).or_default().push((subject.clone(), (**notification).clone()));
        }
    }

    pub fn first(&self) -> Option<DateTime<Utc>> {
        self.0.keys().next().copied()
    }

    /// Takes the first notification of a time, in the order of the requests.
    pub fn take(&mut self, at: DateTime<Utc>) -> Option<(Subject, Notification)> {
        let waiting = self.0.get_mut(&at)?;
        let first = (!waiting.is_empty()).then(|| waiting.remove(0));
        if waiting.is_empty() {
            self.0.remove(&at);
        }
        first
    }
}
