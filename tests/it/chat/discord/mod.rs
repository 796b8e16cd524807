//! Discord, against a small one of our own on loopback.

mod fake;
mod gateway;
mod http;
mod rest;
mod servers;
mod stage;
mod tests;

pub use fake::{Fake, id_of};
pub use stage::{Side, introduce};
