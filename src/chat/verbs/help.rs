//! `help`: what can be said here by whoever asks.

use super::super::grammar::command;
use super::super::talk::{No, Reply, Talk};
use crate::domain::card::{Card, CardKind, Line};
use crate::service::ServiceError;
use crate::service::conversations::RunMessage;

/// Lines that help begins with.
const LINES: usize = 5;

/// One verb, or what fits here and now.
pub async fn help(talk: &Talk<'_>, topic: Option<&str>) -> Result<Reply, No> {
    let allowed = super::people::allowed(talk).await?;
    if let Some(verb) = topic.filter(|verb| allowed.contains(verb))
        && let Some(usage) = command::usage(verb)
    {
        let card = Card::new(CardKind::Answer, format!("How to use `{verb}`"));
        let example = example(verb).map(|example| format!("{example}\n\n")).unwrap_or_default();
        return Ok(Reply::Private(card.verdict(format!("{example}{}", usage.trim_end()))));
    }
    let mut card = Card::new(CardKind::List, "What you can say here");
    let open = |line: &str| allowed.iter().any(|verb| line.split(' ').next() == Some(verb));
    for (line, why) in fitting(talk).await?.into_iter().filter(|(line, _)| open(line)).take(LINES) {
        card.lines.push(Line { text: line, detail: Some(why.to_owned()), ..Line::default() });
    }
    card = card.field("verbs", allowed.join(", ")).field("more", "`help run` tells how a verb is used");
    Ok(Reply::Private(card))
}

/// Lines that make sense here and now, the likeliest first.
async fn fitting(talk: &Talk<'_>) -> Result<Vec<(String, &'static str)>, No> {
    let mut lines = Vec::new();
    let mut add = |line: &str, why| lines.push((line.to_owned(), why));
    let card: Option<RunMessage> = match &talk.run {
        Some(run) => Some(run.clone()),
        None => talk.latest().await?,
    };
    if let Some(card) = card {
        let view = talk.archive.view(card.run, false).await;
        let view = view.map(Some).or_else(|error| match error {
            ServiceError::NotFound { .. } => Ok(None), // not theirs to see any more, or forgotten
            error => Err(error),
        })?;
        let Some(view) = view else { return Ok(usual(lines)) };
        match (view.status, view.questions.first()) {
            (_, Some(question)) => {
                add(&format!("answer {}=...", question.key), "give what it asks for; a file can simply be dropped");
            }
            ("failed" | "timed_out" | "cancelled", _) => add("retry", "run again what did not succeed"),
            ("completed", _) => add("output", "what came of it"),
            ("paused", _) => add("resume", "let it go on"),
            _ => add("pause", "stop it at the next step"),
        }
        add("status last", "how it stands");
    }
    Ok(usual(lines))
}

/// Behind these, what always makes sense.
fn usual(mut lines: Vec<(String, &'static str)>) -> Vec<(String, &'static str)> {
    let mut add = |line: &str, why| lines.push((line.to_owned(), why));
    add("run document_processing", "start a workflow; drop a file with it or after it");
    add("list", "what can be run");
    add("history", "what has run");
    add("search WORDS", "find documents that were stored");
    add("whoami", "who you are here, and what you may do");
    lines
}

fn example(verb: &str) -> Option<&'static str> {
    Some(match verb {
        "run" => "as in: run document_processing languages=[eng,deu]",
        "status" => "as in: status last",
        "history" => "as in: history document_processing --status=failed",
        "logs" => "as in: logs last step=2 --tail=50",
        "output" => "as in: output last total",
        "retry" => "as in: retry last step=2",
        "rerun" => "as in: rerun last languages=[fra]",
        "answer" => "as in: answer cost_center=4711",
        "cancel" => "as in: cancel last reason=\"wrong file\"",
        "search" => "as in: search \"late payment fee\"",
        "show" => "as in: show document_processing",
        "plan" => "as in: plan data_pipeline source=test_data",
        _ => return None,
    })
}
