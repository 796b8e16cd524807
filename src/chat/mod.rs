//! A door: workflows in conversations. What people say goes to the front desk, what happens comes back as one live card.
//!
//! [`conversation`] is the way of a message: kept, read by [`grammar`], answered by `verbs`. [`courier`] keeps every
//! execution's one card up to date. A platform is a folder with an [`adapter::ChatAdapter`]; [`web`] and [`terminal`]
//! are the reference. Must never know: the store, the engine, or how another door works.

pub mod actions;
pub mod adapter;
pub mod cards;
mod complete;
pub mod conversation;
pub mod courier;
pub mod discord;
mod files;
pub mod forms;
pub mod grammar;
mod inbox;
mod means;
pub mod outbox;
mod platform;
mod press;
mod recovery;
mod rules;
pub mod short;
pub mod slack;
mod talk;
pub mod terminal;
mod verbs;
pub mod web;
mod who;
pub mod words;

pub use conversation::{Chat, Receipt};
pub use means::{FileMode, Settings};
pub use platform::{Finding, Platform, Platforms, check, configured};
