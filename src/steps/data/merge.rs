//! `merge`: brings together what the steps before it gave.
//!
//! ```yaml
//! - { type: fetch, id: north, parallel_group: 1, config: { url: "https://north.acme.eu/orders" } }
//! - { type: fetch, id: south, parallel_group: 1, config: { url: "https://south.acme.eu/orders" } }
//! - { type: merge }
//! ```
//! Gives `records`, the rows of all of them in the order of their ids, each with its step's id in `_from`; and
//! `merged`, the other outputs of each by step id.

use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::formats::lists;
use super::rows::{FROM, check_size, given};
use crate::contract::step::{Attempt, Bound, Done, StepHandler, StepOutcome, StepResult};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::plan::EffectClass;
use crate::language::catalog::{Port, PortType, StepType, Undo};
use crate::steps::intake::blocking;

/// There is nothing to say.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {}

/// The step type `merge`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Merge;

impl StepHandler for Merge {
    fn declare(&self) -> StepType {
        StepType {
            name: "merge",
            summary: "brings together what the steps before it gave",
            config: schema_for!(Config).to_value(),
            consumes: vec![Port::gathers(PortType::Any)],
            produces: vec![Port::gives("records", PortType::Records), Port::gives("merged", PortType::Any)],
            outputs: &["records", "merged", "rows", "source"],
            effect: EffectClass::Pure,
            cacheable: true,
            undo: Undo::Nothing,
            overridable: &[],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move {
            let Config {} = attempt.config()?;
            let given: Vec<(String, Bound)> =
                attempt.ports.iter().map(|(name, bound)| (name.clone(), bound.clone())).collect();
            if given.is_empty() {
                return Err(Fault::permanent(code::WF2401, "no step before this one gave anything")
                    .fix("put the steps to merge before this one, or name them in `needs`"));
            }
            blocking(move || merge(given)).await.map(StepOutcome::Done)
        })
    }
}

fn merge(steps: Vec<(String, Bound)>) -> Result<Done, Fault> {
    let (mut rows, mut merged, mut sources) = (Vec::new(), Map::new(), Vec::new());
    for (id, bound) in steps {
        let (list, others) = parts(&bound);
        if let Some(list) = list {
            let named = |fault: Fault| Fault { message: format!("`{id}`: {}", fault.message), ..fault };
            for mut row in lists::rows_of(list.clone(), 0).map_err(named)? {
                row.entry(FROM).or_insert_with(|| id.clone().into());
                rows.push(row);
            }
        }
        sources.extend(others.get("source").and_then(Value::as_str).map(str::to_owned));
        merged.insert(id, Value::Object(others));
    }
    let count = rows.len();
    let records = given(rows);
    check_size(&records)?;
    sources.dedup();
    let source = if sources.is_empty() { Value::Null } else { sources.join(", ").into() };
    let mut done = Done::with(json!({ "merged": merged, "rows": count, "source": source }));
    done.outputs.insert("records".to_owned(), records);
    Ok(done)
}

/// The rows that a step gave, and its other outputs.
fn parts(bound: &Bound) -> (Option<&Value>, Map<String, Value>) {
    match bound {
        Bound::Output(outputs, bound) => {
            let list = |name: &str| outputs.get(name).filter(|value| value.is_array());
            let name = if list(bound).is_some() { bound } else { "records" };
            let others = outputs.iter().filter(|(other, _)| *other != name && *other != "records");
            let others = others.map(|(name, value)| (name.clone(), value.clone())).collect();
            (list(name), others)
        }
        Bound::Value(list @ Value::Array(_)) => (Some(list), Map::new()),
        Bound::Value(value) => (None, Map::from_iter([("value".to_owned(), value.clone())])),
    }
}
