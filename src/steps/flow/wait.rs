//! `wait`: lets time pass. Holds no worker and no connection meanwhile, and outlives a restart.
//!
//! ```yaml
//! - { type: wait, config: { for: 30m } }
//! - { type: wait, config: { until: "2027-03-28T09:00:00+02:00" } }
//! - { type: wait, config: { event: payment.received, expires: 3d } }
//! ```

use chrono::DateTime;
use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;

use crate::contract::step::{Attempt, StepHandler, StepOutcome, StepResult};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::plan::EffectClass;
use crate::domain::time::Timestamp;
use crate::language::catalog::{StepType, Undo};
use crate::steps::duration::Seconds;

/// How long; exactly one of the three.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// How long to wait from the moment the step starts.
    #[serde(rename = "for")]
    span: Option<Seconds>,
    /// Until when to wait: date, time and offset. A time that has passed does not wait.
    #[schemars(extend("format" = "date-time"))]
    until: Option<String>,
    /// The name of an event to wait for; whoever sends it names this execution.
    event: Option<String>,
    /// How long to wait for the event; without it for ever.
    expires: Option<Seconds>,
}

/// The step type `wait`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wait;

impl StepHandler for Wait {
    fn declare(&self) -> StepType {
        StepType {
            name: "wait",
            summary: "waits for a while, until a point in time, or for an event",
            config: schema_for!(Config).to_value(),
            consumes: Vec::new(),
            produces: Vec::new(),
            outputs: &["event", "payload"],
            effect: EffectClass::Idempotent,
            cacheable: false,
            undo: Undo::Nothing,
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
                Config { event: Some(event), span: None, until: None, expires } => {
                    let until = expires.map_or(Timestamp::NEVER, |Seconds(span)| attempt.now.plus(span));
                    Ok(StepOutcome::Listen { event, until: until.min(Timestamp::NEVER) })
                }
                Config { event: Some(_), .. } => {
                    wrong(".event", "`event` stands with `for` or `until`, and only one can hold".to_owned())
                        .map_err(|fault: Fault| fault.fix("say how long the event may take with `expires`"))
                }
                Config { expires: Some(_), .. } => wrong(".expires", "`expires` belongs to `event`".to_owned()),
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
                Config { .. } => wrong("", "`for`, `until` or `event` is missing".to_owned()),
            }
        })
    }
}
