//! How executions stand, for whoever must act on them: what waits for somebody, what a step did, what reached outside.

use super::archive::{Archive, ListFilter};
use super::error::ServiceError;
use super::progress::{LogLine, RunView};
use crate::domain::event::Event;
use crate::domain::id::RunId;
use crate::domain::plan::{EffectClass, Plan};
use crate::domain::run::StepState;
use crate::language;

/// Executions of each kind that an inbox looks at.
const LOOKED_AT: u32 = 20;

impl Archive {
    /// What happened in an execution, in order: of one step only where one is named (by id or by place), and of that
    /// the last `tail` lines.
    ///
    /// # Errors
    /// No such execution or step, or the store fails.
    pub async fn log_of(&self, id: RunId, step: Option<&str>, tail: Option<u32>) -> Result<Vec<LogLine>, ServiceError> {
        let (history, flow) = self.history(id, false).await?;
        let step = step.map(|step| place_of(&flow.plan, step)).transpose()?;
        let concerns = |event: &Event| step.is_none_or(|step| steps_of(event).contains(&step));
        let lines = history.entries.iter().filter(|(_, event)| concerns(event));
        let lines: Vec<LogLine> = lines.map(|entry| LogLine::new(entry, &flow.plan)).collect();
        let kept = tail.map_or(lines.len(), |tail| lines.len().min(tail as usize));
        Ok(lines.into_iter().rev().take(kept).rev().collect())
    }

    /// What waits for somebody, newest first: executions that ask, stand still, or failed and were not taken up again.
    ///
    /// # Errors
    /// The store fails.
    pub async fn inbox(&self) -> Result<Vec<RunView>, ServiceError> {
        let mut waiting = Vec::new();
        for status in ["waiting", "paused", "failed", "timed_out"] {
            let filter = ListFilter { status: Some(status.to_owned()), limit: LOOKED_AT, ..ListFilter::default() };
            for run in self.list(&filter).await? {
                if status != "waiting" || self.is_asking(run.id).await? {
                    waiting.push(self.view(run.id, false).await?);
                }
            }
        }
        waiting.sort_by(|a, b| b.execution_id.cmp(&a.execution_id));
        Ok(waiting)
    }

    async fn is_asking(&self, id: RunId) -> Result<bool, ServiceError> {
        let (history, flow) = self.history(id, false).await?;
        Ok(!super::archive::fold(&history, &flow).asking.is_empty())
    }

    /// The steps of an execution that began and reach outside: what a cancel would leave behind.
    ///
    /// # Errors
    /// No such execution, or the store fails.
    pub async fn effects_of(&self, id: RunId) -> Result<Vec<String>, ServiceError> {
        let (history, flow) = self.history(id, false).await?;
        let run = super::archive::fold(&history, &flow);
        let reaches = |class| matches!(class, EffectClass::AtLeastOnce | EffectClass::AtMostOnce);
        let begun = |state| !matches!(state, StepState::Pending | StepState::Skipped(_));
        let steps = flow.plan.steps.iter().zip(&run.steps);
        Ok(steps
            .filter(|(step, state)| reaches(step.effect) && begun(state.state))
            .map(|(step, _)| step.name.clone())
            .collect())
    }
}

fn place_of(plan: &Plan, step: &str) -> Result<usize, ServiceError> {
    let by_id = plan.steps.iter().position(|candidate| candidate.id == step);
    let by_place = step.parse().ok().filter(|place| *place < plan.steps.len());
    by_id.or(by_place).ok_or_else(|| {
        let near = language::near(step, plan.steps.iter().map(|step| step.id.as_str()));
        ServiceError::NotFound { noun: "step", name: step.to_owned(), near: near.map(str::to_owned) }
    })
}

fn steps_of(event: &Event) -> Vec<usize> {
    match event {
        Event::StepStarted { step, .. }
        | Event::StepSucceeded { step, .. }
        | Event::StepFailed { step, .. }
        | Event::StepRetrying { step, .. }
        | Event::StepSleeping { step, .. }
        | Event::StepInterrupted { step, .. }
        | Event::Asked { step: Some(step), .. } => vec![*step],
        Event::StepsSkipped { steps, .. } | Event::Reopened { steps, .. } => steps.clone(),
        _ => Vec::new(),
    }
}
