//! Durable workflow automation that lives in the chat.
//!
//! The rooms, lowest floor first. A room imports only rooms of lower floors, never a neighbour;
//! `tests/it/architecture.rs` holds that wall. `ARCHITECTURE.md` is the map.

pub mod contract;
pub mod domain; // floor 0: nouns, states, the machine; no I/O
pub mod language;
pub mod steps; // floor 4: the steps work
pub mod store; // floor 3: the archive // floor 1: text -> checked template -> plan; expressions // floor 2: the sockets: traits and their plain types
