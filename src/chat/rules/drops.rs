//! Files that were dropped, as rules see them: what starts gets its card, what asks its question, what was there before is
//! recognised, and many together become one message. Files that no rule concerns are left to whoever asked.

use std::collections::BTreeMap;

use super::super::grammar::inert;
use super::super::talk::{No, Reply, Talk, refusal};
use super::super::{files, words};
use super::asks;
use crate::domain::card::{Card, CardKind, Line, Style};
use crate::domain::id::RunId;
use crate::service::triggers::{Came, FileCame};
use crate::service::{FileRecord, ServiceError};

/// What rules said about the files of one message.
#[derive(Default)]
struct Heard {
    started: Vec<RunId>,
    /// What was worked on before: the file's name now, and what came of it then.
    known: Vec<(String, Came)>,
    /// What a rule asks, by the rule's name.
    asked: BTreeMap<String, Vec<(FileRecord, Came)>>,
    /// Why something is not started.
    told: Vec<String>,
    is_flood: bool,
}

/// Brings files to the rules; those that none of them concerns.
pub async fn dropped(talk: &Talk<'_>, files: Vec<FileRecord>) -> Result<Vec<FileRecord>, No> {
    let service = &talk.means.service;
    let (mut heard, mut left) = (Heard::default(), Vec::new());
    let together = files.len();
    for (place, file) in files.into_iter().enumerate() {
        let delivery = format!("{}:{place}", talk.inbound.key);
        let came = FileCame {
            text: talk.text().unwrap_or_default().to_owned(),
            who: Some(talk.caller.clone()),
            delivery: Some(delivery.clone()),
            together,
            ..FileCame::default()
        };
        let came = service.file_came(&file, &came).await?;
        if !heard.take(talk, (&file, &delivery), came).await? {
            left.push(file);
        }
    }
    heard.say(talk).await?;
    Ok(left)
}

impl Heard {
    /// Notes what came of a file; whether a rule concerns it at all.
    async fn take(
        &mut self,
        talk: &Talk<'_>,
        (file, delivery): (&FileRecord, &str),
        all: Vec<Came>,
    ) -> Result<bool, ServiceError> {
        let mut is_concerned = false;
        for came in all {
            let is_this = came.is_new || came.firing.facts["delivery"].as_str() == Some(delivery);
            is_concerned |= match came.firing.verdict.as_str() {
                "started" if is_this => {
                    let run = came.firing.execution_id.as_ref().and_then(|id| id.parse::<RunId>().ok());
                    self.started.extend(run);
                    true
                }
                "started" => {
                    self.known.push((file.name.clone(), came));
                    true
                }
                "asked" => {
                    self.asked.entry(came.firing.trigger.clone()).or_default().push((file.clone(), came));
                    true
                }
                "flooded" => {
                    talk.means.service.join_flood(&talk.here().text(), &came).await?;
                    self.is_flood = true;
                    true
                }
                "refused" | "cooldown" | "throttled" | "held" | "loop" if came.is_seen => {
                    let (name, firing) = (inert(&file.name, 60), &came.firing);
                    let verdict = firing.verdict.replace('_', " ");
                    let reason = inert(&firing.reason, 300);
                    self.told.push(format!("{name} · rule `{}` · {verdict}: {reason}", firing.trigger));
                    true
                }
                "left_alone" => true,
                // It does not fit, or its trigger is off: as if there were no rule.
                _ => false,
            };
        }
        Ok(is_concerned)
    }

    async fn say(self, talk: &Talk<'_>) -> Result<(), No> {
        for run in self.started {
            talk.show(run).await?;
        }
        if self.is_flood {
            talk.means.floods.look();
        }
        if !self.known.is_empty() {
            talk.answer(Reply::Private(recognised(talk, &self.known).await?)).await?;
        }
        if !self.asked.is_empty() {
            talk.answer(Reply::Private(asks::question(talk, &self.asked).await?)).await?;
        }
        if !self.told.is_empty() {
            talk.answer(Reply::Private(refusal(self.told.join("\n"), "`explain last file` tells more"))).await?;
        }
        Ok(())
    }
}

/// What is said of contents that rules have worked on before.
async fn recognised(talk: &Talk<'_>, known: &[(String, Came)]) -> Result<Card, No> {
    let again: Vec<String> = known.iter().map(|(_, came)| came.key.clone()).collect();
    let again = talk.sign(&asks::action("", again, asks::How::Again, &talk.inbound.key));
    if let [(name, came)] = known {
        let run = came.firing.execution_id.clone().unwrap_or_default();
        let card = Card::new(CardKind::Offer, format!("{} was already processed in {run}", inert(name, 80)));
        let verdict = format!("rule `{}`: {}", came.firing.trigger, stands(talk, &run, &came.firing.at).await?);
        let open = talk.line(format!("status {run}"));
        let card = card.verdict(verdict).button("Open", open, Style::Plain);
        return Ok(card.button("Run again", again, Style::Plain));
    }
    let mut card = Card::new(CardKind::Offer, format!("{} were already processed", words::count(known.len(), "file")));
    for (place, (name, came)) in known.iter().enumerate().take(files::SHOWN) {
        let run = came.firing.execution_id.clone().unwrap_or_default();
        let detail = format!("{run}, {}", stands(talk, &run, &came.firing.at).await?);
        let number = (place + 1).to_string();
        card.lines.push(Line { number, text: inert(name, 80), detail: Some(detail), ..Line::default() });
    }
    Ok(files::and_more(card, known.len()).button("Run them again", again, Style::Plain))
}

/// How an execution stands, and since when it is there.
async fn stands(talk: &Talk<'_>, run: &str, at: &str) -> Result<String, No> {
    let view = match run.parse() {
        Ok(run) => talk.archive.view(run, false).await,
        Err(_) => return Ok(words::moment(at)),
    };
    let status = match view {
        Ok(view) => view.status.replace('_', " "),
        Err(ServiceError::NotFound { .. }) => "forgotten".to_owned(),
        Err(error) => return Err(error.into()),
    };
    Ok(format!("{status}, on {}", words::moment(at)))
}
