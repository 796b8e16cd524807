//! `undo`: takes back what one step of an execution did. What `rollback` is made of.

use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;

use crate::contract::step::{Attempt, StepHandler, StepOutcome, StepResult};
use crate::domain::id::RunId;
use crate::domain::plan::EffectClass;
use crate::language::catalog::{StepType, Undo};

/// The config of a `undo` step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The execution.
    #[schemars(with = "String")]
    execution: RunId,
    /// The step, by its place from 0.
    position: usize,
}

/// The step type `undo`.
#[derive(Debug, Clone, Copy, Default)]
pub struct UndoStep;

impl StepHandler for UndoStep {
    fn declare(&self) -> StepType {
        StepType {
            name: "undo",
            summary: "takes back what one step of an execution did",
            config: schema_for!(Config).to_value(),
            consumes: Vec::new(),
            produces: Vec::new(),
            outputs: &["execution", "step", "type", "result", "what", "execution_id"],
            effect: EffectClass::Idempotent,
            cacheable: false,
            undo: Undo::Nothing,
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move {
            let Config { execution, position } = attempt.config()?;
            Ok(StepOutcome::Undo { run: execution, step: position })
        })
    }
}
