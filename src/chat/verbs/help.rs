//! `help`, `whoami`: what can be said here, and as whom.

use super::super::grammar::{VERBS, command};
use super::super::talk::{No, Reply, Talk};
use crate::domain::card::{Card, CardKind, Line};
use crate::service::conversations::RunMessage;

/// One verb, or what fits here and now.
pub async fn help(talk: &Talk<'_>, topic: Option<&str>) -> Result<Reply, No> {
    if let Some(verb) = topic
        && let Some(usage) = command::usage(verb)
    {
        let card = Card::new(CardKind::Answer, format!("How to use `{verb}`"));
        let example = example(verb).map(|example| format!("{example}\n\n")).unwrap_or_default();
        return Ok(Reply::Private(card.verdict(format!("{example}{}", usage.trim_end()))));
    }
    let mut card = Card::new(CardKind::List, "What you can say here");
    for (line, why) in fitting(talk).await? {
        card.lines.push(Line { text: line, detail: Some(why.to_owned()), ..Line::default() });
    }
    let rest: Vec<_> = VERBS.iter().map(|(name, _)| *name).collect();
    card = card.field("verbs", rest.join(", ")).field("more", "`help run` tells how a verb is used");
    Ok(Reply::Private(card))
}

/// Five lines that make sense here and now.
async fn fitting(talk: &Talk<'_>) -> Result<Vec<(String, &'static str)>, No> {
    let mut lines = Vec::new();
    let mut add = |line: &str, why| lines.push((line.to_owned(), why));
    let card: Option<RunMessage> = match &talk.run {
        Some(run) => Some(run.clone()),
        None => talk.latest().await?,
    };
    if let Some(card) = card {
        let view = talk.means.service.archive().view(card.run, false).await?;
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
    add("run document_processing", "start a workflow; drop a file with it or after it");
    add("list", "what can be run");
    add("history", "what has run");
    add("search WORDS", "find documents that were stored");
    lines.truncate(5);
    Ok(lines)
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

/// Who speaks, where, and what may be done here.
pub async fn whoami(talk: &Talk<'_>) -> Result<Reply, No> {
    let traits = talk.adapter.traits();
    let place = talk.here();
    let card =
        Card::new(CardKind::Answer, format!("You are {}", super::super::grammar::inert(talk.inbound.called(), 60)))
            .field("platform", traits.platform)
            .field("channel", super::super::grammar::inert(&place.channel, 60))
            .field("may", "run, steer and read everything here: this instance has one owner");
    Ok(Reply::Private(card))
}
