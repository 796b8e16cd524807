//! `workflow chat`: the conversation, and the keyboard that speaks in it.

mod conversation;
mod keyboard;

pub use conversation::chat;
