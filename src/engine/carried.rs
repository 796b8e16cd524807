//! A run in the hands of its carrier: the fold of its journal, the values that its steps need, and what has
//! happened since the last commit.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::ending::Ending;
use super::nested::Kin;
use super::turns::queue::{SharedLane, Ticket};
use super::{EngineError, Inner, raw};
use super::{keeping, looped, nested, reception};
use crate::contract::crash::crash_point;
use crate::domain::command::{Command, Refusal};
use crate::domain::event::{Entry, Event};
use crate::domain::fault::Fault;
use crate::domain::id::{RunId, WorkflowId};
use crate::domain::lane::{Claimant, Group, Lane};
use crate::domain::machine;
use crate::domain::question::Question;
use crate::domain::run::{Flow, Run, RunState, StepState};
use crate::domain::time::{Span, Timestamp};
use crate::domain::wait::Wait;
use crate::language::{Items, Outputs, render};
use crate::store::StoreError;
use crate::store::cache::CachedResult;
use crate::store::journal::{Commit, NewRun, RunRow, SettledStep};

/// The door behind which somebody sits who can be asked.
const ATTENDED: &str = "chat";

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
    /// Steps whose outputs were kept and cannot be read any more.
    pub lost: BTreeMap<usize, Fault>,
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
    /// It rested then while people were to decide.
    rested: bool,
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
            lost: BTreeMap::new(),
            lists: HashMap::new(),
            seq: 0,
            entries,
            settled: Vec::new(),
            results: Vec::new(),
            unpacked: Vec::new(),
            committed_status: RunState::Queued.status(),
            rested: false,
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

    /// With what the run waits for its turn.
    pub fn ticket(&self) -> Ticket {
        Ticket { lane: self.lane.clone(), claimant: self.origin.claimant() }
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
        let row = inner.store.runs().find(id).await?.ok_or(EngineError::NotFound(id))?;
        let flow = inner.plans.get(&inner.store, &row.revision_hash).await?;
        let mut run = Run::new(id, &flow, row.created_at);
        let mut inputs = read_inputs(&row.inputs);
        let fold = |(at, event): Entry| {
            machine::apply(&mut run, &flow, at, &event);
            if let (Event::Answered { inputs: answered, .. }, Value::Object(inputs)) = (event, &mut inputs) {
                inputs.extend(*answered);
            }
        };
        let seq = inner.store.journal().each(id, 0, fold).await?;
        let inputs = Arc::new(inputs);
        let (outputs, lost) = keeping::take_up(inner, &run).await?;
        let mut carried = Self {
            origin: Arc::new(Origin::read(&row.origin)),
            workflow: row.workflow_id,
            vars: vars(&flow, &inputs),
            inputs,
            lane: None,
            moves_lane: false,
            outputs,
            lost,
            lists: HashMap::new(),
            seq,
            entries: Vec::new(),
            settled: Vec::new(),
            results: Vec::new(),
            unpacked: Vec::new(),
            committed_status: run.state.status(),
            rested: run.rest(run.created_at).1,
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
        (outputs, row): (Arc<Map<String, Value>>, Box<RawValue>),
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let before = self.outputs[step].replace(Outputs::Values(outputs));
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
                    self.lost.remove(&step);
                    self.lists.remove(&step);
                }
                return;
            }
            Event::ItemsListed { .. } => return self.outputs.resize(self.run.steps.len(), None),
            Event::Answered { inputs, .. } => {
                let inputs = inputs.clone();
                return self.add_inputs(*inputs);
            }
            _ => return,
        };
        for position in steps {
            let step = self.run.steps[position].clone();
            let succeeded = step.state == StepState::Succeeded;
            if succeeded && self.run.is_loop(&self.flow, position) {
                looped::know_items_of(self, position);
                looped::note_lost(self, position);
                self.outputs[position] = Some(looped::outputs(self, position));
                self.lists.remove(&position);
                self.unpacked.push(self.settled.len());
            } else if succeeded {
                // A step that only waited gives what it waited for; a handler's outputs replace this.
                let waited = || self.run.waits.get(&position).map(Wait::outputs).unwrap_or_default();
                self.outputs[position].get_or_insert_with(|| Outputs::Values(Arc::new(waited())));
            }
            let own = self.outputs[position].as_ref().filter(|_| self.run.waits.contains_key(&position));
            let outputs = succeeded.then(|| own.map_or_else(|| raw(&Map::new()), |own| own.text().into_owned()));
            self.settled.push(SettledStep { position, step, outputs });
            looped::fold_up(self, position);
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
        let (_, rests) = self.run.rest(self.run.created_at);
        let goes_on = std::mem::replace(&mut self.rested, rests) && !rests;
        if let Some(parent) = self.origin.kin.parent {
            match self.run.state {
                RunState::Finished(_) => nested::tell_parent(inner, parent.run, reception::Wish::ChildEnded(run)),
                _ if goes_on => nested::tell_parent(inner, parent.run, reception::Wish::ChildGoesOn),
                _ => {}
            }
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
    /// The trigger that started it, if one did.
    pub trigger: Option<String>,
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

    /// For whom it is, as far as turns go.
    pub fn claimant(&self) -> Claimant {
        Claimant::of(self.trigger.as_deref().or(self.kin.turn_of.as_deref()), self.requester())
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
