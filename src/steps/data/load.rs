//! `load`: puts rows into a table of the warehouse, all of them or none.
//!
//! ```yaml
//! - { type: load, config: { table: prices, mode: upsert, key: [sku] } }
//! ```
//! A table is made by its first load: with the columns of the schema that a `validate` step before it used, else with
//! those of the rows. Each row says in `_run`, `_step` and `_row` where it came from, and a repeat of the step replaces
//! what the step had brought before.

use std::collections::HashMap;

use futures::future::BoxFuture;
use schemars::{JsonSchema, schema_for};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::formats::Row;
use super::rows::{Taken, is_ours};
use crate::contract::step::{Attempt, Done, Effect, StepHandler, StepResult, Undone};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::plan::EffectClass;
use crate::language::catalog::{Port, PortType, StepType, Undo};
use crate::steps::document::store::Destination;
use crate::steps::intake::blocking;
use crate::steps::script::fetch::config::Listed;
use crate::store::warehouse::{Batch, Cell, Column, Forgotten, Holds, Mode, Warehouse, WarehouseError};

/// What happens to the rows that are in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Written {
    /// They stay.
    #[default]
    Append,
    /// They go.
    Replace,
    /// Those with the same `key` are replaced.
    Upsert,
}

/// The config of a `load` step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Where the table is.
    #[serde(default)]
    destination: Destination,
    /// The table: a letter, then letters, digits and `_`.
    table: String,
    /// What happens to the rows that are in the table.
    #[serde(default)]
    mode: Written,
    /// For `upsert`: the columns that tell rows apart.
    key: Option<Listed<String>>,
}

/// The step type `load`.
#[derive(Clone)]
pub struct Load {
    warehouse: Warehouse,
}

impl Load {
    /// A `load` step into this warehouse.
    #[must_use]
    pub const fn new(warehouse: Warehouse) -> Self {
        Self { warehouse }
    }
}

impl StepHandler for Load {
    fn declare(&self) -> StepType {
        StepType {
            name: "load",
            summary: "puts rows into a table of the built-in database",
            config: schema_for!(Config).to_value(),
            consumes: vec![Port::needs("records", PortType::Records)],
            produces: vec![Port::gives("loaded", PortType::Receipt)],
            outputs: &["loaded", "rows"],
            effect: EffectClass::Idempotent,
            cacheable: false,
            undo: Undo::ByItself,
            overridable: &["table"],
        }
    }

    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult> {
        Box::pin(async move {
            let config: Config = attempt.config()?;
            let place = |key: &str| format!("{}.config.{key}", attempt.step);
            let mode = mode(&config).map_err(|fault| fault.at(place("key")))?;
            let taken = Taken::from(attempt)?;
            let batch = Batch {
                table: config.table.clone(),
                mode,
                run: attempt.run.to_string(),
                step: attempt.step.clone(),
                at: attempt.now.to_string(),
                columns: Vec::new(),
                declared: false,
                rows: Vec::new(),
            };
            let batch = blocking(move || fill(batch, &taken)).await?;
            (attempt.progress)(&format!("{} rows into {}", batch.rows.len(), config.table));
            let columns: Vec<String> = batch.columns.iter().map(|column| column.name.clone()).collect();
            // Dropped halfway it leaves nothing behind; dropped too late, a repeat replaces what it brought.
            let loaded = attempt.cancel.run_until_cancelled(self.warehouse.load(batch)).await;
            let stopped = || Fault::transient(code::WF4007, format!("loading into `{}` was stopped", config.table));
            let loaded = loaded.ok_or_else(stopped)?.map_err(|error| fault(&error, &place("table")))?;
            let mut done = Done::with(json!({
                "loaded": {
                    "destination": config.destination,
                    "table": config.table,
                    "mode": config.mode,
                    "rows": loaded.rows,
                    "replaced_from_earlier_attempt": loaded.repeated,
                    "rows_in_table": loaded.total,
                    "created": loaded.created,
                    "columns": columns,
                },
                "rows": loaded.rows,
            }));
            if !loaded.added.is_empty() {
                let names = loaded.added.join("`, `");
                done = done.warn(format!("the table `{}` has new columns: `{names}`", config.table));
            }
            done.into()
        })
    }

    fn undo<'a>(&'a self, effect: &'a Effect) -> BoxFuture<'a, Result<Undone, Fault>> {
        Box::pin(async move {
            let forgotten = self.warehouse.forget(&effect.run.to_string(), &effect.step).await;
            let forgotten = forgotten.map_err(|error| fault(&error, &effect.step))?;
            if let Some(kept) = forgotten.iter().find(|forgotten| forgotten.rows.is_none()) {
                return Ok(Undone::Lasting(format!(
                    "its rows in `{}` took the place of others, which are gone",
                    kept.table
                )));
            }
            let told =
                |Forgotten { table, rows }: &Forgotten| format!("{} rows taken out of `{table}`", rows.unwrap_or(0));
            let told: Vec<String> = forgotten.iter().map(told).collect();
            Ok(Undone::Gone(if told.is_empty() { "its rows were gone already".to_owned() } else { told.join(", ") }))
        })
    }
}

fn mode(config: &Config) -> Result<Mode, Fault> {
    let key = config.key.as_ref().map(|key| key.as_slice().to_vec()).unwrap_or_default();
    match (config.mode, key.is_empty()) {
        (Written::Upsert, true) => {
            let message = "`mode: upsert` wants a `key`: the columns that tell rows apart";
            Err(Fault::permanent(code::WF2001, message))
        }
        (Written::Upsert, false) => Ok(Mode::Upsert(key)),
        (_, false) => Err(Fault::permanent(code::WF2001, "`key` is for `mode: upsert` only")),
        (Written::Append, true) => Ok(Mode::Append),
        (Written::Replace, true) => Ok(Mode::Replace),
    }
}

/// The batch with its columns and rows.
fn fill(mut batch: Batch, taken: &Taken) -> Result<Batch, Fault> {
    let rows = taken.rows()?;
    let declared = taken.beside("schema").and_then(declared);
    batch.declared = declared.is_some();
    batch.columns = columns(&rows, declared.unwrap_or_default());
    batch.rows.reserve(rows.len());
    for row in rows {
        batch.rows.push(batch.columns.iter().map(|column| whole(cell(row.get(&column.name)), column.holds)).collect());
    }
    Ok(batch)
}

/// The columns that a schema lists, with what they hold.
fn declared(schema: &Value) -> Option<Vec<Column>> {
    let properties = schema.get("properties")?.as_object().filter(|properties| !properties.is_empty())?;
    let column = |(name, property): (&String, &Value)| Column { name: name.clone(), holds: holds(property) };
    Some(properties.iter().map(column).collect())
}

/// What values of this schema need. What is not one plain type stays as it comes.
fn holds(property: &Value) -> Holds {
    let types: Vec<&str> = match property.get("type") {
        Some(Value::String(word)) => vec![word],
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut types = types.into_iter().filter(|word| *word != "null");
    match (types.next(), types.next()) {
        (Some("integer" | "boolean"), None) => Holds::Integer,
        (Some("number"), None) => Holds::Real,
        (Some("string" | "array" | "object"), None) => Holds::Text,
        _ => Holds::Any,
    }
}

/// Those of the schema, then those of the rows in the order of their first appearance; what is ours comes last.
fn columns(rows: &[&Row], declared: Vec<Column>) -> Vec<Column> {
    let mut columns = declared;
    let mut seen: HashMap<String, ()> = columns.iter().map(|column| (column.name.clone(), ())).collect();
    let mut ours = Vec::new();
    for name in rows.iter().flat_map(|row| row.keys()) {
        if seen.contains_key(name) {
            continue;
        }
        seen.insert(name.clone(), ());
        let holds = if is_ours(name) { Holds::Text } else { Holds::Any };
        let column = Column { name: name.clone(), holds };
        if is_ours(name) { ours.push(column) } else { columns.push(column) }
    }
    columns.extend(ours);
    columns
}

/// A value as a cell: lists and objects as their JSON, a number beyond 64 bits as its digits.
fn cell(value: Option<&Value>) -> Cell {
    match value {
        None | Some(Value::Null) => Cell::Null,
        Some(Value::Bool(truth)) => Cell::Int((*truth).into()),
        Some(Value::String(text)) => Cell::Text(text.clone()),
        Some(Value::Number(number)) => match (number.as_i64(), number.is_u64(), number.as_f64()) {
            (Some(whole), _, _) => Cell::Int(whole),
            (None, false, Some(number)) => Cell::Real(number),
            _ => Cell::Text(number.to_string()),
        },
        Some(nested @ (Value::Array(_) | Value::Object(_))) => Cell::Text(nested.to_string()),
    }
}

/// `7.0` is the whole number 7, also to a schema that asks for one.
#[expect(clippy::cast_possible_truncation, reason = "every whole number below 2^53 is exact in both types")]
fn whole(cell: Cell, holds: Holds) -> Cell {
    match cell {
        Cell::Real(number) if holds == Holds::Integer && number.fract() == 0.0 && number.abs() < 9e15 => {
            Cell::Int(number as i64)
        }
        other => other,
    }
}

fn fault(error: &WarehouseError, place: &str) -> Fault {
    match error {
        WarehouseError::Name(message) => Fault::permanent(code::WF2430, message).at(place),
        WarehouseError::Unfit(message) => Fault::permanent(code::WF2431, message),
        WarehouseError::Key(message) => Fault::permanent(code::WF2432, message),
        WarehouseError::Failed { .. } => Fault::transient(code::WF2433, "the warehouse failed").context(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_what_it_is() {
        let of = |value: Value| cell(Some(&value));
        assert_eq!(of(json!(i64::MIN)), Cell::Int(i64::MIN));
        assert_eq!(of(json!(u64::MAX)), Cell::Text("18446744073709551615".to_owned()));
        assert_eq!(of(json!(7.0)), Cell::Real(7.0));
        assert_eq!(of(json!("007")), Cell::Text("007".to_owned()));
        assert_eq!(of(json!(true)), Cell::Int(1));
        assert_eq!(of(json!({"b": [1]})), Cell::Text("{\"b\":[1]}".to_owned()));
        assert_eq!(whole(Cell::Real(7.0), Holds::Integer), Cell::Int(7));
        assert_eq!(whole(Cell::Real(7.5), Holds::Integer), Cell::Real(7.5), "and is refused");
        assert_eq!((cell(None), of(Value::Null)), (Cell::Null, Cell::Null));
    }

    #[test]
    fn columns_come_from_the_schema_then_from_the_rows() {
        let schema = json!({"properties": {"id": {"type": "integer"}, "note": {"type": ["string", "null"]}, "x": {}}});
        let Value::Object(row) = json!({"_meta": {}, "extra": 1, "id": 1}) else { panic!("a row") };
        let columns = columns(&[&row], declared(&schema).expect("columns"));
        let shown: Vec<_> = columns.iter().map(|column| (column.name.as_str(), column.holds.word())).collect();
        assert_eq!(shown, [("id", "INTEGER"), ("note", "TEXT"), ("x", "ANY"), ("extra", "ANY"), ("_meta", "TEXT")]);
    }
}
