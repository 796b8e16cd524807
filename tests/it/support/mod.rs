//! What several tests stand on.

pub mod attempt;
pub mod names;
pub mod server;
pub mod workbench;
