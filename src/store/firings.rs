//! What came of occurrences. A firing and the run that it starts are one commit: the key of the firing is what lets a second
//! one of the same occurrence be refused.

use serde_json::Value;

use super::db::{Cell, Json, Row, StoreError, Write};
use super::triggers::Triggers;
use crate::domain::id::RunId;
use crate::domain::time::Timestamp;
use crate::domain::trigger::Verdict;

/// What came of an occurrence, to be kept.
#[derive(Debug, Clone)]
pub struct NewFiring {
    /// What makes two occurrences the same.
    pub key: String,
    /// The trigger.
    pub trigger: String,
    /// When it was looked at.
    pub at: Timestamp,
    /// The first and the last instant that it stands for.
    pub nominal: Option<(Timestamp, Timestamp)>,
    /// How many instants that are.
    pub count: u64,
    /// What came of it.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// The run that was started.
    pub run: Option<RunId>,
    /// What happened; JSON.
    pub facts: Value,
    /// An earlier one with this key does not count if it came before this time.
    pub forget: Option<Timestamp>,
    /// How the trigger stands afterwards.
    pub then: Then,
}

/// How a trigger stands after a firing.
#[derive(Debug, Clone, Default)]
pub enum Then {
    /// As before.
    #[default]
    Stays,
    /// An instant is accounted for; the next one, and when it is due. The revision that was seen.
    Advances(u64, Option<(Timestamp, Timestamp)>, Timestamp),
    /// What waited no longer does: the revision that was seen, and what it was.
    LetsGo(u64, Value),
}

/// A firing as it is kept.
#[derive(Debug, Clone)]
pub struct Firing {
    /// What makes two occurrences the same.
    pub key: String,
    /// The trigger.
    pub trigger: String,
    /// When it was looked at.
    pub at: Timestamp,
    /// The first and the last instant that it stands for.
    pub nominal: Option<(Timestamp, Timestamp)>,
    /// How many instants that are.
    pub count: u64,
    /// The word for what came of it.
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// The run that was started.
    pub run: Option<RunId>,
    /// What happened.
    pub facts: Value,
    /// How often the same came again.
    pub repeats: u64,
}

impl NewFiring {
    /// Adds its rows to a write.
    pub(super) fn write(&self, write: &mut Write) {
        if let Some(forget) = self.forget {
            write.row("retire_firing", &[&self.key, &forget]);
        }
        let (nominal, until) = (self.nominal.map(|(from, _)| from), self.nominal.map(|(_, until)| until));
        let verdict = self.verdict.word();
        let facts = Json(&self.facts);
        let row: [&dyn Cell; 10] = [
            &self.key,
            &self.trigger,
            &self.at,
            &nominal,
            &until,
            &self.count,
            &verdict,
            &self.reason,
            &self.run,
            &facts,
        ];
        write.row("insert_firing", &row);
        match &self.then {
            Then::Stays => {}
            Then::Advances(rev, next, last) => {
                let (at, due) = (next.map(|(at, _)| at), next.map(|(_, due)| due));
                write.row("advance_trigger", &[&self.trigger, rev, &at, &due, last]);
            }
            Then::LetsGo(rev, held) => write.row("let_go_trigger", &[&self.trigger, rev, &Json(held)]),
        }
    }
}

impl Triggers<'_> {
    /// Keeps what came of occurrences that started nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one of them is kept already, or the trigger was changed since.
    pub async fn note(&self, firings: &[NewFiring]) -> Result<(), StoreError> {
        let mut write = Write::new();
        firings.iter().for_each(|firing| firing.write(&mut write));
        self.db.write(write).await
    }

    /// The same thing came once more.
    ///
    /// # Errors
    /// The store fails.
    pub async fn note_repeat(&self, key: &str) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("note_repeat", &[&key]);
        self.db.write(write).await
    }

    /// Forgets what came of occurrences before a time.
    ///
    /// # Errors
    /// The store fails.
    pub async fn expire(&self, before: Timestamp) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("expire_firings", &[&before]);
        self.db.write(write).await
    }

    /// What came of an occurrence.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn firing(&self, key: &str) -> Result<Option<Firing>, StoreError> {
        self.db.read_one("select_firing", vec![key.into()]).await?.as_ref().map(read_firing).transpose()
    }

    /// What started a run.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn firing_of_run(&self, run: RunId) -> Result<Option<Firing>, StoreError> {
        let row = self.db.read_one("select_firing_of_run", vec![run.to_string().into()]).await?;
        row.as_ref().map(read_firing).transpose()
    }

    /// What came of the newest occurrences at a trigger.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn firings(&self, trigger: &str, limit: u32) -> Result<Vec<Firing>, StoreError> {
        let rows = self.db.read("select_firings", vec![trigger.into(), i64::from(limit).into()]).await?;
        rows.iter().map(read_firing).collect()
    }

    /// How many occurrences a trigger has started or asked about by itself since a time.
    ///
    /// # Errors
    /// The store fails.
    pub async fn taken_since(&self, key: &str, since: Timestamp) -> Result<u64, StoreError> {
        let row = self.db.read_one("count_taken", vec![key.into(), since.micros().into()]).await?;
        Ok(row.map(|row| row.int("count")).transpose()?.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }

    /// How many runs a trigger has started since a time, and when the last one.
    ///
    /// # Errors
    /// The store fails.
    pub async fn started_since(&self, key: &str, since: Timestamp) -> Result<(u64, Option<Timestamp>), StoreError> {
        let row = self.db.read_one("count_started", vec![key.into(), since.micros().into()]).await?;
        let Some(row) = row else { return Ok((0, None)) };
        let last = row.int_or_null("last")?.map(Timestamp::from_micros);
        Ok((u64::try_from(row.int("count")?).unwrap_or(0), last))
    }
}

fn read_firing(row: &Row) -> Result<Firing, StoreError> {
    let time = |column: &str| -> Result<Option<Timestamp>, StoreError> {
        Ok(row.int_or_null(column)?.map(Timestamp::from_micros))
    };
    let number = |column: &str| Ok::<_, StoreError>(u64::try_from(row.int(column)?).unwrap_or(0));
    Ok(Firing {
        key: row.text("key")?,
        trigger: row.text("trigger_key")?,
        at: Timestamp::from_micros(row.int("at")?),
        nominal: time("nominal")?.zip(time("until")?),
        count: number("count")?,
        verdict: row.text("verdict")?,
        reason: row.text("reason")?,
        run: row.text_or_null("run_id")?.and_then(|run| run.parse().ok()),
        facts: row.json("facts")?,
        repeats: number("repeats")?,
    })
}
