//! A card as Block Kit. Pure, and measured before it is sent: what does not fit is folded, then cut with words that say so,
//! and the whole goes along as a file.
//!
//! Text of people and documents stands in `rich_text` alone, which reads no markup: nothing of it calls anybody, links or formats.

use serde_json::{Value, json};

use super::text::{clipped, escaped_within, is_id};
use crate::chat::forms;
use crate::domain::card::{Button, Card, FieldType, Form, Style, question};

/// Characters of all blocks together; Slack refuses a message somewhere above 13,000.
const BLOCKS: usize = 11_000;
/// Bytes of a message's text, once it is escaped; an edit takes 4,000.
const TEXT: usize = 3_900;
/// Buttons of one row.
const ROW: usize = 5;
/// Buttons of a card; no card of ours has as many.
const BUTTONS: usize = 25;
/// What the action of a button begins with that opens a window.
pub const OPENS: &str = "open";

/// How much of a card is shown.
struct Fit {
    lines: usize,
    detail: usize,
    fields: usize,
    value: usize,
}

/// From everything to what matters most.
const FITS: [Fit; 4] = [
    Fit { lines: usize::MAX, detail: usize::MAX, fields: usize::MAX, value: usize::MAX },
    Fit { lines: 70, detail: 60, fields: 40, value: 300 },
    Fit { lines: 30, detail: 40, fields: 15, value: 150 },
    Fit { lines: 8, detail: 24, fields: 4, value: 80 },
];

/// A card as it is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// What notifications and screen readers get; escaped.
    pub text: String,
    /// The blocks.
    pub blocks: Vec<Value>,
    /// The whole as plain text, where the message shows only a part.
    pub whole: Option<String>,
}

/// Draws a card. `mark` becomes the id of its first block, by which the message is known when it comes back.
#[must_use]
pub fn draw(card: &Card, mark: &str) -> Drawn {
    let mut drawn = Vec::new();
    let mut is_whole = true;
    for (tried, fit) in FITS.iter().enumerate() {
        (drawn, is_whole) = (blocks(card, mark, fit), tried == 0);
        if size(&drawn) <= BLOCKS {
            break;
        }
    }
    let calls: String = card.mentions.iter().filter(|id| is_id(id)).map(|id| format!("<@{id}> ")).collect();
    let text = format!("{calls}{}", escaped_within(&card.text, TEXT - calls.len().min(TEXT / 2)));
    Drawn { text, blocks: drawn, whole: (!is_whole).then(|| card.text.clone()) }
}

/// How much Slack will count.
#[must_use]
pub fn size(blocks: &[Value]) -> usize {
    serde_json::to_string(blocks).map_or(usize::MAX, |text| text.chars().count())
}

/// The parts of a card as blocks, at most as much as fits.
fn blocks(card: &Card, mark: &str, fit: &Fit) -> Vec<Value> {
    let mut parts = vec![head(card)];
    parts.extend(lines(card, fit));
    for field in card.fields.iter().take(fit.fields) {
        parts.extend(pair(&field.name, &clipped(&field.value, fit.value)));
    }
    if card.fields.len() > fit.fields {
        parts.push(section(vec![plain(&format!("… and {} more", card.fields.len() - fit.fields))]));
    }
    parts.extend(card.form.iter().flat_map(asked));
    parts.retain(|part| part["elements"].as_array().is_some_and(|elements| !elements.is_empty()));
    let mut blocks = Vec::new();
    if !parts.is_empty() {
        blocks.push(json!({ "type": "rich_text", "block_id": mark, "elements": parts }));
    }
    blocks.extend(rows(card));
    if let Some(at) = card.updated_at.as_deref() {
        let clock = at.get(11..19).unwrap_or(at);
        blocks.push(json!({ "type": "context", "elements": [{ "type": "plain_text", "text": format!("updated {clock} UTC") }] }));
    }
    blocks
}

/// Who is called, what it is, and how it stands.
fn head(card: &Card) -> Value {
    let mut elements: Vec<Value> = Vec::new();
    for id in card.mentions.iter().filter(|id| is_id(id)) {
        elements.push(json!({ "type": "user", "user_id": id }));
        elements.push(plain(" "));
    }
    if let (crate::domain::card::CardKind::Run, Some(id)) = (card.kind, &card.execution_id) {
        elements.push(plain("Workflow started: "));
        elements.push(json!({ "type": "text", "text": id, "style": { "code": true } }));
        elements.push(plain("\n"));
    }
    if !card.title.is_empty() {
        elements.push(bold(&clipped(&card.title, 600)));
    }
    if !card.verdict.is_empty() {
        let gap = if card.title.is_empty() { "" } else { "\n" };
        elements.push(plain(&format!("{gap}{}", clipped(&card.verdict, 1_500))));
    }
    section(elements)
}

/// The numbered lines, in letters of one width.
fn lines(card: &Card, fit: &Fit) -> Option<Value> {
    if card.lines.is_empty() {
        return None;
    }
    let mut shown = Card::new(card.kind, "");
    shown.lines = card.lines.iter().take(fit.lines).cloned().collect();
    for line in &mut shown.lines {
        line.detail = line.detail.as_deref().map(|detail| clipped(detail, fit.detail));
    }
    let mut text = shown.listed();
    if card.lines.len() > fit.lines {
        text.push_str(&format!("\n… and {} more lines", card.lines.len() - fit.lines));
    }
    Some(preformatted(&text))
}

/// A name and its value; what has several lines stands in letters of one width.
fn pair(name: &str, value: &str) -> Vec<Value> {
    if value.contains('\n') {
        return vec![section(vec![bold(&format!("{name}:"))]), preformatted(value)];
    }
    let mut elements = vec![bold(&format!("{name}: "))];
    if !value.is_empty() {
        elements.push(plain(value));
    }
    vec![section(elements)]
}

/// What can be filled in, in words: the window has the rest, and a file is dropped.
fn asked(form: &Form) -> Vec<Value> {
    let said = form.fields.iter().map(|field| {
        let how = if field.kind == FieldType::File { " · drop it here" } else { "" };
        section(vec![plain(&clipped(&format!("? {}{how}", question(field)), 400))])
    });
    said.take(20).collect()
}

/// The buttons, a few in a row.
fn rows(card: &Card) -> Vec<Value> {
    let opener = card.form.as_ref().and_then(forms::opener);
    let all: Vec<&Button> = opener.iter().chain(&card.buttons).take(BUTTONS).collect();
    let mut place = 0;
    let row = |row: &[&Button]| {
        let elements: Vec<Value> = row
            .iter()
            .map(|button| {
                place += 1;
                element(button, place)
            })
            .collect();
        json!({ "type": "actions", "elements": elements })
    };
    all.chunks(ROW).map(row).collect()
}

/// A button. Its action stands in its value, and whether it opens a window in its id.
fn element(button: &Button, place: usize) -> Value {
    let kind = if button.opens { OPENS } else { "press" };
    let label: String =
        button.label.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    let mut element = json!({
        "type": "button",
        "action_id": format!("{kind}.{place}.{label}"),
        "text": { "type": "plain_text", "text": clipped(&button.label, 75), "emoji": false },
        "value": button.action,
    });
    match button.style {
        Style::Plain => {}
        Style::Primary => element["style"] = json!("primary"),
        Style::Danger => element["style"] = json!("danger"),
    }
    if let Some(asks) = &button.confirm {
        element["confirm"] = json!({
            "title": { "type": "plain_text", "text": clipped(&button.label, 100) },
            "text": { "type": "plain_text", "text": clipped(asks, 300) },
            "confirm": { "type": "plain_text", "text": clipped(&button.label, 30) },
            "deny": { "type": "plain_text", "text": "No" },
        });
    }
    element
}

fn section(elements: Vec<Value>) -> Value {
    json!({ "type": "rich_text_section", "elements": elements })
}

fn preformatted(text: &str) -> Value {
    json!({ "type": "rich_text_preformatted", "elements": [plain(text)] })
}

fn plain(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn bold(text: &str) -> Value {
    json!({ "type": "text", "text": text, "style": { "bold": true } })
}
