//! `switch`: one of several lists of steps runs, as a value says.
//!
//! ```yaml
//! - type: switch
//!   id: kind
//!   config:
//!     on: ${{ steps.fields.outputs.kind }}
//!     cases:
//!       invoice: [{ type: noop, name: Book It }]
//!       receipt: [{ type: noop, name: File It }]
//!     else: [{ type: noop, name: Look At It }]
//! ```
//! A number or a truth is compared as it is written: `on: ${{ 404 }}` takes the case `404`.

use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::contract::step::{Attempt, Done, StepHandler, StepResult};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::plan::EffectClass;
use crate::language::catalog::{StepType, Undo};

/// What it looks at, and what it holds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the language; here for the documentation of the type")]
struct Written {
    /// The value that decides: a text, a number, or true or false.
    on: Value,
    /// For each value the steps that run then.
    cases: Map<String, Value>,
    /// The steps that run when no case fits; without it none does.
    #[serde(default, rename = "else")]
    other: Option<Value>,
}

/// The same, as the language leaves it: the labels of the cases, without their steps.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    on: Value,
    cases: Vec<String>,
}

/// The step type `switch`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Switch;

impl StepHandler for Switch {
    fn declare(&self) -> StepType {
        StepType {
            name: "switch",
            summary: "runs the steps of the case that a value names",
            config: schema_for!(Written).to_value(),
            consumes: Vec::new(),
            produces: Vec::new(),
            outputs: &["case", "value"],
            effect: EffectClass::Pure,
            cacheable: true,
            undo: Undo::Nothing,
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move {
            let Config { on, cases } = attempt.config()?;
            let text = match &on {
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => on.to_string(),
                Value::Null => String::new(),
                _ => {
                    let message = "`on` is a list or a map, and cases are compared with a text".to_owned();
                    return Err(Fault::permanent(code::WF2001, message).at(format!("{}.config.on", attempt.step)));
                }
            };
            let case = cases.into_iter().find(|case| *case == text);
            Done::with(json!({ "case": case, "value": on })).into()
        })
    }
}
