//! Executions that may be what kills the process: carried one at a time, and not at once after a start.
//!
//! What was under way at two crashes in a row waits until the process has been up for a moment. So everybody else gets
//! through meanwhile, and a burst of kills from outside finds no suspect under way. Then each is carried without another
//! one beside it: if the process dies again, it is known of whom.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::id::RunId;
use crate::domain::run::Run;
use crate::domain::time::Span;

/// How long a process has been up before it takes a suspect on.
const QUIET: Duration = Duration::from_secs(5);
/// Who has been under way for so long and has killed nobody does not keep the others waiting any more.
const CLEARED: Duration = Duration::from_secs(60);
/// How soon whoever has to wait asks again.
const ASK_AGAIN: Span = Span::from_secs(1);

/// The bench on which suspects wait.
pub struct Suspects {
    up_since: Instant,
    alone: Mutex<Option<(RunId, Instant)>>,
}

impl Suspects {
    pub fn new() -> Self {
        Self { up_since: Instant::now(), alone: Mutex::new(None) }
    }

    /// How long this run is to wait before it asks again; `None`: it is no suspect, or it is its turn.
    pub fn hold_back(&self, run: &Run) -> Option<Span> {
        if !run.is_suspect() {
            return None;
        }
        let now = Instant::now();
        if now.duration_since(self.up_since) < QUIET {
            return Some(ASK_AGAIN);
        }
        let mut alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        match *alone {
            Some((other, since)) if other != run.id && now.duration_since(since) < CLEARED => Some(ASK_AGAIN),
            _ => {
                tracing::warn!(run = %run.id, "under way at the last crashes; carried with no other suspect beside it");
                *alone = Some((run.id, now));
                None
            }
        }
    }

    /// Nobody carries this run any more.
    pub fn leave(&self, run: RunId) {
        let mut alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        if alone.is_some_and(|(holder, _)| holder == run) {
            *alone = None;
        }
    }
}
