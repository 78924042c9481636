//! Counts what happens on both sides of a backtest, as time passes.

use super::report::{FigureRow, Group, MessageRow, Metric, MetricRow, Pair, QueueRow};
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

/// A side of a backtest.
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
    /// The first counted time.
    first: Option<DateTime<Utc>>,
    span: Span,
    messages: BTreeMap<(String, DateTime<Utc>, Message), Pair>,
    metrics: BTreeMap<(Metric, DateTime<Utc>), Pair>,
    figures: BTreeMap<(Group, Metric), Pair>,
    operations: Pair,
    reviews: Pair,
    /// The current hour or day.
    open: Option<DateTime<Utc>>,
    queues: Vec<QueueRow>,
}

/// All counts of a report.
pub(super) struct Counts {
    pub span: Span,
    pub messages: Vec<MessageRow>,
    pub metrics: Vec<MetricRow>,
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
            metrics: BTreeMap::new(),
            figures: BTreeMap::new(),
            operations: Pair::default(),
            reviews: Pair::default(),
            open: None,
            queues: Vec::new(),
        }
    }

    /// Advances the time. Finishes the hours or days that end before `now`, and changes to longer spans if the
    /// period has become long.
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

    /// Queue sizes are counted at least once a day.
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
        for ((metric, from), count) in std::mem::take(&mut self.metrics) {
            self.metrics.entry((metric, span.begin(from))).or_default().add(count);
        }
        let per = self.queue_span();
        let mut days: BTreeMap<DateTime<Utc>, QueueRow> = BTreeMap::new();
        for row in std::mem::take(&mut self.queues) {
            // The last row of a day is the state at its end.
            let from = per.begin(row.from);
            days.insert(from, QueueRow { from, ..row });
        }
        self.queues = days.into_values().collect();
        self.open = self.open.map(|begin| per.begin(begin));
        if let Some(open) = self.open {
            self.queues.retain(|row| row.from < open);
        }
    }

    /// Counts a commit of a lead.
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
            let metric = match &entry.fact {
                LeadFact::Notification(NotificationFact::Requested(_)) => Metric::Message,
                LeadFact::BreachRecorded { .. } => Metric::Breach,
                LeadFact::Reassigned { .. } => Metric::Reassignment,
                LeadFact::Assigned { .. } => Metric::Assignment,
                LeadFact::ReassignmentImpossible { .. } => Metric::ReassignmentImpossible,
                LeadFact::OperationsQueued { .. } => Metric::QueuedForOperations,
                LeadFact::ComplianceHeld { .. } => Metric::Held,
                LeadFact::HighValueFlagged { .. } => Metric::HighValue,
                _ => continue,
            };
            self.metric(side, entry.at, metric);
            if let Some(market) = &after.profile.market {
                self.figure(side, Group::Market { market: market.clone() }, metric);
            }
            self.workflow(side, entry.workflow.as_ref().map(|workflow| workflow.id), metric);
            match &entry.fact {
                LeadFact::Notification(NotificationFact::Requested(notification)) => {
                    self.message(side, entry.at, notification, directory);
                }
                LeadFact::BreachRecorded { owner, team, owner_not_told, .. } => {
                    self.team(side, team.as_ref(), metric);
                    // A rep whom nobody had notified of the lead did not cause its breach.
                    self.rep(side, owner.as_ref().filter(|_| !owner_not_told), metric, directory);
                }
                LeadFact::Reassigned { from, to, team, .. } => {
                    self.team(side, Some(team), metric);
                    self.rep(side, from.as_ref(), metric, directory);
                    self.rep(side, Some(to), Metric::Assignment, directory);
                }
                LeadFact::Assigned { to, team, .. } => {
                    self.team(side, Some(team), metric);
                    self.rep(side, Some(to), metric, directory);
                }
                _ => {}
            }
        }
    }

    /// Counts a commit of an account.
    pub fn account(&mut self, side: Side, entries: &[Entry<AccountFact>], directory: Option<&Directory>) {
        let since = self.since;
        for entry in entries.iter().filter(|entry| entry.at >= since) {
            let metric = match &entry.fact {
                AccountFact::Notification(NotificationFact::Requested(notification)) => {
                    self.message(side, entry.at, notification, directory);
                    Metric::Message
                }
                AccountFact::Elevated { .. } => Metric::ChurnRisk,
                _ => continue,
            };
            self.metric(side, entry.at, metric);
            self.workflow(side, entry.workflow.as_ref().map(|workflow| workflow.id), metric);
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
                self.team(side, team, Metric::Message);
                self.rep(side, Some(person), Metric::Message, directory);
            }
            Recipient::TeamChannel { team, .. } => self.team(side, Some(team), Metric::Message),
            Recipient::ComplianceDesk | Recipient::OperationsDesk => {}
        }
    }

    fn metric(&mut self, side: Side, at: DateTime<Utc>, metric: Metric) {
        self.metrics.entry((metric, self.span.begin(at))).or_default().count(side, 1);
    }

    fn figure(&mut self, side: Side, group: Group, metric: Metric) {
        self.figures.entry((group, metric)).or_default().count(side, 1);
    }

    fn workflow(&mut self, side: Side, workflow: Option<WorkflowId>, metric: Metric) {
        if let Some(workflow) = workflow {
            self.figure(side, Group::Workflow { workflow }, metric);
        }
    }

    fn team(&mut self, side: Side, team: Option<&TeamId>, metric: Metric) {
        if let Some(team) = team {
            self.figure(side, Group::Team { team: team.clone() }, metric);
        }
    }

    /// Counts for a rep. People without a team are not reps.
    fn rep(&mut self, side: Side, rep: Option<&PersonId>, metric: Metric, directory: Option<&Directory>) {
        if let Some(rep) = rep
            && let Some(team) = directory.and_then(|directory| directory.team_of(rep))
        {
            self.figure(side, Group::Rep { team: team.clone(), rep: rep.clone() }, metric);
        }
    }

    /// All counts of a report.
    pub fn finish(mut self) -> Counts {
        if let Some(begin) = self.open {
            self.end(begin);
        }
        let Self { span, messages, metrics, figures, queues, .. } = self;
        Counts {
            span,
            messages: messages
                .into_iter()
                .map(|((recipient, from, message), count)| MessageRow { recipient, from, message, count })
                .collect(),
            metrics: metrics
                .into_iter()
                .map(|((metric, from), count)| MetricRow { metric, from, count })
                .collect(),
            figures: figures
                .into_iter()
                .map(|((group, metric), count)| FigureRow { group, metric, count })
                .collect(),
            queues,
        }
    }
}

/// The recipient, as reports name it.
pub(super) fn recipient(to: &Recipient) -> String {
    match to {
        Recipient::Person { person, .. } => person.to_string(),
        Recipient::TeamChannel { team, .. } => format!("team/{team}"),
        Recipient::ComplianceDesk => "compliance-desk".to_owned(),
        Recipient::OperationsDesk => "operations-desk".to_owned(),
    }
}
