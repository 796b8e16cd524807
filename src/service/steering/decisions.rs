//! What people decide about an execution while it waits for them: approvals, steps left out, events sent by hand.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::Caller;
use super::super::error::ServiceError;
use super::super::runs::Service;
use super::super::view::progress::RunView;
use crate::domain::command::Command;
use crate::domain::id::RunId;
use crate::domain::run::{Flow, Run, StepState};
use crate::domain::time::Timestamp;
use crate::domain::wait::Wait;

/// An approval that an execution waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ApprovalView {
    /// The step that asks, by its id; for one item of a loop as `book[3]`.
    pub step: String,
    /// What is to be approved.
    pub title: String,
    /// Who may decide; empty: whoever may steer the execution.
    pub approvers: Vec<String>,
    /// How many must agree.
    pub required: u32,
    /// Who agreed so far.
    pub approved_by: Vec<String>,
    /// What to look at before deciding.
    pub show: Map<String, Value>,
    /// How long it waits; RFC 3339. `None`: for ever.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<String>,
}

impl ApprovalView {
    /// The approvals that a run waits for.
    pub(in crate::service) fn all(run: &Run, flow: &Flow) -> Vec<Self> {
        if run.state.is_finished() {
            return Vec::new();
        }
        let open = run.waits.iter().filter(|(step, _)| matches!(run.steps[**step].state, StepState::Deciding { .. }));
        let view = |(step, wait): (&usize, &Wait)| {
            let Wait::Approval(approval) = wait else { return None };
            let agreed = approval.votes.iter().filter(|vote| vote.approves);
            Some(Self {
                step: run.path(flow, *step),
                title: approval.spec.title.clone(),
                approvers: approval.spec.approvers.clone(),
                required: approval.spec.required,
                approved_by: agreed.map(|vote| vote.by.clone()).collect(),
                show: approval.spec.show.clone(),
                until: (approval.until < Timestamp::NEVER).then(|| approval.until.to_string()),
            })
        };
        open.filter_map(view).collect()
    }
}

impl Service {
    /// Approves or rejects what a step asks for; without a step, what the only one asks for.
    ///
    /// # Errors
    /// No such execution or step, it asks for nothing, or it is not for this caller to say.
    pub async fn decide(
        &self,
        caller: &Caller,
        run: RunId,
        step: Option<&str>,
        (approves, comment): (bool, Option<String>),
    ) -> Result<RunView, ServiceError> {
        let step = match step {
            Some(step) => Some(self.step_place(run, step).await?),
            None => None,
        };
        self.command(run, Command::Decide { step, approves, by: caller.name.clone(), comment }).await
    }

    /// Leaves a step out: one that has not begun, that waits, or that failed. The execution goes on without it.
    ///
    /// # Errors
    /// No such execution or step, or it is under way or done.
    pub async fn skip(&self, caller: &Caller, run: RunId, step: &str) -> Result<RunView, ServiceError> {
        let step = self.step_place(run, step).await?;
        self.command(run, Command::SkipStep { step, by: caller.name.clone() }).await
    }

    /// Sends an event to an execution: steps that wait for it go on, and those that will find it there.
    ///
    /// # Errors
    /// No such execution, or it is over.
    pub async fn signal(
        &self,
        caller: &Caller,
        run: RunId,
        (event, payload): (&str, Value),
    ) -> Result<RunView, ServiceError> {
        let signal = Command::Signal { event: event.to_owned(), payload, by: caller.name.clone() };
        self.command(run, signal).await
    }
}
