//! Counts what happened on both sides of a comparison, as time passes.

use super::report::{FigureRow, Group, Happening, HappeningRow, MessageRow, Pair, QueueRow};
use super::spans::Span;
use chrono::{DateTime, Utc};
use policy::directory::Directory;
use policy::ids::{PersonId, TeamId};
use policy::{Message, WorkflowId};
use rules::account::AccountFact;
use rules::entry::Entry;
use rules::lead::{Lead, LeadFact};
use rules::notification::{Notification, NotificationFact, Recipient};
use std::collections::BTreeMap;

/// A side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Baseline,
    Candidate,
}

impl Pair {
    fn side(&mut self, side: Side) -> &mut u64 {
        match side {
            Side::Baseline => &mut self.baseline,
            Side::Candidate => &mut self.candidate,
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
    /// The first instant that is counted.
    first: Option<DateTime<Utc>>,
    span: Span,
    messages: BTreeMap<(String, DateTime<Utc>, Message), Pair>,
    happenings: BTreeMap<(Happening, DateTime<Utc>), Pair>,
    figures: BTreeMap<(Group, Happening), Pair>,
    operations: Pair,
    reviews: Pair,
    /// The hour or day that is not over yet.
    open: Option<DateTime<Utc>>,
    queues: Vec<QueueRow>,
}

/// All counts, as a report has them.
pub(super) struct Counts {
    pub span: Span,
    pub messages: Vec<MessageRow>,
    pub happenings: Vec<HappeningRow>,
    pub figures: Vec<FigureRow>,
    pub queues: Vec<QueueRow>,
}

impl Tally {
    pub fn new(since: DateTime<Utc>) -> Self {
        Self {
            since,
            first: None,
            span: Span::Hour,
            messages: BTreeMap::new(),
            happenings: BTreeMap::new(),
            figures: BTreeMap::new(),
            operations: Pair::default(),
            reviews: Pair::default(),
            open: None,
            queues: Vec::new(),
        }
    }

    /// Time passes: hours or days that end before an instant are noted, and if it has become long,
    /// it is counted by longer spans.
    pub fn pass(&mut self, now: DateTime<Utc>) {
        let first = *self.first.get_or_insert(now.max(self.since));
        let span = Span::of(now - first).max(self.span);
        if span != self.span {
            self.count_by(span);
        }
        let (per, current) = (self.queue_span(), self.queue_span().begin(now));
        while let Some(begin) = self.open.filter(|begin| *begin < current) {
            self.end(begin);
            self.open = Some(per.next(begin));
        }
        self.open.get_or_insert(current);
    }

    /// The queues are looked at once a day at the least.
    fn queue_span(&self) -> Span {
        self.span.min(Span::Day)
    }

    fn end(&mut self, begin: DateTime<Utc>) {
        if self.queue_span().next(begin) > self.since {
            self.queues.push(QueueRow { from: begin, operations: self.operations, reviews: self.reviews });
        }
    }

    fn count_by(&mut self, span: Span) {
        self.span = span;
        for ((recipient, from, message), count) in std::mem::take(&mut self.messages) {
            self.messages.entry((recipient, span.begin(from), message)).or_default().add(count);
        }
        for ((happening, from), count) in std::mem::take(&mut self.happenings) {
            self.happenings.entry((happening, span.begin(from))).or_default().add(count);
        }
        let per = self.queue_span();
        let mut days: BTreeMap<DateTime<Utc>, QueueRow> = BTreeMap::new();
        for row in std::mem::take(&mut self.queues) {
            // The last of a day is how the day ended.
            let from = per.begin(row.from);
            days.insert(from, QueueRow { from, ..row });
        }
        self.queues = days.into_values().collect();
        self.open = self.open.map(|begin| per.begin(begin));
        if let Some(open) = self.open {
            self.queues.retain(|row| row.from < open);
        }
    }

    /// A commit of a lead.
    pub fn lead(
        &mut self,
        side: Side,
        before: Option<&Lead>,
        after: &Lead,
        entries: &[Entry<LeadFact>],
        directory: Option<&Directory>,
    ) {
        let change = |was: bool, is: bool| i8::from(is) - i8::from(was);
        let was = before.is_some_and(|lead| lead.operations.is_some());
        self.operations.count(side, change(was, after.operations.is_some()));
        let was = before.is_some_and(|lead| lead.review.is_some());
        self.reviews.count(side, change(was, after.review.is_some()));
        let since = self.since;
        for entry in entries.iter().filter(|entry| entry.at >= since) {
            let happening = match &entry.fact {
                LeadFact::Notification(NotificationFact::Requested(_)) => Happening::Message,
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
            if let Some(market) = &after.profile.market {
                self.figure(side, Group::Market { market: market.clone() }, happening);
            }
            self.workflow(side, entry.workflow.as_ref().map(|workflow| workflow.id), happening);
            match &entry.fact {
                LeadFact::Notification(NotificationFact::Requested(notification)) => {
                    self.message(side, entry.at, notification, directory);
                }
                LeadFact::BreachRecorded { owner, team, owner_not_told, .. } => {
                    self.team(side, team.as_ref(), happening);
                    // A rep who had not been told that the lead was theirs has no part in its breach.
                    self.rep(side, owner.as_ref().filter(|_| !owner_not_told), happening, directory);
                }
                LeadFact::Reassigned { from, to, team, .. } => {
                    self.team(side, Some(team), happening);
                    self.rep(side, from.as_ref(), happening, directory);
                    self.rep(side, Some(to), Happening::Assignment, directory);
                }
                LeadFact::Assigned { to, team, .. } => {
                    self.team(side, Some(team), happening);
                    self.rep(side, Some(to), happening, directory);
                }
                _ => {}
            }
        }
    }

    /// A commit of an account.
    pub fn account(&mut self, side: Side, entries: &[Entry<AccountFact>], directory: Option<&Directory>) {
        let since = self.since;
        for entry in entries.iter().filter(|entry| entry.at >= since) {
            let happening = match &entry.fact {
                AccountFact::Notification(NotificationFact::Requested(notification)) => {
                    self.message(side, entry.at, notification, directory);
                    Happening::Message
                }
                AccountFact::Elevated { .. } => Happening::ChurnRisk,
                _ => continue,
            };
            self.happening(side, entry.at, happening);
            self.workflow(side, entry.workflow.as_ref().map(|workflow| workflow.id), happening);
        }
    }

    fn message(
        &mut self,
        side: Side,
        at: DateTime<Utc>,
        notification: &Notification,
        directory: Option<&Directory>,
    ) {
        let key = (recipient(&notification.to), self.span.begin(at), notification.message);
        self.messages.entry(key).or_default().count(side, 1);
        match &notification.to {
            Recipient::Person { person, .. } => {
                let team = directory.and_then(|directory| directory.team_of(person));
                self.team(side, team, Happening::Message);
                self.rep(side, Some(person), Happening::Message, directory);
            }
            Recipient::TeamChannel { team, .. } => self.team(side, Some(team), Happening::Message),
            Recipient::ComplianceDesk | Recipient::OperationsDesk => {}
        }
    }

    fn happening(&mut self, side: Side, at: DateTime<Utc>, happening: Happening) {
        self.happenings.entry((happening, self.span.begin(at))).or_default().count(side, 1);
    }

    fn figure(&mut self, side: Side, group: Group, happening: Happening) {
        self.figures.entry((group, happening)).or_default().count(side, 1);
    }

    fn workflow(&mut self, side: Side, workflow: Option<WorkflowId>, happening: Happening) {
        if let Some(workflow) = workflow {
            self.figure(side, Group::Workflow { workflow }, happening);
        }
    }

    fn team(&mut self, side: Side, team: Option<&TeamId>, happening: Happening) {
        if let Some(team) = team {
            self.figure(side, Group::Team { team: team.clone() }, happening);
        }
    }

    /// People who are in no team are no reps.
    fn rep(
        &mut self,
        side: Side,
        rep: Option<&PersonId>,
        happening: Happening,
        directory: Option<&Directory>,
    ) {
        if let Some(rep) = rep
            && let Some(team) = directory.and_then(|directory| directory.team_of(rep))
        {
            self.figure(side, Group::Rep { team: team.clone(), rep: rep.clone() }, happening);
        }
    }

    /// All counts, as a report has them.
    pub fn finish(mut self) -> Counts {
        if let Some(begin) = self.open {
            self.end(begin);
        }
        let Self { span, messages, happenings, figures, queues, .. } = self;
        Counts {
            span,
            messages: messages
                .into_iter()
                .map(|((recipient, from, message), count)| MessageRow { recipient, from, message, count })
                .collect(),
            happenings: happenings
                .into_iter()
                .map(|((happening, from), count)| HappeningRow { happening, from, count })
                .collect(),
            figures: figures
                .into_iter()
                .map(|((group, happening), count)| FigureRow { group, happening, count })
                .collect(),
            queues,
        }
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
