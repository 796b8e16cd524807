//! `group`: holds steps. With `foreach` they run once for each item, each item on its own.
//!
//! ```yaml
//! - type: group
//!   foreach: { in: "${{ inputs.files }}", as: file, max_parallel: 4 }
//!   config:
//!     steps:
//!       - { type: fetch, id: head, config: { url: "${{ file.url }}" } }
//!       - { type: noop, when: steps.head.outputs.status == 200 }
//! ```
//! The steps are the engine's to run; the group itself has nothing to do.

use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::contract::step::{Attempt, Done, StepHandler, StepResult};
use crate::domain::plan::EffectClass;
use crate::language::catalog::{StepType, Undo};

/// What it holds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the language; here for the documentation of the type")]
struct Config {
    /// The steps.
    steps: Vec<Map<String, Value>>,
    /// `sequence`: one after the other; `parallel`: side by side.
    #[serde(default)]
    mode: Mode,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Sequence,
    Parallel,
}

/// The step type `group`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Group;

impl StepHandler for Group {
    fn declare(&self) -> StepType {
        StepType {
            name: "group",
            summary: "holds steps: one after the other, side by side, or once for each item of a list",
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

    fn run<'a>(&'a self, _attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move { Done::default().into() })
    }
}
