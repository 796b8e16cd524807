//! The terminal as a chat: one person, one conversation, no server. Messages are blocks of text; a card that changes
//! is drawn again in its place where it is the last one, and as a block of its own elsewhere.
//!
//! Whoever reads the keyboard says what was typed with [`Terminal::said`] and [`Terminal::pressed`].

mod adapter;
mod screen;

pub use adapter::{PLATFORM, Terminal};
pub use screen::Screen;
