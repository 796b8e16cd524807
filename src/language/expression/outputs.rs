//! What a step gave, in the form in which it is held: values, or their text until somebody reads them.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Text beyond this many bytes is not taken apart only to be written.
const LONG: usize = 64 * 1024;

/// The outputs of a step, shared with whoever reads them. A text takes a fifth of the memory of its values.
#[derive(Debug, Clone)]
pub enum Outputs {
    /// As values.
    Values(Arc<Map<String, Value>>),
    /// As text.
    Text(Arc<Text>),
}

/// A JSON object that is taken apart when it is first read.
#[derive(Debug)]
pub struct Text {
    text: Box<RawValue>,
    values: OnceLock<Arc<Map<String, Value>>>,
}

impl Outputs {
    /// Outputs out of the text of a JSON object. Its values must not nest deeper than a reader goes.
    #[must_use]
    pub fn of_text(text: Box<RawValue>) -> Self {
        Self::Text(Arc::new(Text { text, values: OnceLock::new() }))
    }

    /// The values.
    #[must_use]
    pub fn values(&self) -> &Arc<Map<String, Value>> {
        match self {
            Self::Values(values) => values,
            // A text was made of values that could be written, so it can be read.
            Self::Text(held) => {
                held.values.get_or_init(|| Arc::new(serde_json::from_str(held.text.get()).unwrap_or_default()))
            }
        }
    }

    /// The values, handed over.
    #[must_use]
    pub fn into_values(self) -> Arc<Map<String, Value>> {
        let values = Arc::clone(self.values());
        drop(self);
        values
    }

    /// The text, made where there is none.
    ///
    /// # Panics
    /// Never: JSON values have string keys and serialise always.
    #[must_use]
    pub fn text(&self) -> Cow<'_, RawValue> {
        match self {
            Self::Values(values) => {
                let text = serde_json::value::to_raw_value(&**values);
                Cow::Owned(text.expect("JSON values have string keys and serialise always"))
            }
            Self::Text(held) => Cow::Borrowed(&held.text),
        }
    }
}

impl PartialEq for Outputs {
    fn eq(&self, other: &Self) -> bool {
        self.values() == other.values()
    }
}

impl Serialize for Outputs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // What is long is written as it stands, what is short as its reader wants it.
            Self::Text(held) if held.text.get().len() > LONG => held.text.serialize(serializer),
            short => short.values().serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Outputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::Values(Arc::new(Map::deserialize(deserializer)?)))
    }
}
