//! One numbered sequence that somebody listens to: the events of an execution, the messages of a channel.
//!
//! Nothing is pushed to anybody. Something new only stirs the line; a reader that is ready for more pulls it, the
//! first one reads it from the topic's own store, and all who follow share what it read. A reader that does not read
//! costs nothing: it does not pull, and nothing is kept for it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::ws::Utf8Bytes;
use serde_json::json;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use crate::http::problem::Problem;
use crate::http::topics::{Frame, Topic};
use crate::service::Caller;

/// Frames that are read at once.
const PAGE: usize = 256;
/// Frames that are kept for readers that come next.
const KEPT: usize = 256;

/// A sequence with listeners.
pub struct Line {
    topic: Arc<dyn Topic>,
    key: Arc<str>,
    stirred: AtomicU64,
    waiting: Arc<Notify>,
    read: tokio::sync::Mutex<Read>,
    said: Mutex<Said>,
}

/// What was read from the topic's store.
struct Read {
    /// Every frame above this number and not above `newest` is in `frames`.
    after: u64,
    newest: u64,
    frames: VecDeque<Frame>,
    /// How often the line had been stirred before the last reading.
    stirred: u64,
}

/// The last words of each step of an execution. They have no number: who missed them has missed nothing.
#[derive(Default)]
struct Said {
    words: u64,
    by_step: BTreeMap<usize, (u64, Utf8Bytes)>,
}

/// How far a reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The number of the last frame that it has.
    pub after: u64,
    stirred: Option<u64>,
    words: u64,
}

impl Cursor {
    /// A reader that has everything up to this number.
    pub const fn new(after: u64) -> Self {
        Self { after, stirred: None, words: 0 }
    }
}

impl Line {
    /// The line of this key. What comes after `newest` is shared.
    pub fn new(topic: Arc<dyn Topic>, key: Arc<str>, newest: u64) -> Self {
        let read = Read { after: newest, newest, frames: VecDeque::new(), stirred: 0 };
        Self {
            topic,
            key,
            stirred: AtomicU64::new(1),
            waiting: Arc::new(Notify::new()),
            read: tokio::sync::Mutex::new(read),
            said: Mutex::default(),
        }
    }

    /// Something is new.
    pub fn stir(&self) {
        self.stirred.fetch_add(1, Ordering::Release);
        self.waiting.notify_waiters();
    }

    /// A step says how far it is.
    pub fn say(&self, step: usize, text: &str) {
        let frame = json!({
            "type": "workflow_progress", "execution_id": &*self.key, "step": step, "status": "running",
            "result": { "text": text },
        });
        {
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            said.words += 1;
            let words = said.words;
            said.by_step.insert(step, (words, frame.to_string().into()));
        }
        self.waiting.notify_waiters();
    }

    /// Resolves when something is new after this call. Call it before [`Line::pull`], so that nothing falls between.
    pub fn news(&self) -> OwnedNotified {
        Arc::clone(&self.waiting).notified_owned()
    }

    /// What this reader has not seen, in order; empty when it has seen everything.
    ///
    /// # Errors
    /// The topic's store fails.
    pub async fn pull(&self, cursor: &mut Cursor, caller: &Caller) -> Result<Vec<Utf8Bytes>, Problem> {
        let stirred = self.stirred.load(Ordering::Acquire);
        let mut texts = self.last_words(cursor);
        if cursor.stirred == Some(stirred) {
            return Ok(texts);
        }
        let (frames, all) = self.frames(cursor.after, stirred).await?;
        if let Some(last) = frames.last() {
            cursor.after = last.seq;
        }
        if all {
            cursor.stirred = Some(stirred);
        }
        texts.extend(frames.into_iter().filter(|frame| frame.is_for(caller)).map(|frame| frame.text));
        if texts.is_empty() && !all {
            // A page of frames for others alone: the next one may hold something.
            return Box::pin(self.pull(cursor, caller)).await;
        }
        Ok(texts)
    }

    /// Frames after this number, and whether these were all.
    async fn frames(&self, after: u64, stirred: u64) -> Result<(Vec<Frame>, bool), Problem> {
        let mut read = self.read.lock().await;
        while read.stirred < stirred {
            let fresh = self.topic.since(&self.key, read.newest, PAGE).await?;
            if fresh.len() < PAGE {
                read.stirred = stirred;
            }
            read.take(fresh);
        }
        if after >= read.after {
            return Ok((read.frames.iter().filter(|frame| frame.seq > after).cloned().collect(), true));
        }
        drop(read);
        let page = self.topic.since(&self.key, after, PAGE).await?;
        let all = page.len() < PAGE;
        Ok((page, all))
    }

    fn last_words(&self, cursor: &mut Cursor) -> Vec<Utf8Bytes> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = said.by_step.values().filter(|(words, _)| *words > cursor.words);
        let texts = fresh.map(|(_, text)| text.clone()).collect();
        cursor.words = said.words;
        texts
    }
}

impl Read {
    fn take(&mut self, fresh: Vec<Frame>) {
        for frame in fresh {
            self.newest = frame.seq;
            self.frames.push_back(frame);
        }
        while self.frames.len() > KEPT {
            if let Some(gone) = self.frames.pop_front() {
                self.after = gone.seq;
            }
        }
    }
}
