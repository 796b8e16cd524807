//! Conversations as people have them, on every platform.

mod conversations;
mod discord;
mod pattern;
mod script;
mod stage;
