//! What several tests stand on.

pub mod attempt;
pub mod binary;
pub mod desk;
pub mod dice;
pub mod names;
pub mod server;
pub mod service;
pub mod tables;
pub mod workbench;
