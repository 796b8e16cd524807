//! Rows on their way from step to step.

use serde_json::Value;

use super::formats::Row;
use super::formats::lists::kind;
use crate::contract::step::{Attempt, Bound};
use crate::domain::code;
use crate::domain::fault::Fault;

/// Rows of one step, in bytes of JSON. What a step gives is kept whole, and the journal keeps no more.
pub const LARGEST: usize = 48 * 1024 * 1024;

/// Where `_meta` stands in a row: what we know about it, beside its data.
pub const META: &str = "_meta";
/// Where `_from` stands in a row: the step that gave it to a `merge`.
pub const FROM: &str = "_from";

/// Whether a column is ours and no data.
#[must_use]
pub fn is_ours(column: &str) -> bool {
    column == META || column == FROM
}

/// The rows on the port `records`, shared with the step that gave them.
pub struct Taken(Bound);

impl Taken {
    /// What stands on the port.
    ///
    /// # Errors
    /// `WF2401` when nothing feeds the port.
    pub fn from(attempt: &Attempt) -> Result<Self, Fault> {
        match attempt.ports.get("records") {
            Some(bound) if !bound.value().is_null() => Ok(Self(bound.clone())),
            Some(_) => Err(Fault::permanent(code::WF2401, "the step that feeds `records` gave none")
                .fix("look at what it gave, or say with `ports` where the rows are")),
            None => Err(Fault::permanent(code::WF2401, "no earlier step gives `records`")
                .fix("put an `extract` step before this one, or say with `ports` where the rows are")),
        }
    }

    /// The rows.
    ///
    /// # Errors
    /// `WF2402` when what stands on the port are no rows.
    pub fn rows(&self) -> Result<Vec<&Row>, Fault> {
        let value = self.0.value();
        let Value::Array(items) = value else {
            return Err(Fault::permanent(code::WF2402, format!("`records` is {}, and no list of rows", kind(value))));
        };
        let mut rows = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let row = item.as_object().ok_or_else(|| {
                let message = format!("row {} is {}; a row has named columns", at + 1, kind(item));
                Fault::permanent(code::WF2402, message)
            })?;
            rows.push(row);
        }
        Ok(rows)
    }

    /// Another output of the step that gave the rows.
    #[must_use]
    pub fn beside(&self, output: &str) -> Option<&Value> {
        self.0.beside(output).filter(|value| !value.is_null())
    }
}

/// Rows as an output.
#[must_use]
pub fn given(rows: Vec<Row>) -> Value {
    Value::Array(rows.into_iter().map(Value::Object).collect())
}

/// Refuses more rows than are kept between steps.
///
/// # Errors
/// `WF2404` says how large they are.
pub fn check_size(rows: &Value) -> Result<(), Fault> {
    struct Counter(usize);
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    // Counting cannot fail; if it did, the engine's own limit would still hold.
    let counted = serde_json::to_writer(&mut counter, rows).is_ok();
    if counted && counter.0 > LARGEST {
        let count = rows.as_array().map_or(0, Vec::len);
        let message = format!("the {count} rows are {} bytes; between steps {LARGEST} are kept at most", counter.0);
        return Err(Fault::permanent(code::WF2404, message)
            .fix("take fewer rows or columns at a time, for example one file or one page range a run"));
    }
    Ok(())
}
