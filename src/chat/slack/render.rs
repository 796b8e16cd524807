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
const BUTTONS: usize = 15;
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
        parts.push(section(&[plain(&format!("… and {} more", card.fields.len() - fit.fields))]));
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
    section(&elements)
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
        return vec![section(&[bold(&format!("{name}:"))]), preformatted(value)];
    }
    let mut elements = vec![bold(&format!("{name}: "))];
    if !value.is_empty() {
        elements.push(plain(value));
    }
    vec![section(&elements)]
}

/// What can be filled in, in words: the window has the rest, and a file is dropped.
fn asked(form: &Form) -> Vec<Value> {
    let said = form.fields.iter().map(|field| {
        let how = if field.kind == FieldType::File { " · drop it here" } else { "" };
        section(&[plain(&clipped(&format!("? {}{how}", question(field)), 400))])
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

fn section(elements: &[Value]) -> Value {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::card::{CardKind, FormField, Line};

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

    fn run() -> Card {
        let mut card = Card::new(CardKind::Run, "Invoice Intake · by ana").verdict("waiting · needs approval");
        card.execution_id = Some("exec_01m8k5h3941xdmx0w6k163w1a3".to_owned());
        card.lines = vec![
            line("1", "✓", "done", "Upload", Some("0.4 s  scan.pdf")),
            line("2", "·", "waiting", "Approval", None),
        ];
        card.mentions = vec!["U01ALICE001".to_owned(), "<!channel>".to_owned()];
        card.updated_at = Some("2026-11-23T05:30:09.123Z".to_owned());
        card.form = Some(Form {
            title: "Invoice Intake needs".to_owned(),
            submit: "signed".to_owned(),
            fields: vec![
                FormField {
                    key: "n".to_owned(),
                    label: "How many".to_owned(),
                    kind: FieldType::Number,
                    required: true,
                    value: None,
                    choices: Vec::new(),
                    help: None,
                },
                FormField {
                    key: "f".to_owned(),
                    label: "f".to_owned(),
                    kind: FieldType::File,
                    required: true,
                    value: None,
                    choices: Vec::new(),
                    help: None,
                },
            ],
        });
        let card = card.field("total", "1234.50 *bold* <@U1> & more").field("log", "a\nb");
        let mut card = card.button("Approve", "act-1".to_owned(), Style::Primary).button(
            "Cancel",
            "act-2".to_owned(),
            Style::Danger,
        );
        card.buttons[1].confirm = Some("Three steps reached outside.".to_owned());
        card.sealed()
    }

    #[test]
    fn a_card_is_drawn_as_it_was_agreed() {
        let drawn = draw(&run(), "wf.mark");
        let shown =
            format!("{}\n----\n{}\n", drawn.text, serde_json::to_string_pretty(&drawn.blocks).expect("plain values"));
        let agreed = include_str!("../../../tests/fixtures/slack/run-card.txt");
        assert_eq!(shown, agreed, "\n{shown}");
        assert_eq!(drawn.whole, None);
    }

    #[test]
    fn whatever_a_card_says_it_is_never_too_large_and_never_cut_in_silence() {
        for (lines, fields, length) in
            [(10, 5, 50), (61, 10, 300), (400, 3, 4_000), (5_000, 200, 5_000), (0, 100, 2_900)]
        {
            let mut card = Card::new(CardKind::Answer, "&".repeat(length)).verdict("<".repeat(length));
            card.lines = (0..lines)
                .map(|n| line(&n.to_string(), "✓", "done", "A step with a name", Some(&"é".repeat(length.min(200)))))
                .collect();
            for n in 0..fields {
                card = card.field(format!("output {n}"), "value\n".repeat(length / 6));
            }
            for n in 0..15 {
                card = card.button(format!("Button {n} {}", "x".repeat(70)), "a".repeat(300), Style::Primary);
            }
            let card = card.sealed();
            let drawn = draw(&card, "wf.mark");
            assert!(size(&drawn.blocks) < 13_000, "{lines} {fields} {length}: {}", size(&drawn.blocks));
            assert!(drawn.text.len() <= 4_000 && drawn.blocks.len() <= 50);
            let is_part =
                drawn.blocks[0].to_string().contains("more lines") || drawn.blocks[0].to_string().contains('…');
            assert!(!is_part || drawn.whole.as_deref() == Some(card.text.as_str()) || length > 600);
        }
    }
}
