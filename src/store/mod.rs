//! The archive: rows, journal and files of this instance. Knows SQL and disks; decides nothing about states.
//!
//! One handle, one accessor per noun. All statements stand in `sql/`; `db/` is the only room that names the database
//! library. Start reading at [`journal`]: it holds the engine's one write.

pub mod audit;
pub mod blobs;
pub mod cache;
pub mod cards;
pub mod conversations;
pub mod db;
pub mod documents;
pub mod effects;
pub mod files;
pub mod firings;
pub mod journal;
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
use self::files::Files;
use self::journal::Journal;
use self::runs::Runs;
use self::workflows::Workflows;

/// Everything this instance keeps. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    db: Db,
    blobs: Arc<DiskBlobs>,
}

impl Store {
    /// Opens the store for the one process that owns it: takes the lock, migrates, starts the writer.
    ///
    /// # Errors
    /// Another process owns it, the file cannot be read, or it was written by a newer version.
    pub async fn open(settings: &Settings) -> Result<Self, StoreError> {
        let db = Db::open(settings).await?;
        let blobs = DiskBlobs::new(settings.files.clone());
        blobs.tidy();
        Ok(Self { db, blobs: Arc::new(blobs) })
    }

    /// Opens the store for reading beside its owner; every write is refused.
    ///
    /// # Errors
    /// There is no store yet, or it cannot be read.
    pub async fn open_for_reading(settings: &Settings) -> Result<Self, StoreError> {
        let db = Db::open_for_reading(settings).await?;
        Ok(Self { db, blobs: Arc::new(DiskBlobs::new(settings.files.clone())) })
    }

    /// A store that is not there, and makes nothing: for declarations that need a handle and never ask it.
    #[must_use]
    pub fn nowhere(settings: &Settings) -> Self {
        Self { db: Db::nowhere(settings), blobs: Arc::new(DiskBlobs::new(settings.files.clone())) }
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

    /// Uploaded files.
    #[must_use]
    pub const fn files(&self) -> Files<'_> {
        Files::new(&self.db)
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
