//! What somebody may see: the archive through their eyes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::super::error::ServiceError;
use super::caller::Caller;
use super::gate::{Gate, origin};
use crate::domain::id::{RunId, WorkflowId};
use crate::domain::role::{Action, Permissions, Resource};
use crate::store::runs::StoredRun;

/// The eyes of somebody from whom something may be hidden. They last as long as one question.
#[derive(Clone)]
pub(in crate::service) struct Eyes {
    caller: Caller,
    gate: Gate,
    known: Arc<Mutex<HashMap<WorkflowId, Arc<Permissions>>>>,
}

impl Eyes {
    pub(in crate::service) fn new(caller: Caller, gate: Gate) -> Self {
        Self { caller, gate, known: Arc::default() }
    }

    /// Whether they see a workflow.
    pub(in crate::service) async fn see_workflow(&self, id: WorkflowId) -> Result<bool, ServiceError> {
        let permissions = self.permissions(id).await?;
        let on = Resource { permissions: Some(&permissions), ..Resource::default() };
        Ok(self.caller.verdict(Action::View, &on).allows())
    }

    /// Whether they see a run.
    pub(in crate::service) async fn see(&self, row: &StoredRun) -> Result<bool, ServiceError> {
        let permissions = self.permissions(row.workflow_id).await?;
        let origin = origin(row);
        let is_own = origin.is_of(&self.caller);
        let is_of_others = !is_own && self.caller.subject().is_stranger_to(origin.home.as_deref());
        let on = Resource { permissions: Some(&permissions), is_own, is_of_others, ..Resource::default() };
        Ok(self.caller.verdict(Action::View, &on).allows())
    }

    /// Whether they see a run of which only the id is known. One that is forgotten can no longer be judged.
    pub(in crate::service) async fn see_run(&self, id: RunId) -> Result<bool, ServiceError> {
        match self.gate.store.runs().find(id).await? {
            Some(row) => self.see(&row).await,
            None => Ok(false),
        }
    }

    async fn permissions(&self, id: WorkflowId) -> Result<Arc<Permissions>, ServiceError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let permissions = Arc::new(self.gate.rules_of(id).await?);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&permissions));
        Ok(permissions)
    }
}
