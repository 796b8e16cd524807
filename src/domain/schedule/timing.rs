//! The next time: local times that an expression names, set on the line of real time.
//!
//! A zone's time is a row of stretches, each with one offset. Within a stretch local time and real time go alike; all
//! rules are about its edges.

use chrono::NaiveDate;

use super::cron::{Cron, Pace, day_of};
use super::zone::{Change, Zone};
use crate::domain::time::{Span, Timestamp};

/// A fire lies within this of the one before, or there is none.
const HORIZON: i64 = 5 * 366 * 86_400;
/// A change can reach this far: no clock was ever moved by more than a day.
const REACH: i64 = 25 * 3_600;

/// What happens to a fixed hour that the clocks leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gap {
    /// It happens at the first instant after the gap.
    #[default]
    RunAfter,
    /// It does not happen that day.
    Skip,
}

/// What happens to a fixed hour that comes twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overlap {
    /// It happens the first time.
    #[default]
    First,
    /// It happens the second time.
    Last,
    /// It happens both times.
    Both,
}

/// What to do on the days when clocks are changed, and days that are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// The hour that is not there.
    pub gap: Gap,
    /// The hour that comes twice.
    pub overlap: Overlap,
    /// Local days on which nothing happens.
    pub exclude: Vec<NaiveDate>,
}

/// Again and again after the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every {
    /// How long; whole seconds.
    pub span: Span,
    /// From when it is counted.
    pub from: Timestamp,
}

/// Single instants, earliest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// When.
    pub instants: Vec<Timestamp>,
}

/// When something happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Timing {
    /// At the local times that an expression names.
    Cron {
        /// The expression.
        cron: Box<Cron>,
        /// Whose clocks.
        zone: Zone,
        /// What to do when they are changed.
        rules: Rules,
    },
    /// By elapsed time. The zone is for telling.
    Every(Every, Zone),
    /// At single instants. The zone is for telling.
    At(At, Zone),
}

/// One time at which something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fire {
    /// When.
    pub at: Timestamp,
    /// The change of clocks that moved it, or on whose day it lies.
    pub change: Option<Change>,
    /// Whether the change moved it: its own local time is not there.
    pub is_moved: bool,
}

/// Where a search stands: a stretch of time, by its offset, and the first local time that counts in it.
struct Stretch {
    at: i64,
    offset: i64,
    from: i64,
}

impl Timing {
    /// Whose clocks it is told by.
    #[must_use]
    pub const fn zone(&self) -> Zone {
        match self {
            Self::Cron { zone, .. } | Self::Every(_, zone) | Self::At(_, zone) => *zone,
        }
    }

    /// The first time strictly later than `after`; `None` when there is none within five years.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron { cron, zone, rules } => {
                let next = Search { cron, zone: *zone, rules }.next(after.micros().div_euclid(1_000_000))?;
                Some(Timestamp::from_micros(next * 1_000_000))
            }
            Self::Every(every, _) => every.next(after),
            Self::At(at, _) => at.instants.iter().copied().find(|at| *at > after),
        }
    }

    /// The next `count` times with what the clocks do to them.
    pub fn fires(&self, after: Timestamp, count: usize) -> impl Iterator<Item = Fire> + '_ {
        let first = self.next(after);
        std::iter::successors(first, |at| self.next(*at)).take(count).map(|at| self.fire(at))
    }

    /// What the clocks do to a time that [`Timing::next`] has given.
    #[must_use]
    pub fn fire(&self, at: Timestamp) -> Fire {
        let zone = self.zone();
        let seconds = at.micros().div_euclid(1_000_000);
        let day = |at: i64| day_of(at + zone.offset(at));
        let near = zone.changes(seconds - REACH, seconds + REACH);
        let change =
            near.into_iter().find(|change| day(change.at) == day(seconds) || day(change.at - 1) == day(seconds));
        let is_moved = match (self, change) {
            (Self::Cron { cron, .. }, Some(change)) if change.is_gap() && change.at == seconds => {
                let (from, to) = change.local_range();
                cron.pace() != Pace::Elapsed && cron.next_local(from).is_some_and(|local| local < to)
            }
            _ => false,
        };
        Fire { at, change, is_moved }
    }

    /// The shortest time between the next few.
    #[must_use]
    pub fn shortest(&self, after: Timestamp, count: usize) -> Option<Span> {
        let fires: Vec<_> = self.fires(after, count).map(|fire| fire.at).collect();
        fires.windows(2).map(|pair| pair[1].since(pair[0])).min()
    }
}

impl Every {
    fn next(self, after: Timestamp) -> Option<Timestamp> {
        let span = self.span.micros();
        if span <= 0 {
            return None;
        }
        let gone = after.micros().saturating_sub(self.from.micros());
        let turn = if gone < 0 { 0 } else { gone / span + 1 };
        Some(Timestamp::from_micros(self.from.micros().checked_add(turn.checked_mul(span)?)?))
    }
}

struct Search<'s> {
    cron: &'s Cron,
    zone: Zone,
    rules: &'s Rules,
}

impl Search<'_> {
    fn next(&self, after: i64) -> Option<i64> {
        let until = after + HORIZON;
        let mut at = after;
        loop {
            at = self.next_unfiltered(at, until)?;
            let (year, month, day) = day_of(at + self.zone.offset(at));
            let is_out = |date: &NaiveDate| NaiveDate::from_ymd_opt(year, month, day) == Some(*date);
            if !self.rules.exclude.iter().any(is_out) {
                return Some(at);
            }
        }
    }

    fn next_unfiltered(&self, after: i64, until: i64) -> Option<i64> {
        let mut stretch = self.stretch_of(after);
        let mut known: Option<i64> = None;
        loop {
            // A local time that was found for the stretch before is still the first one, if it counts in this one.
            let local = match known {
                Some(local) if local >= stretch.from => local,
                _ => self.cron.next_local(stretch.from)?,
            };
            known = Some(local);
            let candidate = local - stretch.offset;
            match self.zone.next_change(stretch.at, candidate.min(until)) {
                None if candidate > until => return None,
                None if self.comes_again(candidate, local) => {
                    stretch.from = local + 1;
                }
                None => return Some(candidate),
                Some(change) => {
                    if self.falls_into(&change, local) {
                        return Some(change.at);
                    }
                    stretch = self.enter(&change);
                    known = None;
                }
            }
        }
    }

    /// The stretch of an instant, for what is strictly later.
    fn stretch_of(&self, after: i64) -> Stretch {
        let offset = self.zone.offset(after);
        let plain = Stretch { at: after, offset, from: after + 1 + offset };
        let before = self.zone.changes(after - REACH, after).pop();
        match before {
            Some(change) => Stretch { from: plain.from.max(self.enter(&change).from), ..plain },
            None => plain,
        }
    }

    /// The stretch that begins with a change.
    fn enter(&self, change: &Change) -> Stretch {
        let counts_once = self.cron.pace() == Pace::Fixed && self.rules.overlap == Overlap::First;
        let from = if counts_once && !change.is_gap() { change.local_range().1 } else { change.at + change.after };
        Stretch { at: change.at, offset: change.after, from }
    }

    /// Whether a local time lies among those that a change leaves out, and happens after them.
    fn falls_into(&self, change: &Change, local: i64) -> bool {
        let (from, to) = change.local_range();
        change.is_gap()
            && self.cron.pace() != Pace::Elapsed
            && self.rules.gap == Gap::RunAfter
            && (from..to).contains(&local)
    }

    /// Whether a local time comes a second time, and only that counts.
    fn comes_again(&self, candidate: i64, local: i64) -> bool {
        if self.cron.pace() != Pace::Fixed || self.rules.overlap != Overlap::Last {
            return false;
        }
        let change = self.zone.next_change(candidate, candidate + REACH);
        change.is_some_and(|change| !change.is_gap() && local >= change.local_range().0)
    }
}
