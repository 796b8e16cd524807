//! Conversations as people have them, on every platform.

mod conversations;
mod courier;
mod crash;
mod pattern;
mod routes;
mod script;
mod stage;
