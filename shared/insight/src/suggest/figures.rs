//! The figures of a step in a market, and the advice that follows from them.

use policy::WorkflowId;
use policy::calendar::WorkingTime;
use policy::ids::MarketId;
use policy::measure::grouped;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The number of notices needed for a judgment.
const NOTICES_MIN: u64 = 50;
/// The percentages from which nearly all notices, or hardly any, are followed.
const NEARLY_ALL_PERCENT: u64 = 90;
const HARDLY_ANY_PERCENT: u64 = 10;
/// Percentage points of the window before and after a notice that are compared.
const BAND_POINTS: u16 = 10;
/// Standard errors from which a difference of two shares counts (one-sided, 5 %).
const STANDARD_ERRORS: f64 = 1.645;
/// A whole window, in hundredths of a percent, the unit of its shares.
const WHOLE: i64 = 10_000;
/// Proposed steps are multiples of this.
const PROPOSED_POINTS: u16 = 5;

/// A step in a market.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StepKey {
    pub workflow: WorkflowId,
    pub step: String,
    pub market: MarketId,
}

/// The counts of a step in a market.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    percent: u16,
    next: Option<u16>,
    not_followed: u64,
    /// The number of actions by working minutes since the notice.
    took: BTreeMap<i64, u64>,
    in_first_tenth: u64,
    /// The number of moves by the share of the window since the notice, in hundredths of a percent.
    moved_after: BTreeMap<i64, u64>,
    /// The same for moves before the notice, by the share of the window up to it.
    moved_before: BTreeMap<i64, u64>,
}

impl Counts {
    /// Counts a notice.
    pub fn noticed(&mut self, percent: u16, next: Option<u16>) {
        (self.percent, self.next) = (percent, next);
    }

    /// Counts a notice that nobody acted on before the next threshold.
    pub fn not_followed(&mut self) {
        self.not_followed += 1;
    }

    /// Counts an action before the next threshold.
    pub fn followed(&mut self, took: WorkingTime, window: WorkingTime, gap_percent: Option<u16>) {
        let share = took.secs().saturating_mul(WHOLE) / window.secs().max(1);
        *self.took.entry(took.secs() / 60).or_default() += 1;
        *self.moved_after.entry(share).or_default() += 1;
        if let Some(gap) = gap_percent {
            self.in_first_tenth += u64::from(share * 10 < points(gap));
        }
    }

    /// Counts a move at a share of the window before the notice was due.
    pub fn moved_without(&mut self, share: i64, percent: u16) {
        self.percent = percent;
        let left = points(percent) - share;
        if left > 0 && left <= points(BAND_POINTS) {
            *self.moved_before.entry(left).or_default() += 1;
        }
    }

    pub fn finish(self, key: StepKey) -> StepFigures {
        let StepKey { workflow, step, market } = key;
        let percent = self.percent;
        let followed: u64 = self.took.values().sum();
        let notices = followed + self.not_followed;
        let band = self.next.map_or(BAND_POINTS, |next| BAND_POINTS.min(next.saturating_sub(percent)));
        let moved_before: u64 = self.moved_before.range(..=points(band)).map(|(_, n)| n).sum();
        let figures = Figures {
            notices,
            followed,
            median_minutes: median(&self.took),
            in_first_tenth: self.next.map(|_| self.in_first_tenth),
            band_points: band,
            waiting_before: notices + moved_before,
            moved_before,
            moved_after: self.moved_after_within(band),
        };
        let later = self.next.map(|next| halfway(percent, next)).filter(|later| *later > percent);
        let later = later.map(|later| (later, self.moved_after_within(later - percent)));
        let advice = figures.advise(later);
        StepFigures { workflow, step, market, percent, figures, advice }
    }

    fn moved_after_within(&self, band: u16) -> u64 {
        self.moved_after.range(..points(band)).map(|(_, n)| n).sum()
    }
}

/// Percentage points as a share of a window.
fn points(percent: u16) -> i64 {
    i64::from(percent) * (WHOLE / 100)
}

fn median(counts: &BTreeMap<i64, u64>) -> Option<i64> {
    let half = counts.values().sum::<u64>() / 2;
    let mut before = 0;
    counts
        .iter()
        .find(|(_, n)| {
            before += **n;
            before > half
        })
        .map(|(value, _)| *value)
}

fn halfway(percent: u16, next: u16) -> u16 {
    let middle = percent.saturating_add(next.saturating_sub(percent) / 2);
    middle / PROPOSED_POINTS * PROPOSED_POINTS
}

/// The figures behind the advice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Notices with a known next event: an action or the next threshold.
    pub notices: u64,
    /// Notices with an action before the next threshold.
    pub followed: u64,
    /// The median working time up to the action, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_minutes: Option<i64>,
    /// Notices with an action within the first tenth of the time up to the next threshold. The notice probably
    /// did not cause those actions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_first_tenth: Option<u64>,
    /// The compared percentage points of the window, before and after the notice.
    pub band_points: u16,
    /// Leads that reached the band before the notice.
    pub waiting_before: u64,
    /// Leads that somebody moved in the band before the notice.
    pub moved_before: u64,
    /// Leads that somebody moved in the band after the notice.
    pub moved_after: u64,
}

/// The advice from the figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "advice", rename_all = "kebab-case")]
pub enum Advice {
    /// There are too few notices for a judgment.
    TooFew {
        /// The number of notices needed.
        needed: u64,
    },
    /// People act as often without the notice, so it can come later.
    Later {
        /// The share of the window to try, in percent.
        try_percent: u16,
        /// The notices that a later threshold would have avoided.
        spared: u64,
    },
    /// Hardly anybody acts on the notice.
    Unheeded,
    /// It is the last threshold, so there is no later one to measure it by.
    Last,
    /// The figures suggest no change.
    Keep,
}

/// The figures of a step in a market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepFigures {
    /// The workflow.
    pub workflow: WorkflowId,
    /// The step.
    pub step: String,
    /// The market.
    pub market: MarketId,
    /// The share of the window, in percent.
    pub percent: u16,
    /// The figures.
    pub figures: Figures,
    /// The advice.
    #[serde(flatten)]
    pub advice: Advice,
}

impl Figures {
    /// Derives the advice. `later` is a later share of the window, and the number of leads moved by then.
    fn advise(&self, later: Option<(u16, u64)>) -> Advice {
        if self.in_first_tenth.is_none() {
            return Advice::Last;
        }
        if self.notices < NOTICES_MIN {
            return Advice::TooFew { needed: NOTICES_MIN };
        }
        if self.followed * 100 <= self.notices * HARDLY_ANY_PERCENT {
            return Advice::Unheeded;
        }
        let nearly_all = self.followed * 100 >= self.notices * NEARLY_ALL_PERCENT;
        match later {
            Some((try_percent, spared)) if nearly_all && !self.has_effect() => {
                Advice::Later { try_percent, spared }
            }
            _ => Advice::Keep,
        }
    }

    /// Whether significantly more leads move after the notice than before it.
    fn has_effect(&self) -> bool {
        let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        let (before, after) =
            (share(self.moved_before, self.waiting_before), share(self.moved_after, self.notices));
        let both = share(self.moved_before + self.moved_after, self.waiting_before + self.notices);
        let spread = 1.0 / self.waiting_before.max(1) as f64 + 1.0 / self.notices.max(1) as f64;
        after - before > STANDARD_ERRORS * (both * (1.0 - both) * spread).sqrt()
    }
}

impl StepFigures {
    /// The advice in words, with its figures.
    pub fn spelled(&self) -> String {
        let Figures { notices, followed, band_points, waiting_before, moved_before, moved_after, .. } =
            self.figures;
        let percent = |part: u64, whole: u64| (part * 100 + whole / 2) / whole.max(1);
        let of = format!("of {} `{}` notices in `{}`", grouped(notices), self.step, self.market);
        match &self.advice {
            Advice::TooFew { needed } => {
                format!(
                    "{notices} `{}` notices in `{}`; needs at least {needed} to judge",
                    self.step, self.market
                )
            }
            Advice::Later { try_percent, spared } => format!(
                "{of} {} % were followed by an action before the next threshold, but not because of the notice: people \
                 moved {} % of the leads in the {band_points} points before it and {} % in those after it. Try \
                 {try_percent} %, which avoids {} notices",
                percent(followed, notices),
                percent(moved_before, waiting_before),
                percent(moved_after, notices),
                grouped(*spared),
            ),
            Advice::Unheeded => format!(
                "{of} only {} % were followed by an action before the next threshold: try another time or another \
                 recipient",
                percent(followed, notices)
            ),
            Advice::Last => format!(
                "`{}` is the last threshold in `{}`: people moved {} leads after it, but no later threshold exists to \
                 measure it by",
                self.step,
                self.market,
                grouped(followed)
            ),
            Advice::Keep => format!(
                "{of} {} % were followed by an action before the next threshold; no change suggested",
                percent(followed, notices)
            ),
        }
    }
}
