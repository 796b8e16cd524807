//! What a run leaves when it is over.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::cached::{self, Slot};
use super::carried::Carried;
use super::raw;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::machine;
use crate::domain::plan::OnError;
use crate::domain::run::{Outcome, RunState, StepState};
use crate::domain::time::Timestamp;
use crate::language::render;
use crate::store::cache::CachedResult;

/// What a finished run leaves.
#[derive(Default)]
pub struct Ending {
    pub outputs: Option<Box<RawValue>>,
    pub fault: Option<Fault>,
    pub warnings: Vec<String>,
}

impl Carried {
    /// What a run gave that did the work itself may be as good for later ones.
    pub(super) fn keep_for_others(&mut self, outputs: Option<&RawValue>, now: Timestamp) {
        if let Some(outputs) = outputs.filter(|_| self.run.recalled.is_none())
            && let Some(Slot { key, expires_at }) = cached::slot_of_run(self, now)
        {
            self.results.push(CachedResult { key, outputs: outputs.to_owned(), expires_at });
        }
    }

    /// What a finished run leaves: outputs, and what people should know.
    pub(super) fn ending(&self) -> Ending {
        if let Some(outputs) = &self.recalled {
            return Ending { outputs: Some(outputs.clone()), ..Ending::default() };
        }
        let plan = &self.flow.plan;
        let mut warnings = Vec::new();
        for (step, run) in plan.steps.iter().zip(&self.run.steps) {
            warnings.extend(run.warnings.iter().map(|warning| format!("{}: {warning}", step.name)));
            if run.state == StepState::Failed && step.on_error == OnError::Continue {
                let said = run.fault.as_ref().map(ToString::to_string).unwrap_or_default();
                warnings.push(format!("{} failed, and the workflow goes on without it: {said}", step.name));
            }
        }
        let mut ending = Ending { warnings, ..Ending::default() };
        match self.run.state {
            RunState::Finished(Outcome::Completed) => match self.run_outputs() {
                Ok(outputs) => ending.outputs = Some(raw(&outputs)),
                Err(fault) => ending.warnings.push(format!("the workflow's outputs could not be made: {fault}")),
            },
            RunState::Finished(Outcome::TimedOut) if self.run.asking.iter().any(|asking| asking.step.is_none()) => {
                ending.fault = Some(machine::unanswered());
            }
            RunState::Finished(Outcome::TimedOut) if self.run.started_at.is_none() => {
                let limit = plan.queue.map(|span| span.to_string()).unwrap_or_default();
                let message = format!("the execution waited longer than {limit} for its turn");
                ending.fault = Some(Fault::permanent(code::WF4004, message));
            }
            RunState::Finished(Outcome::TimedOut) => {
                let limit = plan.timeout.map(|span| span.to_string()).unwrap_or_default();
                let message = format!("the execution took longer than its timeout of {limit}");
                ending.fault = Some(Fault::permanent(code::WF4004, message));
            }
            _ => {}
        }
        ending
    }

    fn run_outputs(&self) -> Result<Map<String, Value>, Fault> {
        let declared = &self.flow.plan.outputs;
        if let Some(fault) = self.lost.values().next().filter(|_| !declared.is_empty()) {
            return Err(fault.clone());
        }
        let facts = self.facts(None, !declared.is_empty(), None);
        declared.iter().map(|(name, text)| Ok((name.clone(), render::scalar(text, &facts.view())?))).collect()
    }
}
