//! `deduplicate`: keeps the first of rows that are the same, and says what became of the others.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::steps::data::formats::Row;
use crate::steps::data::rows::is_ours;

/// What makes two rows the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// The same values in these columns.
    Columns(Vec<String>),
    /// The same row.
    Row,
}

impl Key {
    /// What the author says, else `id` where every row has one of the same type, else the whole row.
    #[must_use]
    pub fn of(written: &[String], rows: &[(usize, Row)]) -> Self {
        if !written.is_empty() {
            return Self::Columns(written.to_vec());
        }
        let types: Option<Vec<u8>> = rows.iter().map(|(_, row)| row.get("id").and_then(scalar)).collect();
        match types {
            Some(types) if !types.is_empty() && types.windows(2).all(|pair| pair[0] == pair[1]) => {
                Self::Columns(vec!["id".to_owned()])
            }
            _ => Self::Row,
        }
    }

    /// The key as people read it.
    #[must_use]
    pub fn shown(&self) -> Value {
        match self {
            Self::Columns(columns) => json!(columns),
            Self::Row => json!("the whole row"),
        }
    }

    /// The row's key; none where a column of it is empty, for nothing is not the same as nothing.
    fn value(&self, row: &Row) -> Option<String> {
        match self {
            Self::Columns(columns) => {
                let values: Option<Vec<&Value>> =
                    columns.iter().map(|name| row.get(name).filter(|value| !value.is_null())).collect();
                values.map(|values| values.into_iter().map(canonical).collect::<Vec<_>>().join(","))
            }
            Self::Row => Some(content(row)),
        }
    }
}

/// Rows that were kept, and what became of the others.
#[derive(Debug, Default)]
pub struct Deduplicated {
    /// The first of each.
    pub kept: Vec<(usize, Row)>,
    /// The others: `row`, `reason`, `same_as`, `record`.
    pub rejects: Vec<Value>,
    /// Dropped rows that had the key of another but other content.
    pub conflicts: usize,
    /// Rows that were kept because they have no key.
    pub keyless: usize,
}

/// Keeps the first row of each key. The numbers are the rows' places in what the step was given.
#[must_use]
pub fn deduplicate(rows: Vec<(usize, Row)>, key: &Key) -> Deduplicated {
    let mut result = Deduplicated { kept: Vec::with_capacity(rows.len()), ..Deduplicated::default() };
    let mut seen: HashMap<String, usize> = HashMap::with_capacity(rows.len());
    for (number, row) in rows {
        let Some(value) = key.value(&row) else {
            result.keyless += 1;
            result.kept.push((number, row));
            continue;
        };
        let Some(&place) = seen.get(&value) else {
            seen.insert(value, result.kept.len());
            result.kept.push((number, row));
            continue;
        };
        let (first, other) = &result.kept[place];
        let differing = differing(other, &row);
        let reason = match (key, differing.as_slice()) {
            (Key::Columns(columns), []) => format!("the same `{}` as row {first}", columns.join("`, `")),
            (Key::Columns(columns), names) => {
                result.conflicts += 1;
                format!("the same `{}` as row {first}, but another `{}`", columns.join("`, `"), names.join("`, `"))
            }
            (Key::Row, _) => format!("the same as row {first}"),
        };
        result.rejects.push(json!({"row": number, "reason": reason, "same_as": first, "record": row}));
    }
    result
}

/// Columns of data in which two rows differ.
fn differing<'a>(one: &'a Row, other: &'a Row) -> Vec<&'a str> {
    let mut names: Vec<&str> =
        one.keys().chain(other.keys()).map(String::as_str).filter(|name| !is_ours(name)).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| one.get(*name).unwrap_or(&Value::Null) != other.get(*name).unwrap_or(&Value::Null));
    names
}

/// The type of a value that can be a key.
const fn scalar(value: &Value) -> Option<u8> {
    match value {
        Value::String(_) => Some(0),
        Value::Number(_) => Some(1),
        Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The data of a row as one text, whatever the order of its columns.
fn content(row: &Row) -> String {
    let columns: BTreeMap<&str, String> =
        row.iter().filter(|(name, _)| !is_ours(name)).map(|(name, value)| (name.as_str(), canonical(value))).collect();
    format!("{columns:?}")
}

/// A value as one text, whatever the order of its keys.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let map: BTreeMap<&str, String> =
                map.iter().map(|(name, value)| (name.as_str(), canonical(value))).collect();
            format!("{map:?}")
        }
        Value::Array(items) => format!("{:?}", items.iter().map(canonical).collect::<Vec<_>>()),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: Value) -> Vec<(usize, Row)> {
        let Value::Array(items) = values else { panic!("a list") };
        let row = |(at, item)| match item {
            Value::Object(row) => (at + 1, row),
            _ => panic!("a row"),
        };
        items.into_iter().enumerate().map(row).collect()
    }

    fn kept(values: Value, written: &[&str]) -> (Vec<usize>, Deduplicated) {
        let rows = rows(values);
        let written: Vec<String> = written.iter().map(ToString::to_string).collect();
        let result = deduplicate(rows.clone(), &Key::of(&written, &rows));
        (result.kept.iter().map(|(number, _)| *number).collect(), result)
    }

    #[test]
    fn the_first_of_each_id_stays_and_the_reason_is_kept() {
        let (numbers, result) = kept(json!([{"id": 1, "a": 1}, {"id": 2}, {"a": 1, "id": 1}, {"id": 2, "a": 5}]), &[]);
        assert_eq!((numbers, result.conflicts), (vec![1, 2], 1));
        assert_eq!(
            result.rejects[0],
            json!({"row": 3, "reason": "the same `id` as row 1", "same_as": 1, "record": {"a": 1, "id": 1}})
        );
        assert_eq!(result.rejects[1]["reason"], "the same `id` as row 2, but another `a`");
    }

    #[test]
    fn without_a_clear_id_only_equal_rows_are_the_same() {
        let (numbers, _) = kept(json!([{"id": 1, "a": 1}, {"id": "1", "a": 1}, {"a": 1, "id": 1}]), &[]);
        assert_eq!(numbers, [1, 2], "ids of two types are no key");
        let (numbers, _) = kept(
            json!([{"a": {"x": 1, "y": 2}, "_meta": 1}, {"a": {"y": 2, "x": 1}, "_meta": 2}, {"a": {"x": 1}}]),
            &[],
        );
        assert_eq!(numbers, [1, 3], "order of keys and what is ours do not count");
    }

    #[test]
    fn a_row_without_its_key_is_like_no_other() {
        let (numbers, result) =
            kept(json!([{"k": null}, {"k": null}, {}, {"k": "x", "l": 1}, {"k": "x", "l": 1}]), &["k"]);
        assert_eq!((numbers, result.keyless), (vec![1, 2, 3, 4], 3));
        let (numbers, _) = kept(json!([{"k": "a,b", "l": "c"}, {"k": "a", "l": "b,c"}]), &["k", "l"]);
        assert_eq!(numbers, [1, 2], "keys of several columns are not glued together");
    }
}
