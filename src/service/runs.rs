//! Starting runs and steering them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::Notify;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::Caller;
use super::archive::Archive;
use super::error::ServiceError;
use super::library::{Library, Ready};
use super::links::Links;
use super::origin::{CHAT, Origin};
use super::people::{Access, Rules, Target};
use super::shelf::Shelf;
use super::view::detail::{InputView, read_pairs};
use super::view::preview::PlanView;
use super::view::progress::RunView;
use crate::domain::code;
use crate::domain::command::Command;
use crate::domain::event::Event;
use crate::domain::fault::Fault;
use crate::domain::id::{RunId, WorkflowId};
use crate::domain::question::Question;
use crate::domain::role::Action;
use crate::domain::time::Span;
use crate::engine::{self, Engine, Notice};
use crate::language::inputs;
use crate::store::firings::NewFiring;
use crate::store::journal::NewRun;

/// How long a run waits for inputs that it cannot begin without.
const PATIENCE: Span = Span::from_secs(24 * 60 * 60);
/// Whoever follows a run rests for so many times as long as a look at it took.
const REST_AFTER_A_LOOK: u32 = 4;

/// A run that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Its id.
    pub execution: RunId,
    /// Its workflow.
    pub workflow: WorkflowId,
    /// What is worth saying about its inputs.
    pub warnings: Vec<String>,
}

/// How a run is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// No step takes an earlier result, whatever its `cache` says.
    pub fresh: bool,
}

/// The front desk with the engine behind it. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    engine: Engine,
    archive: Archive,
    shelf: Shelf,
    pub(super) admission: Admission,
    access: Access,
    links: Links,
    /// Something is due earlier than was known.
    pub(super) wake: Arc<Notify>,
}

/// What must hold before anything new is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// Whether anything may be started.
    pub enabled: bool,
    /// Bytes that the disk must have left.
    pub min_free_disk: u64,
}

impl Service {
    /// The front desk of this engine.
    #[must_use]
    pub fn new(engine: Engine, archive: Archive, shelf: Shelf, admission: Admission) -> Self {
        let access = Access::new(engine.store().clone(), engine.plans().clone(), shelf.library().clone());
        Self { engine, archive, shelf, admission, access, links: Links::default(), wake: Arc::default() }
    }

    /// The same, with what holds for those who come over platforms.
    #[must_use]
    pub fn with_rules(self, rules: Rules) -> Self {
        Self { access: self.access.with_rules(rules), ..self }
    }

    /// What the gate stands on.
    pub(super) const fn access(&self) -> &Access {
        &self.access
    }

    /// The connections to the outside that stay open.
    #[must_use]
    pub const fn links(&self) -> &Links {
        &self.links
    }

    /// What can be started, by name.
    pub(super) const fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// What can be asked.
    #[must_use]
    pub const fn archive(&self) -> &Archive {
        &self.archive
    }

    /// The templates.
    #[must_use]
    pub const fn library(&self) -> &Library {
        self.shelf.library()
    }

    /// The engine.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Inputs written as `key=value` texts, read as the workflow declares them.
    ///
    /// # Errors
    /// No such workflow, or its file has errors.
    pub async fn read_inputs(
        &self,
        caller: &Caller,
        name: &str,
        pairs: &[(String, String)],
    ) -> Result<Map<String, Value>, ServiceError> {
        let ready = self.ready_for(caller, Action::View, (name, None)).await?;
        Ok(read_pairs(&InputView::all(&ready.flow.plan), pairs))
    }

    /// What a run with these inputs would do.
    ///
    /// # Errors
    /// No such workflow, or its file has errors.
    pub async fn plan(
        &self,
        caller: &Caller,
        name: &str,
        given: &Map<String, Value>,
    ) -> Result<PlanView, ServiceError> {
        let ready = self.ready_for(caller, Action::View, (name, None)).await?;
        Ok(PlanView::new(&ready.flow.plan, given, self.engine.registry().catalog()))
    }

    /// Starts a run; it is durable when this returns. Where somebody sits who can be asked, a run whose inputs are
    /// not all there begins by asking for them.
    ///
    /// # Errors
    /// No such workflow, its file has errors, or the inputs do not fit.
    pub async fn start(
        &self,
        caller: &Caller,
        name: &str,
        given: &Map<String, Value>,
        terms: Terms,
    ) -> Result<Started, ServiceError> {
        let id = RunId::from_bits(self.engine.clock().id_bits());
        self.start_as(id, caller, name, given, terms).await
    }

    /// Starts a run under an id that was promised for it.
    ///
    /// # Errors
    /// As for [`Service::start`]; also when there is a run of this id.
    pub async fn start_as(
        &self,
        id: RunId,
        caller: &Caller,
        name: &str,
        given: &Map<String, Value>,
        Terms { fresh }: Terms,
    ) -> Result<Started, ServiceError> {
        let ready = self.ready_for(caller, Action::Start, (name, Some(given))).await?;
        self.begin(id, (Origin { fresh, ..Origin::of(caller) }, None), ready, given).await
    }

    /// Starts a run of the same workflow, as it is today, with the same inputs but for those that are changed.
    ///
    /// # Errors
    /// No such run, its workflow is gone, or the inputs do not fit.
    pub async fn rerun(
        &self,
        caller: &Caller,
        run: RunId,
        changed: &Map<String, Value>,
    ) -> Result<Started, ServiceError> {
        let archive = self.seen_by(caller);
        let mut inputs = archive.inputs(run).await?;
        inputs.extend(changed.clone());
        let workflow = archive.view(run, false).await?.workflow_id;
        let ready = self.ready_for(caller, Action::Start, (&workflow, Some(changed))).await?;
        let id = RunId::from_bits(self.engine.clock().id_bits());
        self.begin(id, (Origin { rerun_of: Some(run), ..Origin::of(caller) }, None), ready, &inputs).await
    }

    pub(super) async fn begin(
        &self,
        id: RunId,
        (origin, firing): (Origin, Option<Box<NewFiring>>),
        ready: Ready,
        given: &Map<String, Value>,
    ) -> Result<Started, ServiceError> {
        self.check_room()?;
        if !self.admission.enabled {
            let fault = Fault::permanent(code::WF5002, "workflows are switched off: WORKFLOW_ENABLED is false");
            return Err(ServiceError::Inputs(vec![fault]));
        }
        let plan = &ready.flow.plan;
        let (inputs, warnings, questions) = if origin.door == CHAT {
            let completed = inputs::complete(plan, given).map_err(ServiceError::Inputs)?;
            let questions: Vec<Question> = completed.missing.into_iter().map(Question::from).collect();
            (completed.inputs, completed.warnings, questions)
        } else {
            let (inputs, warnings) = inputs::check(plan, given).map_err(ServiceError::Inputs)?;
            (inputs, warnings, Vec::new())
        };
        refuse_depth(&inputs)?;
        let origin = Origin { pins: self.pins(&ready).await?, ..origin };
        let new = NewRun {
            workflow_id: ready.workflow,
            revision_hash: plan.hash.clone(),
            slug: ready.slug.clone(),
            origin: engine::raw(&origin),
            inputs: engine::raw(&inputs),
            parent: None,
            lane: None,
            firing,
        };
        let ask = (!questions.is_empty()).then_some((questions, PATIENCE));
        let execution = self.engine.accept_as(id, new, Arc::clone(&ready.flow), ask).await?;
        Ok(Started { execution, workflow: ready.workflow, warnings })
    }

    /// Gives a run what it asks for; it goes on once nothing is missing. What was given stays given.
    ///
    /// # Errors
    /// No such run, it asks for nothing of this, or the values do not fit.
    pub async fn answer(
        &self,
        caller: &Caller,
        run: RunId,
        given: &Map<String, Value>,
    ) -> Result<RunView, ServiceError> {
        self.permit_with(caller, Action::Answer, Target::Run(run), given).await?;
        self.check_change(run, given).await?;
        let (standing, flow) = self.archive.run(run).await?;
        let mut answers = given.clone();
        let asked = standing.asking.iter().flat_map(|asking| &asking.questions);
        let declared = |key: &str| flow.plan.inputs.iter().flatten().any(|spec| spec.name == key);
        for question in asked.filter(|question| !declared(&question.key)) {
            if let Some(value) = answers.get_mut(&question.key) {
                *value = inputs::answer(question, value).map_err(|fault| ServiceError::Inputs(vec![fault]))?;
            }
        }
        self.command(run, Command::Answer { inputs: answers, by: caller.name.clone() }).await
    }

    /// Waits until a run is over, at most for this long; its view as it is then.
    ///
    /// # Errors
    /// No such run, or the store fails.
    pub async fn wait(&self, run: RunId, at_most: Duration) -> Result<RunView, ServiceError> {
        match tokio::time::timeout(at_most, self.follow(run, |_, _| ())).await {
            Ok(view) => view,
            Err(_) => self.archive.view(run, false).await,
        }
    }

    /// Whether a run may have these inputs beside those that it has. What is still missing may stay so.
    pub(super) async fn check_change(&self, run: RunId, given: &Map<String, Value>) -> Result<(), ServiceError> {
        let mut inputs = self.archive.inputs(run).await?;
        inputs.extend(given.clone());
        let flow = self.archive.flow(run).await?;
        inputs::complete(&flow.plan, &inputs).map_err(ServiceError::Inputs)?;
        refuse_depth(given)
    }

    /// The place of a step that somebody names: by its id, its place, or, for one item of a loop, as `load[17]`.
    pub(super) async fn step_place(&self, id: RunId, step: &str) -> Result<usize, ServiceError> {
        let (run, flow) = self.archive.run(id).await?;
        let ids = || flow.plan.steps.iter().map(|step| step.id.as_str());
        let found = match step.contains('[') {
            true => (run.planned()..run.steps.len())
                .find(|&place| run.has_begun(&flow, place) && run.path(&flow, place) == step),
            false => {
                ids().position(|known| known == step).or_else(|| step.parse().ok().filter(|at| *at < run.planned()))
            }
        };
        found.ok_or_else(|| {
            let near = crate::language::near(step, ids());
            ServiceError::NotFound { noun: "step", name: step.to_owned(), near: near.map(str::to_owned) }
        })
    }

    pub(super) async fn command(&self, run: RunId, command: Command) -> Result<RunView, ServiceError> {
        self.engine.command(run, command).await?;
        self.archive.view(run, false).await
    }

    /// What happens from now on. A slow reader loses notices and finds what it missed in the archive.
    #[must_use]
    pub fn news(&self) -> Receiver<Notice> {
        self.engine.feed().subscribe()
    }

    /// Waits until a run is over or stands still, calling `watch` with every new view of it and with what its
    /// steps say meanwhile.
    ///
    /// # Errors
    /// No such run, or the store fails.
    pub async fn follow(
        &self,
        run: RunId,
        mut watch: impl FnMut(&RunView, Option<(usize, &str)>),
    ) -> Result<RunView, ServiceError> {
        let mut feed = self.engine.feed().subscribe();
        let (mut view, mut look_at) = self.look_at(run).await?;
        watch(&view, None);
        let mut is_behind = false;
        while !view.is_finished() {
            let notice = tokio::select! {
                notice = feed.recv() => notice,
                () = tokio::time::sleep_until(look_at), if is_behind => {
                    (view, look_at) = self.look_at(run).await?;
                    is_behind = false;
                    watch(&view, None);
                    continue;
                }
            };
            match notice {
                Ok(Notice::Progress { run: of, step, text }) if of == run => watch(&view, Some((step, &text))),
                Ok(Notice::Committed { run: of, entries, .. }) if of == run => {
                    is_behind = true;
                    if entries.iter().any(|(_, event)| matches!(event, Event::Finished { .. })) {
                        look_at = Instant::now();
                    }
                }
                Ok(Notice::Committed { .. } | Notice::Progress { .. }) => {}
                // Missed notices are no loss: the view is read from the store.
                Err(RecvError::Lagged(_)) => is_behind = true,
                Err(RecvError::Closed) => return Err(ServiceError::Stopping),
            }
        }
        Ok(view)
    }

    /// The view of a run, and when to look again: the longer a run, the longer a look takes, and looking must not be
    /// most of what is done.
    async fn look_at(&self, run: RunId) -> Result<(RunView, Instant), ServiceError> {
        let began = Instant::now();
        let view = self.archive.view(run, false).await?;
        Ok((view, Instant::now() + began.elapsed() * REST_AFTER_A_LOOK))
    }
}

fn refuse_depth(inputs: &Map<String, Value>) -> Result<(), ServiceError> {
    if inputs.values().any(|value| engine::deeper_than(value, engine::DEEPEST)) {
        let message = format!("an input nests deeper than {} levels", engine::DEEPEST);
        return Err(ServiceError::Inputs(vec![Fault::permanent(code::WF2005, message)]));
    }
    Ok(())
}
