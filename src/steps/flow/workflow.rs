//! `workflow`: another workflow does the work, as an execution of its own.
//!
//! ```yaml
//! - type: workflow
//!   id: invoice
//!   config: { id: invoice_intake, inputs: { file_path: "${{ item }}" } }
//! ```
//! The step gives what that execution gives, and `execution_id`. Its version is the one of the moment when the outermost
//! execution was started.

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
    /// The workflow: its name or its id.
    id: String,
    /// Its inputs.
    #[serde(default)]
    inputs: Map<String, Value>,
    /// `false`: the step is done as soon as the other execution has begun, and gives only its `execution_id`.
    #[serde(default = "yes")]
    wait: bool,
}

const fn yes() -> bool {
    true
}

/// The step type `workflow`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Workflow;

impl StepHandler for Workflow {
    fn declare(&self) -> StepType {
        StepType {
            name: "workflow",
            summary: "runs another workflow and gives what it gives",
            config: schema_for!(Config).to_value(),
            consumes: Vec::new(),
            produces: Vec::new(),
            outputs: &[StepType::ANY_OUTPUT],
            effect: EffectClass::Idempotent,
            cacheable: false,
            undo: Undo::Nothing,
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move {
            let Config { id, inputs, wait } = attempt.config()?;
            Ok(StepOutcome::Nest(Nest { wanted: Wanted::Workflow(id), inputs, wait }))
        })
    }
}
