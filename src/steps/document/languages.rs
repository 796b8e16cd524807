//! Languages of a text as people write them in a step's config.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

/// `[eng, deu]`, or as an input says it in one text: `eng+deu`, `eng, deu`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Languages(Vec<String>);

impl Languages {
    /// The words, in order of preference; at least one.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

impl Default for Languages {
    fn default() -> Self {
        Self(vec!["eng".to_owned(), "deu".to_owned()])
    }
}

impl<'de> Deserialize<'de> for Languages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a list of languages such as [eng, deu], or a text such as eng+deu")]
        enum Written {
            List(Vec<String>),
            Text(String),
        }
        let words: Vec<String> = match Written::deserialize(deserializer)? {
            Written::List(words) => words,
            Written::Text(text) => {
                text.split(['+', ',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
            }
        };
        if words.is_empty() {
            return Err(serde::de::Error::custom("expected at least one language"));
        }
        Ok(Self(words))
    }
}

impl JsonSchema for Languages {
    fn schema_name() -> Cow<'static, str> {
        "Languages".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["array", "string"],
            "items": { "type": "string" },
            "minItems": 1,
            "minLength": 2,
            "examples": [["eng", "deu"], "eng+deu"]
        })
    }
}
