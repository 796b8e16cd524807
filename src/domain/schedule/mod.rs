//! When something happens again: cron expressions, intervals and single instants, in a zone, under our own daylight rules.
//!
//! Invariant: [`Timing::next`] is strictly later than what it is asked after, whatever the clocks of the zone do. The
//! rules, as docs/triggers.md publishes them: a fixed hour that the clocks leave out happens at the first instant
//! after it; an hour that comes twice counts once, the first time; what repeats within the hour, or in every hour,
//! goes by elapsed time. Start reading at [`timing`].

pub mod cron;
pub mod jitter;
#[cfg(test)]
mod tests;
pub mod timing;
pub mod zone;

pub use cron::{Cron, CronError, Pace};
pub use timing::{At, Every, Fire, Gap, Overlap, Rules, Timing};
pub use zone::{Change, Zone};
