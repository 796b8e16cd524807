//! Requests that came with a key of their own: what each was promised, and what it was answered.

use super::Store;
use super::db::{Db, StoreError, Write};
use crate::domain::time::Timestamp;

/// A request with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedRequest {
    /// Tells one request from another.
    pub fingerprint: String,
    /// The id that was promised before anything was made.
    pub made: String,
    /// Status and body of the answer; `None`: nobody was answered yet.
    pub answer: Option<(u16, String)>,
    /// When it came first.
    pub created_at: Timestamp,
}

/// The keyed requests' place in the store.
pub struct Repeats<'s> {
    db: &'s Db,
}

impl Store {
    /// Requests that came with a key of their own.
    #[must_use]
    pub const fn repeats(&self) -> Repeats<'_> {
        Repeats { db: &self.db }
    }
}

impl Repeats<'_> {
    /// The request with this key.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn find(&self, key: &str) -> Result<Option<KeyedRequest>, StoreError> {
        let Some(row) = self.db.read_one("select_repeat", vec![key.into()]).await? else { return Ok(None) };
        let status = row.int_or_null("status")?.and_then(|status| u16::try_from(status).ok());
        Ok(Some(KeyedRequest {
            fingerprint: row.text("fingerprint")?,
            made: row.text("made")?,
            answer: status.zip(row.text_or_null("body")?),
            created_at: Timestamp::from_micros(row.int("created_at")?),
        }))
    }

    /// Keeps a request that came now, in place of an older one with its key; forgets those from before `forget`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn promise(&self, key: &str, request: &KeyedRequest, forget: Timestamp) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("delete_repeat", &[&key]);
        write.row("expire_repeats", &[&forget]);
        write.row("insert_repeat", &[&key, &request.fingerprint, &request.made, &request.created_at]);
        self.db.write(write).await
    }

    /// Keeps what a request was answered.
    ///
    /// # Errors
    /// The store fails.
    pub async fn answer(&self, key: &str, status: u16, body: &str) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("answer_repeat", &[&key, &status, &body]);
        self.db.write(write).await
    }

    /// Forgets a request: nothing came of it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget(&self, key: &str) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("delete_repeat", &[&key]);
        self.db.write(write).await
    }
}
