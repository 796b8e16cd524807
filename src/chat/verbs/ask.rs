//! `status`, `logs`, `output`, `search`: questions, answered to whoever asks.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::cards::{self, Facts};
use super::super::grammar::inert;
use super::super::talk::{No, Reply, Talk};
use super::super::words;
use crate::domain::card::{Card, CardKind, Line};
use crate::domain::id::RunId;
use crate::service::verbs::{Explain, Logs, Output, Search};

/// Lines of a log where no number is given.
const USUAL_TAIL: usize = 20;
/// Characters of an output at the most; the rest is at the terminal and in the page.
const OUTPUT: usize = 4_000;

/// One execution, or what of mine is under way.
pub async fn status(talk: &Talk<'_>, word: Option<&str>) -> Result<Reply, No> {
    match word {
        Some(word) => one(talk, talk.target(word).await?).await,
        None => super::list::mine(talk).await,
    }
}

/// An execution as it stands, for whoever asks alone: no live card.
pub async fn one(talk: &Talk<'_>, run: RunId) -> Result<Reply, No> {
    let archive = &talk.archive;
    let view = archive.view(run, false).await?;
    let mut results = BTreeMap::new();
    for event in archive.events(run, 0).await? {
        let outputs = event.result.as_ref().and_then(|result| result["result"].as_object());
        if let (Some(step), Some(result)) = (event.step, outputs.and_then(cards::result)) {
            results.insert(step, result);
        }
    }
    let mut card = cards::run_card(&Facts {
        view: &view,
        expectation: None,
        says: &BTreeMap::new(),
        results: &results,
        now: talk.means.now(),
        can_undo: false,
        sign: &|action| talk.sign(&action),
    });
    card.kind = CardKind::Answer;
    card.fields
        .insert(0, crate::domain::card::Field { name: "execution".to_owned(), value: view.execution_id.clone() });
    Ok(Reply::Private(card))
}

pub async fn logs(talk: &Talk<'_>, args: &Logs) -> Result<Reply, No> {
    let run = talk.target(&args.execution).await?;
    log(talk, run, args.step.as_deref(), args.tail.map(|tail| tail as usize)).await
}

/// Why it stands as it does.
pub async fn explain(talk: &Talk<'_>, args: &Explain) -> Result<Reply, No> {
    if args.at.is_some() {
        return super::triggers::explain(talk, &args.execution, args.at.as_deref()).await;
    }
    let run = talk.target(&args.execution).await?;
    let lines = talk.archive.explain(run).await?;
    let mut card = Card::new(CardKind::Answer, format!("Why {run} stands as it does"));
    card.lines = lines.iter().map(|line| Line { text: inert(line, 400), ..Line::default() }).collect();
    Ok(Reply::Private(card))
}

/// What happened.
pub async fn log(talk: &Talk<'_>, run: RunId, step: Option<&str>, tail: Option<usize>) -> Result<Reply, No> {
    let archive = &talk.archive;
    let view = archive.view(run, false).await?;
    let mut lines = archive.log(run).await?;
    if let Some(step) = step {
        lines = view.log_of(lines, step)?;
    }
    let kept = tail.unwrap_or(USUAL_TAIL).min(lines.len());
    let earlier = lines.len() - kept;
    let mut card = Card::new(CardKind::Answer, format!("What happened in {}", view.execution_id));
    if earlier > 0 {
        card = card.verdict(format!("the last {kept} of {} lines; `--tail=100` shows more", lines.len()));
    }
    card.lines = lines[earlier..]
        .iter()
        .map(|line| Line { status: words::clock(&line.at), text: inert(&line.text, 300), ..Line::default() })
        .collect();
    Ok(Reply::Private(card))
}

pub async fn output(talk: &Talk<'_>, args: &Output) -> Result<Reply, No> {
    let run = talk.target(&args.execution).await?;
    let view = talk.archive.view(run, true).await?;
    let (owner, found) = match (&args.wanted, &args.step) {
        (Some(_), _) => (view.workflow.clone(), Some(view.outputs.clone())),
        (None, None) => return outputs(talk, run).await,
        (None, Some(step)) => {
            let by_place = || step.parse::<usize>().ok().and_then(|place| view.steps.get(place));
            let found = view.steps.iter().find(|candidate| candidate.id == *step).or_else(by_place);
            let Some(found) = found else {
                let ids: Vec<_> = view.steps.iter().map(|step| step.id.as_str()).collect();
                return Err(No::because(format!("there is no step `{}`", inert(step, 60)), list_of("steps", &ids)));
            };
            (found.id.clone(), found.outputs.as_ref().map(|outputs| (**outputs.values()).clone()))
        }
    };
    let Some(found) = found else {
        return Err(No::because(format!("`{owner}` has no outputs yet"), "`status` shows how far it is"));
    };
    let title = format!("{owner} of {}", view.execution_id);
    match args.wanted.as_ref().or(args.name.as_ref()) {
        None => Ok(Reply::Private(fields(Card::new(CardKind::Answer, title), &found))),
        Some(name) => match found.get(name) {
            Some(value) => Ok(Reply::Private(Card::new(CardKind::Answer, title).field(inert(name, 60), shown(value)))),
            None => {
                let names: Vec<_> = found.keys().map(String::as_str).collect();
                let message = format!("`{owner}` has no output `{}`", inert(name, 60));
                Err(No::because(message, list_of("outputs", &names)))
            }
        },
    }
}

/// Everything that came of an execution: its own outputs, and those of its steps.
pub async fn outputs(talk: &Talk<'_>, run: RunId) -> Result<Reply, No> {
    let view = talk.archive.view(run, true).await?;
    let card = Card::new(CardKind::Answer, format!("Outputs of {}", view.execution_id));
    let mut card = fields(card, &view.outputs);
    for step in &view.steps {
        for (name, value) in step.outputs.iter().flat_map(|outputs| &**outputs.values()) {
            card = card.field(format!("{}.{}", step.id, inert(name, 60)), inert(&words::value(value), 300));
        }
    }
    if card.fields.is_empty() {
        card = card.verdict("there are none yet");
    }
    Ok(Reply::Private(card))
}

fn fields(mut card: Card, outputs: &serde_json::Map<String, Value>) -> Card {
    for (name, value) in outputs.iter().filter(|(_, value)| !value.is_null()) {
        card = card.field(inert(name, 60), shown(value));
    }
    card
}

/// A value as an answer shows it: its lines are kept, what could ring or steer is not.
fn shown(value: &Value) -> String {
    let text = words::value(value);
    let lines: Vec<_> = text.chars().take(OUTPUT).collect::<String>().lines().map(|line| inert(line, OUTPUT)).collect();
    let more =
        if text.chars().nth(OUTPUT).is_some() { "\n… the whole is in the page and at the terminal" } else { "" };
    format!("{}{more}", lines.join("\n"))
}

fn list_of(noun: &str, names: &[&str]) -> String {
    if names.is_empty() { format!("it has no {noun}") } else { format!("its {noun}: {}", names.join(", ")) }
}

pub async fn search(talk: &Talk<'_>, args: &Search) -> Result<Reply, No> {
    let words = args.words.join(" ");
    let hits = talk.archive.search(&words, args.limit, ("*", "*")).await?;
    let title = match hits.len() {
        0 => format!("no document fits `{}`", inert(&words, 80)),
        found => format!("{} for `{}`", words::count(found, "document"), inert(&words, 80)),
    };
    let mut card = Card::new(CardKind::List, title);
    for (place, hit) in hits.iter().enumerate() {
        let page = hit.page.map(|page| format!(", page {page}")).unwrap_or_default();
        card.lines.push(Line {
            number: (place + 1).to_string(),
            text: format!("{}{page}", inert(&hit.name, 80)),
            detail: Some(inert(&hit.snippet, 300)),
            ..Line::default()
        });
    }
    Ok(Reply::Private(card))
}
