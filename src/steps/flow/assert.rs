//! `assert`: stops the run when something that must be true is not.
//!
//! ```yaml
//! - type: assert
//!   config: { that: "${{ steps.extract.outputs.fetched > 0 }}", message: the source was empty }
//! ```
//! `that` must be true or false: a text, a number or an empty list is never taken for one.

use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;

use crate::contract::step::{Attempt, Done, StepHandler, StepResult};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::plan::EffectClass;
use crate::language::catalog::{StepType, Undo};

/// What must hold.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// What must be true.
    that: bool,
    /// What to tell people when it is not.
    message: Option<String>,
}

/// The step type `assert`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Assert;

impl StepHandler for Assert {
    fn declare(&self) -> StepType {
        StepType {
            name: "assert",
            summary: "fails the run unless a condition holds",
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
            let Config { that, message } = attempt.config()?;
            if that {
                return Done::default().into();
            }
            let message = message.unwrap_or_else(|| format!("the assertion of `{}` does not hold", attempt.step));
            Err(Fault::permanent(code::WF2006, message).at(format!("{}.config.that", attempt.step)))
        })
    }
}
