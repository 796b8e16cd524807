//! Conversations as people have them, on every platform.

mod conversations;
mod pattern;
mod script;
mod slack;
mod stage;
