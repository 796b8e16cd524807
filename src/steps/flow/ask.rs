//! `ask`: people fill in what the run needs. What was given at the start is not asked for again.
//!
//! ```yaml
//! - type: ask
//!   id: booking
//!   config:
//!     form:
//!       cost_center: { label: "Which cost centre?" }
//!       urgent: { type: boolean }
//!     expires: 2d
//! ```

use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::contract::step::{Attempt, Done, StepHandler, StepOutcome, StepResult};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::plan::{EffectClass, InputType};
use crate::domain::question::Question;
use crate::domain::time::Timestamp;
use crate::language::catalog::{StepType, Undo};
use crate::steps::duration::Seconds;

/// What is asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// What people fill in: name to what it is.
    form: Map<String, Value>,
    /// How long it waits; without it for ever.
    expires: Option<Seconds>,
}

/// One field of the form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Field {
    /// What it must be; the types of inputs.
    #[serde(rename = "type")]
    kind: InputType,
    /// What to call it.
    label: Option<String>,
    /// The values to choose from.
    options: Vec<Value>,
    /// What it is when it is not among the inputs and nobody has to be asked.
    default: Option<Value>,
}

impl Default for Field {
    fn default() -> Self {
        Self { kind: InputType::String, label: None, options: Vec::new(), default: None }
    }
}

/// The step type `ask`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ask;

impl StepHandler for Ask {
    fn declare(&self) -> StepType {
        StepType {
            name: "ask",
            summary: "waits until people have filled in what the run needs",
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
            let Config { form, expires } = attempt.config()?;
            let (mut given, mut questions) = (Map::new(), Vec::new());
            for (key, field) in form {
                let field = field_of(attempt, &key, field)?;
                let value = attempt.inputs.get(&key).filter(|value| !value.is_null()).cloned().or(field.default);
                match value {
                    Some(value) => _ = given.insert(key, value),
                    None => {
                        let label = field.label.unwrap_or_else(|| key.clone());
                        questions.push(Question { key, label, kind: field.kind, options: field.options });
                    }
                }
            }
            if questions.is_empty() {
                return Done { outputs: given, warnings: Vec::new() }.into();
            }
            let until = expires.map_or(Timestamp::NEVER, |Seconds(span)| attempt.now.plus(span).min(Timestamp::NEVER));
            Ok(StepOutcome::Ask { questions, until })
        })
    }
}

fn field_of(attempt: &Attempt, key: &str, field: Value) -> Result<Field, Fault> {
    if field.is_null() {
        return Ok(Field::default());
    }
    // `name: type` is short for `name: { type: type }`, as under `inputs`.
    let field = if field.is_string() { serde_json::json!({ "type": field }) } else { field };
    serde_json::from_value(field).map_err(|error| {
        let place = format!("{}.config.form.{key}", attempt.step);
        Fault::permanent(code::WF2001, format!("`form.{key}`: {error}")).at(place)
    })
}
