//! Where the engine finds a workflow that a step wants to begin.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value;

use crate::domain::fault::Fault;
use crate::domain::id::WorkflowId;
use crate::domain::run::Flow;

/// What a step wants to begin.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// A workflow, by the name or id by which people start it.
    Workflow(String),
    /// Steps that were made at run time, as a workflow file has them.
    Steps {
        /// What to call them.
        name: String,
        /// The steps.
        steps: Vec<Value>,
    },
}

/// What was found.
#[derive(Clone)]
pub struct Found {
    /// The saved workflow; `None` for steps that belong to the one that made them.
    pub workflow: Option<WorkflowId>,
    /// The name by which it is run.
    pub slug: String,
    /// What it does. Its revision is kept in the store.
    pub flow: Arc<Flow>,
}

/// Finds workflows.
pub trait Directory: Send + Sync {
    /// The present version of what is wanted.
    ///
    /// # Errors
    /// There is none (with the nearest name), or its definition has errors.
    fn find<'a>(&'a self, wanted: &'a Wanted) -> BoxFuture<'a, Result<Found, Fault>>;
}
