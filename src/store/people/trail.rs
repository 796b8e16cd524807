//! Who did what, or was not let to, and by which rule.

use super::super::Store;
use super::super::db::{Arg, Cell, Db, Row, StoreError, Write};
use crate::domain::time::Timestamp;

/// One thing that somebody did, or was not let to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Its id; later ones sort behind earlier ones.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub identity: String,
    /// What they were called then.
    pub name: String,
    /// Through which door.
    pub door: String,
    /// In which channel, with its platform.
    pub channel: Option<String>,
    /// The message that said it.
    pub message: Option<String>,
    /// What was typed, its secrets masked.
    pub said: Option<String>,
    /// What was meant by it.
    pub verb: String,
    /// What it was about: an execution, a workflow, a person.
    pub about: Option<String>,
    /// Whether it was let.
    pub allowed: bool,
    /// The rule that let it, or did not.
    pub rule: String,
}

/// Which ones to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceFilter {
    /// Those before this one.
    pub before: Option<String>,
    /// Of this identity.
    pub identity: Option<String>,
    /// Only what was not let.
    pub denied: bool,
    /// How many.
    pub limit: u32,
}

/// The trail's place in the store.
pub struct Trail<'s> {
    db: &'s Db,
}

impl Store {
    /// Who did what.
    #[must_use]
    pub const fn trail(&self) -> Trail<'_> {
        Trail { db: &self.db }
    }
}

impl Trail<'_> {
    /// Keeps a line; forgets those from before `forget`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn add(&self, trace: &Trace, forget: Timestamp) -> Result<(), StoreError> {
        let Trace { id, at, identity, name, door, channel, message, said, verb, about, allowed, rule } = trace;
        let row: [&dyn Cell; 12] = [id, at, identity, name, door, channel, message, said, verb, about, allowed, rule];
        let mut write = Write::new();
        write.row("insert_trail", &row);
        write.row("expire_trail", &[&forget]);
        self.db.write(write).await
    }

    /// What happened, newest first.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn list(&self, filter: &TraceFilter) -> Result<Vec<Trace>, StoreError> {
        // Every id sorts before this.
        let before = filter.before.as_deref().unwrap_or("~");
        let denied = i64::from(filter.denied);
        let args: Vec<Arg> =
            vec![before.into(), filter.identity.clone().into(), denied.into(), i64::from(filter.limit).into()];
        self.db.read("select_trail", args).await?.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<Trace, StoreError> {
    Ok(Trace {
        id: row.text("id")?,
        at: Timestamp::from_micros(row.int("at")?),
        identity: row.text("identity")?,
        name: row.text("name")?,
        door: row.text("door")?,
        channel: row.text_or_null("channel")?,
        message: row.text_or_null("message")?,
        said: row.text_or_null("said")?,
        verb: row.text("verb")?,
        about: row.text_or_null("about")?,
        allowed: row.int("allowed")? != 0,
        rule: row.text("rule")?,
    })
}
