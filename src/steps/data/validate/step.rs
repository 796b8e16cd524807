//! The step type `validate`.

use std::path::PathBuf;

use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::{Value, json};

use super::report::{Problem, Report, check};
use super::schema::{Schema, Written};
use crate::contract::step::{Attempt, Done, StepHandler, StepOutcome, StepResult};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::plan::EffectClass;
use crate::language::catalog::{Port, PortType, StepType, Undo};
use crate::steps::data::extract::SAMPLE_NAME;
use crate::steps::data::rows::{Taken, given};
use crate::steps::intake::blocking;

/// Problems that the message of a failed step names.
const NAMED: usize = 5;

/// The config of a `validate` step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The schema, or the name of its file; the shipped `data_schema.json` unless told otherwise.
    schema: Option<Written>,
    /// One bad row fails the step; `false` puts bad rows aside and goes on with the others.
    #[serde(default = "yes")]
    strict: bool,
}

const fn yes() -> bool {
    true
}

/// The step type `validate`.
#[derive(Debug, Clone)]
pub struct Validate {
    folders: Vec<PathBuf>,
}

impl Validate {
    /// A `validate` step that finds schema files in these folders.
    #[must_use]
    pub const fn new(folders: Vec<PathBuf>) -> Self {
        Self { folders }
    }
}

impl StepHandler for Validate {
    fn declare(&self) -> StepType {
        StepType {
            name: "validate",
            summary: "holds rows against a JSON Schema",
            config: schema_for!(Config).to_value(),
            consumes: vec![Port::needs("records", PortType::Records)],
            produces: vec![Port::gives("records", PortType::Records)],
            outputs: &["records", "rejects", "report", "schema", "rows", "source"],
            effect: EffectClass::Pure,
            cacheable: true,
            undo: Undo::Nothing,
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move {
            let Config { schema, strict } = attempt.config()?;
            let taken = Taken::from(attempt)?;
            let (folders, place) = (self.folders.clone(), format!("{}.config.schema", attempt.step));
            let work = move || {
                let schema = Schema::find(schema, &folders).map_err(|fault| fault.at(place))?;
                validate(&taken, &schema, strict)
            };
            blocking(work).await.map(StepOutcome::Done)
        })
    }
}

fn validate(taken: &Taken, schema: &Schema, strict: bool) -> Result<Done, Fault> {
    let rows = taken.rows()?;
    let report = check(&rows, &schema.validator);
    let source = taken.beside("source").cloned().unwrap_or(Value::Null);
    let foreign = schema.shipped && source.as_str().is_some_and(|source| source != SAMPLE_NAME);
    let (bad, of) = (report.rejects.len(), rows.len());
    if bad > 0 && strict {
        return Err(refused(&report, of, schema, foreign));
    }
    let problems: Vec<Value> = report.problems.iter().map(Problem::json).collect();
    let summary = json!({
        "schema": schema.name.trim_matches('`'),
        "rows": of,
        "valid": report.valid.len(),
        "rejected": bad,
        "errors": report.count,
        "first_errors": problems,
    });
    let mut done = Done::with(json!({
        "report": summary,
        "schema": schema.text,
        "rows": report.valid.len(),
        "source": source,
    }));
    if bad > 0 {
        let first = report.problems.first().map(Problem::line).unwrap_or_default();
        done = done.warn(format!("{bad} of {of} rows do not fit {} and were put aside: {first}", schema.name));
    }
    if foreign {
        done = done.warn(format!("{} is the schema of the shipped sample set, and these are other rows", schema.name));
    }
    done.outputs.insert("records".to_owned(), given(report.valid));
    done.outputs.insert("rejects".to_owned(), Value::Array(report.rejects));
    Ok(done)
}

fn refused(report: &Report, of: usize, schema: &Schema, foreign: bool) -> Fault {
    let named: Vec<String> = report.problems.iter().take(NAMED).map(Problem::line).collect();
    let mut named = named.join("; ");
    if report.count > NAMED {
        named = format!("{named}; and {} more", report.count - NAMED);
    }
    let bad = report.rejects.len();
    let message =
        format!("{bad} of {of} rows {} not fit {}: {named}", if bad == 1 { "does" } else { "do" }, schema.name);
    let fault = Fault::permanent(code::WF2421, message);
    if foreign {
        return fault.fix("this is the schema of the shipped sample set: write one for your own rows");
    }
    fault
}
