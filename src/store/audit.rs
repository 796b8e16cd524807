//! Questions that must all be answered with nothing: the promises of the house as SQL.

use super::Store;
use super::db::{Db, StoreError};
use crate::contract::blob::Digest;

/// Promises that a statement can look after: what is promised, and the statement that finds the exceptions.
const PROMISES: &[(&str, &str)] = &[
    ("every accepted execution has a history", "audit_run_without_journal"),
    ("histories have no gaps", "audit_journal_gaps"),
    ("an execution that is over says so in its history", "audit_open_steps_of_finished"),
    ("no step ran again unless it was opened again", "audit_generation_skipped"),
    ("one key, one execution", "audit_two_for_one_key"),
    ("every execution has its version", "audit_workflow_without_revision"),
    ("every begun execution has the one that began it", "audit_child_without_parent"),
    ("every message shows an execution that is there", "audit_card_of_nothing"),
];

/// A promise and where it is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is promised.
    pub promise: &'static str,
    /// Where it does not hold; twenty places at the most.
    pub broken: Vec<String>,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Executions.
    pub runs: i64,
    /// Of these not over.
    pub open: i64,
    /// Settled steps.
    pub steps: i64,
    /// Commits.
    pub commits: i64,
    /// Files.
    pub files: i64,
}

/// The audit's place in the store.
pub struct Audit<'s> {
    db: &'s Db,
}

impl Store {
    /// Looks after the promises.
    #[must_use]
    pub const fn audit(&self) -> Audit<'_> {
        Audit { db: &self.db }
    }
}

impl Audit<'_> {
    /// What the database says about its own file; `ok` when it is sound.
    ///
    /// # Errors
    /// It cannot be read at all.
    pub async fn database(&self) -> Result<Vec<String>, StoreError> {
        self.db.read("audit_database", Vec::new()).await?.iter().map(|row| row.text("quick_check")).collect()
    }

    /// All promises, each with the places where it does not hold.
    ///
    /// # Errors
    /// The store fails.
    pub async fn findings(&self) -> Result<Vec<Finding>, StoreError> {
        let mut findings = Vec::new();
        for &(promise, statement) in PROMISES {
            let rows = self.db.read(statement, Vec::new()).await?;
            let broken = rows.iter().map(|row| row.text("place")).collect::<Result<_, _>>()?;
            findings.push(Finding { promise, broken });
        }
        Ok(findings)
    }

    /// How much there is.
    ///
    /// # Errors
    /// The store fails.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let row = self.db.read_one("audit_counts", Vec::new()).await?;
        let int = |column: &str| row.as_ref().map_or(Ok(0), |row| row.int(column));
        Ok(Counts {
            runs: int("runs")?,
            open: int("open")?,
            steps: int("steps")?,
            commits: int("commits")?,
            files: int("files")?,
        })
    }

    /// The contents that files name, with their sizes.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn contents(&self) -> Result<Vec<(Digest, u64)>, StoreError> {
        let rows = self.db.read("audit_files", Vec::new()).await?;
        rows.iter().map(|row| Ok((row.parse("digest")?, u64::try_from(row.int("size")?).unwrap_or(0)))).collect()
    }
}
