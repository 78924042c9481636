//! Elapsed time the long way: which intervals a clock ran, read off the history again, and each
//! minute of them looked up in the calendar.

use chrono::{DateTime, TimeDelta, Utc};
use policy::calendar::Calendar;
use policy::{StateKind, WorkflowId};
use rules::entry::Entry;
use rules::lead::{AssignmentReason, Lead, LeadFact};

/// The minutes of some months, and how many of them up to each are working time.
pub struct Minutes {
    open_before: Vec<u32>,
}

/// The months that histories play in, with room for what is late and what is waited for.
const DAYS: i64 = 200;

fn first() -> DateTime<Utc> {
    "2026-02-01T00:00:00Z".parse().expect("an instant")
}

/// The end of what is known.
pub fn end() -> DateTime<Utc> {
    first() + TimeDelta::days(DAYS)
}

impl Minutes {
    /// Asks the calendar of each minute. Blocks and offsets are whole minutes.
    pub fn of(calendar: &Calendar) -> Self {
        let mut open_before = vec![0u32];
        for minute in 0..DAYS * 1440 {
            let is_open = calendar.is_open(first() + TimeDelta::minutes(minute));
            open_before.push(open_before.last().expect("there is a first") + u32::from(is_open));
        }
        Self { open_before }
    }

    fn open_s_before(&self, at: DateTime<Utc>) -> i64 {
        let secs = (at - first()).num_seconds();
        let (minute, second) = (usize::try_from(secs / 60).expect("after the beginning"), secs % 60);
        let (before, after) = (self.open_before[minute], self.open_before[minute + 1]);
        i64::from(before) * 60 + i64::from(after - before) * second
    }

    /// The first second by which so many were open.
    fn when_open_s(&self, open_s: i64) -> Option<DateTime<Utc>> {
        let enough = self.open_before.partition_point(|minutes| i64::from(*minutes) * 60 < open_s);
        let (minute, before) = (enough.checked_sub(1)?, *self.open_before.get(enough.checked_sub(1)?)?);
        let seconds = open_s - i64::from(before) * 60;
        self.open_before.get(enough).map(|_| {
            let minutes = i64::try_from(minute).expect("some months have so many");
            first() + TimeDelta::minutes(minutes) + TimeDelta::seconds(seconds)
        })
    }

    fn between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> i64 {
        if to > from { self.open_s_before(to) - self.open_s_before(from) } else { 0 }
    }
}

/// When a clock ran.
#[derive(Debug, Clone, Default)]
pub struct Ran {
    /// When it ran, the last to the present if it has no end.
    intervals: Vec<(DateTime<Utc>, Option<DateTime<Utc>>)>,
}

impl Ran {
    fn begin(at: DateTime<Utc>, runs: bool) -> Option<Self> {
        Some(Self { intervals: vec![(at, (!runs).then_some(at))] })
    }

    /// It runs from here, or it does not. What is said to have been before its last change was then.
    fn turn(&mut self, runs: bool, at: DateTime<Utc>) {
        let last = self.intervals.last_mut().expect("a clock has begun");
        match (runs, last.1) {
            (false, None) => last.1 = Some(at.max(last.0)),
            (true, Some(paused)) => self.intervals.push((at.max(paused), None)),
            _ => {}
        }
    }

    /// Working time up to an instant.
    pub fn elapsed(&self, minutes: &Minutes, at: DateTime<Utc>) -> i64 {
        let each = self.intervals.iter();
        each.map(|(from, to)| minutes.between(*from, to.map_or(at, |to| to.min(at)))).sum()
    }

    /// The first second at which so much has passed; `None` if that is not within what is known.
    pub fn due(&self, minutes: &Minutes, target: i64) -> Option<DateTime<Utc>> {
        let mut left = target;
        for (from, to) in &self.intervals {
            let here = minutes.between(*from, to.unwrap_or_else(|| end() - TimeDelta::minutes(1)));
            if here >= left {
                return minutes.when_open_s(minutes.open_s_before(*from) + left);
            }
            left -= here;
        }
        None
    }
}

/// The clocks of a lead, as its history tells them. Of the lead it looks at its state alone.
#[derive(Debug, Clone, Default)]
pub struct Clocks {
    pub sla: Option<Ran>,
    pub stuck: Option<Ran>,
    pub review: Option<Ran>,
    /// The clocks of the state that was left for a hold.
    left: Option<(Option<Ran>, Option<Ran>)>,
}

impl Clocks {
    /// What an entry does, which made `after` of the lead.
    pub fn follow(&mut self, entry: &Entry<LeadFact>, before: Option<&Lead>, after: &Lead) {
        let at = entry.at;
        match &entry.fact {
            LeadFact::Created { kind: StateKind::Working, entered_at, .. } => self.begin(after, *entered_at),
            LeadFact::StateChanged { kind, entered_at, resumed, .. } => match kind {
                StateKind::Working => match self.left.take() {
                    Some((sla, stuck)) if *resumed => {
                        (self.sla, self.stuck) = (sla, stuck);
                        self.turn(after, *entered_at);
                    }
                    _ => self.begin(after, *entered_at),
                },
                StateKind::Hold => {
                    self.turn(after, *entered_at);
                    let clocks = (self.sla.take(), self.stuck.take());
                    if before.is_some_and(|lead| lead.kind == StateKind::Working) {
                        self.left = Some(clocks);
                    }
                }
                StateKind::Terminal => *self = Self::default(),
            },
            LeadFact::WaitingChanged { since, .. } => self.turn(after, *since),
            LeadFact::AccountApplied { .. } => self.turn(after, at),
            LeadFact::ClocksRestarted {} if after.kind == StateKind::Working => self.begin(after, at),
            LeadFact::ClocksRestarted {} => {
                let resting = (Ran::begin(at, false), Ran::begin(at, false));
                if let Some(left) = &mut self.left {
                    *left = resting;
                } else if after.held_from.as_ref().is_some_and(|held| held.kind == StateKind::Working) {
                    (self.sla, self.stuck) = resting;
                }
            }
            LeadFact::OwnerSet { from: Some(_), to: Some(_), .. } | LeadFact::Reassigned { .. } => {
                self.restart_sla(after, at);
            }
            LeadFact::Assigned { reason, .. } if *reason != AssignmentReason::Arrival => {
                self.restart_sla(after, at);
            }
            LeadFact::ComplianceHeld { .. } => {
                self.turn(after, at);
                self.review = Ran::begin(at, true);
            }
            LeadFact::ReviewDecided { .. } => {
                self.review = None;
                match after.kind {
                    StateKind::Working => {
                        self.restart_sla(after, at);
                        self.turn(after, at);
                    }
                    StateKind::Terminal => *self = Self::default(),
                    StateKind::Hold => {}
                }
            }
            _ => {}
        }
    }

    /// The clock of a workflow.
    pub fn of(&self, workflow: WorkflowId) -> Option<&Ran> {
        match workflow {
            WorkflowId::SlaBreach => self.sla.as_ref(),
            WorkflowId::StuckLead => self.stuck.as_ref(),
            WorkflowId::ComplianceFlag => self.review.as_ref(),
            WorkflowId::HighValue | WorkflowId::ChurnRisk => None,
        }
    }

    fn begin(&mut self, lead: &Lead, at: DateTime<Utc>) {
        (self.sla, self.stuck) = (Ran::begin(at, runs_sla(lead)), Ran::begin(at, true));
        self.left = None;
    }

    fn restart_sla(&mut self, lead: &Lead, at: DateTime<Utc>) {
        if lead.kind == StateKind::Working {
            self.sla = Ran::begin(at, runs_sla(lead));
        } else if let Some((sla, _)) = &mut self.left {
            *sla = Ran::begin(at, false);
        }
    }

    fn turn(&mut self, lead: &Lead, at: DateTime<Utc>) {
        for (clock, runs) in
            [(&mut self.sla, runs_sla(lead)), (&mut self.stuck, lead.kind == StateKind::Working)]
        {
            if let Some(clock) = clock {
                clock.turn(runs, at);
            }
        }
    }
}

/// Somebody is to act on it, and it is us.
fn runs_sla(lead: &Lead) -> bool {
    lead.kind == StateKind::Working && !lead.waiting_on_customer && !lead.account_view.outreach_paused
}
