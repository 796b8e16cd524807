//! Slack: the conversations on a small Slack of our own, and what only Slack does.

mod behaviour;
mod fake;
mod http;
mod side;

pub use fake::Fake;
pub use side::{SlackSide, id};
