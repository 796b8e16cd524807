//! JSON without loss: a number that our numbers cannot hold exactly is kept as text, digit by digit.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

/// The value of a JSON text, and how many of its numbers were kept as text.
///
/// # Errors
/// The text is no JSON; the position is that in `text`.
pub fn parse(text: &str) -> Result<(Value, usize), serde_json::Error> {
    let (safe, kept) = quote_inexact(text);
    match serde_json::from_str(&safe) {
        Ok(Single(value)) => Ok((value, kept)),
        // The quotes may have moved the place: ask again where it really is.
        Err(error) => Err(serde_json::from_str::<Single>(text).err().unwrap_or(error)),
    }
}

/// A value in which no object has two members of one name: of those, one would be lost.
struct Single(Value);

impl<'de> Deserialize<'de> for Single {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SingleVisitor).map(Self)
    }
}

struct SingleVisitor;

impl<'de> Visitor<'de> for SingleVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(truth.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Single(item)) = list.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, Single(value))) = members.next_entry::<String, Single>()? {
            if map.contains_key(&name) {
                let name: String = name.chars().take(60).collect();
                return Err(serde::de::Error::custom(format!("the name `{name}` stands twice in one object")));
            }
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

/// What to tell people about numbers that were kept as text.
#[must_use]
pub fn warning(kept: usize) -> Option<String> {
    let what = if kept == 1 { "one number has" } else { "numbers have" };
    let count = if kept == 1 { String::new() } else { format!("{kept} ") };
    (kept > 0).then(|| format!("{count}{what} more digits than a number keeps exactly, and became text"))
}

/// The text with quotes around every number that would lose digits.
fn quote_inexact(text: &str) -> (Cow<'_, str>, usize) {
    let bytes = text.as_bytes();
    let (mut out, mut copied, mut at, mut kept) = (String::new(), 0, 0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = end_of_string(bytes, at),
            b'-' | b'0'..=b'9' => {
                let end = at + bytes[at..].iter().take_while(|byte| is_of_number(**byte)).count();
                let token = &text[at..end];
                if is_number(token) && !is_exact(token) {
                    out.push_str(&text[copied..at]);
                    out.push('"');
                    out.push_str(token);
                    out.push('"');
                    (copied, kept) = (end, kept + 1);
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    if kept == 0 {
        return (Cow::Borrowed(text), 0);
    }
    out.push_str(&text[copied..]);
    (Cow::Owned(out), kept)
}

/// The place behind the string that begins at `start`.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

const fn is_of_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')
}

/// Whether JSON allows this spelling; others are left for the reader to refuse.
fn is_number(token: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let token = token.strip_prefix('-').unwrap_or(token);
    let (mantissa, exponent) = match token.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (token, None),
    };
    let exponent = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let leading = whole.len() > 1 && whole.starts_with('0');
    digits(whole) && !leading && fraction.is_none_or(digits) && exponent.is_none_or(digits)
}

/// Whether the number, read and written again, is still this number.
pub fn is_exact(token: &str) -> bool {
    if !token.contains(['.', 'e', 'E']) {
        return token.parse::<i64>().is_ok() || token.parse::<u64>().is_ok();
    }
    let number = token.parse().ok().and_then(Number::from_f64);
    number.is_some_and(|number| normal(token) == normal(&number.to_string()))
}

/// Significant digits and the place of the point: the same for all spellings of one number.
fn normal(token: &str) -> Option<(String, i64)> {
    let token = token.trim_start_matches('-');
    let (mantissa, exponent) = token.split_once(['e', 'E']).unwrap_or((token, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Some((String::new(), 0));
    }
    let leading = i64::try_from(digits.len() - significant.len()).ok()?;
    let point = i64::try_from(whole.len()).ok()? - leading;
    Some((significant.trim_end_matches('0').to_owned(), point.checked_add(exponent.parse().ok()?)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_that_fit_are_numbers_and_others_keep_their_digits() {
        let text = r#"{"a": [1, -7, 0.1, 12.50, 1e3, 18446744073709551615], "b": 123456789012345678901234567890,
            "c": 0.1000000000000000055511151231257827, "d": 1e400, "e": "12345678901234567890123 \" 1e999", "f": 9007199254740993}"#;
        let (value, kept) = parse(text).expect("JSON");
        assert_eq!(value["a"], json!([1, -7, 0.1, 12.5, 1000.0, u64::MAX]));
        assert_eq!(value["b"], "123456789012345678901234567890");
        assert_eq!(value["c"], "0.1000000000000000055511151231257827");
        assert_eq!((&value["d"], &value["f"]), (&json!("1e400"), &json!(9_007_199_254_740_993_i64)));
        assert_eq!(value["e"], "12345678901234567890123 \" 1e999", "text stays text");
        assert_eq!(kept, 3);
    }

    #[test]
    fn what_is_no_json_is_refused_at_its_place() {
        for bad in
            ["NaN", "[Infinity]", "{\"a\": 007}", "[1,]", "[-]", "{'a': 1}", "[1e]", "", "[99999999999999999999999 x]"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let error = parse("[99999999999999999999999, x]").expect_err("no JSON");
        assert_eq!((error.line(), error.column()), (1, 27));
        let twice = parse(r#"[{"a": 1, "b": {}, "a": 2}]"#).expect_err("one would be lost").to_string();
        assert!(twice.starts_with("the name `a` stands twice in one object"), "{twice}");
        let deep = "[".repeat(100_000);
        assert!(parse(&deep).is_err(), "and no stack overflows");
    }

    proptest::proptest! {
        #[test]
        fn any_json_is_read_as_the_usual_reader_reads_it(number: f64, whole: i64, text: String) {
            let number = if number.is_finite() { number } else { 0.0 };
            let value = json!({"number": number, "whole": whole, "text": text});
            proptest::prop_assert_eq!(parse(&value.to_string()).expect("JSON"), (value, 0));
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = parse(&text); // anything but a panic
        }
    }
}
