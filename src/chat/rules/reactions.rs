//! Reactions that start workflows: once for each message and sign, whoever reacts first. The message is read again, so that its
//! text and its files are there for the workflow; what comes of it stands beneath the message.

use std::sync::Arc;

use super::super::adapter::{Inbound, Written};
use super::super::courier::Courier;
use super::super::grammar::inert;
use super::super::means::Means;
use super::super::talk::{No, Reply, Talk, refusal};
use crate::domain::role;
use crate::service::FileRecord;
use crate::service::triggers::ReactionCame;

/// Somebody reacted to a message.
pub async fn reacted(means: &Arc<Means>, courier: &Courier, inbound: &Inbound, on: (&str, &str)) -> Result<(), No> {
    let (message, emoji) = on;
    let adapter = means.adapter(&inbound.from)?;
    let written = adapter.read(&inbound.from, message).await.unwrap_or_default();
    let mut from = inbound.from.clone();
    from.thread = from.thread.or_else(|| written.thread.clone());
    let beneath = Inbound { from, ..inbound.clone() };
    let talk = Talk::new(means, courier, &beneath).await?;
    let reply = take(&talk, (message, emoji), &written).await;
    let reply = reply.or_else(|no| super::super::verbs::refused(&talk, no).map(Reply::Private))?;
    talk.answer(reply).await.map_err(No::Send)
}

async fn take(talk: &Talk<'_>, (message, emoji): (&str, &str), written: &Written) -> Result<Reply, No> {
    let service = &talk.means.service;
    // Nothing is fetched for those for whom nothing would be done with it.
    if !service.possible(&talk.caller).await?.contains(&role::Action::View) {
        return Ok(Reply::Quiet);
    }
    let mut files: Vec<Option<FileRecord>> = Vec::new();
    for file in written.files.iter().take(super::super::files::MOST) {
        files.push(Some(talk.adapter.fetch_file(file).await?));
    }
    if files.is_empty() {
        files.push(None);
    }
    let mut told = Vec::new();
    for (place, file) in files.into_iter().enumerate() {
        let reaction = ReactionCame {
            emoji: emoji.to_owned(),
            message: message.to_owned(),
            text: written.text.clone(),
            author: written.by.clone(),
            file,
            place,
            delivery: talk.inbound.key.clone(),
        };
        for came in service.reaction_came(&talk.caller, &reaction).await? {
            let firing = &came.firing;
            let is_this = came.is_new || firing.facts["delivery"].as_str() == Some(talk.inbound.key.as_str());
            match firing.execution_id.as_ref().and_then(|id| id.parse().ok()) {
                Some(run) if is_this => talk.show(run).await?,
                // Somebody else was first: its card is there.
                Some(_) => {}
                None if came.is_new && came.is_seen && firing.verdict == "refused" => {
                    told.push(format!("`{}` is not started: {}", firing.trigger, inert(&firing.reason, 300)));
                }
                None => {}
            }
        }
    }
    if told.is_empty() {
        return Ok(Reply::Quiet);
    }
    Ok(Reply::Private(refusal(told.join("\n"), "`explain last reaction` tells more")))
}
