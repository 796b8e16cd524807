//! What triggers of type `file` ask people: places in which they need not ask, and the one question about many files.

use super::db::{Row, StoreError, Write};
use super::triggers::Triggers;
use crate::domain::id::RunId;
use crate::domain::time::Timestamp;

/// Open questions that are looked at.
const MOST: i64 = 1_000;

/// The one question about many files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flood {
    /// Its id.
    pub id: String,
    /// The trigger.
    pub trigger: String,
    /// Where the files came.
    pub place: String,
    /// When the first one came.
    pub opened_at: Timestamp,
    /// When the last one came.
    pub last_at: Timestamp,
    /// The message in which it stands.
    pub message: Option<String>,
    /// What somebody answered for all that was left, and who.
    pub decision: Option<(String, String)>,
    /// When nothing more came of it.
    pub closed_at: Option<Timestamp>,
}

/// A file of such a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FloodFile {
    /// What came of it at first.
    pub firing: String,
    /// Its number, from 1.
    pub number: u64,
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its execution.
    pub run: Option<RunId>,
    /// How the execution stands.
    pub status: Option<String>,
    /// Whether the execution is over.
    pub is_over: bool,
}

impl Triggers<'_> {
    /// Keeps that a trigger starts by itself in a place, and who said so.
    ///
    /// # Errors
    /// The store fails.
    pub async fn say_always(&self, key: &str, place: &str, by: &str, at: Timestamp) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("insert_always", &[&key, &place, &by, &at]);
        self.db.write(write).await
    }

    /// Whether a trigger starts by itself in a place.
    ///
    /// # Errors
    /// The store fails.
    pub async fn is_always(&self, key: &str, place: &str) -> Result<bool, StoreError> {
        Ok(self.db.read_one("select_always", vec![key.into(), place.into()]).await?.is_some())
    }

    /// The places in which a trigger starts by itself, and who said so.
    ///
    /// # Errors
    /// The store fails.
    pub async fn always(&self, key: &str) -> Result<Vec<(String, String)>, StoreError> {
        let rows = self.db.read("select_all_always", vec![key.into()]).await?;
        rows.iter().map(|row| Ok((row.text("place")?, row.text("said_by")?))).collect()
    }

    /// A trigger asks everywhere again.
    ///
    /// # Errors
    /// The store fails.
    pub async fn ask_again(&self, key: &str) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("delete_always", &[&key]);
        self.db.write(write).await
    }

    /// Puts a file into the question that is open in this place, or opens one under this id. Said twice, it is said once.
    ///
    /// # Errors
    /// The store fails.
    pub async fn flood(
        &self,
        id: &str,
        (trigger, place): (&str, &str),
        (firing, name, size): (&str, &str, u64),
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("open_flood", &[&id, &trigger, &place, &at]);
        write.row("insert_flood_file", &[&trigger, &place, &firing, &name, &size]);
        self.db.write(write).await
    }

    /// The questions that are open, or whose executions are under way, the oldest first.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn open_floods(&self) -> Result<Vec<Flood>, StoreError> {
        self.db.read("select_open_floods", vec![MOST.into()]).await?.iter().map(read_flood).collect()
    }

    /// One question.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn find_flood(&self, id: &str) -> Result<Option<Flood>, StoreError> {
        self.db.read_one("select_flood", vec![id.into()]).await?.as_ref().map(read_flood).transpose()
    }

    /// The files of a question.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn flood_files(&self, id: &str) -> Result<Vec<FloodFile>, StoreError> {
        self.db.read("select_flood_files", vec![id.into()]).await?.iter().map(read_file).collect()
    }

    /// Notes the message in which a question stands.
    ///
    /// # Errors
    /// The store fails.
    pub async fn flood_shown(&self, id: &str, message: &str) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("flood_shown", &[&id, &message]);
        self.db.write(write).await
    }

    /// Keeps what somebody answered; the first answer counts.
    ///
    /// # Errors
    /// The store fails.
    pub async fn decide_flood(&self, id: &str, decision: &str, by: &str) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("decide_flood", &[&id, &decision, &by]);
        self.db.write(write).await
    }

    /// A file of a question has its execution.
    ///
    /// # Errors
    /// The store fails.
    pub async fn flood_started(&self, firing: &str, run: RunId) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("flood_file_started", &[&firing, &run]);
        self.db.write(write).await
    }

    /// Nothing more comes of a question.
    ///
    /// # Errors
    /// The store fails.
    pub async fn close_flood(&self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("close_flood", &[&id, &at]);
        self.db.write(write).await
    }

    /// Forgets questions that were closed before a time.
    ///
    /// # Errors
    /// The store fails.
    pub async fn expire_floods(&self, before: Timestamp) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("expire_flood_files", &[&before]);
        write.row("expire_floods", &[&before]);
        self.db.write(write).await
    }
}

fn read_flood(row: &Row) -> Result<Flood, StoreError> {
    let time = |column: &str| row.int(column).map(Timestamp::from_micros);
    Ok(Flood {
        id: row.text("id")?,
        trigger: row.text("trigger_key")?,
        place: row.text("place")?,
        opened_at: time("opened_at")?,
        last_at: time("last_at")?,
        message: row.text_or_null("message")?,
        decision: row.text_or_null("decision")?.zip(row.text_or_null("decided_by")?),
        closed_at: row.int_or_null("closed_at")?.map(Timestamp::from_micros),
    })
}

fn read_file(row: &Row) -> Result<FloodFile, StoreError> {
    let number = |column: &str| Ok::<_, StoreError>(u64::try_from(row.int(column)?).unwrap_or(0));
    Ok(FloodFile {
        firing: row.text("firing")?,
        number: number("number")?,
        name: row.text("name")?,
        size: number("size")?,
        run: row.text_or_null("run_id")?.and_then(|run| run.parse().ok()),
        status: row.text_or_null("status")?,
        is_over: row.int_or_null("finished_at")?.is_some(),
    })
}
