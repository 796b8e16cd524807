//! What a run asks people for. The answer becomes an input of the run.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plan::{InputSpec, InputType};
use super::time::Timestamp;

/// One value that somebody must give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The input that the answer becomes.
    pub key: String,
    /// What to call it in front of people.
    pub label: String,
    /// What it must be.
    #[serde(rename = "type", alias = "kind")]
    pub kind: InputType,
    /// The values to choose from, of an `enum`.
    #[serde(default, rename = "choices", alias = "options", skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Value>,
}

impl From<&InputSpec> for Question {
    fn from(spec: &InputSpec) -> Self {
        let label = spec.label.as_ref().or(spec.description.as_ref()).unwrap_or(&spec.name);
        Self { key: spec.name.clone(), label: label.clone(), kind: spec.kind, options: spec.options.clone() }
    }
}

/// Questions of one step, or of the run before it begins, that nobody has answered yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Asking {
    /// The step that asks; `None`: the run does not begin without the answer.
    pub step: Option<usize>,
    /// What it asks.
    pub questions: Vec<Question>,
    /// Since when.
    pub since: Timestamp,
    /// How long it waits for an answer.
    pub until: Timestamp,
}
