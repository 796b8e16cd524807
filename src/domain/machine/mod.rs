//! The heart: four functions of values, total and synchronous.
//!
//! - [`decide`]: may this happen, and what follows at once?
//! - [`apply`]: the fold of the journal; cannot fail.
//! - [`settle`]: the only place that skips, pauses and finishes; repeated until it has nothing to say.
//! - [`due`]: what the world should be doing now, derived from the state alone, so a restart needs nothing special.
//!
//! ```text
//! queued -> running -> completed | failed
//!    ^       |  |  \-> waiting (timer, retry) -> running
//!    |       |  \----> pausing -> paused -> queued
//!    |       \-------> cancelling -> cancelled | timed_out
//!    \--- retry of a failed, cancelled, timed out or paused run
//! ```
//!
//! Invariants (held by `tests.rs`): finished runs stay finished unless retried; no attempt begins before its needs
//! are settled, while pausing, paused or cancelling; attempts never exceed the policy; siblings of a failed step
//! finish; the fold of the journal is the run; an open run always has something due or something in flight, unless
//! it is paused; in a friendly world every run ends.

mod apply;
mod decide;
mod looping;
mod settle;
#[cfg(test)]
mod tests;
mod waits;

pub use apply::apply;
pub use decide::{decide, unanswered};
pub use settle::{Due, due, next_wake, settle};

use super::command::{Command, Refusal};
use super::event::{Entry, Event};
use super::run::{Flow, Run};
use super::time::Timestamp;

/// Decides a command, applies what follows to `run`, settles, and adds all events to `journal`.
///
/// # Errors
/// The refusal of [`decide`]; `run` and `journal` are unchanged then.
pub fn step(
    run: &mut Run,
    flow: &Flow,
    command: Command,
    now: Timestamp,
    journal: &mut Vec<Entry>,
) -> Result<(), Refusal> {
    for event in decide(run, flow, command, now)? {
        record(run, flow, event, now, journal);
    }
    while let Some(event) = settle(run, flow, now) {
        record(run, flow, event, now, journal);
    }
    Ok(())
}

fn record(run: &mut Run, flow: &Flow, event: Event, now: Timestamp, journal: &mut Vec<Entry>) {
    apply(run, flow, now, &event);
    journal.push((now, event));
}
