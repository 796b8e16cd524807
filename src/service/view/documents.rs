//! Documents that workflows stored, as far as whoever asks may see the executions that stored them.

use super::super::archive::Archive;
use super::super::error::ServiceError;
use super::super::expectation::Processed;
use crate::domain::id::{DocumentId, RunId};
use crate::domain::time::Timestamp;
use crate::store::documents::archive::DocumentLine;
use crate::store::documents::search::{Hit, Search};

impl Archive {
    /// Executions that stored a document with this content, newest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn processed(&self, sha256: &str) -> Result<Vec<Processed>, ServiceError> {
        let mut runs = self.store().documents().runs_of(sha256).await?;
        let mut seen = Vec::new();
        for run in runs.drain(..) {
            if self.sees_run(run.0).await? {
                seen.push(run);
            }
        }
        let view = |(run, name, at): (RunId, String, Timestamp)| Processed {
            execution_id: run.to_string(),
            name,
            at: at.to_string(),
        };
        Ok(seen.into_iter().map(view).collect())
    }

    /// Documents that workflows stored, newest first, from before a given one on.
    ///
    /// # Errors
    /// The store fails.
    pub async fn documents(&self, before: Option<DocumentId>, limit: u32) -> Result<Vec<DocumentLine>, ServiceError> {
        let lines = self.store().documents().list(before, limit).await?;
        let mut seen = Vec::new();
        for line in lines {
            if self.sees_run(line.run).await? {
                seen.push(line);
            }
        }
        Ok(seen)
    }

    /// Documents that fit these words, best first; found words of a snippet stand between the marks.
    ///
    /// # Errors
    /// The store fails.
    pub async fn search(&self, words: &str, limit: u32, marks: (&str, &str)) -> Result<Vec<Hit>, ServiceError> {
        let found = self.store().documents().search(&Search { words, limit, marks }).await?;
        let mut seen = Vec::new();
        for hit in found {
            if self.sees_run(hit.run).await? {
                seen.push(hit);
            }
        }
        Ok(seen)
    }
}
