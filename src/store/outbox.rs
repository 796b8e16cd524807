//! The outbox: what workflows tell people, kept before anybody sends it.
//!
//! Invariant: a letter leaves `queued` only with the receipt of its platform, or with the fault for which it was given up.
//! Everybody who waits for letters, to send them or for their receipts, hears of every change.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::Store;
use super::conversations::number;
use super::db::{Db, Json, Row, StoreError, Write};
use crate::domain::fault::Fault;
use crate::domain::message::{Letter, LetterState, Receipt};
use crate::domain::time::Timestamp;

/// How full the outbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fill {
    /// Letters that wait.
    pub queued: u64,
    /// Since when the oldest of them does.
    pub oldest: Option<Timestamp>,
    /// Letters that were given up.
    pub dead: u64,
}

/// Who is there, and that something has changed: of this process, and gone with it.
pub(super) struct Counter {
    changes: watch::Sender<u64>,
    /// How many carry letters to each platform.
    carriers: Mutex<BTreeMap<String, usize>>,
}

impl Counter {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { changes: watch::Sender::new(0), carriers: Mutex::default() })
    }

    fn ring(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }
}

/// Somebody carries letters to these platforms, until this is dropped.
pub struct Carrying {
    counter: Arc<Counter>,
    platforms: Vec<String>,
}

impl Drop for Carrying {
    fn drop(&mut self) {
        let mut carriers = self.counter.carriers.lock().unwrap_or_else(PoisonError::into_inner);
        for platform in &self.platforms {
            carriers.entry(platform.clone()).and_modify(|count| *count = count.saturating_sub(1));
        }
        drop(carriers);
        self.counter.ring();
    }
}

/// The outbox' place in the store.
pub struct Outbox<'s> {
    db: &'s Db,
    counter: &'s Arc<Counter>,
}

impl Store {
    /// What workflows tell people.
    #[must_use]
    pub const fn outbox(&self) -> Outbox<'_> {
        Outbox { db: &self.db, counter: &self.counter }
    }
}

impl Outbox<'_> {
    /// Keeps a letter; one with its key that is there already stays as it is.
    ///
    /// # Errors
    /// The store fails.
    pub async fn put(&self, letter: &Letter) -> Result<(), StoreError> {
        let Letter { key, platform, channel, thread, message, run, step, created_at, .. } = letter;
        let mut write = Write::new();
        write.row("insert_letter", &[key, platform, channel, thread, &Json(message), run, step, created_at]);
        self.write(write).await
    }

    /// Its platform has taken a letter.
    ///
    /// # Errors
    /// The store fails.
    pub async fn sent(&self, key: &str, receipt: &Receipt, at: Timestamp) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("update_letter_sent", &[&key, &Json(receipt), &at]);
        self.write(write).await
    }

    /// A letter was not taken and is tried again: how often it was tried, and when it is the next time.
    ///
    /// # Errors
    /// The store fails.
    pub async fn later(&self, key: &str, (attempts, at): (u32, Timestamp), why: &Fault) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("update_letter_later", &[&key, &attempts, &at, &Json(why)]);
        self.write(write).await
    }

    /// A letter is given up: how often it was tried, and when that was decided.
    ///
    /// # Errors
    /// The store fails.
    pub async fn give_up(&self, key: &str, (attempts, at): (u32, Timestamp), why: &Fault) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("update_letter_dead", &[&key, &attempts, &Json(why), &at]);
        self.write(write).await
    }

    /// A letter that was not taken is tried again from now on.
    ///
    /// # Errors
    /// The store fails.
    pub async fn revive(&self, key: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("update_letter_revived", &[&key, &now]);
        self.write(write).await
    }

    /// Whatever waits for its next attempt on a platform is due now.
    ///
    /// # Errors
    /// The store fails.
    pub async fn hurry(&self, platform: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("update_letters_hurried", &[&platform, &now]);
        self.write(write).await
    }

    /// A letter that was not taken goes away.
    ///
    /// # Errors
    /// The store fails.
    pub async fn drop(&self, key: &str) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("delete_letter", &[&key]);
        self.write(write).await
    }

    /// Forgets letters that were sent, or given up, before these times.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget(&self, sent_before: Timestamp, dead_before: Timestamp) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("delete_letters_before", &[&sent_before, &dead_before]);
        self.write(write).await
    }

    /// One letter.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn find(&self, key: &str) -> Result<Option<Letter>, StoreError> {
        let row = self.db.read_one("select_letter", vec![key.into()]).await?;
        row.as_ref().map(read_letter).transpose()
    }

    /// Letters whose key begins like this; two at the most.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn beginning(&self, key: &str) -> Result<Vec<Letter>, StoreError> {
        self.db.read("select_letters_by_beginning", vec![key.into()]).await?.iter().map(read_letter).collect()
    }

    /// The oldest waiting letter of each conversation of a platform.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn heads(&self, platform: &str, limit: u32) -> Result<Vec<Letter>, StoreError> {
        let args = vec![platform.into(), i64::from(limit).into()];
        self.db.read("select_letter_heads", args).await?.iter().map(read_letter).collect()
    }

    /// Letters in this state, or all that are not sent; newest first.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn list(&self, state: Option<LetterState>, limit: u32) -> Result<Vec<Letter>, StoreError> {
        let args = vec![state.map(LetterState::word).into(), i64::from(limit).into()];
        self.db.read("select_letters", args).await?.iter().map(read_letter).collect()
    }

    /// How full it is.
    ///
    /// # Errors
    /// The store fails.
    pub async fn fill(&self) -> Result<Fill, StoreError> {
        let Some(row) = self.db.read_one("count_letters", Vec::new()).await? else { return Ok(Fill::default()) };
        Ok(Fill {
            queued: number(&row, "queued")?,
            oldest: row.int_or_null("oldest")?.map(Timestamp::from_micros),
            dead: number(&row, "dead")?,
        })
    }

    /// Hears of every change from now on.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.counter.changes.subscribe()
    }

    /// Says that somebody in this process carries letters to these platforms.
    #[must_use]
    pub fn carry(&self, platforms: Vec<String>) -> Carrying {
        let mut carriers = self.counter.carriers.lock().unwrap_or_else(PoisonError::into_inner);
        for platform in &platforms {
            *carriers.entry(platform.clone()).or_default() += 1;
        }
        drop(carriers);
        self.counter.ring();
        Carrying { counter: Arc::clone(self.counter), platforms }
    }

    /// Whether somebody in this process carries letters to this platform.
    #[must_use]
    pub fn is_carried(&self, platform: &str) -> bool {
        let carriers = self.counter.carriers.lock().unwrap_or_else(PoisonError::into_inner);
        carriers.get(platform).is_some_and(|count| *count > 0)
    }

    async fn write(&self, write: Write) -> Result<(), StoreError> {
        self.db.write(write).await?;
        self.counter.ring();
        Ok(())
    }
}

fn read_letter(row: &Row) -> Result<Letter, StoreError> {
    let state = row.text("state")?;
    Ok(Letter {
        key: row.text("key")?,
        platform: row.text("platform")?,
        channel: row.text("channel")?,
        thread: row.text("thread")?,
        message: row.json("message")?,
        run: row.parse("run_id")?,
        step: row.text("step")?,
        state: LetterState::parse(&state).unwrap_or(LetterState::Dead), // the schema allows no other word
        attempts: u32::try_from(row.int("attempts")?).unwrap_or(u32::MAX),
        next_at: Timestamp::from_micros(row.int("next_at")?),
        receipt: row.json_or_null("receipt")?,
        fault: row.json_or_null("fault")?,
        created_at: Timestamp::from_micros(row.int("created_at")?),
        since: Timestamp::from_micros(row.int("since")?),
        settled_at: row.int_or_null("settled_at")?.map(Timestamp::from_micros),
    })
}
