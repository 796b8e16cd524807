//! Stopping executions, letting them go on, ending them, and running again what failed.

use serde_json::{Map, Value};

use super::super::Caller;
use super::super::error::ServiceError;
use super::super::people::Target;
use super::super::runs::Service;
use super::super::view::progress::RunView;
use crate::domain::command::Command;
use crate::domain::id::RunId;
use crate::domain::role::Action;

impl Service {
    /// Stops a run at the next step boundary.
    ///
    /// # Errors
    /// No such run, or it is over.
    pub async fn pause(&self, caller: &Caller, run: RunId) -> Result<RunView, ServiceError> {
        self.permit(caller, Action::Pause, Target::Run(run)).await?;
        self.command(run, Command::Pause { by: caller.name.clone() }).await
    }

    /// Lets a paused run go on.
    ///
    /// # Errors
    /// No such run, or it is over.
    pub async fn resume(&self, caller: &Caller, run: RunId) -> Result<RunView, ServiceError> {
        self.permit(caller, Action::Resume, Target::Run(run)).await?;
        self.command(run, Command::Resume { by: caller.name.clone() }).await
    }

    /// Ends a run. What is in flight is stopped within ten seconds.
    ///
    /// # Errors
    /// No such run, or it has ended otherwise.
    pub async fn cancel(&self, caller: &Caller, run: RunId) -> Result<RunView, ServiceError> {
        self.permit(caller, Action::Cancel, Target::Run(run)).await?;
        self.command(run, Command::Cancel { by: caller.name.clone() }).await
    }

    /// Runs a step again (by id or by place), or everything that failed, with all that depends on it.
    ///
    /// # Errors
    /// No such run or step, or the run has not failed.
    pub async fn retry(&self, caller: &Caller, run: RunId, step: Option<&str>) -> Result<RunView, ServiceError> {
        self.retry_with(caller, run, step, Map::new()).await
    }

    /// Does what [`Service::retry`] does, with these inputs in place of those that the run has.
    ///
    /// # Errors
    /// No such run or step, the run has not failed, or the inputs do not fit.
    pub async fn retry_with(
        &self,
        caller: &Caller,
        run: RunId,
        step: Option<&str>,
        changed: Map<String, Value>,
    ) -> Result<RunView, ServiceError> {
        self.permit_with(caller, Action::Retry, Target::Run(run), &changed).await?;
        let step = match step {
            Some(step) => Some(self.step_place(run, step).await?),
            None => None,
        };
        if !changed.is_empty() {
            self.check_change(run, &changed).await?;
        }
        self.command(run, Command::Retry { step, inputs: changed, by: caller.name.clone() }).await
    }
}
