//! A form as a window, and what was filled into it. Pure.

use serde_json::{Map, Value, json};

use super::text::clipped;
use crate::domain::card::{FieldType, Form, FormField};

/// Fields of one window; what is missing then is asked again by the card.
const FIELDS: usize = 50;
/// Characters of a text that a field holds.
const LONGEST: usize = 3_000;
/// Choices of one list; of more the wanted one is typed.
const CHOICES: usize = 100;
/// Characters of a choice's value.
const CHOICE: usize = 150;
/// The id of every field's element: its block says which it is.
const ELEMENT: &str = "value";

/// What every window of ours is known by.
pub const CALLBACK: &str = "form";

/// The window of a form. `memory` comes back with it; `given` is what was filled in before.
#[must_use]
pub fn window(form: &Form, memory: &str, given: &Map<String, Value>) -> Value {
    let fillable: Vec<&FormField> = form.fields.iter().filter(|field| field.kind != FieldType::File).collect();
    let mut blocks: Vec<Value> = fillable.iter().take(FIELDS).map(|field| input(field, given)).collect();
    let later = fillable.len().saturating_sub(FIELDS);
    let files = form.fields.len() - fillable.len();
    let mut notes = Vec::new();
    if later > 0 {
        notes.push(format!("{later} more are asked for when these are sent"));
    }
    if files > 0 {
        notes.push("a file is dropped into the conversation".to_owned());
    }
    if !notes.is_empty() {
        blocks.push(json!({ "type": "context", "elements": [{ "type": "plain_text", "text": notes.join("; ") }] }));
    }
    json!({
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": memory,
        "title": { "type": "plain_text", "text": clipped(&form.title, 24), "emoji": false },
        "submit": { "type": "plain_text", "text": "Send" },
        "close": { "type": "plain_text", "text": "Not now" },
        "blocks": blocks,
    })
}

/// One field.
fn input(field: &FormField, given: &Map<String, Value>) -> Value {
    let before = given.get(&field.key).and_then(Value::as_str).map(str::to_owned).or_else(|| field.value.clone());
    let element = element(field, before.as_deref());
    let mut block = json!({
        "type": "input",
        "block_id": block_id(field),
        "label": { "type": "plain_text", "text": clipped(&field.label, 200), "emoji": false },
        "optional": !field.required,
        "element": element,
    });
    if let Some(help) = field.help.as_deref().filter(|help| !help.is_empty()) {
        block["hint"] = json!({ "type": "plain_text", "text": clipped(help, 300), "emoji": false });
    }
    block
}

/// What a field takes stands in the id of its block: that comes back with what was filled in.
fn block_id(field: &FormField) -> String {
    let kind = match field.kind {
        FieldType::Number => 'n',
        FieldType::Boolean => 'b',
        FieldType::Choice => 'c',
        FieldType::Text | FieldType::File => 't',
    };
    format!("{kind}:{}", field.key)
}

fn element(field: &FormField, before: Option<&str>) -> Value {
    let yes_no = ["true".to_owned(), "false".to_owned()];
    let choices = match field.kind {
        FieldType::Boolean => &yes_no[..],
        FieldType::Choice => &field.choices[..],
        _ => &[],
    };
    let fits = |choice: &String| !choice.is_empty() && choice.chars().count() <= CHOICE;
    if !choices.is_empty() && choices.len() <= CHOICES && choices.iter().all(fits) {
        let option = |choice: &str| {
            let said = match (field.kind, choice) {
                (FieldType::Boolean, "true") => "yes".to_owned(),
                (FieldType::Boolean, _) => "no".to_owned(),
                _ => clipped(choice, 75),
            };
            json!({ "text": { "type": "plain_text", "text": said, "emoji": false }, "value": choice })
        };
        let mut element = json!({
            "type": "static_select",
            "action_id": ELEMENT,
            "options": choices.iter().map(|choice| option(choice)).collect::<Vec<_>>(),
        });
        if let Some(chosen) = before.and_then(|before| choices.iter().find(|choice| *choice == before)) {
            element["initial_option"] = option(chosen);
        }
        return element;
    }
    let mut element = json!({ "type": "plain_text_input", "action_id": ELEMENT, "max_length": LONGEST });
    match before {
        Some(before) if before.chars().count() > LONGEST => {
            // What does not fit is not shown, and stays what it was when nothing is typed.
            element["placeholder"] = json!({ "type": "plain_text", "text": "as it was, when this is left empty" });
        }
        Some(before) if !before.is_empty() => {
            element["initial_value"] = json!(before);
            element["multiline"] = json!(before.contains('\n') || before.chars().count() > 80);
        }
        _ => {}
    }
    element
}

/// What was filled in, by input; what was left empty is left out.
#[must_use]
pub fn values(view: &Value) -> Map<String, Value> {
    let filled = fields(view).filter(|(_, _, value)| !value.is_empty());
    filled.map(|(_, key, value)| (key.to_owned(), Value::String(value.to_owned()))).collect()
}

/// What cannot be what its field takes, by block, with what is wrong.
#[must_use]
pub fn errors(view: &Value) -> Map<String, Value> {
    let wrong = fields(view).filter(|(kind, _, value)| *kind == "n" && !value.is_empty() && !is_number(value));
    wrong
        .map(|(kind, key, value)| (format!("{kind}:{key}"), json!(format!("a number, not `{}`", clipped(value, 60)))))
        .collect()
}

/// Decimal digits with at most one point, as the inputs of workflows are written.
fn is_number(text: &str) -> bool {
    let digits = text.trim().trim_start_matches(['-', '+']);
    digits.bytes().any(|byte| byte.is_ascii_digit()) && text.trim().parse::<f64>().is_ok_and(f64::is_finite)
}

/// The kind, the key and the value of each field.
fn fields(view: &Value) -> impl Iterator<Item = (&str, &str, &str)> {
    view["state"]["values"].as_object().into_iter().flatten().filter_map(|(block, elements)| {
        let (kind, key) = block.split_once(':')?;
        let element = elements.get(ELEMENT)?;
        let value = element["value"].as_str().or_else(|| element["selected_option"]["value"].as_str());
        Some((kind, key, value.unwrap_or_default().trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(key: &str, kind: FieldType) -> FormField {
        FormField {
            key: key.to_owned(),
            label: format!("The {key}"),
            kind,
            required: true,
            value: None,
            choices: Vec::new(),
            help: None,
        }
    }

    fn form(fields: Vec<FormField>) -> Form {
        Form {
            title: "A form whose title is far too long for a window".to_owned(),
            submit: "signed".to_owned(),
            fields,
        }
    }

    fn filled(block: &str, value: &str) -> Value {
        json!({ "state": { "values": { block: { "value": { "type": "plain_text_input", "value": value } } } } })
    }

    #[test]
    fn every_kind_of_field_has_its_element_and_a_file_is_dropped() {
        let mut choice = field("colour", FieldType::Choice);
        choice.choices = vec!["red".to_owned(), "green".to_owned()];
        choice.value = Some("green".to_owned());
        let fields =
            vec![field("n", FieldType::Number), field("yes", FieldType::Boolean), choice, field("f", FieldType::File)];
        let window = window(&form(fields), "memory", &Map::new());
        let kinds: Vec<_> = window["blocks"]
            .as_array()
            .expect("blocks")
            .iter()
            .map(|block| block["element"]["type"].as_str())
            .collect();
        assert_eq!(kinds, [Some("plain_text_input"), Some("static_select"), Some("static_select"), None]);
        assert_eq!(window["blocks"][2]["element"]["initial_option"]["value"], "green");
        assert_eq!(window["title"]["text"].as_str().expect("a title").chars().count(), 24);
    }

    #[test]
    fn a_hundred_fields_are_a_first_page_and_a_word_about_the_rest() {
        let fields = (0..120).map(|n| field(&format!("k{n}"), FieldType::Text)).collect();
        let window = window(&form(fields), "", &Map::new());
        let blocks = window["blocks"].as_array().expect("blocks");
        assert_eq!(blocks.len(), FIELDS + 1);
        assert_eq!(blocks[FIELDS]["elements"][0]["text"], "70 more are asked for when these are sent");
    }

    #[test]
    fn what_was_given_before_stands_in_the_window() {
        let given = json!({ "n": "12" }).as_object().expect("an object").clone();
        let window = window(&form(vec![field("n", FieldType::Number)]), "", &given);
        assert_eq!(window["blocks"][0]["element"]["initial_value"], "12");
    }

    #[test]
    fn a_value_of_the_wrong_type_is_told_at_its_field() {
        assert!(errors(&filled("n:count", "12")).is_empty() && errors(&filled("n:count", "-1.5")).is_empty());
        for wrong in ["many", "1,5", "inf", "nan", "1.2.3"] {
            assert_eq!(errors(&filled("n:count", wrong))["n:count"], format!("a number, not `{wrong}`"), "{wrong}");
        }
        assert_eq!(values(&filled("t:a:b", " x "))["a:b"], "x");
        assert!(values(&filled("t:a", "  ")).is_empty());
    }
}
