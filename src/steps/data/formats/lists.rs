//! Rows in JSON: where they stand, and what each of them must be.

use serde_json::Value;

use super::{Row, Table, exact};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::steps::script::fetch::outcome::LISTS;

/// The rows of a JSON text: at this path, else the text itself, else the only list under one of the usual names.
///
/// # Errors
/// The text is no JSON, holds no such list, or the list holds something else than rows.
pub fn read(text: &str, path: Option<&str>) -> Result<(Table, Value), Fault> {
    let (mut value, kept) = exact::parse(text).map_err(|error| {
        Fault::permanent(code::WF2403, format!("this is no JSON: {error}")).fix("look at what the source gives")
    })?;
    let rows = rows_of(take(&mut value, path)?, 0)?;
    Ok((Table { rows, warnings: exact::warning(kept).into_iter().collect() }, value))
}

/// The rows of a text with one JSON object a line.
///
/// # Errors
/// Names the first line that is none.
pub fn read_lines(text: &str) -> Result<Table, Fault> {
    let mut rows = Vec::new();
    let mut inexact = 0;
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let refuse = |why: String| Fault::permanent(code::WF2403, format!("line {}: {why}", number + 1));
        match exact::parse(line).map_err(|error| refuse(format!("this is no JSON: {error}")))? {
            (Value::Object(row), kept) => {
                rows.push(row);
                inexact += kept;
            }
            (other, _) => return Err(refuse(format!("{} stands where a row belongs", kind(&other)))),
        }
    }
    Ok(Table { rows, warnings: exact::warning(inexact).into_iter().collect() })
}

/// Takes the list of rows out of an answer.
fn take(value: &mut Value, path: Option<&str>) -> Result<Value, Fault> {
    if let Some(path) = path.map(str::trim).filter(|path| !path.is_empty()) {
        let pointer = if path.starts_with('/') { path.to_owned() } else { format!("/{}", path.replace('.', "/")) };
        let found = value.pointer_mut(&pointer).map(Value::take);
        return found.filter(Value::is_array).ok_or_else(|| {
            let message = format!("there is no list of rows at `{path}`; there {}", has(value));
            Fault::permanent(code::WF2402, message).fix("correct `records_path`")
        });
    }
    if value.is_array() {
        return Ok(value.take());
    }
    let lists: Vec<&str> = LISTS.iter().copied().filter(|name| value.get(name).is_some_and(Value::is_array)).collect();
    match lists.as_slice() {
        [name] => Ok(value[*name].take()),
        [] => Err(Fault::permanent(code::WF2402, format!("there is no list of rows; there {}", has(value)))
            .fix("name the place of the list with `records_path`, as in `records_path: result.rows`")),
        several => {
            let message = format!("there are several lists: `{}`", several.join("`, `"));
            Err(Fault::permanent(code::WF2402, message).fix("say which with `records_path`"))
        }
    }
}

/// The values of a list as rows; the first of them is row `before` + 1.
///
/// # Errors
/// `WF2402` names the first that is no row.
pub fn rows_of(list: Value, before: usize) -> Result<Vec<Row>, Fault> {
    let Value::Array(items) = list else {
        return Err(Fault::permanent(code::WF2402, format!("{} stands where a list of rows belongs", kind(&list))));
    };
    let row = |(at, item): (usize, Value)| match item {
        Value::Object(row) => Ok(row),
        other => {
            let message = format!("row {} is {}; a row has named columns", before + at + 1, kind(&other));
            Err(Fault::permanent(code::WF2402, message))
        }
    };
    items.into_iter().enumerate().map(row).collect()
}

/// What a value is, in words.
#[must_use]
pub const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing (null)",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn has(value: &Value) -> String {
    match value.as_object() {
        Some(map) if !map.is_empty() => {
            let keys: Vec<_> = map.keys().take(8).map(|key| format!("`{}`", cut(key))).collect();
            format!("are {}{}", keys.join(", "), if map.len() > 8 { ", …" } else { "" })
        }
        _ => format!("is {}", kind(value)),
    }
}

fn cut(key: &str) -> String {
    key.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(text: &str, path: Option<&str>) -> Result<Value, String> {
        read(text, path).map(|(table, _)| json!(table.rows)).map_err(|fault| fault.message)
    }

    #[test]
    fn rows_are_found_or_named_and_never_guessed() {
        assert_eq!(rows(r#"[{"a": 1}]"#, None), Ok(json!([{"a": 1}])));
        assert_eq!(rows(r#"{"items": [{"a": 1}], "n": 1}"#, None), Ok(json!([{"a": 1}])));
        assert_eq!(rows(r#"{"x": {"y": [{"a": 1}]}}"#, Some("x.y")), Ok(json!([{"a": 1}])));
        assert_eq!(rows(r#"{"x": {"y": [{"a": 1}]}}"#, Some("/x/y")), Ok(json!([{"a": 1}])));
        let refused = |text, path, message: &str| assert_eq!(rows(text, path), Err(message.to_owned()));
        refused(r#"{"items": [], "data": []}"#, None, "there are several lists: `data`, `items`");
        refused(r#"{"rows": [1]}"#, None, "there is no list of rows; there are `rows`");
        refused(r#"{"rows": 1}"#, Some("rows"), "there is no list of rows at `rows`; there are `rows`");
        refused("[{}, 7]", None, "row 2 is a number; a row has named columns");
        refused("7", None, "there is no list of rows; there is a number");
    }

    #[test]
    fn lines_are_rows_and_a_bad_one_is_named() {
        let table = read_lines("{\"a\": 1}\n\n{\"a\": 2}\r\n").expect("rows");
        assert_eq!(table.rows.len(), 2);
        assert_eq!(read_lines("{}\n[1]").expect_err("no row").message, "line 2: a list stands where a row belongs");
    }
}
