//! The archive: rows, journal and files of this instance. Knows SQL and disks; decides nothing about states.
//!
//! One handle, one accessor per noun. Only `db/` names the database library. Start reading at [`journal`].

pub mod asking;
pub mod audit;
pub mod blobs;
pub mod cache;
pub mod cards;
pub mod conversations;
pub mod db;
pub mod documents;
pub mod effects;
pub mod ends;
pub mod files;
pub mod firings;
pub mod journal;
pub mod outbox;
pub mod people;
pub mod repeats;
pub mod retention;
pub mod runs;
pub mod triggers;
pub mod warehouse;
pub mod workflows;

use std::sync::Arc;

use self::blobs::disk::DiskBlobs;
use self::conversations::Conversations;
pub use self::db::StoreError;
use self::db::{Db, Settings};
use self::documents::archive::Documents;
use self::journal::Journal;
use self::outbox::Counter;
use self::runs::Runs;
use self::workflows::Workflows;

/// Everything this instance keeps. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    db: Db,
    blobs: Arc<DiskBlobs>,
    counter: Arc<Counter>,
}

impl Store {
    /// Opens the store for the one process that owns it: takes the lock, migrates, starts the writer.
    ///
    /// # Errors
    /// Another process owns it, the file cannot be read, or it was written by a newer version.
    pub async fn open(settings: &Settings) -> Result<Self, StoreError> {
        let store = Self::on(Db::open(settings).await?, settings);
        store.blobs.tidy();
        Ok(store)
    }

    /// Opens the store for reading beside its owner; every write is refused.
    ///
    /// # Errors
    /// There is no store yet, or it cannot be read.
    pub async fn open_for_reading(settings: &Settings) -> Result<Self, StoreError> {
        Ok(Self::on(Db::open_for_reading(settings).await?, settings))
    }

    /// A store that is not there, and makes nothing: for declarations that need a handle and never ask it.
    #[must_use]
    pub fn nowhere(settings: &Settings) -> Self {
        Self::on(Db::nowhere(settings), settings)
    }

    fn on(db: Db, settings: &Settings) -> Self {
        Self { db, blobs: Arc::new(DiskBlobs::new(settings.files.clone())), counter: Counter::new() }
    }

    /// The engine's journal.
    #[must_use]
    pub const fn journal(&self) -> Journal<'_> {
        Journal::new(&self.db)
    }

    /// Runs as people look for them.
    #[must_use]
    pub const fn runs(&self) -> Runs<'_> {
        Runs::new(&self.db)
    }

    /// Workflows and their revisions.
    #[must_use]
    pub const fn workflows(&self) -> Workflows<'_> {
        Workflows::new(&self.db)
    }

    /// Stored documents, and finding them.
    #[must_use]
    pub const fn documents(&self) -> Documents<'_> {
        Documents::new(&self.db)
    }

    /// What was said.
    #[must_use]
    pub const fn conversations(&self) -> Conversations<'_> {
        Conversations::new(&self.db)
    }

    /// Contents by digest.
    #[must_use]
    pub fn blobs(&self) -> Arc<DiskBlobs> {
        Arc::clone(&self.blobs)
    }

    /// Waits for what is being written, tidies the write-ahead log, and gives the lock back.
    pub async fn close(&self) {
        self.db.close().await;
    }
}
