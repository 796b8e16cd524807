//! Words that start workflows: `/workflow invoice 4711 urgent=true`, because a trigger of type `command` waits for `invoice`.
//! The verbs go before. A word that begins with `!` needs nobody to be spoken to: nobody begins a sentence with it.

use super::super::grammar::{self, Place, inert};
use super::super::talk::{No, Reply, Talk, refusal};
use crate::service::FileRecord;
use crate::service::triggers::{Came, CommandCame};

/// What comes of a line, where a rule waits for its first words; `None`: none does.
pub async fn heard(
    talk: &Talk<'_>,
    text: &str,
    (files, place): (&[FileRecord], &Place<'_>),
) -> Result<Option<Reply>, No> {
    let Some(said) = grammar::spoken(text, place) else { return Ok(None) };
    let service = &talk.means.service;
    let Some((word, rest)) = service.command_in(&said).await? else { return Ok(None) };
    let arguments = grammar::arguments(&rest).map_err(|trouble| No::because(trouble.message, trouble.fix))?;
    let mut all = Vec::new();
    // Once for each file that came along, as with `run`.
    let along: Vec<Option<&FileRecord>> = if files.is_empty() { vec![None] } else { files.iter().map(Some).collect() };
    for (place, file) in along.into_iter().enumerate() {
        let came = CommandCame {
            word: word.clone(),
            text: rest.clone(),
            words: arguments.words.clone(),
            pairs: arguments.pairs.clone(),
            file: file.cloned(),
            delivery: format!("{}:{place}", talk.inbound.key),
        };
        for came in service.command_came(&talk.caller, &came).await? {
            all.push((format!("{}:{place}", talk.inbound.key), came));
        }
    }
    // What is not theirs to see is not there: then it is no word.
    all.retain(|(_, came)| came.is_seen || came.firing.verdict != "refused");
    if all.is_empty() {
        return Ok(None);
    }
    answer(talk, &word, &all).await.map(Some)
}

async fn answer(talk: &Talk<'_>, word: &str, all: &[(String, Came)]) -> Result<Reply, No> {
    let (mut is_started, mut told) = (false, Vec::new());
    for (delivery, came) in all {
        let firing = &came.firing;
        let run = firing.execution_id.as_ref().and_then(|id| id.parse().ok());
        let is_this = came.is_new || firing.facts["delivery"].as_str() == Some(delivery);
        match run {
            Some(run) if is_this => {
                talk.show(run).await?;
                is_started = true;
            }
            Some(run) => told.push(format!("already started: {run}")),
            None => told.push(format!("`{}` is not started: {}", firing.trigger, inert(&firing.reason, 300))),
        }
    }
    match (is_started, told.is_empty()) {
        (_, true) => Ok(Reply::Quiet),
        (true, false) => Ok(Reply::Private(refusal(told.join("\n"), ""))),
        (false, false) => {
            let fix = format!("`explain last command` tells more of `{}`", inert(word, 40));
            Err(No::because(told.join("\n"), fix))
        }
    }
}
