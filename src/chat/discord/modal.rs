//! A form as a window: at most five texts, prefilled with what is known. What does not fit is asked again by the card.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};
use serenity::model::application::{ActionRow, ActionRowComponent};

use super::markup::cut;
use crate::domain::card::{FieldType, Form, FormField};

/// Forms that are remembered with what was filled in.
const DRAFTS: usize = 1_000;
/// Fields of a window.
const FIELDS: usize = 5;
/// Characters of its title, and of a label.
const TITLE: usize = 45;
const PLACEHOLDER: usize = 100;
const VALUE: usize = 4_000;
/// Characters of a field's name.
const KEY: usize = 100;

/// What was filled in, by person and form: what did not fit need not be typed again.
#[derive(Default)]
pub struct Drafts(Mutex<HashMap<(String, String), Map<String, Value>>>);

impl Drafts {
    /// What was filled into a form before.
    pub fn draft(&self, user: &str, form: &str) -> Map<String, Value> {
        let drafts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drafts.get(&(user.to_owned(), form.to_owned())).cloned().unwrap_or_default()
    }

    /// Remembers what was filled in.
    pub fn keep(&self, user: &str, form: &str, values: Map<String, Value>) {
        let mut drafts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if drafts.len() >= DRAFTS {
            drafts.clear();
        }
        drafts.insert((user.to_owned(), form.to_owned()), values);
    }
}

/// The window; `None` where nothing can be filled in there. `given`: what was filled in before and did not fit.
#[must_use]
pub fn window(form: &Form, id: &str, given: &Map<String, Value>) -> Option<Value> {
    let fillable = form.fields.iter().filter(|field| field.kind != FieldType::File && field.key.len() <= KEY);
    let rows: Vec<Value> = fillable.take(FIELDS).map(|field| row(field, given)).collect();
    let title = form.title.replace('\u{2060}', "");
    let title = if title.trim().is_empty() { "Answer".to_owned() } else { cut(&title, TITLE) };
    (!rows.is_empty()).then(|| json!({ "custom_id": id, "title": title, "components": rows }))
}

fn row(field: &FormField, given: &Map<String, Value>) -> Value {
    let label = field.label.replace('\u{2060}', "");
    let label = if label.trim().is_empty() { field.key.clone() } else { label };
    let is_long = field.kind == FieldType::Text && field.choices.is_empty();
    let mut input = json!({
        "type": 4,
        "custom_id": field.key,
        "label": cut(&label, TITLE),
        "style": if is_long { 2 } else { 1 },
        "required": field.required,
        "max_length": VALUE,
    });
    let hint = match field.kind {
        FieldType::Boolean => "yes or no".to_owned(),
        _ if !field.choices.is_empty() => field.choices.join(", "),
        FieldType::Number => field.help.clone().unwrap_or_else(|| "a number".to_owned()),
        _ => field.help.clone().unwrap_or_default(),
    };
    if !hint.is_empty() {
        input["placeholder"] = json!(cut(&hint, PLACEHOLDER));
    }
    let value = given.get(&field.key).and_then(Value::as_str).or(field.value.as_deref());
    // A value that would be cut is left out: what is not touched stays as it is.
    if let Some(value) = value.filter(|value| !value.is_empty() && value.encode_utf16().count() <= VALUE) {
        input["value"] = json!(value);
    }
    json!({ "type": 1, "components": [input] })
}

/// What was filled in.
#[must_use]
pub fn values(rows: &[ActionRow]) -> Map<String, Value> {
    let inputs = rows.iter().flat_map(|row| &row.components).filter_map(|component| match component {
        ActionRowComponent::InputText(input) => {
            Some((input.custom_id.clone(), Value::String(input.value.clone().unwrap_or_default())))
        }
        _ => None,
    });
    inputs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(key: &str, kind: FieldType) -> FormField {
        let (label, value) = (format!("The {key} {}", "x".repeat(60)), Some("7".to_owned()));
        FormField { key: key.to_owned(), label, kind, required: true, value, choices: Vec::new(), help: None }
    }

    #[test]
    fn a_window_has_five_fields_without_files_and_keeps_what_was_given() {
        let kinds = [FieldType::File, FieldType::Text, FieldType::Number, FieldType::Boolean, FieldType::Choice];
        let fields = (0..10).map(|place| field(&format!("f{place}"), kinds[place % 5])).collect();
        let form = Form { title: "needs ".repeat(20), submit: "s".to_owned(), fields };
        let given = json!({ "f1": "again" });
        let window = window(&form, "~id", given.as_object().expect("an object")).expect("a window");
        let rows = window["components"].as_array().expect("a list");
        assert_eq!(rows.len(), FIELDS);
        assert_eq!(window["title"].as_str().expect("a text").chars().count(), TITLE);
        let first = &rows[0]["components"][0];
        assert_eq!((&first["custom_id"], &first["value"], &first["style"]), (&json!("f1"), &json!("again"), &json!(2)));
        assert_eq!(rows[1]["components"][0]["value"], "7");
        assert!(rows.iter().all(|row| row["components"][0]["label"].as_str().expect("a text").chars().count() <= 45));
        let files = Form { fields: vec![field("f", FieldType::File)], ..form };
        assert_eq!(super::window(&files, "~id", &Map::new()), None);
    }
}
