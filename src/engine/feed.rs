//! What is happening: committed events and how far attempts are. A slow reader loses notices, never blocks the
//! engine; it finds the gap by the commit number and reads it from the journal.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::domain::event::Entry;
use crate::domain::id::RunId;

/// Notices kept for a slow reader.
const BACKLOG: usize = 1_024;

/// Something to know about a run.
#[derive(Debug, Clone)]
pub enum Notice {
    /// A commit was made.
    Committed {
        /// The run.
        run: RunId,
        /// The number of the commit.
        seq: u64,
        /// What it holds.
        entries: Arc<[Entry]>,
    },
    /// An attempt says how far it is. Kept nowhere.
    Progress {
        /// The run.
        run: RunId,
        /// The step's place in the plan.
        step: usize,
        /// What it says.
        text: String,
    },
}

/// The way to the notices. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Feed {
    sender: broadcast::Sender<Notice>,
}

impl Feed {
    pub(super) fn new() -> Self {
        Self { sender: broadcast::Sender::new(BACKLOG) }
    }

    /// Everything from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Notice> {
        self.sender.subscribe()
    }

    /// Tells whoever listens; makes the notice only if somebody does.
    pub(super) fn tell(&self, notice: impl FnOnce() -> Notice) {
        if self.sender.receiver_count() > 0 {
            let _ = self.sender.send(notice()); // the last listener may have gone just now
        }
    }
}
