//! A message that can change: platform-neutral, readable as plain text, never telling a state by colour alone.
//!
//! Whoever makes a card ends with [`Card::sealed`], which writes `text`: what terminals, notifications and screen
//! readers get. The fields before it say the same in parts, for whoever can draw more.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// What a card is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardKind {
    /// An execution, live until it is over.
    Run,
    /// The answer to a question.
    Answer,
    /// Something to fill in.
    Form,
    /// Several things, one a line.
    List,
    /// A refusal, with what to do instead.
    Error,
    /// Something that could be done with a dropped file.
    Offer,
    /// Something that a workflow tells.
    Message,
}

/// One line: a sign, the word for it, and what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Line {
    /// Its number, `3`, or the numbers that it folds, `1-12`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub number: String,
    /// A sign for the state. The word stands beside it.
    pub sign: String,
    /// The word for the state; empty where there is none.
    pub status: String,
    /// What the line is about.
    pub text: String,
    /// What else is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// How a button presents itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// One of several.
    #[default]
    Plain,
    /// What most people want next.
    Primary,
    /// Ends or removes something.
    Danger,
}

/// Something to press.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// What it says.
    pub label: String,
    /// What it does: signed, and opaque to whoever shows it.
    pub action: String,
    /// How it presents itself.
    pub style: Style,
    /// What to ask before it is taken for pressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
    /// A press opens a form: where the platform has windows for that, at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opens: bool,
}

/// What can be filled into a field of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Text.
    Text,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// One of several.
    Choice,
    /// A file.
    File,
}

/// One field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormField {
    /// The input that it fills.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// What it takes.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Whether it must be filled.
    pub required: bool,
    /// What stands in it already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What can be chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// Something to fill in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// What it is for.
    pub title: String,
    /// What sending it does: signed, and opaque to whoever shows it.
    pub submit: String,
    /// Its fields.
    pub fields: Vec<FormField>,
}

/// A card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// What it is about.
    pub kind: CardKind,
    /// Its title.
    pub title: String,
    /// The one line that says how it stands; of a message its whole text, with line breaks.
    pub verdict: String,
    /// The state of the execution that it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The execution that it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<String>,
    /// Its lines.
    pub lines: Vec<Line>,
    /// Names and values.
    pub fields: Vec<Field>,
    /// What can be done.
    pub buttons: Vec<Button>,
    /// People to whom the platform is to call it out, by their ids there; what is no id there calls nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<String>,
    /// What can be filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// The whole card as plain text.
    pub text: String,
    /// When it was last brought up to date; RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
}

/// Columns from which a line's detail stands apart from its text.
const TEXT_WIDTH: usize = 26;

impl Card {
    /// An empty card of this kind.
    #[must_use]
    pub fn new(kind: CardKind, title: impl Into<String>) -> Self {
        Self {
            kind,
            title: title.into(),
            verdict: String::new(),
            status: None,
            execution_id: None,
            lines: Vec::new(),
            fields: Vec::new(),
            buttons: Vec::new(),
            mentions: Vec::new(),
            form: None,
            text: String::new(),
            updated_at: None,
        }
    }

    /// The same card with its verdict.
    #[must_use]
    pub fn verdict(mut self, verdict: impl Into<String>) -> Self {
        self.verdict = verdict.into();
        self
    }

    /// The same card with another button.
    #[must_use]
    pub fn button(mut self, label: impl Into<String>, action: String, style: Style) -> Self {
        self.buttons.push(Button { label: label.into(), action, style, confirm: None, opens: false });
        self
    }

    /// The same card with another field.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.push(Field { name: name.into(), value: value.into() });
        self
    }

    /// The same card, `text` written from its parts.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.text = self.plain();
        self
    }

    /// The button with this label, whatever its case.
    #[must_use]
    pub fn labelled(&self, label: &str) -> Option<&Button> {
        self.buttons.iter().find(|button| button.label.eq_ignore_ascii_case(label.trim()))
    }

    fn plain(&self) -> String {
        let mut text = String::new();
        if let (CardKind::Run, Some(id)) = (self.kind, &self.execution_id) {
            let _ = writeln!(text, "Workflow started: {id}"); // writing to a String cannot fail, here and below
        }
        if self.kind == CardKind::Message && !self.mentions.is_empty() {
            let _ = writeln!(text, "for {}", self.mentions.join(", "));
        }
        match (self.title.is_empty(), self.verdict.is_empty()) {
            (true, true) => {}
            (false, false) if self.kind == CardKind::Run => {
                let _ = writeln!(text, "{} · {}", self.title, self.verdict);
            }
            (titled, said) => {
                for part in [(!titled, &self.title), (!said, &self.verdict)].iter().filter(|(there, _)| *there) {
                    let _ = writeln!(text, "{}", part.1);
                }
            }
        }
        self.write_lines(&mut text);
        let width = self.fields.iter().map(|field| field.name.chars().count()).max().unwrap_or(0);
        for field in &self.fields {
            // What has several lines begins on its own, so that nothing of it is indented by accident.
            let gap = if field.value.contains('\n') { "\n" } else { " " };
            let _ = writeln!(text, "  {}:{}{gap}{}", field.name, pad(&field.name, width), field.value);
        }
        for field in self.form.iter().flat_map(|form| &form.fields) {
            let _ = writeln!(text, "  ? {}", question(field));
        }
        if !self.buttons.is_empty() {
            let labels: Vec<_> = self.buttons.iter().map(|button| format!("[{}]", button.label)).collect();
            let _ = writeln!(text, "{}", labels.join(" "));
        }
        text.truncate(text.trim_end().len());
        text
    }

    /// The lines as plain text, in columns.
    #[must_use]
    pub fn listed(&self) -> String {
        let mut text = String::new();
        self.write_lines(&mut text);
        text.truncate(text.trim_end().len());
        text
    }

    fn write_lines(&self, text: &mut String) {
        let widest = |part: fn(&Line) -> &str| self.lines.iter().map(|line| part(line).chars().count()).max();
        let numbers = widest(|line| &line.number).unwrap_or(0);
        let words = widest(|line| &line.status).unwrap_or(0);
        let texts = widest(|line| &line.text).unwrap_or(0).min(TEXT_WIDTH);
        for line in &self.lines {
            let mut row = String::new();
            if numbers > 0 {
                let _ = write!(row, " {}{}", pad(&line.number, numbers), line.number);
            }
            for (part, width) in [(&line.sign, usize::from(!line.sign.is_empty())), (&line.status, words)] {
                if width > 0 {
                    let _ = write!(row, " {part}{}", pad(part, width));
                }
            }
            let _ = write!(row, " {}", line.text);
            if let Some(detail) = &line.detail {
                let _ = write!(row, "{}  {detail}", pad(&line.text, texts));
            }
            let _ = writeln!(text, "{}", row.trim_end());
        }
    }
}

/// How a field is asked for in one line.
#[must_use]
pub fn question(field: &FormField) -> String {
    let mut text =
        if field.label == field.key { field.key.clone() } else { format!("{} ({})", field.label, field.key) };
    let hint = match field.kind {
        FieldType::File => "a file",
        FieldType::Number => "a number",
        FieldType::Boolean => "yes or no",
        FieldType::Text | FieldType::Choice => "",
    };
    let choices = field.choices.join(", ");
    let hints = [hint, &choices, field.help.as_deref().unwrap_or_default()];
    for part in hints.iter().filter(|part| !part.is_empty()) {
        let _ = write!(text, " · {part}");
    }
    if let Some(value) = &field.value {
        let _ = write!(text, " · {value} if nothing else is said");
    }
    text
}

fn pad(text: &str, width: usize) -> String {
    " ".repeat(width.saturating_sub(text.chars().count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: &str, sign: &str, status: &str, text: &str, detail: Option<&str>) -> Line {
        let owned = |text: &str| text.to_owned();
        Line {
            number: owned(number),
            sign: owned(sign),
            status: owned(status),
            text: owned(text),
            detail: detail.map(owned),
        }
    }

    #[test]
    fn the_text_of_a_run_begins_with_its_id_and_says_every_state_in_words() {
        let mut card = Card::new(CardKind::Run, "Invoice Intake · by ana").verdict("running · step 2 of 10");
        card.execution_id = Some("exec_1".to_owned());
        card.lines = vec![
            line("1", "✓", "done", "Upload", Some("0.4 s  scan.pdf")),
            line("2", "…", "running", "Extract Text", None),
            line("3-10", "·", "pending", "8 steps", None),
        ];
        let card = card.button("Pause", String::new(), Style::Plain).sealed();
        let expected = "Workflow started: exec_1\nInvoice Intake · by ana · running · step 2 of 10\n    1 ✓ done    Upload        0.4 s  scan.pdf\n    2 … running Extract Text\n 3-10 · pending 8 steps\n[Pause]";
        assert_eq!(card.text, expected);
        assert!(card.labelled(" pause ").is_some() && card.labelled("Cancel").is_none());
    }

    #[test]
    fn a_card_reads_back_from_its_json() {
        let mut card = Card::new(CardKind::Form, "Inputs").field("a", "b");
        card.form = Some(Form {
            title: "Inputs".to_owned(),
            submit: "signed".to_owned(),
            fields: vec![FormField {
                key: "n".to_owned(),
                label: "How many".to_owned(),
                kind: FieldType::Number,
                required: true,
                value: Some("3".to_owned()),
                choices: Vec::new(),
                help: None,
            }],
        });
        let card = card.sealed();
        assert_eq!(card.text, "Inputs\n  a: b\n  ? How many (n) · a number · 3 if nothing else is said");
        let json = serde_json::to_value(&card).expect("plain values");
        assert_eq!(json["form"]["fields"][0]["type"], "number");
        assert_eq!(serde_json::from_value::<Card>(json).expect("reads back"), card);
    }
}
