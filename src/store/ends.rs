//! The ends of runs in their order, and how far somebody has come who goes through them.

use super::Store;
use super::db::{Db, StoreError, Write};
use crate::domain::id::RunId;
use crate::domain::time::Timestamp;

/// The ends' place in the store.
pub struct Ends<'s> {
    db: &'s Db,
}

impl Store {
    /// The ends of runs.
    #[must_use]
    pub const fn ends(&self) -> Ends<'_> {
        Ends { db: &self.db }
    }
}

impl Ends<'_> {
    /// How far whoever goes by this name has come.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn mark(&self, name: &str) -> Result<Option<Timestamp>, StoreError> {
        let row = self.db.read_one("select_mark", vec![name.into()]).await?;
        row.map(|row| Ok(Timestamp::from_micros(row.int("at")?))).transpose()
    }

    /// Whoever goes by this name has come so far.
    ///
    /// # Errors
    /// The store fails.
    pub async fn set_mark(&self, name: &str, at: Timestamp) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("upsert_mark", &[&name, &at]);
        self.db.write(write).await
    }

    /// A page of runs that nobody else began, in the order of their ends, behind this one.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn since(
        &self,
        (end, run): (Timestamp, Option<RunId>),
        limit: u32,
    ) -> Result<Vec<(Timestamp, RunId)>, StoreError> {
        let run = run.map(|run| run.to_string()).unwrap_or_default();
        let args = vec![end.micros().into(), run.as_str().into(), i64::from(limit).into()];
        let rows = self.db.read("select_runs_ended_since", args).await?;
        rows.iter().map(|row| Ok((Timestamp::from_micros(row.int("finished_at")?), row.parse("id")?))).collect()
    }

    /// Runs that ended since, and that were begun by one that goes on.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn of_open_runs(&self, since: Timestamp) -> Result<Vec<RunId>, StoreError> {
        let rows = self.db.read("select_children_ended_since", vec![since.micros().into()]).await?;
        rows.iter().map(|row| row.parse("id")).collect()
    }
}
