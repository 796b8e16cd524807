//! Where a rule asks about files: the question, and what its buttons do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::actions::Action;
use super::super::adapter::MessageRef;
use super::super::grammar::inert;
use super::super::talk::{No, Reply, Talk};
use super::super::{files, press};
use crate::domain::card::{Card, CardKind, Style};
use crate::domain::id::RunId;
use crate::service::FileRecord;
use crate::service::triggers::{Asking, Came};

/// Rules of one question that have a button.
const RULES: usize = 3;

/// What somebody answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It is to be started.
    Take,
    /// It is to be started, and from now on by itself in this place.
    Always,
    /// It was started before, and is to be started again.
    Again,
    /// It is not to be started.
    No,
}

/// What a button of a question does.
pub fn action(trigger: &str, firings: Vec<String>, how: How, salt: &str) -> Action {
    Action::Rule { trigger: trigger.to_owned(), firings, how, salt: salt.to_owned() }
}

/// One question for everything that came with a message.
pub async fn question(talk: &Talk<'_>, asked: &BTreeMap<String, Vec<(FileRecord, Came)>>) -> Result<Card, No> {
    let mut all: Vec<FileRecord> = Vec::new();
    for (file, _) in asked.values().flatten() {
        if all.iter().all(|known| known.id != file.id) {
            all.push(file.clone());
        }
    }
    let mut card = files::listed(&all, &|_| "");
    let mut asking: Vec<(Asking, Vec<String>)> = Vec::new();
    for (name, came) in asked.iter().take(RULES) {
        let firings = came.iter().map(|(_, came)| came.key.clone()).collect();
        asking.push((talk.means.service.asking(&talk.caller, name).await?, firings));
    }
    let names: Vec<String> = asking.iter().map(|(asking, _)| format!("`{}`", asking.name)).collect();
    let (rules, asks) = if names.len() == 1 { ("rule", "asks") } else { ("rules", "ask") };
    let each = if all.len() > 1 { "; one execution for each" } else { "" };
    card = card.verdict(format!("{rules} {} {asks} what is to be done{each}", names.join(", ")));
    let salt = &talk.inbound.key;
    for (asking, firings) in &asking {
        let take = talk.sign(&action(&asking.name, firings.clone(), How::Take, salt));
        card = card.button(format!("Run {}", inert(&asking.workflow, 40)), take, Style::Primary);
    }
    let every = asking.iter().flat_map(|(_, firings)| firings.clone()).collect();
    card = card.button("Not this time", talk.sign(&action("", every, How::No, salt)), Style::Plain);
    if let [(only, firings)] = asking.as_slice()
        && only.may_always
    {
        let always = talk.sign(&action(&only.name, firings.clone(), How::Always, salt));
        card = card.button("Always here", always, Style::Plain);
    }
    Ok(card)
}

/// Does what a button of a question says.
pub async fn pressed(
    talk: &Talk<'_>,
    message: &MessageRef,
    (trigger, firings): (&str, &[String]),
    (how, salt): (How, &str),
) -> Result<Reply, No> {
    let service = &talk.means.service;
    let name = &talk.caller.name;
    match how {
        How::No => {
            service.decline_asked(&talk.caller, firings).await?;
            press::put_away(talk, message, &format!("not this time, said {name}")).await;
            return Ok(Reply::Quiet);
        }
        How::Always => {
            let first = firings.first().map_or("", String::as_str);
            service.always(&talk.caller, (trigger, first)).await?;
        }
        How::Take | How::Again => {}
    }
    // Taken once is taken: the same button pressed again finds what it started.
    let salt = if how == How::Again { format!("again:{salt}") } else { "asked".to_owned() };
    let (mut runs, mut refused) = (Vec::<RunId>::new(), Vec::new());
    for firing in firings {
        let Some(came) = service.take_asked(&talk.caller, firing, &salt).await? else { continue };
        match came.firing.execution_id.as_ref().and_then(|id| id.parse().ok()) {
            Some(run) => runs.push(run),
            None => refused.push(inert(&came.firing.reason, 300)),
        }
    }
    for run in &runs {
        talk.show(*run).await?;
    }
    if runs.is_empty() {
        let why = if refused.is_empty() { "its rule is not there any more".to_owned() } else { refused.join("\n") };
        return Err(No::because(format!("Nothing was started: {why}"), "`explain last file` tells more"));
    }
    let from_now_on = "; files like this start by themselves here from now on";
    let also = if how == How::Always { from_now_on } else { "" };
    press::put_away(talk, message, &format!("taken by {name}{also}")).await;
    Ok(Reply::Quiet)
}

/// A card that only says this.
pub fn said(text: impl Into<String>) -> Card {
    Card::new(CardKind::Answer, text)
}
