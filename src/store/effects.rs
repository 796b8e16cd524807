//! What runs have done, as far as it can be taken back.

use super::Store;
use super::db::{Db, Row, StoreError, Write};
use crate::domain::id::{CheckpointId, RunId, WorkflowId};
use crate::domain::time::Timestamp;

/// A step that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoneStep {
    /// Its place in its run.
    pub position: usize,
    /// The generation that succeeded.
    pub generation: u32,
    /// When.
    pub at: Timestamp,
    /// The run that has taken it back.
    pub undone_by: Option<RunId>,
}

/// The effects' place in the store.
pub struct Effects<'s> {
    db: &'s Db,
}

impl Store {
    /// What runs have done.
    #[must_use]
    pub const fn effects(&self) -> Effects<'_> {
        Effects { db: &self.db }
    }
}

impl Effects<'_> {
    /// The steps of a run that succeeded, newest first.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn done(&self, run: RunId) -> Result<Vec<DoneStep>, StoreError> {
        let read = |row: &Row| {
            Ok(DoneStep {
                position: usize::try_from(row.int("position")?).unwrap_or(usize::MAX),
                generation: u32::try_from(row.int("generation")?).unwrap_or(u32::MAX),
                at: Timestamp::from_micros(row.int("finished_at")?),
                undone_by: row.text_or_null("by_run")?.and_then(|id| id.parse().ok()),
            })
        };
        self.db.read("select_done_steps", vec![run.to_string().into()]).await?.iter().map(read).collect()
    }

    /// The runs that steps of a run began and waited for.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn children(&self, run: RunId) -> Result<Vec<RunId>, StoreError> {
        self.ids("select_children", vec![run.to_string().into()]).await
    }

    /// Runs of a workflow in which something was done after a time, newest first.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn runs_since(&self, workflow: WorkflowId, since: Timestamp) -> Result<Vec<RunId>, StoreError> {
        self.ids("select_runs_since", vec![workflow.to_string().into(), since.micros().into()]).await
    }

    async fn ids(&self, statement: &'static str, args: Vec<super::db::Arg>) -> Result<Vec<RunId>, StoreError> {
        self.db.read(statement, args).await?.iter().map(|row| row.parse("id")).collect()
    }

    /// Notes that a run took back what a step did.
    ///
    /// # Errors
    /// The store fails.
    pub async fn note_undone(
        &self,
        (run, position, generation): (RunId, usize, u32),
        by: RunId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("insert_undone", &[&run, &position, &generation, &by, &at]);
        self.db.write(write).await
    }

    /// Keeps a mark in what a workflow does.
    ///
    /// # Errors
    /// The store fails.
    pub async fn mark(&self, id: CheckpointId, workflow: WorkflowId, at: Timestamp) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("insert_checkpoint", &[&id, &workflow, &at]);
        self.db.write(write).await
    }

    /// The workflow and the time of a mark.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn checkpoint(&self, id: CheckpointId) -> Result<Option<(WorkflowId, Timestamp)>, StoreError> {
        let row = self.db.read_one("select_checkpoint", vec![id.to_string().into()]).await?;
        row.map(|row| Ok((row.parse("workflow_id")?, Timestamp::from_micros(row.int("at")?)))).transpose()
    }
}
