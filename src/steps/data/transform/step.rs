//! The step types `transform` and `process`: one engine, two names.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::convert::CellType;
use super::engine::{Operation, Rules, Work};
use crate::contract::step::{Attempt, StepHandler, StepOutcome, StepResult};
use crate::domain::plan::EffectClass;
use crate::language::catalog::{Port, PortType, StepType, Undo};
use crate::steps::intake::blocking;
use crate::steps::script::fetch::config::Listed;

const OUTPUTS: &[&str] = &["records", "rejects", "rows", "dropped", "counts", "source"];

/// The config of a `transform` step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// What to do, in this order.
    #[serde(default = "normalize_only")]
    operations: Vec<Operation>,
    /// For `deduplicate`: the columns by which rows are told apart; else `id`, else the whole row.
    key: Option<Listed<String>>,
    /// For `normalize`: what columns shall hold. What is not named here stays as it came.
    #[serde(default)]
    types: BTreeMap<String, CellType>,
    /// For `enrich`: columns to add, with their values.
    #[serde(default)]
    set: Map<String, Value>,
}

/// The config of a `process` step: that of `transform`, and its name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProcessConfig {
    /// What to do.
    #[serde(default, rename = "operation")]
    _operation: Processing,
    /// What that means, in this order.
    #[serde(default = "normalize_only")]
    operations: Vec<Operation>,
    /// For `deduplicate`: the columns by which rows are told apart; else `id`, else the whole row.
    key: Option<Listed<String>>,
    /// For `normalize`: what columns shall hold. What is not named here stays as it came.
    #[serde(default)]
    types: BTreeMap<String, CellType>,
    /// For `enrich`: columns to add, with their values.
    #[serde(default)]
    set: Map<String, Value>,
}

/// What `process` can do; another word is refused when the config is read.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Processing {
    /// What `transform` does.
    #[default]
    Transform,
}

fn normalize_only() -> Vec<Operation> {
    vec![Operation::Normalize]
}

/// The step type `transform`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Transform;

/// The step type `process`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Process;

impl StepHandler for Transform {
    fn declare(&self) -> StepType {
        declaration("transform", "cleans rows, drops doubles, adds what is known about them", schema_for!(Config))
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move {
            let Config { operations, key, types, set } = attempt.config()?;
            work(attempt, operations, Rules { key, types, set }).await
        })
    }
}

impl StepHandler for Process {
    fn declare(&self) -> StepType {
        declaration("process", "does with the rows of an answer what `transform` does", schema_for!(ProcessConfig))
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move {
            let ProcessConfig { operations, key, types, set, .. } = attempt.config()?;
            work(attempt, operations, Rules { key, types, set }).await
        })
    }
}

fn declaration(name: &'static str, summary: &'static str, config: schemars::Schema) -> StepType {
    StepType {
        name,
        summary,
        config: config.to_value(),
        consumes: vec![Port::needs("records", PortType::Records)],
        produces: vec![Port::gives("records", PortType::Records)],
        outputs: OUTPUTS,
        effect: EffectClass::Pure,
        cacheable: true,
        undo: Undo::Nothing,
        overridable: &[],
    }
}

async fn work(attempt: &Attempt, operations: Vec<Operation>, rules: Rules) -> StepResult {
    let work = Work::of(attempt, operations, rules)?;
    // A hundred thousand rows would hold up whoever shares this thread.
    blocking(move || work.run()).await.map(StepOutcome::Done)
}
