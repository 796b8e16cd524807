//! `test`: a step for trying things out: it can give any outputs, take time, and fail as often as it is told to.
//!
//! ```yaml
//! - { type: test }
//! - { type: test, config: { sleep: 2s, fail: "the line is down", times: 2, outputs: { answer: 42 } } }
//! ```
//! The second one sleeps in each attempt, fails twice, and succeeds at the third.

use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::contract::step::{Attempt, Done, StepHandler, StepResult};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::plan::EffectClass;
use crate::language::catalog::{StepType, Undo};
use crate::steps::duration::Seconds;

/// What the step pretends.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The outputs it gives, as they are.
    #[serde(default)]
    outputs: Map<String, Value>,
    /// How long each attempt takes.
    sleep: Option<Seconds>,
    /// The message with which it fails.
    fail: Option<String>,
    /// How many attempts fail before one succeeds; without it every attempt fails.
    times: Option<u32>,
}

/// The step type `test`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Test;

impl StepHandler for Test {
    fn declare(&self) -> StepType {
        StepType {
            name: "test",
            summary: "pretends to work: gives the outputs it is told to, after a while, or fails",
            config: schema_for!(Config).to_value(),
            consumes: Vec::new(),
            produces: Vec::new(),
            outputs: &[StepType::ANY_OUTPUT],
            effect: EffectClass::Idempotent,
            cacheable: true,
            undo: Undo::Nothing,
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move {
            let config: Config = attempt.config()?;
            if let Some(Seconds(span)) = config.sleep {
                let slept = attempt.cancel.run_until_cancelled(tokio::time::sleep(span.duration())).await;
                slept.ok_or_else(|| Fault::transient(code::WF4007, format!("`{}` was stopped", attempt.step)))?;
            }
            match config.fail {
                Some(message) if config.times.is_none_or(|times| attempt.number <= times) => {
                    Err(Fault::transient(code::WF3002, message))
                }
                _ => Done { outputs: config.outputs, warnings: Vec::new() }.into(),
            }
        })
    }
}
