//! `types`: texts become numbers or truth where the author says so, and only there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::domain::code;
use crate::domain::fault::Fault;
use crate::steps::data::formats::Row;
use crate::steps::data::formats::exact;
use crate::steps::data::formats::lists::kind;

/// What a column shall hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CellType {
    /// Text; a number becomes its digits.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A number; one with more digits than a number keeps is refused.
    Number,
    /// A number of any length, kept as text.
    Decimal,
    /// `true` or `false`, also written `yes`/`no` or `1`/`0`.
    Boolean,
}

/// Converts the columns of a row that have a type.
///
/// # Errors
/// `WF2411` names the cell that cannot be converted.
pub fn row(row: &mut Row, types: &[(String, CellType)], number: usize) -> Result<(), Fault> {
    for (name, wanted) in types {
        let Some(cell) = row.get_mut(name).filter(|cell| !cell.is_null()) else { continue };
        let Some(converted) = convert(cell, *wanted) else {
            let message = format!("row {number}, `{name}`: {} is no {}", shown(cell), noun(*wanted));
            return Err(
                Fault::permanent(code::WF2411, message).fix("correct the cell, or the column's type in `types`")
            );
        };
        *cell = converted;
    }
    Ok(())
}

fn convert(cell: &Value, wanted: CellType) -> Option<Value> {
    match (wanted, cell) {
        (CellType::Text, Value::Bool(_) | Value::Number(_)) => Some(cell.to_string().into()),
        (CellType::Text | CellType::Decimal, Value::String(text)) if wanted == CellType::Text || is_decimal(text) => {
            Some(cell.clone())
        }
        (CellType::Decimal, Value::Number(number)) => Some(number.to_string().into()),
        (CellType::Integer, Value::Number(number)) if number.is_i64() || number.is_u64() => Some(cell.clone()),
        (CellType::Integer, Value::String(text)) => {
            let whole = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
            whole.ok().map(Value::Number)
        }
        (CellType::Number, Value::Number(_)) | (CellType::Boolean, Value::Bool(_)) => Some(cell.clone()),
        (CellType::Number, Value::String(text)) => number(text),
        (CellType::Boolean, Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true.into()),
            "false" | "no" | "0" => Some(false.into()),
            _ => None,
        },
        _ => None,
    }
}

fn number(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let number: f64 = text.parse().ok().filter(|_| is_decimal(text) && exact::is_exact(text))?;
    Number::from_f64(number).map(Value::Number)
}

/// Digits with at most one point and an exponent, and no words such as `nan`.
fn is_decimal(text: &str) -> bool {
    text.parse::<f64>().is_ok()
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
}

const fn noun(wanted: CellType) -> &'static str {
    match wanted {
        CellType::Text => "text",
        CellType::Integer => "whole number of 64 bits",
        CellType::Number => "number that is kept exactly",
        CellType::Decimal => "number",
        CellType::Boolean => "`true` or `false`",
    }
}

fn shown(cell: &Value) -> String {
    match cell {
        Value::String(text) => format!("`{}`", text.chars().take(60).collect::<String>()),
        Value::Number(number) => format!("`{number}`"),
        other => kind(other).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_becomes_what_was_asked_for_or_is_refused() {
        let of = |cell: Value, wanted| convert(&cell, wanted);
        assert_eq!(of(json!("007"), CellType::Integer), Some(json!(7)));
        assert_eq!(of(json!("18446744073709551615"), CellType::Integer), Some(json!(u64::MAX)));
        assert_eq!(of(json!("7.0"), CellType::Integer), None);
        assert_eq!(of(json!("12.50"), CellType::Number), Some(json!(12.5)));
        assert_eq!(of(json!("12,50"), CellType::Number), None);
        assert_eq!(of(json!("1234567890.12345678901"), CellType::Number), None, "digits would be lost");
        assert_eq!(of(json!("1234567890.12345678901"), CellType::Decimal), Some(json!("1234567890.12345678901")));
        for word in ["NaN", "inf", "-infinity", "", " 1", "0x10"] {
            assert_eq!(of(json!(word), CellType::Number), None, "{word}");
            assert_eq!(of(json!(word), CellType::Decimal), None, "{word}");
        }
        assert_eq!(of(json!(7), CellType::Text), Some(json!("7")));
        assert_eq!(of(json!("Yes"), CellType::Boolean), Some(json!(true)));
        assert_eq!(of(json!("maybe"), CellType::Boolean), None);
        assert_eq!(of(json!([1]), CellType::Text), None);
    }

    #[test]
    fn the_cell_is_named() {
        let Value::Object(mut cells) = json!({"price": "12,50"}) else { panic!("a row") };
        let fault = row(&mut cells, &[("price".to_owned(), CellType::Number)], 3).expect_err("no number");
        assert_eq!(fault.message, "row 3, `price`: `12,50` is no number that is kept exactly");
    }
}
