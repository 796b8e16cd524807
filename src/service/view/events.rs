//! What happened in an execution as a stream for programs: numbered from 1, so that a reader goes on where it was.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::history::say;
use super::progress::FaultView;
use crate::domain::event::{Entry, Event};
use crate::domain::machine;
use crate::domain::run::{Flow, Run};
use crate::store::journal::History;

/// Outputs of a step up to this many bytes go along; larger ones are fetched from the execution.
const SMALL: usize = 4 * 1024;

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

/// The events after number `after`.
pub(in crate::service) fn frames(history: &History, flow: &Flow, after: u64) -> Vec<EventView> {
    let mut run = Run::new(history.row.id, flow, history.row.created_at);
    let mut frames = Vec::new();
    for (seq, (at, event)) in (1..).zip(&history.entries) {
        machine::apply(&mut run, flow, *at, event);
        if seq > after {
            frames.extend(frame_of(history, flow, &run, (seq, &(*at, event.clone()))));
        }
    }
    frames
}

/// One event may concern several steps; each gets its own frame, all with the same number.
fn frame_of(history: &History, flow: &Flow, run: &Run, (seq, entry): (u64, &Entry)) -> Vec<EventView> {
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
        result: step.and_then(|step| result(event, history.outputs.get(&step).map(|outputs| &**outputs))),
        text: text.clone(),
    };
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
        | Event::StepInterrupted { step, .. } => vec![frame(Some(*step))],
        Event::StepsSkipped { steps, .. } | Event::StepsCancelled { steps } | Event::Reopened { steps, .. } => {
            steps.iter().map(|step| frame(Some(*step))).collect()
        }
        _ => vec![frame(None)],
    }
}

/// What a handler would say: `success` with its outputs, `failed`, `timeout`.
fn result(event: &Event, outputs: Option<&RawValue>) -> Option<Value> {
    match event {
        Event::StepSucceeded { warnings, .. } => {
            let small = outputs.filter(|outputs| outputs.get().len() <= SMALL);
            let outputs = small.and_then(|outputs| serde_json::from_str::<Value>(outputs.get()).ok());
            Some(json!({ "status": "success", "result": outputs, "warnings": warnings }))
        }
        Event::StepFailed { fault, .. } | Event::StepRetrying { fault, .. } => {
            let timed_out = fault.code.class() == crate::domain::code::Class::Timeout;
            let status = if timed_out { "timeout" } else { "failed" };
            Some(json!({ "status": status, "error": FaultView::from(&**fault) }))
        }
        _ => None,
    }
}
