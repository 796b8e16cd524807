//! How a name that somebody gives, or that a step names, leads to a workflow that is ready to be run.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::error::ServiceError;
use super::library::{Library, Ready, is_path};
use crate::contract::clock::Clock;
use crate::contract::directory::{Directory, Found, Wanted};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::id::WorkflowId;
use crate::domain::plan::Plan;
use crate::engine::Plans;
use crate::language::{Severity, Source};
use crate::store::Store;
use crate::store::workflows::{Revision, StoredWorkflow};

/// Templates and saved workflows, found by name. Cheap to clone.
#[derive(Clone)]
pub struct Shelf {
    store: Store,
    library: Library,
    plans: Plans,
    clock: Arc<dyn Clock>,
}

impl Shelf {
    /// The shelf of this store and these templates.
    #[must_use]
    pub fn new(store: Store, library: Library, plans: Plans, clock: Arc<dyn Clock>) -> Self {
        Self { store, library, plans, clock }
    }

    /// The templates.
    #[must_use]
    pub const fn library(&self) -> &Library {
        &self.library
    }

    /// What a name leads to, ready to be started: a template, a saved workflow by id or name, or (for the terminal
    /// alone, as `files` says) a file of this machine.
    pub(super) async fn ready(&self, name: &str, files: bool) -> Result<Ready, ServiceError> {
        if let Some(id) = workflow_id(name) {
            let workflow = self.in_use(id).await?;
            let template = workflow.template.clone().filter(|template| *template == workflow.slug);
            return match template {
                // It stands for the template itself, so it follows its text.
                Some(template) if self.library.find(&template).is_ok() => {
                    let ready = Box::pin(self.ready(&template, files)).await?;
                    Ok(Ready { workflow: id, ..ready })
                }
                _ => self.pinned(workflow).await,
            };
        }
        if is_path(name) && !files {
            return Err(no_workflow(name, None));
        }
        let source = match self.library.find(name) {
            Ok(source) => source,
            Err(ServiceError::NotFound { near, .. }) if !is_path(name) => {
                let saved = self.store.workflows().of_slug(name).await?;
                return self.pinned(saved.ok_or_else(|| no_workflow(name, near))?).await;
            }
            Err(error) => return Err(error),
        };
        if let Some(ready) = self.library.recall(name, &source) {
            return Ok(ready);
        }
        let compiled = self.library.compile(&source);
        let Some(plan) = compiled.plan else { return Err(ServiceError::Definition(compiled.report)) };
        let (workflow, slug) = (self.keep(&source, &plan).await?, plan.slug.clone());
        let ready = Ready { flow: self.plans.share(plan), source, workflow, slug };
        self.library.remember(name, ready.clone());
        Ok(ready)
    }

    pub(super) async fn pinned(&self, workflow: StoredWorkflow) -> Result<Ready, ServiceError> {
        let store = &self.store;
        let flow = self.plans.get(store, &workflow.revision_hash).await?;
        let revision = store.workflows().revision(&workflow.revision_hash).await?;
        let revision = revision.ok_or_else(|| {
            ServiceError::Internal(format!("revision {} is not in the store", workflow.revision_hash))
        })?;
        let source = Source { name: revision.source_name, text: revision.source_text };
        Ok(Ready { source, flow, workflow: workflow.id, slug: workflow.slug })
    }

    pub(super) async fn in_use(&self, id: WorkflowId) -> Result<StoredWorkflow, ServiceError> {
        let found = self.store.workflows().find(id).await?;
        found.filter(|found| found.archived_at.is_none()).ok_or_else(|| no_workflow(&id.to_string(), None))
    }

    /// The workflow that stands for a template or a file, pointed to its present text.
    async fn keep(&self, source: &Source, plan: &Plan) -> Result<WorkflowId, ServiceError> {
        let workflows = self.store.workflows();
        let known = workflows.of_template(&plan.slug).await?;
        if let Some(known) = known.as_ref().filter(|known| known.revision_hash == plan.hash) {
            return Ok(known.id);
        }
        let clock = &self.clock;
        let now = clock.now();
        let workflow = StoredWorkflow {
            id: known.as_ref().map_or_else(|| WorkflowId::from_bits(clock.id_bits()), |known| known.id),
            name: plan.name.clone(),
            slug: plan.slug.clone(),
            description: plan.description.clone(),
            template: Some(plan.slug.clone()),
            revision_hash: plan.hash.clone(),
            created_at: known.map_or(now, |known| known.created_at),
            archived_at: None,
        };
        workflows.save(&workflow, &revision(source, plan), now).await?;
        Ok(workflow.id)
    }

    /// Steps that were made at run time; their text is kept as a revision like any other.
    async fn made(&self, name: &str, steps: &[Value]) -> Result<Found, Fault> {
        let text = format!("{:#}", json!({ "name": name, "steps": steps }));
        let source = Source { name: "made at run time".to_owned(), text };
        let compiled = self.library.check(&source, true);
        let Some(plan) = compiled.plan else {
            let problems: Vec<String> = compiled
                .report
                .of(Severity::Error)
                .take(3)
                .map(|problem| format!("line {}: {}", problem.line, problem.message))
                .collect();
            let message = format!("the steps that were made cannot be run: {}", problems.join("; "));
            return Err(Fault::permanent(code::WF2007, message));
        };
        let kept = self.store.workflows().keep(&revision(&source, &plan), self.clock.now()).await;
        kept.map_err(|error| Fault::transient(code::WF4006, "the steps could not be kept").context(error))?;
        Ok(Found { workflow: None, slug: plan.slug.clone(), flow: self.plans.share(plan) })
    }
}

impl Directory for Shelf {
    fn find<'a>(&'a self, wanted: &'a Wanted) -> BoxFuture<'a, Result<Found, Fault>> {
        async move {
            match wanted {
                Wanted::Steps { name, steps } => self.made(name, steps).await,
                Wanted::Workflow(name) => {
                    let ready = self.ready(name, false).await.map_err(|error| not_run(name, &error))?;
                    Ok(Found { workflow: Some(ready.workflow), slug: ready.slug, flow: ready.flow })
                }
            }
        }
        .boxed()
    }
}

fn not_run(name: &str, error: &ServiceError) -> Fault {
    match error {
        ServiceError::NotFound { near, .. } => {
            let fault = Fault::permanent(code::WF4013, format!("there is no workflow `{name}`"));
            match near {
                Some(near) => fault.fix(format!("did you mean `{near}`?")),
                None => fault,
            }
        }
        error => Fault::permanent(code::WF4013, format!("`{name}` cannot be run: {error}")),
    }
}

pub(super) fn revision(source: &Source, plan: &Plan) -> Revision {
    Revision {
        hash: plan.hash.clone(),
        slug: plan.slug.clone(),
        source_name: source.name.clone(),
        source_text: source.text.clone(),
    }
}

/// Ids as we write them, and as the specification's examples do.
pub(super) fn workflow_id(name: &str) -> Option<WorkflowId> {
    name.parse().ok().or_else(|| format!("wf_{}", name.strip_prefix("workflow_")?).parse().ok())
}

pub(super) fn no_workflow(name: &str, near: Option<String>) -> ServiceError {
    ServiceError::NotFound { noun: "workflow", name: name.to_owned(), near }
}
