//! `checkpoint`: marks a place in a run; a `rollback` may go back to it.

use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;

use crate::contract::step::{Attempt, Done, StepHandler, StepResult};
use crate::domain::plan::EffectClass;
use crate::language::catalog::{StepType, Undo};

/// The config of a `checkpoint` step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {}

/// The step type `checkpoint`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Checkpoint;

impl StepHandler for Checkpoint {
    fn declare(&self) -> StepType {
        StepType {
            name: "checkpoint",
            summary: "marks a place that a rollback can go back to",
            config: schema_for!(Config).to_value(),
            consumes: Vec::new(),
            produces: Vec::new(),
            outputs: &[],
            effect: EffectClass::Idempotent,
            cacheable: false,
            undo: Undo::Nothing,
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move {
            let Config {} = attempt.config()?;
            Done::default().into()
        })
    }
}
