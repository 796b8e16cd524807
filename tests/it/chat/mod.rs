//! Conversations as people have them, on every platform.

mod acts;
mod busy;
mod conversations;
mod courier;
mod discord;
mod elsewhere;
mod letters;
mod pattern;
mod script;
mod slack;
mod stage;
