//! `rollback`: takes back what the run has done, newest first, as an execution of its own.

use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;

use crate::contract::step::{Attempt, StepHandler, StepOutcome, StepResult};
use crate::domain::plan::EffectClass;
use crate::language::catalog::{StepType, Undo};

/// The config of a `rollback` step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The id of a step: only what was done after it is taken back.
    to: Option<String>,
}

/// The step type `rollback`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rollback;

impl StepHandler for Rollback {
    fn declare(&self) -> StepType {
        StepType {
            name: "rollback",
            summary: "takes back what the run has done, newest first",
            config: schema_for!(Config).to_value(),
            consumes: Vec::new(),
            produces: Vec::new(),
            outputs: &["execution_id"],
            effect: EffectClass::Idempotent,
            cacheable: false,
            undo: Undo::Nothing,
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move {
            let Config { to } = attempt.config()?;
            Ok(StepOutcome::RollBack { to })
        })
    }
}
