//! How a room offers live messages to browsers over the one WebSocket, without knowing the socket.
//!
//! A topic is a set of keyed, numbered sequences (the messages of a channel, the events of an execution). It says
//! two things: *something is new under this key*, and *what stands after this number*. Everything else (who listens,
//! what they have seen, who is slow) is the socket's business. A message is serialised once and shared by all who
//! read it. Because a reader always asks for what comes after the number that it has, one that lags or comes back is
//! nothing special: no message is kept for it anywhere but in the topic's own store.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use futures::future::BoxFuture;
use tokio::sync::broadcast;

use super::problem::Problem;
use crate::service::Caller;

/// A message of a sequence, as it goes over the wire. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Its number in its sequence; never smaller than that of a frame before it. Frames that share one stand on one page.
    pub seq: u64,
    /// Its JSON text, shared by all who read it.
    pub text: Utf8Bytes,
    /// The only caller who may see it, by name; `None`: everybody who may listen.
    pub only_for: Option<Arc<str>>,
}

impl Frame {
    /// A frame for everybody.
    ///
    /// # Panics
    /// Never for JSON values and plain structs: their keys are strings.
    #[must_use]
    pub fn new(seq: u64, message: &impl serde::Serialize) -> Self {
        let text = serde_json::to_string(message).expect("JSON values have string keys and serialise always");
        Self { seq, text: text.into(), only_for: None }
    }

    /// The same frame, for one caller alone.
    #[must_use]
    pub fn only_for(mut self, name: &str) -> Self {
        self.only_for = Some(name.into());
        self
    }

    /// Whether this caller may see it.
    #[must_use]
    pub fn is_for(&self, caller: &Caller) -> bool {
        self.only_for.as_deref().is_none_or(|name| name == caller.name)
    }
}

/// Something that browsers can listen to.
pub trait Topic: Send + Sync {
    /// Its name in `{"subscribe": NAME}`.
    fn name(&self) -> &'static str;

    /// The field of the subscription that holds the key: `channel` for a chat.
    fn key_field(&self) -> &'static str;

    /// Whether this caller may listen to this key; the text of the refusal is told to them.
    fn admit<'a>(&'a self, caller: &'a Caller, key: &'a str) -> BoxFuture<'a, Result<(), Problem>>;

    /// The number of the newest frame of this key; 0 when there is none. Who subscribes without `after` begins here.
    fn newest<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<u64, Problem>>;

    /// The frames of this key whose number is above `after`, in order, some `limit` of them: fewer when these are all, more
    /// where some belong together; for every caller, those for one alone included. A message that was changed since may be left out at its old number.
    fn since<'a>(&'a self, key: &'a str, after: u64, limit: usize) -> BoxFuture<'a, Result<Vec<Frame>, Problem>>;

    /// Hears the key each time something is new under it, after it can be read with [`Topic::since`].
    fn news(&self) -> broadcast::Receiver<Arc<str>>;
}
