//! A clock: the intervals during which it ran. Elapsed time is computed afresh from them under
//! whatever calendar applies; nothing is added up that could drift.

use chrono::{DateTime, TimeDelta, Utc};
use policy::calendar::{Calendar, WorkingTime};
use serde::{Deserialize, Serialize};

/// A stretch of time during which a clock ran; open at the end while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// When it began to run.
    pub from: DateTime<Utc>,
    /// When it was paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
}

/// A clock of one workflow on one lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Counts the clocks of this workflow on this lead, from 1.
    pub number: u32,
    /// When it ran.
    pub ran: Vec<Interval>,
    /// The steps that were reached or superseded in this clock. A step is here at most once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<String>,
    /// Those of them that nobody was told of, since a publication made them passed: rules under which
    /// they are still to come arm them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unheard: Vec<String>,
    /// The window is this share of the policy's; 100 unless it was tightened when the clock began.
    pub window_percent: u16,
    /// Thresholds that were already passed at this instant (an old lead was imported, a report
    /// came late) are recorded and not acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history_until: Option<DateTime<Utc>>,
}

impl Clock {
    /// A clock that begins to run.
    pub fn start(number: u32, from: DateTime<Utc>, window_percent: u16) -> Self {
        Self {
            number,
            ran: vec![Interval { from, to: None }],
            passed: Vec::new(),
            unheard: Vec::new(),
            window_percent,
            history_until: None,
        }
    }

    /// Whether a step was reached or superseded.
    pub fn has_passed(&self, step: &str) -> bool {
        self.passed.iter().any(|passed| passed == step)
    }

    /// Arms a step again that was passed.
    pub fn rearm(&mut self, step: &str) {
        self.passed.retain(|passed| passed != step);
        self.unheard.retain(|passed| passed != step);
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.ran.last().is_some_and(|last| last.to.is_none())
    }

    /// Stops it; does nothing to one that is paused. Never ends an interval before it began.
    pub fn pause(&mut self, at: DateTime<Utc>) {
        if let Some(last) = self.ran.last_mut()
            && last.to.is_none()
        {
            last.to = Some(at.max(last.from));
        }
    }

    /// Lets it run on; does nothing to one that runs. Never begins before it was paused.
    pub fn resume(&mut self, at: DateTime<Utc>) {
        match self.ran.last() {
            Some(Interval { to: None, .. }) => {}
            Some(Interval { to: Some(to), .. }) => {
                let from = at.max(*to);
                self.ran.push(Interval { from, to: None });
            }
            None => self.ran.push(Interval { from: at, to: None }),
        }
    }

    /// The rest that the interval of an instant ended in: since when, and until when if it runs again.
    pub fn rest_after(&self, at: DateTime<Utc>) -> Option<(DateTime<Utc>, Option<DateTime<Utc>>)> {
        let mut intervals = self.ran.iter().skip_while(|i| i.to.is_some_and(|to| to < at));
        let from = intervals.next()?.to?;
        Some((from, intervals.next().map(|next| next.from)))
    }

    /// Working time it ran, up to an instant.
    pub fn elapsed(&self, calendar: &Calendar, at: DateTime<Utc>) -> WorkingTime {
        let total = self
            .ran
            .iter()
            .map(|i| calendar.elapsed(i.from, i.to.map_or(at, |to| to.min(at))).secs())
            .fold(0i64, i64::saturating_add);
        WorkingTime::from_secs(total)
    }

    /// An instant before which it cannot have run so long, on whatever calendar: no calendar counts more than
    /// the time that passes. `None` while it is paused short of that.
    pub fn due_not_before(&self, target: WorkingTime) -> Option<DateTime<Utc>> {
        let mut left = target.secs();
        for interval in &self.ran {
            // Calendars count whole seconds.
            let from = interval.from.timestamp();
            let due = from.saturating_add(left.max(0));
            match interval.to.map(|to| to.timestamp()) {
                Some(to) if to < due => left = left.saturating_sub(to.saturating_sub(from)),
                _ => return DateTime::from_timestamp(due, 0),
            }
        }
        None
    }

    /// The instant at which it will have run so long; `None` while it is paused short of that.
    pub fn due(&self, calendar: &Calendar, target: WorkingTime) -> Option<DateTime<Utc>> {
        let mut before = 0i64;
        for interval in &self.ran {
            let left = WorkingTime::from_secs(target.secs().saturating_sub(before));
            let Some(to) = interval.to else {
                return calendar.add(interval.from, left);
            };
            let here = calendar.elapsed(interval.from, to);
            if here >= left {
                return calendar.add(interval.from, left);
            }
            before = before.saturating_add(here.secs());
        }
        None
    }
}

/// A timer that comes later than this was missed. Two periods of the sweep: what a missed tick
/// may cost before its safety net has run.
pub const MISSED_AFTER: TimeDelta = TimeDelta::seconds(120);
