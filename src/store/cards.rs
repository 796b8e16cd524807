//! The one message of each execution: where it stands, and what it shows.

use super::conversations::number;
use super::db::{Arg, Db, Row, StoreError, Write};
use crate::domain::id::RunId;
use crate::domain::time::Timestamp;

/// The one message of an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunMessage {
    /// The execution.
    pub run: RunId,
    /// The platform that carries it.
    pub platform: String,
    /// The channel there.
    pub channel: String,
    /// The thread there.
    pub thread: Option<String>,
    /// Who asked for the execution.
    pub requester: String,
    /// The message, once it was posted.
    pub message: Option<String>,
    /// The number of the event that it shows.
    pub sent: u64,
    /// Whether it shows the end.
    pub is_final: bool,
    /// What was said of it in a message of its own, last.
    pub told: String,
    /// When it was wanted first.
    pub created_at: Timestamp,
}

/// Where an execution's message is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Whereabouts<'w> {
    /// The platform.
    pub platform: &'w str,
    /// The channel there.
    pub channel: &'w str,
    /// Only in this thread, or beginning it.
    pub thread: Option<&'w str>,
    /// Only those that this person asked for.
    pub requester: Option<&'w str>,
}

/// The messages' place in the store.
pub struct Cards<'s> {
    db: &'s Db,
}

impl<'s> Cards<'s> {
    pub(super) const fn new(db: &'s Db) -> Self {
        Self { db }
    }

    /// Notes that an execution wants a message; one that has one keeps it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn want(&self, card: &RunMessage) -> Result<(), StoreError> {
        let RunMessage { run, platform, channel, thread, requester, created_at, .. } = card;
        let mut write = Write::new();
        write.row("insert_chat_card", &[run, platform, channel, thread, requester, created_at]);
        self.db.write(write).await
    }

    /// Notes what an execution's message shows.
    ///
    /// # Errors
    /// The store fails.
    pub async fn sent(&self, run: RunId, message: &str, sent: u64, is_final: bool) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("update_chat_card", &[&run, &message, &sent, &is_final]);
        self.db.write(write).await
    }

    /// Notes what was said of an execution in a message of its own.
    ///
    /// # Errors
    /// The store fails.
    pub async fn told(&self, run: RunId, what: &str) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("update_chat_card_told", &[&run, &what]);
        self.db.write(write).await
    }

    /// The message of an execution.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn find(&self, run: RunId) -> Result<Option<RunMessage>, StoreError> {
        let row = self.db.read_one("select_chat_card", vec![run.to_string().into()]).await?;
        row.as_ref().map(read_card).transpose()
    }

    /// Messages that do not show an end yet, oldest first.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn open(&self) -> Result<Vec<RunMessage>, StoreError> {
        self.db.read("select_open_chat_cards", Vec::new()).await?.iter().map(read_card).collect()
    }

    /// How many executions are over without their messages showing it, and since when the first of them is.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn behind(&self) -> Result<(u64, Option<Timestamp>), StoreError> {
        match self.db.read_one("count_cards_behind", Vec::new()).await? {
            Some(row) => Ok((number(&row, "cards")?, row.int_or_null("since")?.map(Timestamp::from_micros))),
            None => Ok((0, None)),
        }
    }

    /// The newest executions whose messages are there, newest first.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn within(&self, place: Whereabouts<'_>, limit: u32) -> Result<Vec<RunMessage>, StoreError> {
        let args: Vec<Arg> = vec![
            place.platform.into(),
            place.channel.into(),
            place.thread.into(),
            place.requester.into(),
            i64::from(limit).into(),
        ];
        self.db.read("select_chat_cards_in", args).await?.iter().map(read_card).collect()
    }
}

fn read_card(row: &Row) -> Result<RunMessage, StoreError> {
    Ok(RunMessage {
        run: row.parse("run_id")?,
        platform: row.text("platform")?,
        channel: row.text("channel")?,
        thread: row.text_or_null("thread")?,
        requester: row.text("requester")?,
        message: row.text_or_null("message")?,
        sent: number(row, "sent")?,
        is_final: row.int("is_final")? == 1,
        told: row.text("told")?,
        created_at: Timestamp::from_micros(row.int("created_at")?),
    })
}
