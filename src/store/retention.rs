//! Forgetting: runs that were kept for long enough go, a slice at a time, and the disk gets its space back.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Store;
use super::blobs::disk::DiskBlobs;
use super::db::{Db, StoreError, Write};
use crate::contract::blob::Digest;
use crate::contract::crash::crash_point;
use crate::domain::id::RunId;
use crate::domain::time::Timestamp;

/// Runs that are forgotten in one transaction. Small, so that whoever starts or steers a run meanwhile does not wait.
const SLICE: i64 = 100;
/// A content that was written or found again so recently stays: the row that names it may still be on its way.
const SETTLED: Duration = Duration::from_secs(3_600);

/// What has been kept for long enough.
#[derive(Debug, Clone, Copy)]
pub struct Outlived {
    /// Completed runs that ended before this.
    pub completed: Timestamp,
    /// All others that ended before this.
    pub other: Timestamp,
}

/// What was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// Runs, those that other runs began included.
    pub runs: usize,
    /// Contents of large values.
    pub blobs: usize,
}

/// Forgetting's place in the store.
pub struct Retention<'s> {
    db: &'s Db,
    blobs: &'s DiskBlobs,
}

impl Store {
    /// What may be forgotten.
    #[must_use]
    pub fn retention(&self) -> Retention<'_> {
        Retention { db: &self.db, blobs: &self.blobs }
    }
}

impl Retention<'_> {
    /// Forgets a slice of what has been kept for long enough, oldest first; nothing when there is nothing more.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget(&self, outlived: Outlived) -> Result<Forgotten, StoreError> {
        let args = vec![outlived.completed.micros().into(), outlived.other.micros().into(), SLICE.into()];
        let rows = self.db.read("select_outlived", args).await?;
        let runs: Vec<RunId> = rows.iter().map(|row| row.parse("id")).collect::<Result<_, _>>()?;
        if runs.is_empty() {
            return Ok(Forgotten::default());
        }
        let mut contents = BTreeSet::new();
        let mut write = Write::new();
        for run in &runs {
            for row in self.db.read("select_blobs_of_run", vec![run.to_string().into()]).await? {
                contents.insert(row.text("digest")?);
            }
            write.row("delete_cached_of_run", &[run]);
            write.row("delete_run", &[run]);
        }
        write.gives_space_back();
        self.db.write(write).await?;
        crash_point("forgetting: rows are gone");
        let mut blobs = 0;
        for digest in contents {
            blobs += usize::from(self.forget_content(&digest).await?);
        }
        Ok(Forgotten { runs: runs.len(), blobs })
    }

    /// Removes a content that nothing names any more. Its last row has gone first: a crash in between leaves a file
    /// too many, never one too few.
    async fn forget_content(&self, digest: &str) -> Result<bool, StoreError> {
        let row = self.db.read_one("select_blob_in_use", vec![digest.into()]).await?;
        let in_use = row.map_or(Ok(0), |row| row.int("in_use"))? != 0;
        let Ok(digest) = digest.parse::<Digest>() else { return Ok(false) };
        Ok(!in_use && self.blobs.remove_settled(&digest, SETTLED).await)
    }
}
