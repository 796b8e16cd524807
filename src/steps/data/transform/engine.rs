//! Operations on rows, one after the other in written order, each with its count.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::convert::{self, CellType};
use super::deduplicate::{self, Key};
use super::normalize::Normalizer;
use crate::contract::step::{Attempt, Done};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::steps::data::formats::Row;
use crate::steps::data::rows::{META, Taken, check_size, given, is_ours};
use crate::steps::script::fetch::config::Listed;

/// What can be done with rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// One spelling for names and texts; then `types`.
    Normalize,
    /// Drops rows that are there already.
    Deduplicate,
    /// Adds `_meta`, and the columns of `set`.
    Enrich,
}

/// What the operations are told.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// For `deduplicate`: the columns by which rows are told apart.
    pub key: Option<Listed<String>>,
    /// For `normalize`: what columns shall hold.
    pub types: BTreeMap<String, CellType>,
    /// For `enrich`: columns to add, with their values.
    pub set: Map<String, Value>,
}

impl Rules {
    /// Refuses a rule that no operation follows.
    ///
    /// # Errors
    /// `WF2001` names it.
    pub fn check(&self, operations: &[Operation], step: &str) -> Result<(), Fault> {
        let idle = [
            ("key", self.key.is_some(), Operation::Deduplicate, "deduplicate"),
            ("types", !self.types.is_empty(), Operation::Normalize, "normalize"),
            ("set", !self.set.is_empty(), Operation::Enrich, "enrich"),
        ];
        let found = idle.into_iter().find(|(_, given, operation, _)| *given && !operations.contains(operation));
        if let Some((rule, _, _, operation)) = found {
            let message = format!("`{rule}` is for the operation `{operation}`, which is not among `operations`");
            return Err(Fault::permanent(code::WF2001, message).at(format!("{step}.config.{rule}")));
        }
        match self.set.keys().find(|name| is_ours(name)) {
            Some(name) => {
                Err(Fault::permanent(code::WF2001, format!("`{name}` is a column of ours and cannot be set"))
                    .at(format!("{step}.config.set")))
            }
            None => Ok(()),
        }
    }
}

/// What `_meta` says of a row beside its number.
pub struct Origin {
    source: Value,
    run: String,
    at: String,
}

/// Rows, operations, rules: all that is needed to work apart from the attempt.
pub struct Work {
    taken: Taken,
    operations: Vec<Operation>,
    rules: Rules,
    origin: Origin,
}

impl Work {
    /// The work of this attempt.
    ///
    /// # Errors
    /// There are no rows, or the rules do not fit the operations.
    pub fn of(attempt: &Attempt, operations: Vec<Operation>, rules: Rules) -> Result<Self, Fault> {
        rules.check(&operations, &attempt.step)?;
        let taken = Taken::from(attempt)?;
        let source = taken.beside("source").cloned().unwrap_or(Value::Null);
        let origin = Origin { source, run: attempt.run.to_string(), at: attempt.now.to_string() };
        Ok(Self { taken, operations, rules, origin })
    }

    /// Does the operations.
    ///
    /// # Errors
    /// A row does not allow one of them.
    pub fn run(self) -> Result<Done, Fault> {
        let rows = self.taken.rows()?;
        let before = rows.len();
        let mut bench = Bench {
            rows: rows.into_iter().cloned().enumerate().map(|(at, row)| (at + 1, row)).collect(),
            rules: &self.rules,
            origin: &self.origin,
            rejects: Vec::new(),
            counts: Vec::new(),
            warnings: Vec::new(),
        };
        for operation in &self.operations {
            bench.operate(*operation)?;
        }
        let Bench { rows, rejects, counts, warnings, .. } = bench;
        let after = rows.len();
        let records = given(rows.into_iter().map(|(_, row)| row).collect());
        check_size(&records)?;
        let outputs = json!({
            "rows": after,
            "dropped": before - after,
            "counts": counts,
            "source": self.origin.source,
        });
        let mut done = Done { warnings, ..Done::with(outputs) };
        done.outputs.insert("records".to_owned(), records);
        done.outputs.insert("rejects".to_owned(), Value::Array(rejects));
        Ok(done)
    }
}

struct Bench<'a> {
    rows: Vec<(usize, Row)>,
    rules: &'a Rules,
    origin: &'a Origin,
    rejects: Vec<Value>,
    counts: Vec<Value>,
    warnings: Vec<String>,
}

impl Bench<'_> {
    fn operate(&mut self, operation: Operation) -> Result<(), Fault> {
        let before = self.rows.len();
        let rows = std::mem::take(&mut self.rows);
        let mut count = json!({"operation": operation, "in": before});
        match operation {
            Operation::Normalize => self.normalize(rows, &mut count)?,
            Operation::Deduplicate => self.deduplicate(rows, &mut count),
            Operation::Enrich => self.rows = rows.into_iter().map(|row| self.enriched(row)).collect(),
        }
        count["out"] = self.rows.len().into();
        self.counts.push(count);
        Ok(())
    }

    fn normalize(&mut self, rows: Vec<(usize, Row)>, count: &mut Value) -> Result<(), Fault> {
        let types: Vec<(String, CellType)> =
            self.rules.types.iter().map(|(name, kind)| (name.clone(), *kind)).collect();
        let mut normalizer = Normalizer::default();
        for (number, row) in rows {
            let mut row = normalizer.row(row, number)?;
            convert::row(&mut row, &types, number)?;
            self.rows.push((number, row));
        }
        for (name, _) in types {
            if !self.rows.is_empty() && !self.rows.iter().any(|(_, row)| row.contains_key(&name)) {
                self.warnings.push(format!("`types` names the column `{name}`, which no row has"));
            }
        }
        count["cells_changed"] = normalizer.cells.into();
        count["columns_renamed"] = normalizer.renamed().into();
        Ok(())
    }

    fn deduplicate(&mut self, rows: Vec<(usize, Row)>, count: &mut Value) {
        let key = Key::of(self.rules.key.as_ref().map_or(&[], Listed::as_slice), &rows);
        let result = deduplicate::deduplicate(rows, &key);
        count["dropped"] = result.rejects.len().into();
        count["key"] = key.shown();
        let shown = count["key"].to_string();
        if result.conflicts > 0 {
            let what = format!(
                "{} of the dropped rows have the key of another ({shown}), but other content",
                result.conflicts
            );
            self.warnings.push(format!("{what}; see `rejects`"));
        }
        if result.keyless > 0 {
            self.warnings.push(format!("{} rows have no key ({shown}) and were all kept", result.keyless));
        }
        self.rows = result.kept;
        self.rejects.extend(result.rejects);
    }

    fn enriched(&self, (number, mut row): (usize, Row)) -> (usize, Row) {
        for (name, value) in &self.rules.set {
            row.insert(name.clone(), value.clone());
        }
        let Origin { source, run, at } = self.origin;
        row.insert(META.to_owned(), json!({"source": source, "run": run, "row": number, "ingested_at": at}));
        (number, row)
    }
}
