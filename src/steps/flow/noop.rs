//! `noop`: does nothing, and succeeds. A place to hang `needs`, `when` or `outputs` on.

use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;

use crate::contract::step::{Attempt, Done, StepHandler, StepResult};
use crate::domain::plan::EffectClass;
use crate::language::catalog::{StepType, Undo};

/// Nothing to set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {}

/// The step type `noop`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Noop;

impl StepHandler for Noop {
    fn declare(&self) -> StepType {
        StepType {
            name: "noop",
            summary: "does nothing, and succeeds",
            config: schema_for!(Config).to_value(),
            consumes: Vec::new(),
            produces: Vec::new(),
            outputs: &[],
            effect: EffectClass::Pure,
            cacheable: true,
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
