//! The ends of runs, as triggers hear them: each once, also those that came while nobody listened.
//!
//! A mark in the store says up to when all ends have been told. It stays [`MARGIN`] behind what was told last, because ends
//! are committed in another order than their times say; what is told again has its key, and starts nothing.

use serde_json::{Value, json};

use crate::domain::id::RunId;
use crate::domain::time::{Span, Timestamp};
use crate::domain::trigger::TriggerKind;
use crate::service::error::ServiceError;
use crate::service::origin::Origin;
use crate::service::runs::Service;
use crate::store::runs::StoredRun;
use crate::store::triggers::StoredTrigger;

use super::fits::matches;
use super::occur::{Came, Occurrence};

/// The mark's name.
const MARK: &str = "ends told";
/// An end that is so much older than one that was told has been told.
const MARGIN: Span = Span::from_secs(60);
/// What an end is told as beside: an event, and one for each document that was stored.
const EVENTS: [&str; 2] = ["workflow.finished", "document.stored"];
/// Documents of one run that are told of.
const DOCUMENTS: u32 = 1_000;
/// Ends that are read at once.
const PAGE: u32 = 500;

impl Service {
    /// A run has ended: triggers that wait for the end of its workflow start runs. Said twice, it is said once. A trigger
    /// that is younger than the end does not hear of it.
    ///
    /// # Errors
    /// The store fails, or nothing new is taken in now.
    pub async fn run_ended(&self, run: RunId) -> Result<Vec<Came>, ServiceError> {
        let store = self.engine().store();
        let triggers = self.wait_for_ends().await?;
        if triggers.is_empty() {
            return Ok(Vec::new());
        }
        let Some(row) = store.runs().find(run).await? else { return Ok(Vec::new()) };
        let Some(end) = row.finished_at else { return Ok(Vec::new()) };
        let mut came = Vec::new();
        for trigger in triggers.iter().filter(|trigger| trigger.created_at <= end && waits_for(trigger, &row)) {
            came.extend(self.occur(&occurrence(&row, end, trigger)).await?);
        }
        if triggers.iter().any(|trigger| trigger.spec.kind.word() == "event") {
            came.extend(self.tell_as_events(&row, end).await?);
        }
        Ok(came)
    }

    /// The triggers that hear of ends: those that wait for one workflow's, and those that wait for events of them.
    async fn wait_for_ends(&self) -> Result<Vec<StoredTrigger>, ServiceError> {
        let store = self.engine().store();
        let mut triggers = store.triggers().of_kind("workflow").await?;
        let events = EVENTS.map(|name| Occurrence::event(name, "", json!({})));
        let hears = |trigger: &StoredTrigger| events.iter().any(|event| matches(trigger, event));
        triggers.extend(store.triggers().of_kind("event").await?.into_iter().filter(hears));
        Ok(triggers)
    }

    /// An end as an event, and an event for each document that the run stored.
    async fn tell_as_events(&self, row: &StoredRun, end: Timestamp) -> Result<Vec<Came>, ServiceError> {
        let [finished, stored] = EVENTS;
        let facts = facts_of(row);
        let run = &facts["run"];
        let depth = depth_of(row) + 1;
        let data = json!({
            "execution_id": run["id"], "workflow": run["workflow"], "name": run["name"], "status": run["status"],
            "outputs": run["outputs"], "error": run["error"],
        });
        let event = Occurrence::event(finished, &format!("finished:{}:{}", row.id, end.micros()), data);
        let mut came = self.occur_since(&Occurrence { depth, ..event }, end).await?;
        for document in self.engine().store().documents().of_run(row.id, DOCUMENTS).await? {
            let data = json!({
                "document_id": document.id, "execution_id": row.id, "name": document.name, "size": document.size,
                "type": document.media_type, "language": document.language,
            });
            let event = Occurrence::event(stored, &format!("document:{}", document.id), data);
            came.extend(self.occur_since(&Occurrence { depth, ..event }, end).await?);
        }
        Ok(came)
    }

    /// Tells all ends since the mark, and moves it. For a start, and for whoever has missed some.
    ///
    /// # Errors
    /// The store fails, or nothing new is taken in now; what was told is told again next time.
    pub async fn ends_since_mark(&self) -> Result<(), ServiceError> {
        let store = self.engine().store();
        let triggers = self.wait_for_ends().await?;
        let Some(eldest) = triggers.iter().map(|trigger| trigger.created_at).min() else { return Ok(()) };
        let since = store.ends().mark(MARK).await?.map_or(eldest, |mark| mark.max(eldest));
        for run in store.ends().of_open_runs(since).await? {
            self.tell_with_children(run).await?;
        }
        let mut told = (since, None);
        loop {
            let page = store.ends().since(told, PAGE).await?;
            for (end, run) in &page {
                self.tell_with_children(*run).await?;
                told = (*end, Some(*run));
            }
            self.ends_told(told.0).await?;
            if page.len() < PAGE as usize {
                return Ok(());
            }
        }
    }

    /// All ends up to this one have been told, as far as they were committed before it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn ends_told(&self, until: Timestamp) -> Result<(), ServiceError> {
        let mark = Timestamp::from_micros(until.micros() - MARGIN.micros());
        Ok(self.engine().store().ends().set_mark(MARK, mark).await?)
    }

    async fn tell_with_children(&self, run: RunId) -> Result<(), ServiceError> {
        let mut open = vec![run];
        while let Some(run) = open.pop() {
            self.run_ended(run).await?;
            open.extend(self.engine().store().effects().children(run).await?);
        }
        Ok(())
    }
}

fn waits_for(trigger: &StoredTrigger, run: &StoredRun) -> bool {
    match &trigger.spec.kind {
        TriggerKind::Workflow { of, states } => {
            *of == run.slug && states.iter().any(|state| state == run.status.as_str())
        }
        _ => false,
    }
}

fn depth_of(row: &StoredRun) -> u32 {
    let origin: Origin = serde_json::from_str(row.origin.get()).unwrap_or_default(); // ours; another shape says nothing
    origin.depth
}

fn facts_of(row: &StoredRun) -> Value {
    let outputs: Value =
        row.outputs.as_ref().and_then(|outputs| serde_json::from_str(outputs.get()).ok()).unwrap_or_default();
    json!({
        "type": "workflow",
        "run": {
            "id": row.id, "workflow": row.slug, "name": row.name, "status": row.status, "outputs": outputs,
            "error": row.fault.as_ref().map(|fault| json!({ "code": fault.code.id(), "message": fault.message })),
        },
    })
}

fn occurrence(row: &StoredRun, end: Timestamp, trigger: &StoredTrigger) -> Occurrence {
    Occurrence {
        kind: "workflow",
        name: row.slug.clone(),
        key: format!("end:{}:{}", row.id, end.micros()),
        facts: facts_of(row),
        depth: depth_of(row) + 1,
        only: Some(trigger.key.clone()),
        ..Occurrence::default()
    }
}
