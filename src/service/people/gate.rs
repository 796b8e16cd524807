//! The gate: every verb that does something passes it, with who asks, what they want, and to what.

use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::super::archive::{Archive, MOST_WORKFLOWS};
use super::super::error::ServiceError;
use super::super::library::{Library, Ready};
use super::super::origin::{CHAT, Origin, TERMINAL};
use super::super::runs::Service;
use super::super::shelf::no_workflow;
use super::caller::{Caller, Rules};
use super::eyes::Eyes;
use super::trail::Step;
use crate::domain::id::{RunId, WorkflowId};
use crate::domain::role::{Action, Channel, Denial, Permissions, Resource, Verdict};
use crate::engine::Plans;
use crate::store::Store;
use crate::store::runs::StoredRun;
use crate::store::workflows::StoredWorkflow;

/// What something is to be done to.
#[derive(Clone, Copy)]
pub(in crate::service) enum Target<'t> {
    /// Nothing in particular.
    Instance,
    /// A person, or what else has a name and no rules of its own.
    Thing(&'t str),
    /// A workflow that is ready to be run.
    Workflow(&'t Ready),
    /// A workflow that was saved.
    Saved(&'t StoredWorkflow),
    /// A run.
    Run(RunId),
    /// A run that asks for a decision, and names those who decide: them among others.
    Named(RunId),
}

/// What the gate stands on. Cheap to clone.
#[derive(Clone)]
pub(in crate::service) struct Access {
    pub(super) gate: Gate,
    pub(super) rules: Arc<Rules>,
    /// Held by whoever spends a code.
    pub(super) linking: Arc<Mutex<()>>,
}

impl Access {
    pub(in crate::service) fn new(store: Store, plans: Plans, library: Library) -> Self {
        Self { gate: Gate { store, plans, library }, rules: Arc::default(), linking: Arc::default() }
    }

    pub(in crate::service) fn with_rules(self, rules: Rules) -> Self {
        Self { rules: Arc::new(rules), ..self }
    }
}

/// Knows the rules of workflows as they are now. Cheap to clone.
#[derive(Clone)]
pub(in crate::service) struct Gate {
    pub(super) store: Store,
    plans: Plans,
    library: Library,
}

impl Gate {
    /// The rules of the version of a workflow that is in use.
    pub(super) async fn rules_of(&self, id: WorkflowId) -> Result<Permissions, ServiceError> {
        let workflow = self.store.workflows().find(id).await?;
        match workflow {
            Some(workflow) => self.rules(&workflow).await,
            None => Err(no_workflow(&id.to_string(), None)),
        }
    }

    pub(super) async fn rules(&self, workflow: &StoredWorkflow) -> Result<Permissions, ServiceError> {
        // It stands for a file: the file's rules count from the moment on in which they are written.
        if workflow.template.as_deref() == Some(workflow.slug.as_str())
            && let Some(permissions) = self.library.permissions(&workflow.slug)
        {
            return Ok(permissions);
        }
        Ok(self.plans.get(&self.store, &workflow.revision_hash).await?.plan.permissions.clone())
    }
}

impl Service {
    /// What can be asked by somebody: what they may not see is not there.
    #[must_use]
    pub fn seen_by(&self, caller: &Caller) -> Archive {
        let archive = self.archive().clone();
        if caller.is_unbound() {
            archive
        } else {
            archive.with_eyes(Eyes::new(caller.clone(), self.access().gate.clone()))
        }
    }

    /// The rules of a saved workflow.
    pub(in crate::service) async fn access_rules(
        &self,
        workflow: &StoredWorkflow,
    ) -> Result<Permissions, ServiceError> {
        self.access().gate.rules(workflow).await
    }

    /// The workflow of a name, for somebody who may do this to it with these inputs.
    ///
    /// # Errors
    /// They may not, there is none for them, or its file has errors.
    pub(in crate::service) async fn ready_for(
        &self,
        caller: &Caller,
        action: Action,
        (name, given): (&str, Option<&Map<String, Value>>),
    ) -> Result<Ready, ServiceError> {
        let ready = match self.shelf().ready(name, caller.door == TERMINAL).await {
            Ok(ready) => ready,
            Err(error) => return Err(self.discreet(caller, name, error).await),
        };
        let none = Map::new();
        self.permit_with(caller, action, Target::Workflow(&ready), given.unwrap_or(&none)).await?;
        Ok(ready)
    }

    /// Whether somebody may start a workflow, before anything is done for it.
    ///
    /// # Errors
    /// They may not, there is none for them, or its file has errors.
    pub async fn check_start(&self, caller: &Caller, name: &str) -> Result<(), ServiceError> {
        let ready = self.ready_for(caller, Action::View, (name, None)).await?;
        self.check(caller, Action::Start, Target::Workflow(&ready)).await
    }

    /// Whether somebody may do something to an execution, before anything is done for it.
    ///
    /// # Errors
    /// They may not, or there is none for them.
    pub async fn check_on(&self, caller: &Caller, action: Action, run: RunId) -> Result<(), ServiceError> {
        self.check(caller, action, Target::Run(run)).await
    }

    /// Whether somebody may do something that leaves no line, or of which the line is left later.
    pub(in crate::service) async fn check(
        &self,
        caller: &Caller,
        action: Action,
        target: Target<'_>,
    ) -> Result<(), ServiceError> {
        match self.judge(caller, action, target).await? {
            Judged::Allowed(_) => Ok(()),
            Judged::Denied(..) => self.permit(caller, action, target).await, // a refusal leaves its line
        }
    }

    /// Whether somebody may do something.
    ///
    /// # Errors
    /// As [`Service::permit_with`].
    pub(in crate::service) async fn permit(
        &self,
        caller: &Caller,
        action: Action,
        target: Target<'_>,
    ) -> Result<(), ServiceError> {
        self.permit_with(caller, action, target, &Map::new()).await
    }

    /// Whether somebody may do something with these inputs; says so in the trail where that is not said elsewhere.
    /// What they may not see is not there.
    ///
    /// # Errors
    /// They may not, there is no such thing for them, or the store fails.
    pub(in crate::service) async fn permit_with(
        &self,
        caller: &Caller,
        action: Action,
        target: Target<'_>,
        given: &Map<String, Value>,
    ) -> Result<(), ServiceError> {
        let kept = caller.door == CHAT || matches!(action, Action::Edit | Action::People);
        if caller.is_unbound() && !kept {
            return Ok(());
        }
        let (allowed, rule, refusal) = match self.judge(caller, action, target).await? {
            Judged::Allowed(rule) => (true, rule, None),
            Judged::Denied(rule, error) => (false, rule, Some(error)),
        };
        // Reading leaves no line, unless it was refused.
        if action != Action::View || !allowed {
            let mut step = Step::of(action.word(), about(target)).by(allowed, &rule);
            step.secrets = self.secrets(target, given).await?;
            self.leave_trace(caller, step).await?;
        }
        refusal.map_or(Ok(()), Err)
    }

    /// Says in the trail that somebody was not let do something to a run for a reason that the run has of its own.
    pub(in crate::service) async fn refuse_in_trail(
        &self,
        caller: &Caller,
        (action, run): (Action, RunId),
        rule: &str,
    ) -> Result<(), ServiceError> {
        if caller.door != CHAT {
            return Ok(());
        }
        self.leave_trace(caller, Step::of(action.word(), about(Target::Run(run))).by(false, rule)).await
    }

    /// Of these inputs those that the workflow wants hidden.
    async fn secrets(&self, target: Target<'_>, given: &Map<String, Value>) -> Result<Vec<String>, ServiceError> {
        let flow = match target {
            _ if given.is_empty() => return Ok(Vec::new()),
            Target::Workflow(ready) => Arc::clone(&ready.flow),
            Target::Run(run) | Target::Named(run) => self.archive().flow(run).await?,
            Target::Instance | Target::Thing(_) | Target::Saved(_) => return Ok(Vec::new()),
        };
        let hidden = flow.plan.inputs.iter().flatten().filter(|input| input.sensitive);
        let values = hidden.filter_map(|input| given.get(&input.name));
        Ok(values.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect())
    }

    /// What somebody may do here: as a rule, to what they started, or to some workflow that says so.
    ///
    /// # Errors
    /// The store or a template cannot be read.
    pub async fn possible(&self, caller: &Caller) -> Result<Vec<Action>, ServiceError> {
        let rules = if caller.is_unbound() { Vec::new() } else { self.all_rules().await? };
        let open = |action: &Action| {
            let on = |permissions, is_own| Resource { permissions, is_own, ..Resource::default() };
            let allows = |on: &Resource<'_>| caller.verdict(*action, on).allows();
            caller.may(*action)
                || allows(&on(None, true))
                || rules.iter().any(|rules| allows(&on(Some(rules), false)) || allows(&on(Some(rules), true)))
        };
        Ok(Action::ALL.into_iter().filter(open).collect())
    }

    /// The channels that rules name: those of the settings, and of workflows where they matter too.
    ///
    /// # Errors
    /// The store or a template cannot be read.
    pub async fn channels_in_rules(&self, of_workflows: bool) -> Result<Vec<Channel>, ServiceError> {
        let mut channels: Vec<Channel> = self.access().rules.channels.iter().map(|rule| rule.channel.clone()).collect();
        if of_workflows {
            channels.extend(self.all_rules().await?.iter().flat_map(Permissions::channels).cloned());
        }
        Ok(channels)
    }

    /// The rules of all workflows that have some.
    async fn all_rules(&self) -> Result<Vec<Permissions>, ServiceError> {
        let templates = self.library().described()?.into_iter().map(|(_, permissions)| permissions);
        let mut rules: Vec<Permissions> = templates.collect();
        for workflow in self.engine().store().workflows().list(None, MOST_WORKFLOWS).await? {
            rules.push(self.access().gate.rules(&workflow).await?);
        }
        rules.retain(|rules| !rules.is_empty());
        Ok(rules)
    }

    /// Whether there is anything here for somebody; whoever may see nothing at all is told what they lack.
    ///
    /// # Errors
    /// There is nothing, or the store fails.
    pub async fn welcome(&self, caller: &Caller, action: Action) -> Result<(), ServiceError> {
        if caller.may(Action::View) || action == Action::Help || !self.known_names(caller).await?.is_empty() {
            return Ok(());
        }
        self.permit(caller, action, Target::Instance).await?;
        // Nothing that they could do would be about anything.
        self.permit(caller, Action::View, Target::Instance).await
    }

    async fn judge(&self, caller: &Caller, action: Action, target: Target<'_>) -> Result<Judged, ServiceError> {
        let (mut is_own, mut is_of_others) = (false, false);
        let (permissions, hidden) = match target {
            Target::Instance | Target::Thing(_) => (None, None),
            Target::Workflow(ready) => {
                (Some(ready.flow.plan.permissions.clone()), Some(no_workflow(&ready.slug, None)))
            }
            Target::Saved(workflow) => {
                (Some(self.access().gate.rules(workflow).await?), Some(no_workflow(&workflow.slug, None)))
            }
            Target::Run(run) | Target::Named(run) => {
                let absent = || ServiceError::NotFound { noun: "execution", name: run.to_string(), near: None };
                let row = self.engine().store().runs().find(run).await?.ok_or_else(absent)?;
                let origin = origin(&row);
                is_own = origin.is_of(caller);
                is_of_others = !is_own && caller.subject().is_stranger_to(origin.home.as_deref());
                (Some(self.access().gate.rules_of(row.workflow_id).await?), Some(absent()))
            }
        };
        let permissions = permissions.as_ref();
        let is_named = matches!(target, Target::Named(_));
        let on = Resource { permissions, is_own, is_named, is_of_others: is_of_others && !is_named };
        if let Some(hidden) = hidden
            && let Verdict::Deny(denial) = caller.verdict(Action::View, &on)
        {
            // In a channel for less, what is there is no secret: it is said elsewhere.
            let told = matches!(denial, Denial::Place { .. });
            let rule = format!("not seen: {}", denial.rule());
            return Ok(Judged::Denied(rule, if told { ServiceError::Denied(denial) } else { hidden }));
        }
        Ok(match caller.verdict(action, &on) {
            Verdict::Allow(rule) => Judged::Allowed(rule),
            Verdict::Deny(denial) => Judged::Denied(denial.rule(), ServiceError::Denied(denial)),
        })
    }

    /// What is said instead of an error that could tell of workflows that somebody may not see.
    pub(in crate::service) async fn discreet(&self, caller: &Caller, name: &str, error: ServiceError) -> ServiceError {
        if caller.is_unbound() {
            return error;
        }
        match error {
            ServiceError::NotFound { noun: "workflow", name, near: Some(near) } => {
                let known = self.known_names(caller).await.unwrap_or_default();
                let near = known.into_iter().map(|known| known.id).find(|id| *id == near);
                ServiceError::NotFound { noun: "workflow", name, near }
            }
            // Its rules cannot be read, so they let nobody in but those who can mend it.
            ServiceError::Definition(_) if !caller.may(Action::Edit) => no_workflow(name, None),
            other => other,
        }
    }
}

enum Judged {
    Allowed(String),
    Denied(String, ServiceError),
}

fn about(target: Target<'_>) -> Option<String> {
    match target {
        Target::Instance => None,
        Target::Thing(name) => Some(name.to_owned()),
        Target::Workflow(ready) => Some(ready.slug.clone()),
        Target::Saved(workflow) => Some(workflow.slug.clone()),
        Target::Run(run) | Target::Named(run) => Some(run.to_string()),
    }
}

pub(super) fn origin(row: &StoredRun) -> Origin {
    serde_json::from_str(row.origin.get()).unwrap_or_default() // written by this program
}
