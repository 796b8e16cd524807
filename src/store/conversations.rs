//! Conversations: channels and their messages, and what came in already.

use serde::{Deserialize, Serialize};

use super::cards::Cards;
use super::db::{Arg, Cell, Db, Json, Row, StoreError, Write};
use crate::domain::card::Card;
use crate::domain::id::FileId;
use crate::domain::time::Timestamp;

/// A place where people talk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The only person in it besides us; `None`: it is everybody's.
    pub member: Option<String>,
    /// The number of its newest change.
    pub last_seq: u64,
}

/// A file that came with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// Its id.
    pub file_id: FileId,
    /// The name it came with.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its type, by content.
    #[serde(rename = "type")]
    pub media_type: String,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// Its channel.
    pub channel: String,
    /// The number under which it came.
    pub posted: u64,
    /// The number of its last change.
    pub seq: u64,
    /// The message under which it stands.
    pub thread: Option<String>,
    /// Who wrote it.
    pub author: String,
    /// Whether that is a person.
    pub is_person: bool,
    /// When it came.
    pub at: Timestamp,
    /// When it was changed.
    pub edited_at: Option<Timestamp>,
    /// Its text.
    pub text: String,
    /// Its card.
    pub card: Option<Card>,
    /// The files that came with it.
    pub files: Vec<Attached>,
    /// The only person who sees it.
    pub visible_to: Option<String>,
    /// The id that the sender's program gave it.
    pub client_id: Option<String>,
}

/// How far the answer to something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Not begun.
    New,
    /// Begun; a crash may have cut it short.
    Begun,
    /// Answered.
    Done,
}

impl Progress {
    const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Begun => "begun",
            Self::Done => "done",
        }
    }
}

/// Something that came in and was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// How far the answer is.
    pub progress: Progress,
    /// What came in, as its room wrote it.
    pub said: String,
    /// Since when it is that far.
    pub at: Timestamp,
}

/// The conversations' place in the store.
pub struct Conversations<'s> {
    db: &'s Db,
}

impl<'s> Conversations<'s> {
    pub(super) const fn new(db: &'s Db) -> Self {
        Self { db }
    }

    /// The one message of each execution.
    #[must_use]
    pub const fn cards(&self) -> Cards<'s> {
        Cards::new(self.db)
    }

    /// Keeps what came in, with the message that it is where the store holds messages of its platform. `false`: it came
    /// before, and nothing is written.
    ///
    /// # Errors
    /// The store fails.
    pub async fn accept(
        &self,
        key: &str,
        said: &str,
        at: Timestamp,
        message: Option<&Message>,
    ) -> Result<bool, StoreError> {
        let mut write = Write::new();
        write.row("insert_chat_inbound", &[&key, &said, &at]);
        if let Some(message) = message {
            write_message(&mut write, message);
        }
        match self.db.write(write).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Notes how far the answer is.
    ///
    /// # Errors
    /// The store fails.
    pub async fn progress(&self, key: &str, progress: Progress, at: Timestamp) -> Result<(), StoreError> {
        self.one("update_chat_inbound", &[&key, &progress.word(), &at]).await
    }

    /// Forgets what was answered before this time.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_before(&self, at: Timestamp) -> Result<(), StoreError> {
        self.one("delete_chat_inbound_before", &[&at]).await
    }

    /// What was not answered, oldest first.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn unanswered(&self) -> Result<Vec<Unanswered>, StoreError> {
        let read = |row: &Row| {
            let progress = if row.text("state")? == "new" { Progress::New } else { Progress::Begun };
            Ok(Unanswered { progress, said: row.text("said")?, at: Timestamp::from_micros(row.int("at")?) })
        };
        self.db.read("select_open_chat_inbound", Vec::new()).await?.iter().map(read).collect()
    }

    /// Makes a channel; one that is there already stays as it is.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open_channel(&self, channel: &Channel, at: Timestamp) -> Result<(), StoreError> {
        let kind = if channel.member.is_some() { "direct" } else { "channel" };
        self.one("insert_chat_channel", &[&channel.id, &channel.name, &kind, &channel.member, &at]).await
    }

    /// The channels that a person sees.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn channels(&self, person: &str) -> Result<Vec<Channel>, StoreError> {
        self.db.read("select_chat_channels", vec![person.into()]).await?.iter().map(read_channel).collect()
    }

    /// One channel.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn channel(&self, id: &str) -> Result<Option<Channel>, StoreError> {
        self.db.read_one("select_chat_channel", vec![id.into()]).await?.as_ref().map(read_channel).transpose()
    }

    /// Keeps a message, or its new content; its number must be above all of its channel.
    ///
    /// # Errors
    /// The store fails, or the number is taken.
    pub async fn put_message(&self, message: &Message) -> Result<(), StoreError> {
        let mut write = Write::new();
        write_message(&mut write, message);
        self.db.write(write).await
    }

    /// One message.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn message(&self, id: &str) -> Result<Option<Message>, StoreError> {
        self.db.read_one("select_chat_message", vec![id.into()]).await?.as_ref().map(read_message).transpose()
    }

    /// What is new or changed above a number, in order; private messages of everybody included.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn since(&self, channel: &str, after: u64, limit: usize) -> Result<Vec<Message>, StoreError> {
        let args: Vec<Arg> = vec![channel.into(), int(after).into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
        self.db.read("select_chat_messages_since", args).await?.iter().map(read_message).collect()
    }

    /// A page of a channel as one person sees it, newest first: what was posted before this number.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn before(
        &self,
        channel: &str,
        before: u64,
        person: &str,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let args: Vec<Arg> = vec![channel.into(), int(before).into(), person.into(), i64::from(limit).into()];
        self.db.read("select_chat_messages_before", args).await?.iter().map(read_message).collect()
    }

    /// Remembers the latest list of a place.
    ///
    /// # Errors
    /// The store fails.
    pub async fn remember_list(&self, place: &str, items: &[String], at: Timestamp) -> Result<(), StoreError> {
        self.one("upsert_chat_listing", &[&place, &Json(items), &at]).await
    }

    /// The latest list of a place; empty when there was none.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn list(&self, place: &str) -> Result<Vec<String>, StoreError> {
        let row = self.db.read_one("select_chat_listing", vec![place.into()]).await?;
        row.map_or_else(|| Ok(Vec::new()), |row| row.json("items"))
    }

    /// The key of this name: this one, unless one was kept before.
    ///
    /// # Errors
    /// The store fails.
    pub async fn key(&self, name: &str, fresh: &str) -> Result<String, StoreError> {
        self.one("insert_chat_key", &[&name, &fresh]).await?;
        let row = self.db.read_one("select_chat_key", vec![name.into()]).await?;
        row.map_or_else(|| Ok(fresh.to_owned()), |row| row.text("value"))
    }

    /// Keeps the action that a short text stands for.
    ///
    /// # Errors
    /// The store fails.
    pub async fn keep_action(&self, short: &str, action: &str, at: Timestamp) -> Result<(), StoreError> {
        self.one("insert_chat_action", &[&short, &action, &at]).await
    }

    /// The action that a short text stands for.
    ///
    /// # Errors
    /// The store fails.
    pub async fn action(&self, short: &str) -> Result<Option<String>, StoreError> {
        let row = self.db.read_one("select_chat_action", vec![short.into()]).await?;
        row.map(|row| row.text("action")).transpose()
    }

    /// Forgets actions that were kept before this time.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_actions_before(&self, at: Timestamp) -> Result<(), StoreError> {
        self.one("delete_chat_actions_before", &[&at]).await
    }

    /// Remembers this under a name, in the place of what was there.
    ///
    /// # Errors
    /// The store fails.
    pub async fn note(&self, name: &str, value: &str, at: Timestamp) -> Result<(), StoreError> {
        self.one("upsert_chat_note", &[&name, &value, &at]).await
    }

    /// What is remembered under a name.
    ///
    /// # Errors
    /// The store fails.
    pub async fn noted(&self, name: &str) -> Result<Option<String>, StoreError> {
        let row = self.db.read_one("select_chat_note", vec![name.into()]).await?;
        row.map(|row| row.text("value")).transpose()
    }

    async fn one(&self, statement: &'static str, row: &[&dyn Cell]) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row(statement, row);
        self.db.write(write).await
    }
}

fn write_message(write: &mut Write, message: &Message) {
    let kind = if message.is_person { "person" } else { "workflow" };
    let Message { id, channel, seq, thread, author, at, text, visible_to, client_id, .. } = message;
    let (card, files) = (message.card.as_ref().map(Json), Json(&message.files));
    let row: [&dyn Cell; 12] =
        [id, channel, seq, thread, author, &kind, at, text, &card, &files, visible_to, client_id];
    write.row("upsert_chat_message", &row);
}

pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn number(row: &Row, column: &str) -> Result<u64, StoreError> {
    Ok(u64::try_from(row.int(column)?).unwrap_or(0))
}

fn read_channel(row: &Row) -> Result<Channel, StoreError> {
    Ok(Channel {
        id: row.text("id")?,
        name: row.text("name")?,
        member: row.text_or_null("member")?,
        last_seq: number(row, "last_seq")?,
    })
}

fn read_message(row: &Row) -> Result<Message, StoreError> {
    Ok(Message {
        id: row.text("id")?,
        channel: row.text("channel")?,
        posted: number(row, "posted")?,
        seq: number(row, "seq")?,
        thread: row.text_or_null("thread")?,
        author: row.text("author")?,
        is_person: row.text("author_kind")? == "person",
        at: Timestamp::from_micros(row.int("at")?),
        edited_at: row.int_or_null("edited_at")?.map(Timestamp::from_micros),
        text: row.text("text")?,
        card: row.text_or_null("card")?.map(|_| row.json("card")).transpose()?,
        files: row.json("files")?,
        visible_to: row.text_or_null("visible_to")?,
        client_id: row.text_or_null("client_id")?,
    })
}
