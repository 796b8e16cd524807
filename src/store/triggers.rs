//! Triggers and what came of their occurrences. A firing and the run that it starts are one commit: the key of the firing
//! is what lets a second one of the same occurrence be refused.

use serde_json::Value;

use super::Store;
use super::db::{Cell, Db, Json, Row, StoreError, Write};
use crate::domain::id::{RunId, WorkflowId};
use crate::domain::time::Timestamp;
use crate::domain::trigger::{TriggerSpec, Verdict};

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
    /// What waited no longer does.
    LetsGo(u64),
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

/// The triggers' place in the store.
pub struct Triggers<'s> {
    db: &'s Db,
}

impl Store {
    /// What starts runs by itself.
    #[must_use]
    pub const fn triggers(&self) -> Triggers<'_> {
        Triggers { db: &self.db }
    }
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
            Then::LetsGo(rev) => {
                write.row("hold_trigger", &[&self.trigger, rev, &None::<String>, &None::<Timestamp>]);
            }
        }
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

    /// Triggers whose time has come, and those with an occurrence whose time has come.
    ///
    /// # Errors
    /// The store fails, or a row cannot be read.
    pub async fn due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<(Vec<StoredTrigger>, Vec<StoredTrigger>), StoreError> {
        let args = || vec![now.micros().into(), i64::from(limit).into()];
        Ok((self.all("select_due_triggers", args()).await?, self.all("select_held_triggers", args()).await?))
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
