//! Durable workflow automation that lives in the chat.
//!
//! The rooms by floor; a room imports only rooms of lower floors, never a neighbour. `tests/it/architecture/`
//! holds that wall, and `ARCHITECTURE.md` is the map.

pub mod config;
pub mod connect;
pub mod contract;
pub mod domain;
pub mod language;
pub mod steps;
pub mod store;
