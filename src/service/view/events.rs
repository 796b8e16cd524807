//! What happened in an execution as a stream for programs: numbered from 1, so that a reader goes on where it was.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::history::say;
use super::progress::FaultView;
use crate::domain::event::{Entry, Event};
use crate::domain::run::{Flow, Run};

/// Outputs of a step up to this many bytes go along; larger ones are fetched from the execution.
const SMALL: usize = 4 * 1024;
/// Steps that are no further apart are read together.
const NEIGHBOURS: usize = 8;

/// One event of an execution.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventView {
    /// `workflow_progress` for a step, `execution` for the whole.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The execution.
    pub execution_id: String,
    /// Its number within the execution, from 1.
    pub seq: u64,
    /// When it happened; RFC 3339.
    pub at: String,
    /// The step's place, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// Which of the step's items it concerns, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// The step's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The status of the step, or of the execution, after it.
    pub status: &'static str,
    /// What came of it: `{status, result}` once a step has ended, as its handler says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// What happened, for people.
    pub text: String,
}

/// Events as they are read: what a step gave is looked up at the end, for all together.
#[derive(Default)]
pub(super) struct Frames {
    pub read: Vec<EventView>,
    /// Which of them tell that a step succeeded, and which step that was.
    succeeded: Vec<(usize, usize)>,
}

impl Frames {
    /// One event may concern several steps; each gets its own frame, all with the same number.
    pub fn push(&mut self, flow: &Flow, run: &Run, (seq, entry): (u64, &Entry)) {
        let (at, event) = entry;
        let text = say(event, run, flow);
        let frame = |step: Option<usize>| EventView {
            kind: if step.is_some() { "workflow_progress" } else { "execution" },
            execution_id: run.id.to_string(),
            seq,
            at: at.to_string(),
            step: step.map(|step| run.plan_index(step)),
            item: step.and_then(|step| run.instance(step)).map(|instance| instance.item),
            name: step.map(|step| flow.step(run, step).name.clone()),
            status: step.map_or_else(|| run.state.status(), |step| run.steps[step].state.status()),
            result: step.and_then(|_| result(event)),
            text: text.clone(),
        };
        if let Event::StepSucceeded { step, .. } = event {
            self.succeeded.push((self.read.len(), *step));
        }
        match event {
            Event::StepStarted { step, .. }
            | Event::StepSucceeded { step, .. }
            | Event::StepReused { step, .. }
            | Event::StepFailed { step, .. }
            | Event::StepRetrying { step, .. }
            | Event::StepSleeping { step, .. }
            | Event::ItemsListed { step, .. }
            | Event::StepNested { step, .. }
            | Event::InnerRested { step, .. }
            | Event::ApprovalAsked { step, .. }
            | Event::Decided { step, .. }
            | Event::StepListening { step, .. }
            | Event::StepHeld { step, .. }
            | Event::StepReleased { step, .. }
            | Event::SkipAsked { step, .. }
            | Event::Asked { step: Some(step), .. }
            | Event::StepInterrupted { step, .. } => self.read.push(frame(Some(*step))),
            Event::StepsSkipped { steps, .. } | Event::StepsCancelled { steps } | Event::Reopened { steps, .. } => {
                self.read.extend(steps.iter().map(|step| frame(Some(*step))));
            }
            _ => self.read.push(frame(None)),
        }
    }

    /// The stretches of steps whose outputs are wanted. Neighbours are read together.
    pub fn wanted(&self) -> Vec<Range<usize>> {
        let mut steps: Vec<usize> = self.succeeded.iter().map(|(_, step)| *step).collect();
        steps.sort_unstable();
        let mut stretches: Vec<Range<usize>> = Vec::new();
        for step in steps {
            match stretches.last_mut().filter(|last| step <= last.end + NEIGHBOURS) {
                Some(last) => last.end = step + 1,
                None => stretches.push(step..step + 1),
            }
        }
        stretches
    }

    /// Puts in what steps gave, where it is small.
    pub fn fill(&mut self, outputs: &BTreeMap<usize, Box<RawValue>>) {
        for (frame, step) in &self.succeeded {
            let small = outputs.get(step).filter(|outputs| outputs.get().len() <= SMALL);
            let value = small.and_then(|outputs| serde_json::from_str::<Value>(outputs.get()).ok());
            if let (Some(result), Some(value)) = (&mut self.read[*frame].result, value) {
                result["result"] = value;
            }
        }
    }
}

/// What a handler would say: `success` with its outputs, `failed`, `timeout`.
fn result(event: &Event) -> Option<Value> {
    match event {
        Event::StepSucceeded { warnings, .. } => {
            Some(json!({ "status": "success", "result": null, "warnings": warnings }))
        }
        Event::StepFailed { fault, .. } | Event::StepRetrying { fault, .. } => {
            let timed_out = fault.code.class() == crate::domain::code::Class::Timeout;
            let status = if timed_out { "timeout" } else { "failed" };
            Some(json!({ "status": status, "error": FaultView::from(&**fault) }))
        }
        _ => None,
    }
}
