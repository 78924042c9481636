//! Counts what happened, by the record and in the replay, as time passes.

use super::report::{Happening, HappeningRow, MessageRow, Pair, QueueDay};
use crate::account::AccountFact;
use crate::entry::Entry;
use crate::lead::Lead;
use crate::lead_fact::LeadFact;
use crate::notification::{Message, Notification, NotificationFact, Recipient};
use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use std::collections::BTreeMap;

/// Of which of the two histories something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Recorded,
    Replayed,
}

impl Pair {
    fn side(&mut self, side: Side) -> &mut u64 {
        match side {
            Side::Recorded => &mut self.recorded,
            Side::Replayed => &mut self.replayed,
        }
    }

    fn count(&mut self, side: Side, by: i8) {
        let n = self.side(side);
        *n = n.saturating_add_signed(i64::from(by));
    }
}

/// The counts so far.
#[derive(Debug)]
pub(super) struct Tally {
    since: DateTime<Utc>,
    messages: BTreeMap<(String, NaiveDate, Message), Pair>,
    happenings: BTreeMap<(Happening, NaiveDate), Pair>,
    operations: Pair,
    reviews: Pair,
    /// The day that is not over yet.
    day: Option<NaiveDate>,
    days: Vec<QueueDay>,
}

impl Tally {
    pub fn new(since: DateTime<Utc>) -> Self {
        Self {
            since,
            messages: BTreeMap::new(),
            happenings: BTreeMap::new(),
            operations: Pair::default(),
            reviews: Pair::default(),
            day: None,
            days: Vec::new(),
        }
    }

    /// Time passes: days that end before an instant are noted.
    pub fn pass(&mut self, now: DateTime<Utc>) {
        let today = now.date_naive();
        while let Some(day) = self.day.filter(|day| *day < today) {
            self.end_day(day);
            self.day = day.checked_add_days(Days::new(1));
        }
        self.day.get_or_insert(today);
    }

    fn end_day(&mut self, day: NaiveDate) {
        if day >= self.since.date_naive() {
            self.days.push(QueueDay { day, operations: self.operations, reviews: self.reviews });
        }
    }

    /// A commit of a lead.
    pub fn lead(&mut self, side: Side, before: Option<&Lead>, after: &Lead, entries: &[Entry<LeadFact>]) {
        let change = |was: bool, is: bool| i8::from(is) - i8::from(was);
        let was = before.is_some_and(|lead| lead.operations.is_some());
        self.operations.count(side, change(was, after.operations.is_some()));
        let was = before.is_some_and(|lead| lead.review.is_some());
        self.reviews.count(side, change(was, after.review.is_some()));
        let since = self.since;
        for entry in entries.iter().filter(|entry| entry.at >= since) {
            let happening = match &entry.fact {
                LeadFact::Notification(NotificationFact::Requested(notification)) => {
                    self.message(side, entry.at, notification);
                    continue;
                }
                LeadFact::BreachRecorded { .. } => Happening::Breach,
                LeadFact::Reassigned { .. } => Happening::Reassignment,
                LeadFact::Assigned { .. } => Happening::Assignment,
                LeadFact::ReassignmentImpossible { .. } => Happening::ReassignmentImpossible,
                LeadFact::OperationsQueued { .. } => Happening::QueuedForOperations,
                LeadFact::ComplianceHeld { .. } => Happening::Held,
                LeadFact::HighValueFlagged { .. } => Happening::HighValue,
                _ => continue,
            };
            self.happening(side, entry.at, happening);
        }
    }

    /// A commit of an account.
    pub fn account(&mut self, side: Side, entries: &[Entry<AccountFact>]) {
        let since = self.since;
        for entry in entries.iter().filter(|entry| entry.at >= since) {
            match &entry.fact {
                AccountFact::Notification(NotificationFact::Requested(notification)) => {
                    self.message(side, entry.at, notification);
                }
                AccountFact::Elevated { .. } => self.happening(side, entry.at, Happening::ChurnRisk),
                _ => {}
            }
        }
    }

    fn message(&mut self, side: Side, at: DateTime<Utc>, notification: &Notification) {
        let key = (recipient(&notification.to), week_of(at), notification.message);
        self.messages.entry(key).or_default().count(side, 1);
    }

    fn happening(&mut self, side: Side, at: DateTime<Utc>, happening: Happening) {
        self.happenings.entry((happening, week_of(at))).or_default().count(side, 1);
    }

    /// All counts, as a report has them.
    pub fn finish(mut self) -> (Vec<MessageRow>, Vec<HappeningRow>, Vec<QueueDay>) {
        if let Some(day) = self.day {
            self.end_day(day);
        }
        let messages = self.messages.into_iter();
        let happenings = self.happenings.into_iter();
        (
            messages
                .map(|((recipient, week, message), count)| MessageRow { recipient, week, message, count })
                .collect(),
            happenings.map(|((happening, week), count)| HappeningRow { happening, week, count }).collect(),
            self.days,
        )
    }
}

/// To whom, as a report names them.
pub(super) fn recipient(to: &Recipient) -> String {
    match to {
        Recipient::Person { person, .. } => person.to_string(),
        Recipient::TeamChannel { team, .. } => format!("team/{team}"),
        Recipient::ComplianceDesk => "compliance-desk".to_owned(),
        Recipient::OperationsDesk => "operations-desk".to_owned(),
    }
}

fn week_of(at: DateTime<Utc>) -> NaiveDate {
    let day = at.date_naive();
    let since_monday = u64::from(day.weekday().num_days_from_monday());
    day.checked_sub_days(Days::new(since_monday)).unwrap_or(day)
}
