//! `dynamic`: runs steps that an earlier step made, checked like those of a file, as an execution of their own.
//!
//! ```yaml
//! - { type: dynamic, config: { steps: "${{ steps.plan.outputs.steps }}" } }
//! ```
//! This is the one place where data becomes steps: take it only from a step that you trust.

use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::contract::directory::Wanted;
use crate::contract::step::{Attempt, Nest, StepHandler, StepOutcome, StepResult};
use crate::domain::plan::EffectClass;
use crate::language::catalog::{StepType, Undo};

/// What is to be run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The steps, as a workflow file has them.
    steps: Vec<Value>,
    /// What to call them; the step's own id when absent.
    name: Option<String>,
    /// Their inputs.
    #[serde(default)]
    inputs: Map<String, Value>,
}

/// The step type `dynamic`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dynamic;

impl StepHandler for Dynamic {
    fn declare(&self) -> StepType {
        StepType {
            name: "dynamic",
            summary: "runs steps that an earlier step made",
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
            let Config { steps, name, inputs } = attempt.config()?;
            let name = name.unwrap_or_else(|| format!("{} of {}", attempt.step, attempt.workflow));
            Ok(StepOutcome::Nest(Nest { wanted: Wanted::Steps { name, steps }, inputs, wait: true }))
        })
    }
}
