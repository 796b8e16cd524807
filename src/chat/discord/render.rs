//! A card as a Discord message: measured before it is sent, so that nothing is refused and nothing is cut in silence.
//! What does not fit loses its details first, then stands in a file beside it. Pure.
//!
//! The plain content says how it stands, for notifications and screen readers; the embed has the lines and fields.

use serde_json::{Map, Value, json};

use super::markup::{block, cut, escaped};
use super::rest::Enclosure;
use crate::chat::forms;
use crate::domain::card::{Button, Card, CardKind, Form, Style, question};

/// Characters of a message's own text.
const CONTENT: usize = 2_000;
/// Characters of an embed's text.
const DESCRIPTION: usize = 4_096;
/// Characters of an embed altogether.
const EMBED: usize = 6_000;
const FIELDS: usize = 25;
const FIELD_NAME: usize = 256;
const FIELD_VALUE: usize = 1_024;
/// What fields may take from the lines.
const ALL_FIELDS: usize = 3_000;
const BUTTONS: usize = 25;
const IN_A_ROW: usize = 5;
const LABEL: usize = 80;
/// What stands between backticks that make a block.
const FENCES: usize = 12;

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// Its body, for a new message as for a changed one.
    pub body: Value,
    /// The file that has what did not fit.
    pub file: Option<Enclosure>,
}

/// The buttons of a card, as they are shown: the one that opens its form first.
#[must_use]
pub fn buttons(card: &Card) -> Vec<Button> {
    let opener = card.form.as_ref().and_then(forms::opener);
    opener.into_iter().chain(card.buttons.iter().cloned()).take(BUTTONS).collect()
}

/// What a button carries, before it is made short: its action, behind the question that is asked first.
#[must_use]
pub fn carried(button: &Button) -> String {
    match &button.confirm {
        Some(confirm) => format!("?{confirm}\n{}", button.action),
        None => button.action.clone(),
    }
}

/// The message. `ids`: what its buttons carry, in their order.
#[must_use]
pub fn message(card: &Card, ids: &[String]) -> Rendered {
    let mut whole = true;
    let content = content(card, &mut whole);
    let embed = embed(card, &mut whole);
    let is_live = card.kind == CardKind::Run && card.buttons.iter().any(|button| button.label == "Pause");
    // While it changes every second, the whole of it is a button away.
    let file = (!whole && !is_live).then(|| Enclosure {
        name: format!("{}.txt", card.execution_id.as_deref().unwrap_or("answer")),
        text: card.text.replace('\u{2060}', ""),
    });
    let users: Vec<&String> = mentioned(card).collect();
    let mut body = json!({
        "content": content,
        "embeds": embed.map_or_else(Vec::new, |embed| vec![embed]),
        "components": components(card, ids),
        "allowed_mentions": { "parse": [], "users": users },
        "attachments": [],
    });
    if let Some(file) = &file {
        body["attachments"] = json!([{ "id": 0, "filename": file.name }]);
    }
    Rendered { body, file }
}

fn mentioned(card: &Card) -> impl Iterator<Item = &String> {
    card.mentions.iter().filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())).take(100)
}

/// Whether the verdict is a table or a text of several lines, better read in letters of one width.
fn is_table(card: &Card) -> bool {
    card.lines.is_empty() && card.verdict.contains('\n') && card.verdict.contains("  ")
}

fn content(card: &Card, whole: &mut bool) -> String {
    let called: Vec<String> = mentioned(card).map(|id| format!("<@{id}>")).collect();
    let title = card.title.lines().map(|line| format!("**{}**", escaped(line))).collect::<Vec<_>>().join("\n");
    let title = title.replace("****", "");
    let verdict = if is_table(card) { String::new() } else { escaped(&card.verdict) };
    let mut parts = Vec::new();
    parts.extend(
        card.execution_id.as_ref().filter(|_| card.kind == CardKind::Run).map(|id| format!("Workflow started: {id}")),
    );
    match (title.is_empty(), verdict.is_empty()) {
        (false, false) if card.kind == CardKind::Run => parts.push(format!("{title} · {verdict}")),
        _ => parts.extend([title, verdict].into_iter().filter(|part| !part.is_empty())),
    }
    let text = [called.join(" "), parts.join("\n")].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let text = text.join(" ");
    *whole &= text.chars().nth(CONTENT).is_none();
    cut(&text, CONTENT)
}

fn embed(card: &Card, whole: &mut bool) -> Option<Value> {
    let fields = fields(card, whole);
    let taken: usize = fields.iter().map(|(name, value)| length(name) + length(value)).sum();
    let room = DESCRIPTION.min(EMBED - 100 - taken) - FENCES;
    let table = if is_table(card) { card.verdict.clone() } else { lines(card, room, whole) };
    *whole &= length(&table) <= room;
    let table = cut(&table, room);
    if table.trim().is_empty() && fields.is_empty() {
        return None;
    }
    let mut embed = Map::new();
    if !table.trim().is_empty() {
        embed.insert("description".to_owned(), Value::String(block(&table)));
    }
    let fields: Vec<_> = fields.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    embed.insert("fields".to_owned(), Value::Array(fields));
    embed.insert("color".to_owned(), json!(color(card)));
    if let Some(at) = card.updated_at.as_ref().filter(|_| card.kind == CardKind::Run) {
        let text = format!("updated {}", crate::chat::words::clock(at));
        embed.insert("footer".to_owned(), json!({ "text": text }));
    }
    Some(Value::Object(embed))
}

fn length(text: &str) -> usize {
    // Discord counts as JavaScript does.
    text.encode_utf16().count()
}

/// The lines as they fit: with their details, without those of what needs no look, or the first of them.
fn lines(card: &Card, room: usize, whole: &mut bool) -> String {
    let table = card.listed();
    if length(&table) <= room {
        return table;
    }
    *whole = false;
    let mut slim = card.clone();
    for line in &mut slim.lines {
        let needs_a_look = matches!(line.status.as_str(), "running" | "failed" | "waiting" | "retrying");
        line.detail = line.detail.take().filter(|_| needs_a_look).map(|detail| cut(&detail, 80));
    }
    let table = slim.listed();
    if length(&table) <= room {
        return table;
    }
    let (mut kept, mut left) = (String::new(), slim.lines.len());
    for row in table.lines() {
        if length(&kept) + length(row) + 40 > room {
            break;
        }
        kept.push_str(row);
        kept.push('\n');
        left -= 1;
    }
    kept + &format!(" and {} more", crate::chat::words::count(left, "line"))
}

fn fields(card: &Card, whole: &mut bool) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut taken = 0;
    let questions = card.form.iter().map(|form| ("needed".to_owned(), asked(form)));
    let all = card.fields.iter().map(|field| (escaped(&field.name), value(&field.value, whole))).chain(questions);
    let all: Vec<_> = all.collect();
    let count = all.len();
    for (place, (name, value)) in all.into_iter().enumerate() {
        let (name, value) = (cut(&name, FIELD_NAME), if value.trim().is_empty() { "–".to_owned() } else { value });
        taken += length(&name) + length(&value);
        let is_last = place + 1 == count;
        if taken > ALL_FIELDS || (fields.len() + 1 == FIELDS && !is_last) {
            *whole = false;
            fields.push(("more".to_owned(), format!("and {} more", crate::chat::words::count(count - place, "value"))));
            break;
        }
        fields.push((name, value));
    }
    fields
}

fn value(text: &str, whole: &mut bool) -> String {
    let shown = if text.contains('\n') {
        *whole &= length(text) <= FIELD_VALUE - FENCES;
        block(&cut(text, FIELD_VALUE - FENCES))
    } else {
        escaped(text)
    };
    // Escapes may have made it longer.
    *whole &= length(&shown) <= FIELD_VALUE;
    if length(&shown) <= FIELD_VALUE { shown } else { block(&cut(&text.replace('`', "'"), FIELD_VALUE / 2)) }
}

/// What is asked for; a file cannot be brought through a window.
fn asked(form: &Form) -> String {
    let lines = form.fields.iter().map(|field| format!("? {}", escaped(&question(field))));
    let mut lines: Vec<String> = lines.collect();
    if form.fields.iter().any(|field| field.kind == crate::domain::card::FieldType::File) {
        lines.push("Drop a file here as a reply, or use `/workflow answer` with `file`.".to_owned());
    }
    cut(&lines.join("\n"), FIELD_VALUE)
}

fn color(card: &Card) -> u32 {
    match (card.kind, card.status.as_deref()) {
        (CardKind::Error, _) | (_, Some("failed" | "timed_out")) => 0x00D8_3C3E,
        (_, Some("completed")) => 0x003B_A55D,
        (_, Some("waiting" | "paused" | "pausing")) => 0x00FA_A61A,
        (_, Some("cancelled" | "cancelling")) => 0x0074_7F8D,
        _ => 0x0058_65F2,
    }
}

fn components(card: &Card, ids: &[String]) -> Vec<Value> {
    let mut seen: Vec<&str> = Vec::new();
    let mut shown = Vec::new();
    for (button, id) in buttons(card).iter().zip(ids) {
        // Two buttons that do the same are one to Discord.
        if seen.contains(&id.as_str()) {
            continue;
        }
        seen.push(id);
        let style = match button.style {
            Style::Primary => 1,
            Style::Plain => 2,
            Style::Danger => 4,
        };
        let label = cut(if button.label.trim().is_empty() { "…" } else { &button.label }, LABEL);
        shown.push(json!({ "type": 2, "style": style, "label": label, "custom_id": id }));
    }
    shown.chunks(IN_A_ROW).map(|row| json!({ "type": 1, "components": row })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::card::Line;

    fn line(number: usize, status: &str, detail: &str) -> Line {
        Line {
            number: number.to_string(),
            sign: "✓".to_owned(),
            status: status.to_owned(),
            text: format!("Step {number}"),
            detail: (!detail.is_empty()).then(|| detail.to_owned()),
        }
    }

    /// Whether Discord would take it.
    fn fits(rendered: &Rendered) {
        let body = &rendered.body;
        assert!(length(body["content"].as_str().expect("a text")) <= CONTENT);
        let mut whole = 0;
        for embed in body["embeds"].as_array().expect("a list") {
            let description = length(embed["description"].as_str().unwrap_or_default());
            assert!(description <= DESCRIPTION, "{description}");
            let fields = embed["fields"].as_array().expect("a list");
            assert!(fields.len() <= FIELDS);
            whole += description + length(embed["footer"]["text"].as_str().unwrap_or_default());
            for field in fields {
                let part = |key: &str| length(field[key].as_str().expect("a text"));
                assert!((1..=FIELD_NAME).contains(&part("name")) && (1..=FIELD_VALUE).contains(&part("value")));
                whole += part("name") + part("value");
            }
        }
        assert!(whole <= EMBED, "{whole}");
        let rows = body["components"].as_array().expect("a list");
        assert!(
            rows.len() <= 5 && rows.iter().all(|row| row["components"].as_array().is_some_and(|row| row.len() <= 5))
        );
    }

    #[test]
    fn a_run_says_in_plain_words_how_it_stands_and_shows_its_steps_in_letters_of_one_width() {
        let mut card = Card::new(CardKind::Run, "Invoice_Intake · by ana").verdict("running · step 2 of 2");
        card.execution_id = Some("exec_1".to_owned());
        card.status = Some("running".to_owned());
        card.updated_at = Some("2026-11-29T10:05:31Z".to_owned());
        card.lines = vec![line(1, "done", "0.4 s"), line(2, "running", "")];
        let card = card.button("Pause", "a".to_owned(), Style::Plain).field("note", "a *b*").sealed();
        let rendered = message(&card, &["one".to_owned()]);
        fits(&rendered);
        let expected = json!({
            "content": "Workflow started: exec_1\n**Invoice_Intake · by ana** · running · step 2 of 2",
            "embeds": [{
                "description": "```\n 1 ✓ done    Step 1  0.4 s\n 2 ✓ running Step 2\n```",
                "fields": [{ "name": "note", "value": "a \\*b\\*" }],
                "color": 0x0058_65F2,
                "footer": { "text": "updated 10:05:31 UTC" },
            }],
            "components": [{ "type": 1, "components": [{ "type": 2, "style": 2, "label": "Pause", "custom_id": "one" }] }],
            "allowed_mentions": { "parse": [], "users": [] },
            "attachments": [],
        });
        assert_eq!(rendered, Rendered { body: expected, file: None });
    }

    #[test]
    fn what_does_not_fit_loses_its_details_and_stands_in_a_file() {
        let mut card = Card::new(CardKind::Answer, "t".repeat(3_000)).verdict("v`*_@<".repeat(500));
        card.lines = (0..200).map(|number| line(number, "done", &"d".repeat(200))).collect();
        for number in 0..60 {
            card = card.field(format!("{number}{}", "n".repeat(300)), "@_*`\n".repeat(1_000));
        }
        for number in 0..40 {
            card = card.button("l".repeat(200), number.to_string(), Style::Danger);
        }
        let card = card.sealed();
        let ids: Vec<String> = (0..40).map(|id: i32| id.to_string()).collect();
        let rendered = message(&card, &ids);
        fits(&rendered);
        assert_eq!(rendered.file.as_ref().map(|file| file.name.as_str()), Some("answer.txt"));
        assert_eq!(rendered.body["attachments"][0]["filename"], "answer.txt");
        let mut slim = Card::new(CardKind::Run, "x");
        slim.lines = (0..60).map(|number| line(number, "done", &"d".repeat(200))).collect();
        let rendered = message(&slim.sealed(), &[]);
        fits(&rendered);
        let shown = rendered.body["embeds"][0]["description"].as_str().expect("a text");
        assert!(shown.contains("Step 59") && !shown.contains("ddd"), "{shown}");
    }

    #[test]
    fn only_those_who_are_named_are_called_and_the_form_comes_first() {
        let mut card = Card::new(CardKind::Answer, "Look").button("Cancel", "c".to_owned(), Style::Danger);
        card.mentions = vec!["42".to_owned(), "@everyone".to_owned(), String::new()];
        card.form = Some(Form {
            title: "needs".to_owned(),
            submit: "s".to_owned(),
            fields: vec![crate::domain::card::FormField {
                key: "n".to_owned(),
                label: "How many".to_owned(),
                kind: crate::domain::card::FieldType::Number,
                required: true,
                value: None,
                choices: Vec::new(),
                help: None,
            }],
        });
        let labels: Vec<_> = buttons(&card).iter().map(|button| button.label.clone()).collect();
        assert_eq!(labels, ["Answer", "Cancel"]);
        let body = message(&card, &["a".to_owned(), "b".to_owned()]).body;
        assert_eq!(body["content"], "<@42> **Look**");
        assert_eq!(body["allowed_mentions"], json!({ "parse": [], "users": ["42"] }));
        assert_eq!(body["embeds"][0]["fields"][0]["value"], "? How many (n) · a number");
    }
}
