//! A run in the hands of its carrier: the fold of its journal, the values that its steps need, and what has
//! happened since the last commit.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::ending::Ending;
use super::nested::Kin;
use super::turns::queue::SharedLane;
use super::{EngineError, Inner, raw};
use super::{looped, nested, values};
use crate::contract::crash::crash_point;
use crate::domain::command::{Command, Refusal};
use crate::domain::event::{Entry, Event};
use crate::domain::fault::Fault;
use crate::domain::id::{RunId, WorkflowId};
use crate::domain::lane::{Group, Lane};
use crate::domain::machine;
use crate::domain::question::Question;
use crate::domain::run::{Flow, Run, RunState, StepState};
use crate::domain::time::{Span, Timestamp};
use crate::domain::wait::Wait;
use crate::language::{Items, render};
use crate::store::StoreError;
use crate::store::cache::CachedResult;
use crate::store::journal::{Commit, NewRun, RunRow, SettledStep};

/// The door behind which somebody sits who can be asked.
const ATTENDED: &str = "chat";

/// Outputs of a step, shared with whoever reads them.
pub type Outputs = Arc<Map<String, Value>>;

/// A run, carried.
pub struct Carried {
    pub flow: Arc<Flow>,
    pub run: Run,
    pub origin: Arc<Origin>,
    /// The saved workflow that it runs.
    pub workflow: WorkflowId,
    pub inputs: Arc<Value>,
    pub vars: Arc<Value>,
    /// Where it waits for its turn, if not like all others.
    pub lane: Option<SharedLane>,
    /// It has changed since the last commit.
    moves_lane: bool,
    /// Outputs of succeeded steps, by place.
    pub outputs: Vec<Option<Outputs>>,
    /// The lists of the loops under way, by the step that loops.
    pub lists: HashMap<usize, Arc<Items>>,
    seq: u64,
    /// Since the last commit.
    entries: Vec<Entry>,
    pub(super) settled: Vec<SettledStep>,
    /// Results for other runs.
    pub results: Vec<CachedResult>,
    /// Settled loops whose outputs are not yet in the form in which they are kept.
    pub(super) unpacked: Vec<usize>,
    committed_status: &'static str,
    accept: Option<NewRun>,
    /// What an earlier run gave, and this one gives too.
    pub recalled: Option<Box<RawValue>>,
}

impl Carried {
    /// A run that nobody has heard of yet.
    ///
    /// # Errors
    /// The name of its group cannot be made.
    pub fn fresh(
        id: RunId,
        new: NewRun,
        flow: Arc<Flow>,
        ask: Option<(Vec<Question>, Span)>,
        now: Timestamp,
    ) -> Result<Self, EngineError> {
        let inputs = Arc::new(read_inputs(&new.inputs));
        let mut run = Run::new(id, &flow, now);
        let asked = ask.map(|(questions, span)| Event::Asked { step: None, questions, until: now.plus(span) });
        let entries: Vec<Entry> = std::iter::once(Event::Queued).chain(asked).map(|event| (now, event)).collect();
        for (at, event) in &entries {
            machine::apply(&mut run, &flow, *at, event);
        }
        let mut fresh = Self {
            origin: Arc::new(Origin::read(&new.origin)),
            workflow: new.workflow_id,
            vars: vars(&flow, &inputs),
            inputs,
            lane: None,
            moves_lane: false,
            outputs: vec![None; flow.plan.steps.len()],
            lists: HashMap::new(),
            seq: 0,
            entries,
            settled: Vec::new(),
            results: Vec::new(),
            unpacked: Vec::new(),
            committed_status: RunState::Queued.status(),
            accept: Some(new),
            recalled: None,
            run,
            flow,
        };
        // Who still has to be told its inputs finds its group with them.
        if fresh.run.held_back_until().is_none() {
            fresh.lane = fresh.find_lane().map_err(EngineError::Group)?;
            fresh.accept.as_mut().expect("it was put there just now").lane.clone_from(&fresh.lane);
        }
        Ok(fresh)
    }

    /// Where the run waits for its turn.
    fn find_lane(&self) -> Result<Option<SharedLane>, Fault> {
        let plan = &self.flow.plan;
        if plan.concurrency.is_none() && plan.priority.is_normal() && plan.queue.is_none() {
            return Ok(None);
        }
        let group = plan.concurrency.as_ref().map(|terms| -> Result<Group, Fault> {
            let name = render::scalar(&terms.group, &self.facts(None, false, None).view());
            let name = name.map_err(|fault| fault.at("concurrency.group"))?;
            let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
            Ok(Group { name, limit: terms.limit, newest_first: terms.newest_first })
        });
        Ok(Some(Arc::new(Lane { group: group.transpose()?, priority: plan.priority, until: self.run.turn_until })))
    }

    /// A run as the store has it. One that was in the hands of another process is taken out of them.
    pub async fn load(inner: &Inner, id: RunId) -> Result<Self, EngineError> {
        let history = inner.store.journal().load(id).await?.ok_or(EngineError::NotFound(id))?;
        let flow = inner.plans.get(&inner.store, &history.row.revision_hash).await?;
        let mut run = Run::new(id, &flow, history.row.created_at);
        for (at, event) in &history.entries {
            machine::apply(&mut run, &flow, *at, event);
        }
        let inputs = Arc::new(history.inputs());
        let mut outputs = vec![None; run.steps.len()];
        let blobs = inner.store.blobs();
        for (position, row) in &history.outputs {
            let succeeded = run.steps.get(*position).is_some_and(|step| step.state == StepState::Succeeded);
            if succeeded {
                let kept = values::unpack(row, &*blobs).await.map_err(EngineError::Value)?;
                outputs[*position] = Some(Arc::new(kept));
            }
        }
        let mut carried = Self {
            origin: Arc::new(Origin::read(&history.row.origin)),
            workflow: history.row.workflow_id,
            vars: vars(&flow, &inputs),
            inputs,
            lane: None,
            moves_lane: false,
            outputs,
            lists: HashMap::new(),
            seq: history.seq,
            entries: Vec::new(),
            settled: Vec::new(),
            results: Vec::new(),
            unpacked: Vec::new(),
            committed_status: run.state.status(),
            accept: None,
            recalled: None,
            run,
            flow,
        };
        carried.lane = carried.find_lane().unwrap_or_default(); // it was found once
        let orphaned = matches!(carried.run.state, RunState::Running | RunState::Pausing | RunState::Cancelling { .. });
        if orphaned {
            carried.step(Command::Interrupt { lost: true }, inner.clock.now())?;
        }
        for child in carried.children() {
            carried.take_child(inner, child).await?;
        }
        Ok(carried)
    }

    /// Moves the run by a command; what follows waits for the next commit.
    pub fn step(&mut self, command: Command, now: Timestamp) -> Result<(), Refusal> {
        let mark = self.entries.len();
        machine::step(&mut self.run, &self.flow, command, now, &mut self.entries)?;
        for place in mark..self.entries.len() {
            self.note_settled(place);
        }
        Ok(())
    }

    /// A step succeeded with these outputs, as `command` says; `row` is how they are kept.
    pub fn succeed(
        &mut self,
        step: usize,
        command: Command,
        (outputs, row): (Outputs, Box<RawValue>),
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let before = self.outputs[step].replace(outputs);
        let settled = self.settled.len();
        if let Err(refusal) = self.step(command, now) {
            self.outputs[step] = before;
            return Err(refusal);
        }
        if let Some(settled) = self.settled[settled..].iter_mut().find(|settled| settled.position == step) {
            settled.outputs = Some(row);
        }
        Ok(())
    }

    fn note_settled(&mut self, place: usize) {
        let (_, event) = &self.entries[place];
        let steps = match event {
            Event::StepSucceeded { step, .. } | Event::StepReused { step, .. } | Event::StepFailed { step, .. } => {
                vec![*step]
            }
            Event::StepsSkipped { steps, .. } | Event::StepsCancelled { steps } => steps.clone(),
            Event::Reopened { steps, .. } => {
                for &step in steps {
                    self.outputs[step] = None;
                    self.lists.remove(&step);
                }
                return;
            }
            Event::ItemsListed { .. } => return self.outputs.resize(self.run.steps.len(), None),
            Event::Answered { inputs, .. } => {
                let inputs = inputs.clone();
                return self.add_inputs(inputs);
            }
            _ => return,
        };
        for position in steps {
            let step = self.run.steps[position].clone();
            let succeeded = step.state == StepState::Succeeded;
            if succeeded && self.run.is_loop(&self.flow, position) {
                looped::know_items_of(self, position);
                self.outputs[position] = Some(Arc::new(looped::outputs(self, position)));
                self.lists.remove(&position);
                self.unpacked.push(self.settled.len());
            } else if succeeded {
                // A step that only waited gives what it waited for; a handler's outputs replace this.
                let waited = || self.run.waits.get(&position).map(Wait::outputs).unwrap_or_default();
                self.outputs[position].get_or_insert_with(|| Arc::new(waited()));
            }
            let own = self.outputs[position].as_deref().filter(|_| self.run.waits.contains_key(&position));
            let outputs = succeeded.then(|| own.map_or_else(|| raw(&Map::new()), raw));
            self.settled.push(SettledStep { position, step, outputs });
        }
    }

    fn add_inputs(&mut self, answered: Map<String, Value>) {
        if let Value::Object(inputs) = Arc::make_mut(&mut self.inputs) {
            inputs.extend(answered);
        }
        self.vars = vars(&self.flow, &self.inputs);
        // With inputs that name no group the run keeps the one that it has.
        if let Ok(lane) = self.find_lane()
            && lane != self.lane
        {
            (self.lane, self.moves_lane) = (lane, true);
        }
    }

    /// Whether somebody sits where the run came from, so that they can be asked.
    pub fn is_attended(&self) -> bool {
        self.origin.door == ATTENDED
    }

    /// Whether anything has happened since the last commit.
    pub const fn is_dirty(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Writes what has happened since the last commit, and tells whoever listens.
    pub async fn commit(&mut self, inner: &Arc<Inner>) -> Result<(), StoreError> {
        if !self.is_dirty() {
            return Ok(());
        }
        self.pack(inner).await?;
        let status = self.run.state.status();
        // The word may be the same and the rest not: a wait for another time, a second end after a retry.
        let reaches = |(_, event): &Entry| matches!(event, Event::Reopened { .. } | Event::Finished { .. });
        let moved = status != self.committed_status
            || matches!(self.run.state, RunState::Waiting { .. })
            || self.moves_lane
            || self.entries.iter().any(reaches);
        let ending = if self.run.state.is_finished() { self.ending() } else { Ending::default() };
        self.keep_for_others(ending.outputs.as_deref(), inner.clock.now());
        let fault = self.run.fault(&self.flow.plan).map(|(_, fault)| fault);
        let row = moved.then(|| RunRow {
            run: &self.run,
            outputs: ending.outputs.as_deref(),
            fault: if self.run.state.is_finished() { ending.fault.as_ref().or(fault) } else { None },
            warnings: &ending.warnings,
            lane: self.lane.as_deref().filter(|_| self.moves_lane),
        });
        let commit = Commit {
            run: self.run.id,
            seq: self.seq + 1,
            at: self.entries.last().map_or(self.run.created_at, |(at, _)| *at),
            events: &self.entries,
            accept: self.accept.as_ref(),
            row,
            steps: &self.settled,
            results: &self.results,
        };
        inner.store.journal().commit(&commit).await?;
        crash_point("run: after an outcome");
        self.seq += 1;
        self.moves_lane = false;
        self.accept = None;
        self.settled.clear();
        self.results.clear();
        self.committed_status = status;
        let entries = std::mem::take(&mut self.entries);
        let (run, seq) = (self.run.id, self.seq);
        if self.run.state.is_finished()
            && let Some(parent) = self.origin.kin.parent
        {
            nested::tell_parent(inner, parent.run, run);
        }
        inner.feed.tell(|| super::Notice::Committed { run, seq, entries: entries.into() });
        Ok(())
    }
}

/// Where a run came from, as far as expressions may ask.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Origin {
    pub door: String,
    pub name: String,
    /// In which conversation.
    pub channel: Option<String>,
    /// From which workspace.
    pub home: Option<String>,
    /// Who asked, as nobody else is called; empty where an earlier version wrote it.
    pub identity: String,
    /// Earlier results do not count.
    pub fresh: bool,
    #[serde(flatten)]
    pub kin: Kin,
}

impl Origin {
    /// Who asked. The name is for show alone, unless nothing else was kept.
    pub fn requester(&self) -> &str {
        if self.identity.is_empty() { &self.name } else { &self.identity }
    }

    /// Origins are written by this program; one of another shape says nothing, and harms nothing.
    fn read(raw: &RawValue) -> Self {
        serde_json::from_str(raw.get()).unwrap_or_default()
    }
}

/// Inputs are checked before they are kept, so they are JSON objects.
fn read_inputs(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

/// Constants of the plan. They were checked with the inputs when the run was accepted, so here they can be made.
fn vars(flow: &Flow, inputs: &Arc<Value>) -> Arc<Value> {
    Arc::new(render::vars(&flow.plan, inputs).unwrap_or_default())
}
