//! Conversations as people have them, on every platform.

mod conversations;
mod letters;
mod pattern;
mod platform;
mod script;
mod stage;
