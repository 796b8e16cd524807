//! `prepare`: makes a message of a template and of what is known, for the steps that tell it to people.
//!
//! ```yaml
//! - type: prepare
//!   config: { template: notification_template, variables: dynamic }
//! ```
//! Gives `message` (`subject`, `title`, `text`, `fields`, `links`). A template that names what is not there fails the step:
//! nobody is told half a sentence.

use std::path::PathBuf;

use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::template::{self, Written};
use super::variables::Given;
use crate::contract::step::{Attempt, Done, StepHandler, StepResult};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::plan::EffectClass;
use crate::language::catalog::{Port, PortType, StepType, Undo};

/// What to say.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The template: its name in `messages/`, or the message itself; without it the shipped `notification_template`.
    template: Option<Written>,
    /// What the template may name: `dynamic` for everything that is known, or a map.
    #[serde(default)]
    variables: Named,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected `dynamic`, or a map of names and values")]
enum Named {
    Word(Dynamic),
    Map(Map<String, Value>),
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Dynamic {
    #[default]
    Dynamic,
}

impl Default for Named {
    fn default() -> Self {
        Self::Word(Dynamic::Dynamic)
    }
}

/// The step type `prepare`.
#[derive(Debug, Clone)]
pub struct Prepare {
    folders: Vec<PathBuf>,
}

impl Prepare {
    /// A `prepare` step that finds templates in these folders.
    #[must_use]
    pub const fn new(folders: Vec<PathBuf>) -> Self {
        Self { folders }
    }
}

impl StepHandler for Prepare {
    fn declare(&self) -> StepType {
        StepType {
            name: "prepare",
            summary: "makes a message of a template, for the steps that tell it to people",
            config: schema_for!(Config).to_value(),
            consumes: vec![Port::collects(PortType::Any)],
            produces: vec![Port::gives("message", PortType::Message)],
            outputs: &["message"],
            effect: EffectClass::Pure,
            cacheable: false,
            undo: Undo::Nothing,
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move {
            let Config { template, variables } = attempt.config()?;
            let only = match variables {
                Named::Word(Dynamic::Dynamic) => None,
                Named::Map(map) => Some(map),
            };
            let given = Given::new(attempt, only);
            let message = template::message(template, &given, &self.folders).map_err(|fault| placed(fault, attempt))?;
            if message.is_empty() {
                let fault = Fault::permanent(code::WF2154, "the template makes a message without a word");
                return Err(fault.at(format!("{}.config.template", attempt.step)));
            }
            Done::with(json!({ "message": message })).into()
        })
    }
}

fn placed(fault: Fault, attempt: &Attempt) -> Fault {
    if fault.place.is_some() { fault } else { fault.at(format!("{}.config.template", attempt.step)) }
}
