//! Answers questions about runs from the store alone, so it works beside a running service; only who waits for which
//! place is known to the engine of the process alone.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::error::ServiceError;
use super::expectation::Expectation;
use super::people::{Eyes, undone_by};
use super::view::events::EventView;
use super::view::following::Places;
use super::view::history::LogLine;
use super::view::progress::{QueueView, RunView, WorkflowView};
use crate::domain::event::{Entry, Event};
use crate::domain::id::{RunId, WorkflowId};
use crate::domain::machine;
use crate::domain::run::{Flow, Run, RunState};
use crate::engine::{self, Deed, Line, Plans};
use crate::language;
use crate::store::Store;
use crate::store::journal::History;
use crate::store::runs::{RunFilter, StoredRun};

/// Workflows in one list at the most.
pub(in crate::service) const MOST_WORKFLOWS: u32 = 1_000;
/// Executions from which a new one is predicted.
const LOOK_BACK: u32 = 50;

/// Which executions to list.
pub type ListFilter = RunFilter;

/// The archive. Cheap to clone.
#[derive(Clone)]
pub struct Archive {
    store: Store,
    plans: Plans,
    /// Who waits for which place, where this process carries the runs.
    line: Option<Line>,
    /// Through whose eyes it is read; `None`: nothing is hidden.
    eyes: Option<Eyes>,
    /// Where readers of events have come to.
    places: Places,
}

impl Archive {
    /// An archive over this store.
    #[must_use]
    pub fn new(store: Store, plans: Plans) -> Self {
        Self { store, plans, line: None, eyes: None, places: Places::default() }
    }

    /// The same archive in the process that carries the runs.
    #[must_use]
    pub fn with_line(self, line: Line) -> Self {
        Self { line: Some(line), ..self }
    }

    /// The same archive, through these eyes.
    pub(super) fn with_eyes(self, eyes: Eyes) -> Self {
        Self { eyes: Some(eyes), ..self }
    }

    /// A run that is there for whoever reads.
    async fn seen(&self, id: RunId) -> Result<StoredRun, ServiceError> {
        let row = self.store.runs().find(id).await?.ok_or_else(|| not_found(&id.to_string(), None))?;
        match &self.eyes {
            Some(eyes) if !eyes.see(&row).await? => Err(not_found(&id.to_string(), None)),
            _ => Ok(row),
        }
    }

    pub(super) async fn sees_run(&self, id: RunId) -> Result<bool, ServiceError> {
        match &self.eyes {
            Some(eyes) => eyes.see_run(id).await,
            None => Ok(true),
        }
    }

    pub(super) async fn sees_workflow(&self, id: WorkflowId) -> Result<bool, ServiceError> {
        match &self.eyes {
            Some(eyes) => eyes.see_workflow(id).await,
            None => Ok(true),
        }
    }

    /// The store that it reads.
    pub(super) const fn store(&self) -> &Store {
        &self.store
    }

    /// The execution that a full id, a unique beginning of one, or `last` names.
    ///
    /// # Errors
    /// None, or more than one; the nearest are named.
    pub async fn resolve(&self, name: &str) -> Result<RunId, ServiceError> {
        let latest = RunFilter { limit: 20, ..RunFilter::default() };
        if name == "last" {
            let newest = self.list(&latest).await?;
            return newest.first().map(|run| run.id).ok_or_else(|| not_found(name, None));
        }
        let id = name.parse::<RunId>().ok();
        if let Some(id) = id {
            match self.seen(id).await {
                Ok(_) => return Ok(id),
                Err(ServiceError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let start = if name.starts_with(RunId::PREFIX) { name.to_owned() } else { format!("{}{name}", RunId::PREFIX) };
        let like = if id.is_some() { Vec::new() } else { self.store.runs().ids_like(&start).await? };
        let mut found = Vec::new();
        for id in like {
            if self.sees_run(id).await? {
                found.push(id);
            }
        }
        match found.as_slice() {
            [only] => Ok(*only),
            [] => {
                let ids: Vec<String> = self.list(&latest).await?.iter().map(|run| run.id.to_string()).collect();
                Err(not_found(name, language::near(&start, ids.iter().map(String::as_str)).map(str::to_owned)))
            }
            several => Err(ServiceError::Ambiguous {
                short: name.to_owned(),
                candidates: several.iter().take(5).map(ToString::to_string).collect(),
            }),
        }
    }

    /// Where an execution stands that waits for its turn, as far as the process knows that is asked.
    pub(super) fn place_in_line(&self, run: &Run) -> Option<QueueView> {
        let line = self.line.as_ref().filter(|_| run.state == RunState::Queued)?;
        line.standing(run.id).map(|standing| QueueView::new(&standing, line.places))
    }

    /// An execution; `with_outputs` puts the outputs of its steps in, however large.
    ///
    /// # Errors
    /// No such execution, or the store fails.
    pub async fn view(&self, id: RunId, with_outputs: bool) -> Result<RunView, ServiceError> {
        let Folded { row, run, flow, events, cancelled_by } = self.folded(id).await?;
        let mut view = RunView::new((&row, events), &run, &flow);
        view.queue = self.place_in_line(&run);
        view.undone_by = cancelled_by.as_deref().and_then(undone_by).map(str::to_owned);
        if with_outputs {
            for (position, row) in self.store.journal().outputs(id, 0..view.steps.len()).await? {
                let outputs = engine::take_up(row, &*self.store.blobs()).await;
                let outputs = outputs.map_err(|fault| ServiceError::Internal(fault.to_string()))?;
                if let Some(step) = view.steps.get_mut(position)
                    && step.status == "completed"
                {
                    step.outputs = Some(outputs);
                }
            }
        }
        Ok(view)
    }

    /// A version of a workflow, by its hash.
    pub(super) async fn revision(&self, hash: &str) -> Result<Arc<Flow>, ServiceError> {
        Ok(self.plans.get(&self.store, hash).await?)
    }

    /// What an execution and those that it began have done.
    pub(super) async fn deeds(&self, id: RunId, to: Option<&str>) -> Result<Vec<Deed>, ServiceError> {
        self.seen(id).await?;
        Ok(engine::deeds(&self.store, &self.plans, id, to).await?)
    }

    /// The inputs of an execution.
    ///
    /// # Errors
    /// No such execution, or the store fails.
    pub async fn inputs(&self, id: RunId) -> Result<Map<String, Value>, ServiceError> {
        self.seen(id).await?;
        let history = self.store.journal().progress(id).await?.ok_or_else(|| not_found(&id.to_string(), None))?;
        match history.inputs() {
            Value::Object(inputs) => Ok(inputs),
            _ => Ok(Map::new()),
        }
    }

    /// The plan that an execution is pinned to.
    ///
    /// # Errors
    /// No such execution, or the store fails.
    pub async fn flow(&self, id: RunId) -> Result<Arc<Flow>, ServiceError> {
        let row = self.seen(id).await?;
        Ok(self.plans.get(&self.store, &row.revision_hash).await?)
    }

    /// What happened in an execution after its event number `after`, as programs see it.
    ///
    /// # Errors
    /// No such execution, or the store fails.
    pub async fn events(&self, id: RunId, after: u64) -> Result<Vec<EventView>, ServiceError> {
        self.some_events(id, after, usize::MAX).await
    }

    /// The same, a page at a time: at least `limit` of them if there are so many, and whole commits.
    ///
    /// # Errors
    /// No such execution, or the store fails.
    pub async fn some_events(&self, id: RunId, after: u64, limit: usize) -> Result<Vec<EventView>, ServiceError> {
        let row = self.seen(id).await?;
        let flow = self.plans.get(&self.store, &row.revision_hash).await?;
        Ok(self.places.read(&self.store, (&row, &flow), (after, limit)).await?)
    }

    /// An execution as the machine sees it, with its plan.
    pub(super) async fn run(&self, id: RunId) -> Result<(Run, Arc<Flow>), ServiceError> {
        let Folded { run, flow, .. } = self.folded(id).await?;
        Ok((run, flow))
    }

    /// An execution folded as its journal is read: what happened in it is never in memory as a whole.
    async fn folded(&self, id: RunId) -> Result<Folded, ServiceError> {
        let row = self.seen(id).await?;
        let flow = self.plans.get(&self.store, &row.revision_hash).await?;
        let mut run = Run::new(id, &flow, row.created_at);
        let (mut events, mut cancelled_by) = (0, None);
        let fold = |(at, event): Entry| {
            machine::apply(&mut run, &flow, at, &event);
            events += 1;
            if let Event::CancelAsked { by, .. } = event {
                cancelled_by = Some(by);
            }
        };
        self.store.journal().each(id, 0, fold).await?;
        // Never an end without its last words: it came after the row was read.
        let row = if row.status == run.state.status() { row } else { self.seen(id).await? };
        Ok(Folded { row, run, flow, events, cancelled_by })
    }

    /// How long the last completed executions of a workflow's present version took; `None` before the first one.
    ///
    /// # Errors
    /// The store fails.
    pub async fn expectation(&self, slug: &str, revision: &str) -> Result<Option<Expectation>, ServiceError> {
        Ok(Expectation::of(&self.store.runs().durations(slug, revision, LOOK_BACK).await?))
    }

    /// The newest execution of a workflow.
    ///
    /// # Errors
    /// There is none, or the store fails.
    pub async fn newest_of(&self, workflow: WorkflowId) -> Result<RunId, ServiceError> {
        self.store.runs().newest_of(workflow).await?.ok_or_else(|| not_found(&workflow.to_string(), None))
    }

    /// What happened in an execution, in order.
    ///
    /// # Errors
    /// No such execution, or the store fails.
    pub async fn log(&self, id: RunId) -> Result<Vec<LogLine>, ServiceError> {
        let (history, flow) = self.history(id).await?;
        let mut run = Run::new(id, &flow, history.row.created_at);
        let line = |entry: &Entry| {
            machine::apply(&mut run, &flow, entry.0, &entry.1);
            LogLine::new(entry, &run, &flow)
        };
        Ok(history.entries.iter().map(line).collect())
    }

    /// A page of executions, newest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn list(&self, filter: &ListFilter) -> Result<Vec<StoredRun>, ServiceError> {
        let Some(eyes) = &self.eyes else { return Ok(self.store.runs().list(filter).await?) };
        let (mut seen, mut page) = (Vec::new(), filter.clone());
        loop {
            let rows = self.store.runs().list(&page).await?;
            let Some(last) = rows.last() else { return Ok(seen) };
            page.before = Some(last.id);
            for row in rows {
                if seen.len() < filter.limit as usize && eyes.see(&row).await? {
                    seen.push(row);
                }
            }
            if seen.len() >= filter.limit as usize {
                return Ok(seen);
            }
        }
    }

    /// A workflow, in use or not, by its id; `None` when there is none.
    ///
    /// # Errors
    /// The store fails.
    pub async fn workflow(&self, id: &str) -> Result<Option<WorkflowView>, ServiceError> {
        let Ok(id) = id.parse() else { return Ok(None) };
        if self.eyes.is_some() && (self.store.workflows().find(id).await?.is_none() || !self.sees_workflow(id).await?) {
            return Ok(None);
        }
        Ok(self.store.workflows().find(id).await?.map(WorkflowView::from))
    }

    /// How many workflows are in use.
    ///
    /// # Errors
    /// The store fails.
    pub async fn workflow_count(&self) -> Result<u64, ServiceError> {
        Ok(self.store.workflows().count().await?)
    }

    /// Workflows that were run or saved, newest first, from before a given one on.
    ///
    /// # Errors
    /// The store fails.
    pub async fn workflows(&self, before: Option<WorkflowId>, limit: u32) -> Result<Vec<WorkflowView>, ServiceError> {
        let mut seen = Vec::new();
        for workflow in self.store.workflows().list(before, limit.min(MOST_WORKFLOWS)).await? {
            if self.sees_workflow(workflow.id).await? {
                seen.push(WorkflowView::from(workflow));
            }
        }
        Ok(seen)
    }

    /// Executions that are not over, oldest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open(&self) -> Result<Vec<RunId>, ServiceError> {
        let mut seen = Vec::new();
        for run in self.store.runs().open().await? {
            if self.sees_run(run.id).await? {
                seen.push(run.id);
            }
        }
        Ok(seen)
    }

    /// How many executions are not over, by status.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open_by_status(&self) -> Result<Vec<(String, u64)>, ServiceError> {
        Ok(self.store.runs().open_by_status().await?)
    }

    pub(super) async fn history(&self, id: RunId) -> Result<(History, Arc<Flow>), ServiceError> {
        let history = self.store.journal().progress(id).await?;
        let history = history.ok_or_else(|| not_found(&id.to_string(), None))?;
        if let Some(eyes) = &self.eyes
            && !eyes.see(&history.row).await?
        {
            return Err(not_found(&id.to_string(), None));
        }
        let flow = self.plans.get(&self.store, &history.row.revision_hash).await?;
        Ok((history, flow))
    }
}

/// An execution as its journal makes it.
struct Folded {
    row: StoredRun,
    run: Run,
    flow: Arc<Flow>,
    /// How many there were.
    events: u64,
    /// Who wanted it cancelled last.
    cancelled_by: Option<String>,
}

pub(super) fn fold(history: &History, flow: &Flow) -> Run {
    let mut run = Run::new(history.row.id, flow, history.row.created_at);
    for (at, event) in &history.entries {
        machine::apply(&mut run, flow, *at, event);
    }
    run
}

fn not_found(name: &str, near: Option<String>) -> ServiceError {
    ServiceError::NotFound { noun: "execution", name: name.to_owned(), near }
}
