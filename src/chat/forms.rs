//! What an execution asks for, as a form and as single questions; and the answers read back.

use serde_json::{Map, Value};

use super::actions::Action;
use super::grammar::inert;
use super::means::Means;
use super::words;
use crate::domain::card::{Button, FieldType, Form, FormField, Style};
use crate::domain::id::RunId;
use crate::domain::plan::InputType;
use crate::domain::question::Question;
use crate::service::{Caller, RunView, ServiceError};

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
    FormField {
        key: question.key.clone(),
        label: inert(&question.label, 120),
        kind: field_type(question.kind),
        required: true,
        value: None,
        choices: question.options.iter().map(words::value).collect(),
        help: hint(question.kind),
    }
}

const fn field_type(kind: InputType) -> FieldType {
    match kind {
        InputType::File => FieldType::File,
        InputType::Integer | InputType::Number | InputType::Decimal => FieldType::Number,
        InputType::Boolean => FieldType::Boolean,
        InputType::Enum => FieldType::Choice,
        _ => FieldType::Text,
    }
}

fn hint(kind: InputType) -> Option<String> {
    let hint = match kind {
        InputType::Date => "a date, as 2026-11-23",
        InputType::Datetime => "a time, as 2026-11-23T05:30:00Z",
        InputType::Duration => "a duration, as 90s or 30m",
        InputType::Array => "a list, as a, b, c",
        InputType::Object => "a JSON object",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// The form of an execution's inputs as they were, to start it again with others; `None` when it takes none.
///
/// # Errors
/// The execution or its workflow is gone.
pub async fn of_rerun(means: &Means, caller: &Caller, run: RunId) -> Result<Option<Form>, ServiceError> {
    let archive = means.service.seen_by(caller);
    let view = archive.view(run, false).await?;
    let given = archive.inputs(run).await?;
    let detail = means.service.workflow(caller, &view.workflow_id).await?;
    let inputs = detail.inputs.iter().filter(|input| !input.sensitive && input.kind != InputType::File);
    let fields: Vec<FormField> = inputs
        .map(|input| FormField {
            key: input.name.clone(),
            label: inert(&input.label, 120),
            kind: field_type(input.kind),
            required: false,
            value: given.get(&input.name).or(input.default.as_ref()).map(words::value),
            choices: input.choices.iter().map(words::value).collect(),
            help: input.description.as_deref().map(|text| inert(text, 140)).or_else(|| hint(input.kind)),
        })
        .collect();
    let submit = means.sign(&Action::Again { run });
    let title = format!("{} again", inert(&view.name, 60));
    Ok((!fields.is_empty()).then_some(Form { title, submit, fields }))
}

/// The button that opens a form, where the platform shows it in a window; `None` when only files are asked for: those are dropped.
#[must_use]
pub fn opener(form: &Form) -> Option<Button> {
    let fillable = form.fields.iter().any(|field| field.kind != FieldType::File);
    let button = |action: &str| Button {
        label: "Answer".to_owned(),
        action: action.to_owned(),
        style: Style::Primary,
        confirm: None,
        opens: true,
    };
    fillable.then(|| button(&form.submit))
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
