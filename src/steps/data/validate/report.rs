//! What is wrong with rows, row by row, cell by cell.

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::steps::data::formats::Row;
use crate::steps::data::rows::is_ours;

/// Problems that the report keeps; beyond them they are only counted.
const KEPT: usize = 1_000;
/// Problems of one row that are kept.
const PER_ROW: usize = 20;
/// A message is cut here: it repeats the value, which may be long.
const LONGEST: usize = 300;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The row's place, from 1.
    pub row: usize,
    /// The JSON pointer of the value within its row; empty for the row itself.
    pub pointer: String,
    /// What is wrong with it.
    pub message: String,
}

impl Problem {
    /// One line for people.
    #[must_use]
    pub fn line(&self) -> String {
        let colon = if self.pointer.is_empty() { "" } else { ": " };
        format!("row {}, {}{colon}{}", self.row, self.pointer, self.message)
    }

    /// The same for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({"row": self.row, "pointer": self.pointer, "message": self.message})
    }
}

/// Rows by whether they are as the schema says.
#[derive(Debug, Default)]
pub struct Report {
    /// Those that are.
    pub valid: Vec<Row>,
    /// Those that are not: `row`, `errors`, `record`.
    pub rejects: Vec<Value>,
    /// The first problems.
    pub problems: Vec<Problem>,
    /// How many there are.
    pub count: usize,
}

/// Holds each row against the schema. What is ours in it (`_meta`) is not looked at.
#[must_use]
pub fn check(rows: &[&Row], validator: &Validator) -> Report {
    let mut report = Report::default();
    for (at, row) in rows.iter().enumerate() {
        let problems = problems(row, at + 1, validator, &mut report.count);
        if problems.is_empty() {
            report.valid.push((*row).clone());
            continue;
        }
        let errors: Vec<Value> = problems.iter().map(Problem::json).collect();
        report.rejects.push(json!({"row": at + 1, "errors": errors, "record": row}));
        let room = KEPT.saturating_sub(report.problems.len());
        report.problems.extend(problems.into_iter().take(room));
    }
    report
}

fn problems(row: &Row, number: usize, validator: &Validator, count: &mut usize) -> Vec<Problem> {
    let data: Row =
        row.iter().filter(|(name, _)| !is_ours(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
    let data = Value::Object(data);
    if validator.is_valid(&data) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for error in validator.iter_errors(&data) {
        *count += 1;
        if found.len() < PER_ROW {
            found.push(Problem {
                row: number,
                pointer: error.instance_path().to_string(),
                message: cut(&error.to_string()),
            });
        }
    }
    found
}

fn cut(message: &str) -> String {
    let plain = message.chars().map(|c| if c.is_control() { ' ' } else { c });
    if message.chars().nth(LONGEST).is_none() {
        return plain.collect();
    }
    // The end says what is wrong, the beginning what it is about.
    let tail: String = message.chars().rev().take(100).collect::<Vec<_>>().into_iter().rev().collect();
    plain.take(LONGEST - 100).chain(" … ".chars()).chain(tail.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::schema::compile;
    use super::*;

    fn row(value: Value) -> Row {
        match value {
            Value::Object(row) => row,
            _ => panic!("a row"),
        }
    }

    #[test]
    fn a_problem_names_row_and_cell() {
        let schema = json!({"properties": {"id": {}, "price": {"type": "number"}}, "required": ["id"], "additionalProperties": false});
        let validator = compile(&schema).expect("a schema");
        let rows = [json!({"id": 1, "price": 2, "_meta": {}}), json!({"id": 2}), json!({"price": "12,50"})].map(row);
        let report = check(&rows.iter().collect::<Vec<_>>(), &validator);
        assert_eq!((report.valid.len(), report.rejects.len(), report.count), (2, 1, 2));
        let mut lines: Vec<_> = report.problems.iter().map(Problem::line).collect();
        lines.sort();
        assert_eq!(
            lines,
            ["row 3, \"id\" is a required property", "row 3, /price: \"12,50\" is not of type \"number\""]
        );
    }

    #[test]
    fn a_long_value_does_not_make_a_long_message() {
        let validator = compile(&json!({"properties": {"a": {"type": "number"}}})).expect("a schema");
        let row = row(json!({"a": "x".repeat(100_000)}));
        let report = check(&[&row], &validator);
        let message = &report.problems[0].message;
        assert!(message.len() < 400 && message.ends_with("is not of type \"number\""), "{message}");
    }
}
