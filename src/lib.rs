//! Durable workflow automation that lives in the chat.
//!
//! The rooms by floor; a room imports only rooms of lower floors, never a neighbour. `tests/it/architecture/`
//! holds that wall, and `ARCHITECTURE.md` is the map.
//!
//! | floor | rooms |
//! |---|---|
//! | 0 | [`domain`]: nouns, states, the machine; no I/O |
//! | 1 | [`language`]: text to checked template to plan; expressions |
//! | 2 | [`contract`]: the sockets, traits and their plain types |
//! | 3 | [`store`]: the archive; [`connect`]: the lines to the outside world |
//! | 4 | [`engine`]: carries runs; [`steps`]: the work |
//! | 5 | [`service`]: the front desk, what the product can do |
//! | 6 | [`http`]: the porch: who asks, how a refusal looks, the socket |
//! | 7 | [`api`]: REST, live messages, the page; [`chat`]: workflows in conversations; [`triggers`]: what starts by itself |
//! | 8 | [`cli`] -> [`app`] -> [`config`]: the roof, builds everything, starts and stops it |

pub mod api;
pub mod app;
pub mod chat;
pub mod cli;
pub mod config;
pub mod connect;
pub mod contract;
pub mod domain;
pub mod engine;
pub mod http;
pub mod language;
pub mod service;
pub mod steps;
pub mod store;
pub mod triggers;
