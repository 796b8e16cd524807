//! Conversations as people have them, on every platform.

mod conversations;
mod courier;
mod elsewhere;
mod pattern;
mod script;
mod stage;
