//! Starting runs and steering them.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Caller;
use super::archive::Archive;
use super::error::ServiceError;
use super::library::{Library, Ready};
use super::progress::RunView;
use crate::domain::code;
use crate::domain::command::Command;
use crate::domain::fault::Fault;
use crate::domain::id::{RunId, WorkflowId};
use crate::engine::{self, Engine, Notice};
use crate::language::{Source, inputs};
use crate::store::journal::NewRun;
use crate::store::workflows::{Revision, StoredWorkflow};

/// A run that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Its id.
    pub execution: RunId,
    /// What is worth saying about its inputs.
    pub warnings: Vec<String>,
}

/// The front desk with the engine behind it. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    engine: Engine,
    archive: Archive,
    library: Library,
}

impl Service {
    /// The front desk of this engine.
    #[must_use]
    pub const fn new(engine: Engine, archive: Archive, library: Library) -> Self {
        Self { engine, archive, library }
    }

    /// What can be asked.
    #[must_use]
    pub const fn archive(&self) -> &Archive {
        &self.archive
    }

    /// The templates.
    #[must_use]
    pub const fn library(&self) -> &Library {
        &self.library
    }

    /// The engine.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Makes a workflow ready: compiled and kept in the store. What was ready before costs a comparison of texts.
    ///
    /// # Errors
    /// No such workflow, or its file has errors.
    async fn ready(&self, name: &str) -> Result<Ready, ServiceError> {
        let source = self.library.find(name)?;
        if let Some(ready) = self.library.recall(name, &source) {
            return Ok(ready);
        }
        let compiled = self.library.compile(&source);
        let Some(plan) = compiled.plan else { return Err(ServiceError::Definition(compiled.report)) };
        let workflow = self.keep(&source, &plan.slug, &plan.name, &plan.hash).await?;
        let ready = Ready { flow: self.engine.plans().share(plan), source, workflow };
        self.library.remember(name, ready.clone());
        Ok(ready)
    }

    async fn keep(&self, source: &Source, slug: &str, name: &str, hash: &str) -> Result<WorkflowId, ServiceError> {
        let workflows = self.engine.store().workflows();
        let known = workflows.of_template(slug).await?;
        if let Some(known) = known.as_ref().filter(|known| known.revision_hash == hash) {
            return Ok(known.id);
        }
        let clock = self.engine.clock();
        let workflow = StoredWorkflow {
            id: known.map_or_else(|| WorkflowId::from_bits(clock.id_bits()), |known| known.id),
            name: name.to_owned(),
            slug: slug.to_owned(),
            template: Some(slug.to_owned()),
            revision_hash: hash.to_owned(),
            created_at: clock.now(),
        };
        let revision = Revision {
            hash: hash.to_owned(),
            slug: slug.to_owned(),
            source_name: source.name.clone(),
            source_text: source.text.clone(),
        };
        workflows.save(&workflow, &revision).await?;
        Ok(workflow.id)
    }

    /// Inputs written as `key=value` texts, read as the workflow declares them.
    ///
    /// # Errors
    /// No such workflow, or its file has errors.
    pub async fn read_inputs(
        &self,
        name: &str,
        pairs: &[(String, String)],
    ) -> Result<Map<String, Value>, ServiceError> {
        let ready = self.ready(name).await?;
        Ok(inputs::from_text(&ready.flow.plan, pairs))
    }

    /// Starts a run; it is durable when this returns.
    ///
    /// # Errors
    /// No such workflow, its file has errors, or the inputs do not fit.
    pub async fn start(
        &self,
        caller: &Caller,
        name: &str,
        given: &Map<String, Value>,
    ) -> Result<Started, ServiceError> {
        let ready = self.ready(name).await?;
        let (inputs, warnings) = inputs::check(&ready.flow.plan, given).map_err(ServiceError::Inputs)?;
        if inputs.values().any(|value| engine::deeper_than(value, engine::DEEPEST)) {
            let message = format!("an input nests deeper than {} levels", engine::DEEPEST);
            return Err(ServiceError::Inputs(vec![Fault::permanent(code::WF2005, message)]));
        }
        let new = NewRun {
            workflow_id: ready.workflow,
            revision_hash: ready.flow.plan.hash.clone(),
            slug: ready.flow.plan.slug.clone(),
            origin: engine::raw(caller),
            inputs: engine::raw(&inputs),
        };
        let execution = self.engine.accept(new, Arc::clone(&ready.flow), None).await?;
        Ok(Started { execution, warnings })
    }

    /// Stops a run at the next step boundary.
    ///
    /// # Errors
    /// No such run, or it is over.
    pub async fn pause(&self, caller: &Caller, run: RunId) -> Result<RunView, ServiceError> {
        self.command(run, Command::Pause { by: caller.name.clone() }).await
    }

    /// Lets a paused run go on.
    ///
    /// # Errors
    /// No such run, or it is over.
    pub async fn resume(&self, caller: &Caller, run: RunId) -> Result<RunView, ServiceError> {
        self.command(run, Command::Resume { by: caller.name.clone() }).await
    }

    /// Ends a run. What is in flight is stopped within ten seconds.
    ///
    /// # Errors
    /// No such run, or it has ended otherwise.
    pub async fn cancel(&self, caller: &Caller, run: RunId) -> Result<RunView, ServiceError> {
        self.command(run, Command::Cancel { by: caller.name.clone() }).await
    }

    /// Runs a step again (by id or by place), or everything that failed, with all that depends on it.
    ///
    /// # Errors
    /// No such run or step, or the run has not failed.
    pub async fn retry(&self, caller: &Caller, run: RunId, step: Option<&str>) -> Result<RunView, ServiceError> {
        let step = match step {
            Some(step) => Some(self.step_place(run, step).await?),
            None => None,
        };
        self.command(run, Command::Retry { step, by: caller.name.clone() }).await
    }

    async fn step_place(&self, run: RunId, step: &str) -> Result<usize, ServiceError> {
        let view = self.archive.view(run, false).await?;
        let by_id = view.steps.iter().position(|candidate| candidate.id == step);
        let by_place = step.parse().ok().filter(|place| *place < view.steps.len());
        by_id.or(by_place).ok_or_else(|| {
            let near = crate::language::near(step, view.steps.iter().map(|step| step.id.as_str()));
            ServiceError::NotFound { noun: "step", name: step.to_owned(), near: near.map(str::to_owned) }
        })
    }

    async fn command(&self, run: RunId, command: Command) -> Result<RunView, ServiceError> {
        self.engine.command(run, command).await?;
        self.archive.view(run, false).await
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
        let mut view = self.archive.view(run, false).await?;
        watch(&view, None);
        while !view.is_finished() {
            match feed.recv().await {
                Ok(Notice::Progress { run: of, step, text }) if of == run => watch(&view, Some((step, &text))),
                Ok(Notice::Committed { run: of, .. }) if of != run => {}
                Ok(Notice::Progress { .. }) => {}
                // Missed notices are no loss: the view is read from the store.
                Ok(Notice::Committed { .. }) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {
                    view = self.archive.view(run, false).await?;
                    watch(&view, None);
                }
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return Err(ServiceError::Stopping),
            }
        }
        Ok(view)
    }
}
