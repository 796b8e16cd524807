//! How executions stand, for whoever must act on them: what waits for somebody, what a step did, what reached outside.

use super::archive::{Archive, ListFilter};
use super::error::ServiceError;
use super::view::history::LogLine;
use super::view::progress::RunView;
use crate::domain::id::RunId;
use crate::domain::plan::EffectClass;
use crate::domain::run::StepState;
use crate::language;

/// Executions of each kind that an inbox looks at.
const LOOKED_AT: u32 = 20;

impl RunView {
    /// Of these lines of its history those that tell of one step, by its id or by its place from 0.
    ///
    /// # Errors
    /// It has no such step.
    pub fn log_of(&self, lines: Vec<LogLine>, step: &str) -> Result<Vec<LogLine>, ServiceError> {
        let by_id = self.steps.iter().find(|candidate| candidate.id == step);
        let by_place = || step.parse().ok().and_then(|place: usize| self.steps.get(place));
        let Some(found) = by_id.or_else(by_place) else {
            let near = language::near(step, self.steps.iter().map(|step| step.id.as_str()));
            return Err(ServiceError::NotFound { noun: "step", name: step.to_owned(), near: near.map(str::to_owned) });
        };
        // A line that tells of steps begins with their names.
        let tells = |line: &LogLine| {
            line.text.split_once(": ").is_some_and(|(names, _)| names.split(", ").any(|name| name == found.name))
        };
        Ok(lines.into_iter().filter(tells).collect())
    }
}

impl Archive {
    /// What waits for somebody, newest first: executions that ask, stand still, or failed.
    ///
    /// # Errors
    /// The store fails.
    pub async fn inbox(&self) -> Result<Vec<RunView>, ServiceError> {
        let mut waiting = Vec::new();
        for status in ["waiting", "paused", "failed", "timed_out"] {
            let filter = ListFilter { status: Some(status.to_owned()), limit: LOOKED_AT, ..ListFilter::default() };
            for run in self.list(&filter).await? {
                let view = match self.view(run.id, false).await {
                    Err(ServiceError::NotFound { .. }) => continue, // forgotten just now
                    view => view?,
                };
                if status != "waiting" || view.waits_for_somebody() {
                    waiting.push(view);
                }
            }
        }
        waiting.sort_by(|a, b| b.execution_id.cmp(&a.execution_id));
        Ok(waiting)
    }

    /// The steps of an execution that began and reach outside: what a cancel would leave behind.
    ///
    /// # Errors
    /// No such execution, or the store fails.
    pub async fn effects_of(&self, id: RunId) -> Result<Vec<String>, ServiceError> {
        let (run, flow) = self.run(id).await?;
        let reaches = |class| matches!(class, EffectClass::AtLeastOnce | EffectClass::AtMostOnce);
        let begun = |state| !matches!(state, StepState::Pending | StepState::Skipped(_));
        let steps = flow.plan.steps.iter().zip(&run.steps);
        Ok(steps
            .filter(|(step, state)| reaches(step.effect) && begun(state.state))
            .map(|(step, _)| step.name.clone())
            .collect())
    }
}
