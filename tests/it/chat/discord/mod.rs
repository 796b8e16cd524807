//! Discord, against a small one of our own on loopback.

mod fake;
mod gateway;
mod http;
mod stage;
mod tests;

pub use fake::Fake;
pub use stage::{Side, introduce};
