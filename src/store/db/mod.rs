//! The seam between our rows and the database library. Above it nobody knows which database there is.
//!
//! Reads name a statement and get rows; writes are sets of rows for named statements, merged by one writer into
//! group commits. A second database is a second file beside `sqlite.rs`, chosen in [`Db::open`].

mod cell;
mod failure;
mod lock;
mod migrate;
mod sqlite;
mod statement;
mod value;
mod warehouse;
mod writer;

use std::path::PathBuf;

pub use cell::{Cell, Json};
pub use failure::StoreError;
pub use value::{Arg, Row};
pub use warehouse::Warehouse;
pub use writer::Write;

use sqlite::Sqlite;

/// How much a commit promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// A committed row survives power loss.
    #[default]
    Full,
    /// A committed row survives the end of the process; the last ones may be lost with the power.
    Relaxed,
}

/// Where the store lives.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The database file.
    pub database: PathBuf,
    /// The folder of large values and uploaded files.
    pub files: PathBuf,
    /// What a commit promises.
    pub durability: Durability,
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db(Sqlite);

impl Db {
    /// Opens the database as its owner.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn open(settings: &Settings) -> Result<Self, StoreError> {
        Sqlite::open(settings).await.map(Self)
    }

    /// Opens the database beside its owner, for reading only.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn open_for_reading(settings: &Settings) -> Result<Self, StoreError> {
        Sqlite::open_for_reading(settings).await.map(Self)
    }

    /// A database that is not there.
    #[must_use]
    pub fn nowhere(settings: &Settings) -> Self {
        Self(Sqlite::nowhere(settings))
    }

    /// All rows of a named statement.
    ///
    /// # Errors
    /// The statement is unknown, the number of arguments is wrong, or the database refuses.
    pub async fn read(&self, statement: &'static str, args: Vec<Arg>) -> Result<Vec<Row>, StoreError> {
        self.0.read(statement, args).await
    }

    /// The first row of a named statement.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn read_one(&self, statement: &'static str, args: Vec<Arg>) -> Result<Option<Row>, StoreError> {
        Ok(self.read(statement, args).await?.into_iter().next())
    }

    /// Commits a set of rows: all of them, or none. Shares its transaction with whoever writes at the same time.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a guard of the schema refuses; nothing of this set was written then.
    pub async fn write(&self, write: Write) -> Result<(), StoreError> {
        self.0.write(write).await
    }

    /// Waits for the writer, folds the write-ahead log back, releases the lock.
    pub async fn close(&self) {
        self.0.close().await;
    }
}
