//! A size in bytes as people write it in a step's config: a number of bytes, or text with a unit.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// `10485760`, `"512 KB"`, `"10MB"`, `"1GiB"`. A unit counts in steps of 1024 with or without its `i`, so that
/// `10MB` is the 10485760 that people mean by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

const EXPECTED: &str = "a size: bytes as a number (10485760) or text with a unit (512KB, 10MB, 1GB)";

impl Bytes {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
        let number: f64 = text[..split].trim_end().parse().ok()?;
        let shift = match text[split..].to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "kb" | "kib" => 10,
            "m" | "mb" | "mib" => 20,
            "g" | "gb" | "gib" => 30,
            _ => return None,
        };
        let bytes = number * f64::from(1u32 << shift);
        // 2^53 keeps the cast exact.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "range checked here")]
        (0.0..=9_007_199_254_740_992.0).contains(&bytes).then_some(Self(bytes as u64))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl de::Visitor<'_> for Reader {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Bytes, E> {
        Ok(Bytes(bytes))
    }

    fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<Bytes, E> {
        u64::try_from(bytes).map(Bytes).map_err(|_| E::invalid_value(de::Unexpected::Signed(bytes), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
        Bytes::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

impl JsonSchema for Bytes {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["integer", "string"],
            "minimum": 0,
            "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*([kKmMgG]([iI]?[bB])?|[bB])?\s*$",
            "examples": [10_485_760, "10MB"]
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_size_is_a_number_of_bytes_or_text_with_a_unit() {
        for (written, bytes) in [
            (json!(10_485_760), 10_485_760),
            (json!("10MB"), 10_485_760),
            (json!("10 MiB"), 10_485_760),
            (json!("1.5k"), 1_536),
            (json!("77"), 77),
        ] {
            assert_eq!(from_value::<Bytes>(written.clone()).ok(), Some(Bytes(bytes)), "{written}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused_with_examples() {
        for written in [json!(-1), json!(1.5), json!("big"), json!("1 TB!"), json!("-1"), json!("NaN"), json!(null)] {
            let error = from_value::<Bytes>(written.clone()).expect_err("no size").to_string();
            assert!(error.contains("10MB"), "{written}: {error}");
        }
    }
}
