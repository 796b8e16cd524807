//! An execution as its one live card: what it does, what is left, and at the end what came of it. Pure.

use std::collections::{BTreeMap, HashSet};

use chrono::DateTime;
use serde_json::{Map, Value};

use super::actions::{Act, Action};
use super::grammar::inert;
use super::{forms, words};
use crate::domain::card::{Card, CardKind, Line, Style};
use crate::domain::id::RunId;
use crate::domain::time::Timestamp;
use crate::service::{ApprovalView, Expectation, RunView, StepView};

/// Steps that a card shows one by one; of more, those that stand alike are folded into one line.
const SHOWN: usize = 30;
/// Neighbours that stand alike and are fewer than this are not worth folding.
const FOLDED: usize = 3;
/// Characters of an output on a card.
const OUTPUT: usize = 300;
/// Seconds below which nobody asks how long it usually takes.
const WORTH_TELLING: f64 = 1.0;

/// What a card is made of.
pub struct Facts<'f> {
    /// The execution.
    pub view: &'f RunView,
    /// How long it usually takes.
    pub expectation: Option<&'f Expectation>,
    /// What running steps say, by their place.
    pub says: &'f BTreeMap<usize, String>,
    /// What came of the steps that are done, by their place.
    pub results: &'f BTreeMap<usize, String>,
    /// The present time.
    pub now: Timestamp,
    /// It can be undone by a press, for now.
    pub can_undo: bool,
    /// Signs what buttons do.
    pub sign: &'f dyn Fn(Action) -> String,
}

/// The card.
#[must_use]
pub fn run_card(facts: &Facts<'_>) -> Card {
    let view = facts.view;
    let title = match inert(&view.origin.name, 60) {
        name if name.is_empty() => inert(&view.name, 80),
        name => format!("{} · by {name}", inert(&view.name, 80)),
    };
    let mut card = Card::new(CardKind::Run, title).verdict(verdict(facts));
    card.status = Some(view.status.to_owned());
    card.execution_id = Some(view.execution_id.clone());
    card.lines = lines(facts);
    card.updated_at = Some(facts.now.to_string());
    if let Some(error) = view.error.as_ref().filter(|_| matches!(view.status, "failed" | "timed_out")) {
        card = card.field("cause", format!("{} {}", error.code, inert(&error.message, 500)));
        card = card.field("fix", inert(&error.fix, 500));
    }
    if let Some(trigger) = &view.origin.trigger {
        let occasion = view.origin.occasion.as_ref().map(|occasion| format!(" · {}", inert(occasion, 120)));
        card = card.field("rule", format!("{}{}", inert(trigger, 80), occasion.unwrap_or_default()));
    }
    if let Some(who) = &view.undone_by {
        card = card.field("undone", format!("by {}", inert(who, 60)));
    }
    if let Some(run) = view.origin.rerun_of {
        card = card.field("repeats", run.to_string());
    }
    if let Some(run) = view.origin.rolls_back {
        card = card.field("takes back", run.to_string());
    }
    if view.is_finished() {
        for (name, value) in view.outputs.iter().filter(|(_, value)| !value.is_null()) {
            card = card.field(inert(name, 60), inert(&words::value(value), OUTPUT));
        }
    }
    for warning in view.warnings.iter().take(5) {
        card = card.field("note", inert(warning, 300));
    }
    if let Ok(run) = view.execution_id.parse() {
        card.form = forms::of_questions(view, (facts.sign)(Action::Submit { run }));
        for approval in view.approvals.iter().take(3) {
            card = asked(card, facts, approval, view.approvals.len() > 1);
        }
        if facts.can_undo {
            card = card.button("Undo", (facts.sign)(Action::Undo { run }), Style::Danger);
        }
        for (label, act, style) in buttons(view) {
            let end = view.finished_at.clone().unwrap_or_default();
            card = card.button(label, (facts.sign)(Action::On { act, run, end }), style);
            if act == Act::Rerun {
                card = card.button("Edit", (facts.sign)(Action::Again { run }), Style::Plain);
                card.buttons.last_mut().expect("it was pushed just now").opens = true;
            }
        }
    }
    card.sealed()
}

/// What is to be approved, with the buttons for it. Whoever presses says the line that they could have typed.
fn asked(mut card: Card, facts: &Facts<'_>, approval: &ApprovalView, several: bool) -> Card {
    let of = if several { format!(" ({})", approval.step) } else { String::new() };
    card = card.field("approve", inert(&approval.title, 200));
    for (name, value) in approval.show.iter().take(8) {
        card = card.field(inert(name, 60), inert(&words::value(value), OUTPUT));
    }
    if !approval.approvers.is_empty() || approval.required > 1 {
        let who = if approval.approvers.is_empty() { "anybody".to_owned() } else { approval.approvers.join(", ") };
        let given = approval.approved_by.len();
        card = card.field("who", format!("{} · {given} of {}", inert(&who, 200), approval.required));
    }
    for (label, verb, style) in [("Approve", "approve", Style::Primary), ("Reject", "reject", Style::Danger)] {
        let line = format!("{verb} {} --step={}", facts.view.execution_id, approval.step);
        card = card.button(format!("{label}{of}"), (facts.sign)(Action::Line(line)), style);
    }
    card
}

fn buttons(view: &RunView) -> Vec<(&'static str, Act, Style)> {
    let cancel = ("Cancel", Act::Cancel, Style::Danger);
    let details = ("Details", Act::Details, Style::Plain);
    match view.status {
        "completed" => vec![
            ("Rerun", Act::Rerun, Style::Plain),
            ("Outputs", Act::Outputs, Style::Plain),
            ("Logs", Act::Logs, Style::Plain),
        ],
        "failed" | "timed_out" | "cancelled" => vec![
            ("Retry", Act::Retry, Style::Primary),
            ("Rerun", Act::Rerun, Style::Plain),
            ("Logs", Act::Logs, Style::Plain),
        ],
        "paused" => vec![("Resume", Act::Resume, Style::Primary), cancel, details],
        "pausing" => vec![cancel, details],
        "cancelling" => vec![details],
        _ if view.waits_for_somebody() => match view.steps.iter().any(is_held) {
            true => vec![("Retry", Act::Retry, Style::Primary), cancel, details],
            false => vec![cancel, details],
        },
        _ => vec![("Pause", Act::Pause, Style::Plain), cancel, details],
    }
}

/// A step that failed and waits for somebody to say what then.
fn is_held(step: &StepView) -> bool {
    step.status == "waiting" && step.error.is_some()
}

fn verdict(facts: &Facts<'_>) -> String {
    let view = facts.view;
    let took = between(view.started_at.as_deref(), view.finished_at.as_deref());
    let after = took.map(|took| format!(" after {}", words::seconds(took))).unwrap_or_default();
    let at = format!("step {} of {}", view.current_step, view.total_steps);
    match view.status {
        "queued" => match view.queue.as_ref().filter(|queue| queue.group.is_some()) {
            Some(queue) => format!("queued · {}", queue.reason),
            None => "queued · waits for a free place".to_owned(),
        },
        "running" => match left(facts) {
            Some(left) => format!("running · {at} · {left}"),
            None => format!("running · {at}"),
        },
        "waiting" if !view.questions.is_empty() => {
            let labels: Vec<_> = view.questions.iter().map(|question| inert(&question.label, 60)).collect();
            format!("waiting · needs {}", labels.join(", "))
        }
        "waiting" if !view.approvals.is_empty() => "waiting · needs approval".to_owned(),
        "waiting" if view.steps.iter().any(is_held) => {
            let held = view.steps.iter().find(|step| is_held(step)).map(|step| inert(&step.name, 60));
            format!("waiting · {} failed: retry it, skip it, or cancel", held.unwrap_or_default())
        }
        "waiting" => {
            let due = view.steps.iter().filter_map(|step| step.due_at.as_deref()).min();
            format!("waiting · until {}", due.map(words::clock).unwrap_or_default())
                .trim_end_matches(" until ")
                .to_owned()
        }
        "pausing" => "pausing · what is in flight finishes first".to_owned(),
        "paused" => format!("paused · {at}"),
        "cancelling" => "cancelling · what is in flight is being stopped".to_owned(),
        "completed" if view.cached_from.is_some() => {
            format!("completed · taken from {}", view.cached_from.as_deref().unwrap_or_default())
        }
        "completed" => {
            let usual = facts.expectation.filter(|usual| usual.p50_seconds >= WORTH_TELLING);
            let usual = usual.map(|usual| format!(" (usually {})", words::seconds(usual.p50_seconds)));
            let took = took.map(|took| format!(" in {}", words::seconds(took))).unwrap_or_default();
            format!("completed{took}{}", usual.unwrap_or_default())
        }
        "failed" => match view.steps.iter().find(|step| step.status == "failed") {
            Some(step) => format!("failed at {}{after}", inert(&step.name, 60)),
            None => format!("failed{after}"),
        },
        other => format!("{}{after}", other.replace('_', " ")),
    }
}

/// What is left, in words; `None` where nothing is known of earlier runs.
fn left(facts: &Facts<'_>) -> Option<String> {
    let usual = facts.expectation?;
    let now = facts.now.to_string();
    let elapsed = between(facts.view.started_at.as_deref(), Some(&now)).unwrap_or(0.0);
    let (p50, p90) = (words::seconds(usual.p50_seconds), words::seconds(usual.p90_seconds));
    if elapsed > usual.p90_seconds {
        return Some(format!("longer than usual (p50 {p50}, p90 {p90})"));
    }
    let of_step = |step: &StepView| {
        let expected = usual.steps.get(step.index).copied().flatten()?;
        let spent = match step.status {
            "pending" => 0.0,
            "running" | "retrying" | "waiting" => between(step.started_at.as_deref(), Some(&now)).unwrap_or(0.0),
            _ => return Some(0.0),
        };
        Some((expected - spent).max(0.0))
    };
    // Steps side by side make the sum too large, the whole makes it too small: the smaller of the two is said.
    let steps: Option<f64> = facts.view.steps.iter().map(of_step).sum();
    let whole = (usual.p50_seconds - elapsed).max(0.0);
    let left = steps.map_or(whole, |steps| steps.min(usual.p90_seconds - elapsed).max(0.0));
    let left = if left < 1.0 { "nearly done".to_owned() } else { format!("about {} left", words::seconds(left)) };
    Some(format!("{left} (p50 {p50}, p90 {p90})"))
}

fn lines(facts: &Facts<'_>) -> Vec<Line> {
    let steps = &facts.view.steps;
    if steps.len() <= SHOWN {
        return steps.iter().map(|step| line(facts, step)).collect();
    }
    let mut lines = Vec::new();
    for group in steps.chunk_by(|a, b| a.status == b.status && folds(a.status)) {
        if group.len() < FOLDED || !folds(group[0].status) {
            lines.extend(group.iter().map(|step| line(facts, step)));
            continue;
        }
        let (sign, status) = sign(group[0].status);
        lines.push(Line {
            number: format!("{}-{}", group[0].index + 1, group[group.len() - 1].index + 1),
            sign: sign.to_owned(),
            status: status.to_owned(),
            text: format!("{} steps", group.len()),
            detail: None,
        });
    }
    let hidden = lines.len().saturating_sub(2 * SHOWN);
    if hidden > 0 {
        // A hundred steps in a hundred moods: those at the front matter most.
        lines.truncate(2 * SHOWN);
        lines.push(Line { text: format!("and {hidden} more lines: see the details"), ..Line::default() });
    }
    lines
}

fn folds(status: &str) -> bool {
    matches!(status, "completed" | "pending" | "skipped" | "cancelled")
}

fn line(facts: &Facts<'_>, step: &StepView) -> Line {
    let (sign, status) = sign(step.status);
    Line {
        number: (step.index + 1).to_string(),
        sign: sign.to_owned(),
        status: status.to_owned(),
        text: inert(&step.name, 60),
        detail: detail(facts, step),
    }
}

/// The sign of a step's state and the word that stands beside it.
const fn sign_of(status: &str) -> Option<(&'static str, &'static str)> {
    match status.as_bytes() {
        b"completed" => Some(("✓", "done")),
        b"failed" => Some(("✗", "failed")),
        b"running" => Some(("…", "running")),
        b"retrying" => Some(("↻", "retrying")),
        b"waiting" => Some(("·", "waiting")),
        b"skipped" => Some(("–", "skipped")),
        b"cancelled" => Some(("■", "cancelled")),
        _ => None,
    }
}

fn sign(status: &str) -> (&'static str, &'static str) {
    sign_of(status).unwrap_or(("·", "pending"))
}

fn detail(facts: &Facts<'_>, step: &StepView) -> Option<String> {
    let mut parts = Vec::new();
    let now = facts.now.to_string();
    match step.status {
        "running" => parts.extend(between(step.started_at.as_deref(), Some(&now)).map(words::seconds)),
        _ => parts.extend(step.duration.map(words::seconds)),
    }
    if let Some(items) = step.items.filter(|items| items.total > 0) {
        let failed = if items.failed > 0 { format!(", {} failed", items.failed) } else { String::new() };
        parts.push(format!("{} of {} items{failed}", items.done, items.total));
    }
    if let Some(from) = &step.cached_from {
        parts.push(format!("taken from {from}"));
    }
    if step.attempts > 1 {
        parts.push(format!("attempt {} of {}", step.attempts, step.max_attempts));
    }
    match step.status {
        "running" => parts.extend(facts.says.get(&step.index).map(|text| inert(text, 80))),
        "completed" => parts.extend(facts.results.get(&step.index).cloned()),
        "retrying" => {
            parts.extend(step.error.as_ref().map(|error| format!("{} {}", error.code, inert(&error.message, 120))));
            parts.extend(step.due_at.as_deref().map(|at| format!("again at {}", words::clock(at))));
        }
        "failed" => parts.extend(step.error.as_ref().map(|error| error.code.to_owned())),
        "waiting" if is_held(step) => {
            parts.extend(step.error.as_ref().map(|error| format!("{} {}", error.code, inert(&error.message, 120))));
        }
        "waiting" if facts.view.questions.is_empty() => {
            parts.extend(step.due_at.as_deref().map(|at| format!("until {}", words::clock(at))));
        }
        "waiting" => parts.push("for an answer".to_owned()),
        "skipped" => parts.extend(step.skipped.as_ref().map(ToString::to_string)),
        _ => {}
    }
    (!parts.is_empty()).then(|| parts.join("  "))
}

/// Who decided something, and what.
fn decided(outputs: &Map<String, Value>) -> Option<String> {
    let names = |key: &str| {
        let names = outputs.get(key)?.as_array()?.iter().filter_map(Value::as_str).map(|name| inert(name, 60));
        Some(names.collect::<Vec<_>>().join(", ")).filter(|names| !names.is_empty())
    };
    outputs.get("approved")?.as_bool()?;
    names("rejected_by")
        .map(|names| format!("rejected by {names}"))
        .or_else(|| names("approved_by").map(|names| format!("approved by {names}")))
}

/// What came of a step, in a few words: its short outputs, without ids and sums.
#[must_use]
pub fn result(outputs: &Map<String, Value>) -> Option<String> {
    if let Some(delivery) = outputs.get("delivery") {
        let word = |key: &str| delivery[key].as_str().filter(|word| !word.is_empty()).map(|word| inert(word, 40));
        return Some(match (word("status")?, word("channel")) {
            (status, Some(channel)) => format!("{status}, {channel}"),
            (status, None) => status,
        });
    }
    if let Some(decided) = decided(outputs) {
        return Some(decided);
    }
    let quiet = |key: &str| {
        ["id", "sha256", "size", "path", "media_type", "mime_type", "digest", "status"]
            .iter()
            .any(|word| key == *word || key.ends_with(&format!("_{word}")))
    };
    // One level down only what people know things by.
    let known = |key: &str| ["name", "pages", "confidence", "label", "language", "rows", "total"].contains(&key);
    let inner = |value: &Value| -> Vec<(String, Value)> {
        let inner = value.as_object().into_iter().flatten().filter(|(key, _)| known(key));
        inner.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let says_nothing = |value: &Value| matches!(value.as_str(), Some("unknown" | "unsupported"));
    let all = outputs.iter().filter(|(key, _)| !quiet(key)).flat_map(|(key, value)| match value {
        Value::Object(_) => inner(value),
        _ => vec![(key.clone(), value.clone())],
    });
    let told = all.filter(|(_, value)| !says_nothing(value)).filter_map(|(key, value)| match &value {
        Value::String(text) if text.is_empty() || text.contains('\n') || text.chars().count() > 40 => None,
        Value::String(text) if matches!(key.as_str(), "name" | "filename" | "language" | "label") => {
            Some(inert(text, 40))
        }
        Value::Number(number) if key == "pages" => number.as_u64().map(|pages| words::count(pages as usize, "page")),
        Value::String(_) | Value::Number(_) | Value::Bool(_) => {
            Some(format!("{} {}", inert(&key.replace('_', " "), 30), inert(&words::value(&value), 40)))
        }
        _ => None,
    });
    // The same thing is often said by a part and by the whole.
    let mut told: Vec<String> = told.collect();
    let mut seen = HashSet::new();
    told.retain(|text| seen.insert(text.clone()));
    told.truncate(3);
    (!told.is_empty()).then(|| told.join(", "))
}

/// Seconds from one RFC 3339 time to another.
fn between(from: Option<&str>, to: Option<&str>) -> Option<f64> {
    let read = |text: Option<&str>| DateTime::parse_from_rfc3339(text?).ok();
    let micros = read(to)?.signed_duration_since(read(from)?).num_microseconds()?;
    let micros = u64::try_from(micros).unwrap_or(0);
    Some(std::time::Duration::from_micros(micros).as_secs_f64())
}

/// The nonce of an execution's one message.
#[must_use]
pub fn nonce(run: RunId) -> String {
    format!("run:{run}")
}
