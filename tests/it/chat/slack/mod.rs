//! Slack: the conversations on a small Slack of our own, and what only Slack does.

mod api;
mod behaviour;
mod fake;
mod http;
mod presses;
mod side;
mod teams;
mod weather;

pub use fake::Fake;
pub use side::{SlackSide, id};
