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

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use futures::future::BoxFuture;
    use tokio::sync::broadcast;

    use super::*;

    /// A sequence that the test lengthens; every third frame is for Ana alone. Counts how often it was read.
    #[derive(Default)]
    struct Sequence {
        newest: AtomicU64,
        reads: AtomicU64,
    }

    impl Topic for Sequence {
        fn name(&self) -> &'static str {
            "sequence"
        }

        fn key_field(&self) -> &'static str {
            "key"
        }

        fn admit<'a>(&'a self, _: &'a Caller, _: &'a str) -> BoxFuture<'a, Result<(), Problem>> {
            std::future::ready(Ok(())).boxed()
        }

        fn newest<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<u64, Problem>> {
            std::future::ready(Ok(self.newest.load(Ordering::SeqCst))).boxed()
        }

        fn since<'a>(&'a self, _: &'a str, after: u64, limit: usize) -> BoxFuture<'a, Result<Vec<Frame>, Problem>> {
            self.reads.fetch_add(1, Ordering::SeqCst);
            let frame = |seq: u64| {
                let frame = Frame::new(seq, &seq);
                if seq.is_multiple_of(3) { frame.only_for("ana") } else { frame }
            };
            let frames = (after + 1..=self.newest.load(Ordering::SeqCst)).take(limit).map(frame).collect();
            std::future::ready(Ok(frames)).boxed()
        }

        fn news(&self) -> broadcast::Receiver<Arc<str>> {
            broadcast::Sender::new(1).subscribe()
        }
    }

    fn caller(name: &str) -> Caller {
        Caller::owner("page", name)
    }

    async fn read_all(line: &Line, cursor: &mut Cursor, name: &str) -> Vec<u64> {
        let mut seen = Vec::new();
        loop {
            let texts = line.pull(cursor, &caller(name)).await.expect("it can be read");
            if texts.is_empty() {
                return seen;
            }
            seen.extend(texts.iter().map(|text| text.parse::<u64>().expect("a number")));
        }
    }

    #[tokio::test]
    async fn however_far_a_reader_lags_it_gets_each_frame_once_and_only_its_own() {
        let topic = Arc::new(Sequence::default());
        let line = Line::new(Arc::clone(&topic) as Arc<dyn Topic>, "k".into(), 0);
        let (mut attentive, mut lazy, mut ben) = (Cursor::new(0), Cursor::new(0), Cursor::new(0));
        let (mut seen, mut theirs) = (Vec::new(), Vec::new());
        for step in [1, 2, 700, 3, 40, 1_200, 5] {
            topic.newest.fetch_add(step, Ordering::SeqCst);
            line.stir();
            seen.extend(read_all(&line, &mut attentive, "ana").await);
            theirs.extend(read_all(&line, &mut ben, "ben").await);
        }
        let newest = topic.newest.load(Ordering::SeqCst);
        let all: Vec<u64> = (1..=newest).collect();
        assert_eq!(seen, all);
        assert_eq!(read_all(&line, &mut lazy, "ana").await, all);
        let allowed: Vec<u64> = all.into_iter().filter(|seq| seq % 3 != 0).collect();
        assert_eq!(theirs, allowed);
    }

    #[tokio::test]
    async fn what_one_has_read_is_not_read_again_for_the_others() {
        let topic = Arc::new(Sequence::default());
        let line = Line::new(Arc::clone(&topic) as Arc<dyn Topic>, "k".into(), 0);
        topic.newest.store(5, Ordering::SeqCst);
        line.stir();
        for _ in 0..100 {
            assert_eq!(read_all(&line, &mut Cursor::new(0), "ana").await.len(), 5);
        }
        assert_eq!(topic.reads.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn last_words_are_told_once_and_only_the_last() {
        let line = Line::new(Arc::new(Sequence::default()), "exec".into(), 0);
        let mut cursor = Cursor::new(0);
        line.say(1, "page 1");
        line.say(1, "page 2");
        let texts = line.pull(&mut cursor, &caller("ana")).await.expect("it can be read");
        assert_eq!(texts.len(), 1);
        assert!(texts[0].contains("page 2"), "{texts:?}");
        assert!(line.pull(&mut cursor, &caller("ana")).await.expect("it can be read").is_empty());
    }
}
