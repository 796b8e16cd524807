//! What an execution asks for, as a form and as single questions; and the answers read back.

use serde_json::{Map, Value};

use super::grammar::inert;
use super::words;
use crate::domain::card::{FieldType, Form, FormField};
use crate::domain::plan::InputType;
use crate::domain::question::Question;
use crate::service::RunView;

/// The form of everything that an execution asks for; `None` when it asks for nothing.
#[must_use]
pub fn of_questions(view: &RunView, submit: String) -> Option<Form> {
    if view.questions.is_empty() {
        return None;
    }
    let fields = view.questions.iter().map(field).collect();
    Some(Form { title: format!("{} needs", inert(&view.name, 60)), submit, fields })
}

fn field(question: &Question) -> FormField {
    let kind = match question.kind {
        InputType::File => FieldType::File,
        InputType::Integer | InputType::Number | InputType::Decimal => FieldType::Number,
        InputType::Boolean => FieldType::Boolean,
        InputType::Enum => FieldType::Choice,
        _ => FieldType::Text,
    };
    let help = match question.kind {
        InputType::Date => Some("a date, as 2026-11-23"),
        InputType::Datetime => Some("a time, as 2026-11-23T05:30:00Z"),
        InputType::Duration => Some("a duration, as 90s or 30m"),
        InputType::Array => Some("a list, as a, b, c"),
        InputType::Object => Some("a JSON object"),
        _ => None,
    };
    FormField {
        key: question.key.clone(),
        label: inert(&question.label, 120),
        kind,
        required: true,
        value: None,
        choices: question.options.iter().map(words::value).collect(),
        help: help.map(str::to_owned),
    }
}

/// The values of a form as the texts that they were typed as; what was left empty is left out.
#[must_use]
pub fn pairs(values: &Map<String, Value>) -> Vec<(String, String)> {
    let filled = values.iter().filter(|(_, value)| !value.is_null() && value.as_str() != Some(""));
    filled.map(|(key, value)| (key.clone(), words::value(value))).collect()
}

/// The question that waits for a file.
#[must_use]
pub fn file_question(view: &RunView) -> Option<&Question> {
    view.questions.iter().find(|question| question.kind == InputType::File)
}
