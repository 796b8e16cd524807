//! Results that are as good as new ones.

use serde_json::value::RawValue;

use super::Store;
use super::db::{Db, StoreError, Write};
use crate::domain::id::RunId;
use crate::domain::time::Timestamp;

/// A result to keep; written with the step that made it.
#[derive(Debug)]
pub struct CachedResult {
    /// The hash of what it was made of.
    pub key: String,
    /// What it is, as outputs are kept.
    pub outputs: Box<RawValue>,
    /// Until when it is as good.
    pub expires_at: Timestamp,
}

/// The results' place in the store.
pub struct Cache<'s> {
    db: &'s Db,
}

impl Store {
    /// Results that are as good as new ones.
    #[must_use]
    pub const fn cache(&self) -> Cache<'_> {
        Cache { db: &self.db }
    }
}

impl Cache<'_> {
    /// The result under this key, and the run that made it; `None` when there is none or it is too old.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn find(&self, key: &str, now: Timestamp) -> Result<Option<(RunId, Box<RawValue>)>, StoreError> {
        let row = self.db.read_one("select_cached", vec![key.into(), now.micros().into()]).await?;
        row.map(|row| Ok((row.parse("run_id")?, row.json("outputs")?))).transpose()
    }

    /// Forgets what is too old.
    ///
    /// # Errors
    /// The store fails.
    pub async fn tidy(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("delete_old_cached", &[&now]);
        self.db.write(write).await
    }
}
