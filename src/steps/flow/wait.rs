//! `wait`: lets time pass. Holds no worker and no connection meanwhile, and outlives a restart.
//!
//! ```yaml
//! - { type: wait, config: { for: 30m } }
//! - { type: wait, config: { until: "2027-03-28T09:00:00+02:00" } }
//! ```

use chrono::DateTime;
use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::Value;

use crate::contract::step::{Attempt, StepHandler, StepOutcome, StepResult};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::plan::EffectClass;
use crate::domain::time::Timestamp;
use crate::language::catalog::StepType;
use crate::steps::duration::Seconds;

/// How long; exactly one of the two.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// How long to wait from the moment the step starts.
    #[serde(rename = "for")]
    span: Option<Seconds>,
    /// Until when to wait: date, time and offset. A time that has passed does not wait.
    #[schemars(extend("format" = "date-time"))]
    until: Option<String>,
    /// Known, so that it can be refused by name.
    #[schemars(skip)]
    event: Option<Value>,
}

/// The step type `wait`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wait;

impl StepHandler for Wait {
    fn declare(&self) -> StepType {
        StepType {
            name: "wait",
            summary: "waits for a while, or until a point in time",
            config: schema_for!(Config).to_value(),
            consumes: Vec::new(),
            produces: Vec::new(),
            outputs: &[],
            effect: EffectClass::Idempotent,
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move {
            let config: Config = attempt.config()?;
            let wrong = |key: &str, message: String| {
                Err(Fault::permanent(code::WF2001, message).at(format!("{}.config{key}", attempt.step)))
            };
            match config {
                Config { event: Some(_), .. } => wrong(".event", "`event` is not supported yet".to_owned())
                    .map_err(|fault: Fault| fault.fix("wait with `for` or `until`")),
                Config { span: Some(Seconds(span)), until: None, .. } => {
                    Ok(StepOutcome::WaitUntil(attempt.now.plus(span)))
                }
                Config { span: None, until: Some(text), .. } => match DateTime::parse_from_rfc3339(text.trim()) {
                    Ok(time) => Ok(StepOutcome::WaitUntil(Timestamp::from_micros(time.timestamp_micros()))),
                    Err(_) => wrong(
                        ".until",
                        format!("`until`: `{}` is no point in time", text.chars().take(40).collect::<String>()),
                    )
                    .map_err(|fault| fault.fix("write date, time and offset, as `2027-03-28T09:00:00+02:00`")),
                },
                Config { span: Some(_), until: Some(_), .. } => {
                    wrong("", "`for` and `until` stand together, and only one can hold".to_owned())
                }
                Config { .. } => wrong("", "`for` or `until` is missing".to_owned()),
            }
        })
    }
}
