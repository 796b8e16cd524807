//! The web chat: messages are kept here, numbered by channel, and browsers read them over REST and the one WebSocket.
//!
//! `messages` is the platform (what Slack is elsewhere); [`routes`] and `topic` are its two ways to browsers.

mod messages;
pub mod routes;
mod topic;
pub mod wire;

use std::sync::Arc;

pub use messages::{Saying, WebChat};

use super::Chat;
use crate::http::Room;

/// What the web chat brings to the page.
#[must_use]
pub fn room(chat: Chat, web: Arc<WebChat>) -> Room {
    Room { routes: routes::router(chat, Arc::clone(&web)), topic: Some(web) }
}
