//! The list of executions, live: which rows have changed, told at most four times a second whatever happens.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use futures::{StreamExt as _, stream};
use serde_json::json;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::Instant;

use crate::api::wire::ExecutionRow;
use crate::domain::id::RunId;
use crate::service::Service;

/// The least time between two tellings.
const PACE: Duration = Duration::from_millis(250);
/// A telling that took long is followed by a pause this many times as long, so that telling never takes much of the
/// machine from the work that it tells of.
const REST: u32 = 50;
/// Rows of one telling at the most; when more have changed, the reader is better off reading the list.
const MOST: usize = 100;
/// Tellings that are kept for readers that lag a little.
const KEPT: usize = 16;

/// The changes of the list.
pub struct Rows {
    service: Service,
    readers: AtomicUsize,
    changed: Mutex<Changed>,
    waiting: Arc<Notify>,
    told: tokio::sync::Mutex<Told>,
}

/// What is to be told next.
#[derive(Default)]
struct Changed {
    runs: HashSet<RunId>,
    /// More than a telling holds, or nobody knows what.
    too_many: bool,
}

impl Changed {
    fn is_empty(&self) -> bool {
        self.runs.is_empty() && !self.too_many
    }
}

struct Told {
    /// When the next one is due; `None` before the first.
    due: Option<Instant>,
    /// How many tellings there were.
    count: u64,
    last: VecDeque<Utf8Bytes>,
}

/// Somebody who listens to the list.
pub struct Reader {
    rows: Arc<Rows>,
    seen: u64,
}

/// What a reader gets.
pub enum Pulled {
    /// These texts; none: everything was seen.
    Texts(Vec<Utf8Bytes>),
    /// Something, but not before this time.
    Later(Instant),
}

impl Rows {
    pub fn new(service: Service) -> Self {
        Self {
            service,
            readers: AtomicUsize::new(0),
            changed: Mutex::default(),
            waiting: Arc::new(Notify::new()),
            told: tokio::sync::Mutex::new(Told { due: None, count: 0, last: VecDeque::new() }),
        }
    }

    /// An execution has changed.
    pub fn stir(&self, run: RunId) {
        self.note(|changed| {
            if changed.runs.len() < MOST || changed.runs.contains(&run) {
                changed.runs.insert(run);
            } else {
                changed.too_many = true;
            }
        });
    }

    /// Nobody knows what has changed.
    pub fn stir_all(&self) {
        self.note(|changed| changed.too_many = true);
    }

    fn note(&self, change: impl FnOnce(&mut Changed)) {
        if self.readers.load(Ordering::Relaxed) == 0 {
            return;
        }
        let first = {
            let mut changed = self.changed();
            let first = changed.is_empty();
            change(&mut changed);
            first
        };
        // Later ones need no bell: whoever heard the first one comes when the next telling is due.
        if first {
            self.waiting.notify_waiters();
        }
    }

    fn changed(&self) -> MutexGuard<'_, Changed> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner) // a change is a few infallible lines
    }

    /// A new reader; hears what changes from now on.
    pub async fn reader(self: &Arc<Self>) -> Reader {
        self.readers.fetch_add(1, Ordering::Relaxed);
        let seen = self.told.lock().await.count;
        Reader { rows: Arc::clone(self), seen }
    }

    async fn frame(&self, changed: Changed) -> Utf8Bytes {
        if changed.too_many {
            return json!({ "type": "resync", "topic": "executions" }).to_string().into();
        }
        let views = stream::iter(changed.runs).map(|run| async move { self.service.archive().view(run, false).await });
        let views: Vec<_> = views.buffered(4).collect().await;
        let mut rows: Vec<_> = views.iter().flatten().map(ExecutionRow::new).collect();
        rows.sort_by(|one, other| other.execution_id.cmp(&one.execution_id));
        json!({ "type": "executions", "changed": rows }).to_string().into()
    }
}

impl Reader {
    /// Resolves when something is new after this call. Call it before [`Reader::pull`].
    pub fn news(&self) -> OwnedNotified {
        Arc::clone(&self.rows.waiting).notified_owned()
    }

    /// What this reader has not seen. A row that cannot be read is left out.
    pub async fn pull(&mut self) -> Pulled {
        let mut told = self.rows.told.lock().await;
        if !self.rows.changed().is_empty() && told.count == self.seen {
            let begin = Instant::now();
            if let Some(due) = told.due.filter(|due| *due > begin) {
                return Pulled::Later(due);
            }
            let changed = std::mem::take(&mut *self.rows.changed());
            let frame = self.rows.frame(changed).await;
            let now = Instant::now();
            told.due = Some(now + PACE.max((now - begin) * REST));
            told.count += 1;
            told.last.push_back(frame);
            if told.last.len() > KEPT {
                told.last.pop_front();
            }
        }
        let missed = usize::try_from(told.count - self.seen).unwrap_or(usize::MAX);
        self.seen = told.count;
        if missed > told.last.len() {
            let resync = json!({ "type": "resync", "topic": "executions" });
            return Pulled::Texts(vec![resync.to_string().into()]);
        }
        Pulled::Texts(told.last.iter().skip(told.last.len() - missed).cloned().collect())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.rows.readers.fetch_sub(1, Ordering::Relaxed);
    }
}
