//! The figures of a step in a market, and what they advise.

use policy::WorkflowId;
use policy::calendar::WorkingTime;
use policy::ids::MarketId;
use policy::measure::grouped;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Fewer notices than this say nothing.
const NOTICES_MIN: u64 = 50;
/// So many percent followed are called nearly all, and so few hardly any.
const NEARLY_ALL_PERCENT: u64 = 90;
const HARDLY_ANY_PERCENT: u64 = 10;
/// Points of the window on either side of a notice that are held against each other.
const BAND_POINTS: u16 = 10;
/// A difference of two shares counts from so many standard errors on (one-sided, 5 %).
const STANDARD_ERRORS: f64 = 1.645;
/// A whole window, in the unit in which shares of it are counted: hundredths of a percent.
const WHOLE: i64 = 10_000;
/// A step that is proposed is a multiple of this.
const PROPOSED_POINTS: u16 = 5;

/// Which step, where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub workflow: WorkflowId,
    pub step: String,
    pub market: MarketId,
}

/// What was counted of a step in a market.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    percent: u16,
    next: Option<u16>,
    not_followed: u64,
    /// Working minutes to the action, and how often it took so many.
    took: BTreeMap<i64, u64>,
    in_first_tenth: u64,
    /// Shares of the window, in hundredths of a percent, from the notice until the lead was moved,
    /// and how often it was so.
    moved_after: BTreeMap<i64, u64>,
    /// The same up to the notice, of leads that were moved before it.
    moved_before: BTreeMap<i64, u64>,
}

impl Counts {
    /// A notice went out.
    pub fn noticed(&mut self, percent: u16, next: Option<u16>) {
        (self.percent, self.next) = (percent, next);
    }

    /// The next threshold came first.
    pub fn not_followed(&mut self) {
        self.not_followed += 1;
    }

    /// Somebody acted before the next threshold.
    pub fn followed(&mut self, took: WorkingTime, window: WorkingTime, gap_percent: Option<u16>) {
        let share = took.secs().saturating_mul(WHOLE) / window.secs().max(1);
        *self.took.entry(took.secs() / 60).or_default() += 1;
        *self.moved_after.entry(share).or_default() += 1;
        if let Some(gap) = gap_percent {
            self.in_first_tenth += u64::from(share * 10 < points(gap));
        }
    }

    /// A lead was moved at a share of its window, before the notice was due.
    pub fn moved_without(&mut self, share: i64, percent: u16) {
        self.percent = percent;
        let left = points(percent) - share;
        if left > 0 && left <= points(BAND_POINTS) {
            *self.moved_before.entry(left).or_default() += 1;
        }
    }

    pub fn finish(self, key: Key) -> StepFigures {
        let Key { workflow, step, market } = key;
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

/// Percent points as shares of a window.
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

/// The figures behind an advice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Notices of which it is known what came next: an action, or the next threshold.
    pub notices: u64,
    /// Those that an action followed before the next threshold.
    pub followed: u64,
    /// The median of the working time until then, in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_minutes: Option<i64>,
    /// Those that an action followed within the first tenth of the time up to the next threshold:
    /// it was on its way, the notice was not its cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_first_tenth: Option<u64>,
    /// So many points of the window are held against each other, before and after the notice.
    pub band_points: u16,
    /// Leads that came so near to the notice.
    pub waiting_before: u64,
    /// Those that were moved in the band before it, without any notice.
    pub moved_before: u64,
    /// Those of the notices that were moved in the band after it.
    pub moved_after: u64,
}

/// What the figures advise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "advice", rename_all = "kebab-case")]
pub enum Advice {
    /// There are too few notices to say anything.
    TooFew {
        /// How many there would have to be.
        needed: u64,
    },
    /// Leads are moved as often without the notice: it may come later.
    Later {
        /// At which share of the window.
        try_percent: u16,
        /// The notices that would not have been sent, had they come then.
        spared: u64,
    },
    /// Hardly anybody acts on it.
    Unheeded,
    /// It is the last threshold: nothing comes after it that it could be measured by.
    Last,
    /// Nothing in the figures asks for a change.
    Keep,
}

/// The figures of a step in a market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepFigures {
    /// Of which workflow.
    pub workflow: WorkflowId,
    /// Which step.
    pub step: String,
    /// Where.
    pub market: MarketId,
    /// At which share of the window it is.
    pub percent: u16,
    /// The figures.
    pub figures: Figures,
    /// What they advise.
    #[serde(flatten)]
    pub advice: Advice,
}

impl Figures {
    /// `later` is a later share of the window, with the leads that were moved by then.
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

    /// Whether more leads are moved after the notice than before it, by more than chance does.
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
    /// In words, with the figures that it rests on.
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
                "{of} {} % were for leads that were moved before the next threshold, and the notice did not bring \
                 that about: in the {band_points} points before it {} % were moved, in those after it {} %. Try \
                 {try_percent} %: {} of them would not have been sent",
                percent(followed, notices),
                percent(moved_before, waiting_before),
                percent(moved_after, notices),
                grouped(*spared),
            ),
            Advice::Unheeded => format!(
                "{of} {} % were followed by anything before the next threshold: try another time, or somebody else",
                percent(followed, notices)
            ),
            Advice::Last => format!(
                "`{}` is the last threshold in `{}`: {} leads were moved after it; nothing comes later that it could be \
                 measured by",
                self.step,
                self.market,
                grouped(followed)
            ),
            Advice::Keep => format!(
                "{of} {} % were followed by an action before the next threshold; nothing asks for a change",
                percent(followed, notices)
            ),
        }
    }
}
