//! The one task that hears of every commit. It only looks up who could care and stirs their line; it reads nothing,
//! writes nothing and never waits for anybody, so that the engine's feed is always drained.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::executions::{EXECUTION, Executions};
use super::line::Line;
use super::rows::Rows;
use crate::domain::id::RunId;
use crate::http::Door;
use crate::http::problem::Problem;
use crate::http::topics::Topic;
use crate::service::{Caller, Notice, Service};

/// Where live readers find what they listen to. Cheap to clone.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

/// Lines by topic and key. A line lives as long as somebody listens.
type Lines = HashMap<(&'static str, Arc<str>), Weak<Line>>;

struct Inner {
    topics: Vec<Arc<dyn Topic>>,
    lines: Mutex<Lines>,
    rows: Arc<Rows>,
}

impl Hub {
    /// Starts the hub: it hears the engine and these topics until the door closes.
    pub fn start(service: &Service, topics: impl IntoIterator<Item = Arc<dyn Topic>>, door: &Door) -> Self {
        let executions: Arc<dyn Topic> = Arc::new(Executions::new(service.archive().clone()));
        let rows = Arc::new(Rows::new(service.clone()));
        let topics: Vec<_> = std::iter::once(executions).chain(topics).collect();
        let hub = Self { inner: Arc::new(Inner { topics, lines: Mutex::default(), rows }) };
        for topic in hub.inner.topics.iter().skip(1) {
            let (inner, name, news) = (Arc::downgrade(&hub.inner), topic.name(), topic.news());
            let closing = door.closing.clone();
            tokio::spawn(async move { closing.run_until_cancelled(hear_topic(inner, name, news)).await });
        }
        let (inner, feed, closing) = (Arc::downgrade(&hub.inner), service.news(), door.closing.clone());
        tokio::spawn(async move { closing.run_until_cancelled(hear_engine(inner, feed)).await });
        hub
    }

    /// The topic of this name.
    pub fn topic(&self, name: &str) -> Option<&Arc<dyn Topic>> {
        self.inner.topics.iter().find(|topic| topic.name() == name)
    }

    /// The names of all topics.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.inner.topics.iter().map(|topic| topic.name())
    }

    /// The live list of executions.
    pub fn rows(&self) -> &Arc<Rows> {
        &self.inner.rows
    }

    /// The line of a key, for a caller who may listen to it; with the number of its newest frame.
    ///
    /// # Errors
    /// There is no such thing, or this caller may not listen.
    pub async fn join(&self, topic: &Arc<dyn Topic>, key: &str, caller: &Caller) -> Result<(Arc<Line>, u64), Problem> {
        topic.admit(caller, key).await?;
        let key: Arc<str> = key.into();
        let newest = topic.newest(&key).await?;
        let mut lines = self.inner.lines();
        let place = lines.entry((topic.name(), Arc::clone(&key))).or_default();
        if let Some(line) = place.upgrade() {
            return Ok((line, newest));
        }
        let line = Arc::new(Line::new(Arc::clone(topic), key, newest));
        *place = Arc::downgrade(&line);
        // Lines that everybody has left.
        lines.retain(|_, line| line.strong_count() > 0);
        Ok((line, newest))
    }
}

impl Inner {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner) // every change is one infallible call
    }

    fn line(&self, topic: &'static str, key: impl FnOnce() -> Arc<str>) -> Option<Arc<Line>> {
        let lines = self.lines();
        if lines.is_empty() { None } else { lines.get(&(topic, key())).and_then(Weak::upgrade) }
    }

    fn execution(&self, run: RunId) -> Option<Arc<Line>> {
        self.line(EXECUTION, || run.to_string().into())
    }

    fn stir_all(&self, topic: &'static str) {
        let lines: Vec<_> =
            self.lines().iter().filter(|((name, _), _)| *name == topic).map(|(_, line)| line.clone()).collect();
        lines.iter().filter_map(Weak::upgrade).for_each(|line| line.stir());
    }
}

async fn hear_engine(inner: Weak<Inner>, mut feed: broadcast::Receiver<Notice>) {
    loop {
        let heard = feed.recv().await;
        let Some(inner) = inner.upgrade() else { return };
        match heard {
            Ok(Notice::Committed { run, .. }) => {
                inner.rows.stir(run);
                if let Some(line) = inner.execution(run) {
                    line.stir();
                }
            }
            Ok(Notice::Progress { run, step, text }) => {
                if let Some(line) = inner.execution(run) {
                    line.say(step, &text);
                }
            }
            Err(RecvError::Lagged(_)) => {
                inner.stir_all(EXECUTION);
                inner.rows.stir_all();
            }
            Err(RecvError::Closed) => return,
        }
    }
}

async fn hear_topic(inner: Weak<Inner>, topic: &'static str, mut news: broadcast::Receiver<Arc<str>>) {
    loop {
        let heard = news.recv().await;
        let Some(inner) = inner.upgrade() else { return };
        match heard {
            Ok(key) => {
                if let Some(line) = inner.line(topic, || key) {
                    line.stir();
                }
            }
            Err(RecvError::Lagged(_)) => inner.stir_all(topic),
            Err(RecvError::Closed) => return,
        }
    }
}
