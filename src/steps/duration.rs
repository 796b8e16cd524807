//! A length of time as people write it in a step's config: seconds as a number, or text with a unit.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use crate::domain::time::Span;

/// `90`, `2.5`, `"500ms"`, `"90s"`, `"30m"`, `"2h"`, `"1d"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub Span);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl de::Visitor<'_> for Reader {
    type Value = Seconds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration: seconds as a number (300, 2.5) or text with a unit (500ms, 90s, 30m, 2h, 1d)")
    }

    fn visit_u64<E: de::Error>(self, secs: u64) -> Result<Seconds, E> {
        Ok(Seconds(Span::from_secs(secs)))
    }

    fn visit_i64<E: de::Error>(self, secs: i64) -> Result<Seconds, E> {
        u64::try_from(secs)
            .map(|secs| Seconds(Span::from_secs(secs)))
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(secs), &self))
    }

    fn visit_f64<E: de::Error>(self, secs: f64) -> Result<Seconds, E> {
        Span::from_secs_f64(secs).map(Seconds).ok_or_else(|| E::invalid_value(de::Unexpected::Float(secs), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Seconds, E> {
        text.parse().map(Seconds).map_err(E::custom)
    }
}

impl JsonSchema for Seconds {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["number", "string"],
            "minimum": 0,
            "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)?\s*$",
            "examples": [90, "500ms", "30m"]
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn a_duration_is_a_number_of_seconds_or_text_with_a_unit() {
        for (written, millis) in [(json!(90), 90_000), (json!(2.5), 2_500), (json!("500ms"), 500), (json!("2"), 2_000)]
        {
            assert_eq!(
                from_value::<Seconds>(written.clone()).ok(),
                Some(Seconds(Span::from_millis(millis))),
                "{written}"
            );
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_examples() {
        for written in [json!(-1), json!(-0.5), json!(1e300), json!("soon"), json!(null), json!([1])] {
            let error = from_value::<Seconds>(written.clone()).expect_err("no duration").to_string();
            assert!(error.contains("90s"), "{written}: {error}");
        }
    }
}
