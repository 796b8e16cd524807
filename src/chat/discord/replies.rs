//! Answers that one person sees: by the token of what they did, while it lives.
//!
//! A command is acknowledged with "is thinking"; its first answer takes that place, further ones stand beside it. A press
//! changes nothing by itself; all its answers stand beside. Nothing is sent before the acknowledgement is through.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::domain::time::{Span, Timestamp};

/// How long a token is used; Discord takes it for 15 minutes.
const LIFE: Span = Span::from_secs(14 * 60);
/// How long an answer waits for the acknowledgement at the most.
const ACKNOWLEDGED: Duration = Duration::from_secs(4);
/// Tokens, messages and ids that are remembered.
const MOST: usize = 10_000;

/// By what Discord takes an answer that one person sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    /// The application.
    pub application: String,
    /// The token.
    pub token: String,
    /// The last moment at which it is used, in microseconds.
    pub until: i64,
    /// Whether the acknowledgement is a message whose place the first answer takes.
    pub is_thinking: bool,
}

impl Handle {
    /// The handle of something that was done now.
    #[must_use]
    pub fn new(application: String, token: String, is_thinking: bool, now: Timestamp) -> Self {
        Self { application, token, until: now.plus(LIFE).micros(), is_thinking }
    }

    /// As it goes along with what came in.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// The handle that came along, while it lives.
    #[must_use]
    pub fn read(text: &str, now: Timestamp) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|handle: &Self| handle.until > now.micros())
    }
}

#[derive(Default)]
struct Kept {
    /// Tokens whose acknowledgement we make: whether it is through, and whether its place is taken.
    open: HashMap<String, (watch::Sender<bool>, bool)>,
    /// Private messages that somebody pressed a button of: the way to change them.
    pressed: HashMap<String, Handle>,
    seen: HashSet<String>,
    order: VecDeque<String>,
}

/// What is known of answers under way.
#[derive(Default)]
pub struct Replies {
    kept: Mutex<Kept>,
}

impl Replies {
    /// Whether an interaction comes for the first time.
    pub fn is_new(&self, id: &str) -> bool {
        let mut kept = self.kept();
        if !kept.seen.insert(id.to_owned()) {
            return false;
        }
        kept.order.push_back(id.to_owned());
        if kept.order.len() > MOST
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.seen.remove(&oldest);
        }
        true
    }

    /// Something is about to be acknowledged.
    pub fn open(&self, token: &str) {
        let mut kept = self.kept();
        if kept.open.len() >= MOST {
            kept.open.clear();
        }
        kept.open.insert(token.to_owned(), (watch::Sender::new(false), false));
    }

    /// It is acknowledged, or will never be.
    pub fn acknowledged(&self, token: &str) {
        if let Some((through, _)) = self.kept().open.get(token) {
            through.send_replace(true);
        }
    }

    /// Waits until it is acknowledged.
    pub async fn ready(&self, token: &str) {
        let waiting = self.kept().open.get(token).map(|(through, _)| through.subscribe());
        if let Some(mut waiting) = waiting {
            let through = tokio::time::timeout(ACKNOWLEDGED, waiting.wait_for(|through| *through)).await;
            drop(through); // an answer that fails says why
        }
    }

    /// Takes the place of "is thinking"; `false`: it is taken already. What an earlier life acknowledged is free.
    pub fn take_place(&self, token: &str) -> bool {
        let mut kept = self.kept();
        if kept.open.len() >= MOST {
            kept.open.clear();
        }
        let open = kept.open.entry(token.to_owned()).or_insert_with(|| (watch::Sender::new(true), false));
        !std::mem::replace(&mut open.1, true)
    }

    /// What an earlier life acknowledged was answered; whether the place of "is thinking" was taken for that.
    pub fn was_taken(&self, token: &str) -> bool {
        self.kept().open.remove(token).is_some_and(|(_, taken)| taken)
    }

    /// It was answered; whether the place of "is thinking" was taken.
    pub fn close(&self, token: &str) -> bool {
        self.kept().open.remove(token).is_none_or(|(_, taken)| taken)
    }

    /// Somebody pressed a button of a message that only they see.
    pub fn note_pressed(&self, message: &str, handle: Handle) {
        let mut kept = self.kept();
        if kept.pressed.len() >= MOST {
            kept.pressed.clear();
        }
        kept.pressed.insert(message.to_owned(), handle);
    }

    /// The way to change a private message.
    pub fn pressed(&self, message: &str, now: Timestamp) -> Option<Handle> {
        self.kept().pressed.get(message).filter(|handle| handle.until > now.micros()).cloned()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_place_of_the_acknowledgement_is_taken_once_and_not_before_it_is_there() {
        let replies = Replies::default();
        replies.open("t");
        assert!(tokio::time::timeout(Duration::from_millis(20), replies.ready("t")).await.is_err());
        replies.acknowledged("t");
        replies.ready("t").await;
        assert!(replies.take_place("t") && !replies.take_place("t"));
        assert!(replies.close("t"));
        assert!(replies.take_place("of another life"), "a restart takes the place again");
        assert!(replies.was_taken("of another life") && !replies.was_taken("of a third one"));
        assert!(replies.is_new("1") && !replies.is_new("1"));
    }

    #[test]
    fn a_handle_is_over_before_its_token_is() {
        let now = Timestamp::from_micros(1_764_929_100_000_000);
        let handle = Handle::new("app".to_owned(), "token".to_owned(), true, now);
        let text = handle.text().expect("plain values");
        assert_eq!(Handle::read(&text, now), Some(handle));
        assert_eq!(Handle::read(&text, now.plus(LIFE)), None);
        assert_eq!(Handle::read("{}", now), None);
    }
}
