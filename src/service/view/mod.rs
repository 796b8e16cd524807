//! Runs, workflows and what happened, in the words of the wire: what every door shows.

pub mod detail;
mod documents;
pub mod events;
pub(super) mod following;
pub mod history;
pub mod preview;
pub mod progress;
