//! A readable copy of what the store holds: `definitions/` and `executions/` as JSON files, for people and backups.
//! Only a copy: nothing is ever read from it, and what is missing is written at the next start.

use std::path::{Path, PathBuf};

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;

use crate::domain::event::Event;
use crate::domain::id::RunId;
use crate::engine::Notice;
use crate::service::{Archive, ListFilter, ServiceError};

/// Executions that a start looks at for missing copies.
const LOOK_BACK: u32 = 100;
/// Workflows that a start looks at for missing copies.
const MOST_DEFINITIONS: u32 = 1_000;

/// The copy in the making.
pub struct Mirror {
    archive: Archive,
    folder: PathBuf,
}

impl Mirror {
    /// Keeps the copy up to date until the feed ends.
    pub fn start(archive: Archive, storage_path: &Path, feed: Receiver<Notice>) -> JoinHandle<()> {
        let mirror = Self { archive, folder: storage_path.to_owned() };
        tokio::spawn(mirror.run(feed))
    }

    async fn run(self, mut feed: Receiver<Notice>) {
        self.note(self.catch_up().await);
        loop {
            match feed.recv().await {
                Ok(Notice::Committed { run, entries, .. }) => {
                    if entries.iter().any(|(_, event)| matches!(event, Event::Finished { .. })) {
                        self.note(self.execution(run).await);
                    }
                }
                Ok(Notice::Progress { .. }) => {}
                Err(RecvError::Lagged(_)) => self.note(self.catch_up().await),
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Writes what is missing.
    async fn catch_up(&self) -> anyhow::Result<()> {
        for workflow in self.archive.workflows(None, MOST_DEFINITIONS).await? {
            let path = self.folder.join("definitions").join(format!("{}.json", workflow.id));
            write(&path, &workflow).await?;
        }
        for run in self.archive.list(&ListFilter { limit: LOOK_BACK, ..ListFilter::default() }).await? {
            if run.finished_at.is_some() && !self.path_of(run.id).exists() {
                self.execution(run.id).await?;
            }
        }
        Ok(())
    }

    async fn execution(&self, run: RunId) -> anyhow::Result<()> {
        let view = self.archive.view(run, true).await?;
        write(&self.path_of(run), &view).await?;
        let definition = self.folder.join("definitions").join(format!("{}.json", view.workflow_id));
        if !definition.exists()
            && let Some(workflow) = self.archive.workflow(&view.workflow_id).await?
        {
            write(&definition, &workflow).await?;
        }
        Ok(())
    }

    fn path_of(&self, run: RunId) -> PathBuf {
        self.folder.join("executions").join(format!("{run}.json"))
    }

    /// A copy that cannot be written harms nobody; the operator should know.
    fn note(&self, done: anyhow::Result<()>) {
        if let Err(error) = done {
            // A store that is being closed refuses to be read; that is the end of the copy, not a trouble.
            let closing = error.downcast_ref::<ServiceError>().is_some();
            if !closing {
                tracing::warn!(folder = %self.folder.display(), error = %format!("{error:#}"), "the readable copy is behind");
            }
        }
    }
}

/// Whole or not at all: written beside and renamed.
async fn write(path: &Path, value: &impl serde::Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_vec_pretty(value)?;
    let part = path.with_extension("json.part");
    tokio::fs::write(&part, text).await?;
    tokio::fs::rename(&part, path).await?;
    Ok(())
}
