//! Triggers as they are kept: what they say, whether they are on, and when they are due. A change moves their number, and
//! whoever has seen an older one is refused.

use serde_json::Value;

use super::Store;
use super::db::{Cell, Db, Json, Row, StoreError, Write};
use super::firings::NewFiring;
use crate::domain::id::{RunId, WorkflowId};
use crate::domain::time::Timestamp;
use crate::domain::trigger::TriggerSpec;

/// A trigger as it is kept.
#[derive(Debug, Clone)]
pub struct StoredTrigger {
    /// Workflow and name.
    pub key: String,
    /// Its workflow.
    pub workflow_id: WorkflowId,
    /// The name under which the workflow is started.
    pub slug: String,
    /// Its name within the workflow.
    pub name: String,
    /// What it says.
    pub spec: TriggerSpec,
    /// Made by hand, not by the workflow's file.
    pub managed: bool,
    /// What somebody switched it to.
    pub switched: Option<bool>,
    /// Until when it is paused.
    pub paused_until: Option<Timestamp>,
    /// Moves with every change.
    pub rev: u64,
    /// The next instant that is not accounted for.
    pub next_at: Option<Timestamp>,
    /// When that is due.
    pub due_at: Option<Timestamp>,
    /// The last instant that is accounted for.
    pub last_at: Option<Timestamp>,
    /// An occurrence that waits.
    pub held: Option<Value>,
    /// Its address.
    pub token: Option<String>,
    /// What its requests are signed with.
    pub secret: Option<String>,
    /// What they were signed with before, and until when that counts.
    pub old_secret: Option<(String, Timestamp)>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was taken out of use.
    pub removed_at: Option<Timestamp>,
}

/// A trigger as its workflow says it is.
#[derive(Debug)]
pub struct Armed<'t> {
    /// Workflow and name.
    pub key: &'t str,
    /// Its workflow.
    pub workflow_id: WorkflowId,
    /// The name under which the workflow is started.
    pub slug: &'t str,
    /// What it says.
    pub spec: &'t TriggerSpec,
    /// Made by hand.
    pub managed: bool,
    /// The next instant, and when it is due.
    pub next: Option<(Timestamp, Timestamp)>,
    /// Its address and secret, should it have none yet.
    pub token: Option<(String, String)>,
}

/// The triggers' place in the store.
pub struct Triggers<'s> {
    pub(super) db: &'s Db,
}

impl Store {
    /// What starts runs by itself.
    #[must_use]
    pub const fn triggers(&self) -> Triggers<'_> {
        Triggers { db: &self.db }
    }
}

impl Triggers<'_> {
    /// Keeps what a workflow says, and takes out of use what it says no longer.
    ///
    /// # Errors
    /// The store fails.
    pub async fn arm(&self, armed: &[Armed<'_>], removed: &[String], at: Timestamp) -> Result<(), StoreError> {
        let mut write = Write::new();
        for trigger in armed {
            let (next, due) = (trigger.next.map(|(at, _)| at), trigger.next.map(|(_, due)| due));
            let (token, secret) = trigger.token.clone().unzip();
            let kind = trigger.spec.kind.word();
            let spec = Json(trigger.spec);
            let row: [&dyn Cell; 12] = [
                &trigger.key,
                &trigger.workflow_id,
                &trigger.slug,
                &trigger.spec.id,
                &kind,
                &spec,
                &trigger.managed,
                &next,
                &due,
                &token,
                &secret,
                &at,
            ];
            write.row("upsert_trigger", &row);
        }
        for key in removed {
            write.row("remove_trigger", &[key, &at]);
        }
        self.db.write(write).await
    }

    /// Switches a trigger on or off, or pauses it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn switch(
        &self,
        key: &str,
        (on, until): (Option<bool>, Option<Timestamp>),
        next: Option<(Timestamp, Timestamp)>,
    ) -> Result<(), StoreError> {
        let mut write = Write::new();
        let (next, due) = (next.map(|(at, _)| at), next.map(|(_, due)| due));
        write.row("switch_trigger", &[&key, &on, &until, &next, &due]);
        self.db.write(write).await
    }

    /// Gives a trigger another secret.
    ///
    /// # Errors
    /// The store fails.
    pub async fn rotate(&self, key: &str, secret: &str, old_until: Timestamp) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("rotate_secret", &[&key, &secret, &old_until]);
        self.db.write(write).await
    }

    /// Keeps an occurrence for later, and what became of the one that waited before.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the trigger was changed since; the store fails.
    pub async fn hold(
        &self,
        trigger: &StoredTrigger,
        held: Option<(&Value, Timestamp)>,
        firings: &[NewFiring],
    ) -> Result<(), StoreError> {
        let mut write = Write::new();
        firings.iter().for_each(|firing| firing.write(&mut write));
        let (held, due) = (held.map(|(held, _)| Json(held)), held.map(|(_, due)| due));
        write.row("hold_trigger", &[&trigger.key, &trigger.rev, &held, &due]);
        self.db.write(write).await
    }

    /// What waited is dealt with; something else that waits by now goes on waiting.
    ///
    /// # Errors
    /// The store fails.
    pub async fn let_go(&self, trigger: &StoredTrigger, held: &Value) -> Result<(), StoreError> {
        let mut write = Write::new();
        write.row("let_go_trigger", &[&trigger.key, &trigger.rev, &Json(held)]);
        self.db.write(write).await
    }

    /// Keeps an instant until the run before it has ended, and moves on to the next one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the trigger was changed since; the store fails.
    pub async fn queue(
        &self,
        trigger: &StoredTrigger,
        (at, next): (Timestamp, Option<(Timestamp, Timestamp)>),
        due: Timestamp,
    ) -> Result<(), StoreError> {
        let mut write = Write::new();
        let (next, next_due) = (next.map(|(at, _)| at), next.map(|(_, due)| due));
        write.row("advance_trigger", &[&trigger.key, &trigger.rev, &next, &next_due, &at]);
        let held = Json(serde_json::json!({ "instant": at.micros() }));
        write.row("hold_trigger", &[&trigger.key, &trigger.rev, &held, &due]);
        self.db.write(write).await
    }

    /// Runs under way that a trigger started.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open_runs(&self, key: &str) -> Result<Vec<RunId>, StoreError> {
        self.db.read("select_open_of_trigger", vec![key.into()]).await?.iter().map(|row| row.parse("id")).collect()
    }

    /// One trigger.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn find(&self, key: &str) -> Result<Option<StoredTrigger>, StoreError> {
        self.db.read_one("select_trigger", vec![key.into()]).await?.as_ref().map(read_trigger).transpose()
    }

    /// The trigger with this address.
    ///
    /// # Errors
    /// The store fails, or the row cannot be read.
    pub async fn by_token(&self, token: &str) -> Result<Option<StoredTrigger>, StoreError> {
        self.db.read_one("select_trigger_by_token", vec![token.into()]).await?.as_ref().map(read_trigger).transpose()
    }

    /// All triggers in use.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn list(&self, limit: u32) -> Result<Vec<StoredTrigger>, StoreError> {
        self.all("select_triggers", vec![i64::from(limit).into()]).await
    }

    /// All triggers that a workflow ever had.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn of_workflow(&self, workflow: WorkflowId) -> Result<Vec<StoredTrigger>, StoreError> {
        self.all("select_triggers_of_workflow", vec![workflow.to_string().into()]).await
    }

    /// All triggers in use of a kind.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn of_kind(&self, kind: &str) -> Result<Vec<StoredTrigger>, StoreError> {
        self.all("select_triggers_of_kind", vec![kind.into()]).await
    }

    /// Triggers whose time has come.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<StoredTrigger>, StoreError> {
        self.all("select_due_triggers", vec![now.micros().into(), i64::from(limit).into()]).await
    }

    /// Triggers with an occurrence that waits, and whose time has come.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn held(&self, now: Timestamp, limit: u32) -> Result<Vec<StoredTrigger>, StoreError> {
        self.all("select_held_triggers", vec![now.micros().into(), i64::from(limit).into()]).await
    }

    /// When the next one is due.
    ///
    /// # Errors
    /// The store fails.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let row = self.db.read_one("select_next_due", Vec::new()).await?;
        Ok(row.map(|row| row.int_or_null("due")).transpose()?.flatten().map(Timestamp::from_micros))
    }

    async fn all(&self, statement: &'static str, args: Vec<super::db::Arg>) -> Result<Vec<StoredTrigger>, StoreError> {
        self.db.read(statement, args).await?.iter().map(read_trigger).collect()
    }
}

fn read_trigger(row: &Row) -> Result<StoredTrigger, StoreError> {
    let time = |column: &str| -> Result<Option<Timestamp>, StoreError> {
        Ok(row.int_or_null(column)?.map(Timestamp::from_micros))
    };
    let held = row.text_or_null("held")?.map(|_| row.json("held")).transpose()?;
    Ok(StoredTrigger {
        key: row.text("key")?,
        workflow_id: row.parse("workflow_id")?,
        slug: row.text("slug")?,
        name: row.text("name")?,
        spec: row.json("spec")?,
        managed: row.int("managed")? != 0,
        switched: row.int_or_null("switched")?.map(|on| on != 0),
        paused_until: time("paused_until")?,
        rev: u64::try_from(row.int("rev")?).unwrap_or(0),
        next_at: time("next_at")?,
        due_at: time("due_at")?,
        last_at: time("last_at")?,
        held,
        token: row.text_or_null("token")?,
        secret: row.text_or_null("secret")?,
        old_secret: row.text_or_null("old_secret")?.zip(time("old_until")?),
        created_at: Timestamp::from_micros(row.int("created_at")?),
        removed_at: time("removed_at")?,
    })
}
