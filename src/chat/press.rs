//! A button was pressed, or a form sent. What counts is how things stand now, not how they stood when the button was
//! drawn: of two people who press, the second is told what the first did.

use serde_json::{Map, Value};

use super::actions::{Act, Action, Stale};
use super::adapter::MessageRef;
use super::conversation::understood;
use super::grammar::{self, Heard, Place};
use super::talk::{No, Reply, Talk};
use super::{forms, rules, verbs, words};
use crate::domain::card::{Card, CardKind};
use crate::domain::id::RunId;
use crate::domain::role;
use crate::service::{RunView, ServiceError};

/// Does what a button says.
pub async fn pressed(
    talk: &Talk<'_>,
    message: &MessageRef,
    action: &str,
    values: &Map<String, Value>,
) -> Result<Reply, No> {
    match talk.means.signer.open(action, talk.means.now()) {
        Ok(action) => perform(talk, message, action, values).await.map_err(unseen),
        Err(Stale::Foreign) => Err(No::because("this button is not one of ours", "use one of the newest messages")),
        Err(Stale::Old(
            Action::On { run, .. } | Action::Submit { run } | Action::Again { run } | Action::Undo { run },
        )) => {
            talk.courier.refresh(run).await;
            Err(No::because("this button is too old", "its card is brought up to date now"))
        }
        Err(Stale::Old(_)) => Err(No::because("this button is too old", "say it anew")),
    }
}

/// Whoever presses has the card before their eyes: that there is something is no secret to them.
fn unseen(no: No) -> No {
    match no {
        No::Service(ServiceError::NotFound { noun: "execution", .. }) => No::because(
            "This is not for you, or it is forgotten",
            "`whoami` tells who you are here, and what you may do",
        ),
        no => no,
    }
}

async fn perform(
    talk: &Talk<'_>,
    message: &MessageRef,
    action: Action,
    values: &Map<String, Value>,
) -> Result<Reply, No> {
    match action {
        Action::On { act, run, end } => on(talk, act, run, &end).await,
        Action::Submit { run } => submit(talk, run, values).await,
        Action::Again { run } => again(talk, run, values).await,
        Action::Line(line) => understood(talk, &spoken(talk, &line), Vec::new()).await,
        Action::Share(line) => share(talk, &line).await,
        Action::Take { workflow, files } => {
            // The offer stays for those who may take it.
            talk.means.service.check_start(&talk.caller, &workflow).await?;
            put_away(talk, message, &format!("taken by {}", talk.caller.name)).await;
            let mut records = Vec::new();
            for file in files {
                records.push(talk.means.service.file(file).await?);
            }
            verbs::start_on_files(talk, &workflow, &records).await
        }
        Action::Rule { trigger, firings, how, salt } => {
            rules::pressed(talk, message, (&trigger, &firings), (how, &salt)).await
        }
        Action::Flood { flood, what } => rules::decided(talk, message, (&flood, what)).await,
        Action::Undo { run } => rules::undo(talk, run).await,
        Action::Ignore => {
            put_away(talk, message, "put away").await;
            Ok(Reply::Quiet)
        }
    }
}

/// Does something to an execution, if the card on which the button stood still shows its state.
async fn on(talk: &Talk<'_>, act: Act, run: RunId, end: &str) -> Result<Reply, No> {
    let view = talk.archive.view(run, false).await?;
    if matches!(act, Act::Details | Act::Outputs | Act::Logs | Act::Rerun) {
        return verbs::act(talk, act, run).await;
    }
    if view.finished_at.clone().unwrap_or_default() != end {
        return late(talk, &view, run).await;
    }
    match verbs::act(talk, act, run).await {
        // Somebody was quicker, in between.
        Err(No::Service(ServiceError::Refused(_))) => {
            let now = talk.archive.view(run, false).await?;
            late(talk, &now, run).await
        }
        done => done,
    }
}

/// The state has moved on since the button was drawn: who did what, and the card as it is now.
async fn late(talk: &Talk<'_>, view: &RunView, run: RunId) -> Result<Reply, No> {
    talk.courier.refresh(run).await;
    let log = talk.archive.log(run).await?;
    let asked = log.iter().rev().find(|line| line.text.contains(" by "));
    let fix = match asked {
        Some(line) => format!("{}, at {}", grammar::inert(&line.text, 200), words::clock(&line.at)),
        None => String::new(),
    };
    let status = view.status.replace('_', " ");
    let message = match &view.finished_at {
        Some(at) => format!("this run ended ({status}) at {}", words::moment(at)),
        None => format!("this run is {status} now"),
    };
    Err(No::because(message, fix))
}

async fn submit(talk: &Talk<'_>, run: RunId, values: &Map<String, Value>) -> Result<Reply, No> {
    let view = talk.archive.view(run, false).await?;
    if view.questions.is_empty() {
        return late(talk, &view, run).await;
    }
    talk.means.service.check_on(&talk.caller, role::Action::Answer, run).await?;
    let pairs = forms::pairs(values);
    if pairs.is_empty() {
        let labels: Vec<_> = view.questions.iter().map(|question| grammar::inert(&question.label, 60)).collect();
        return Err(No::because("nothing was filled in", format!("needed: {}", labels.join(", "))));
    }
    verbs::give(talk, &view, &pairs, &[]).await
}

/// Starts the same again with what the form says; where nothing was filled in yet, shows the form.
async fn again(talk: &Talk<'_>, run: RunId, values: &Map<String, Value>) -> Result<Reply, No> {
    if !values.is_empty() {
        return verbs::rerun_with(talk, run, &forms::pairs(values)).await;
    }
    talk.means.service.check_on(&talk.caller, role::Action::Start, run).await?;
    let form = forms::of_rerun(talk.means, &talk.caller, run).await?;
    let Some(form) = form else {
        let fix = "`rerun` starts it again as it was";
        return Err(No::because("this workflow takes no inputs that could be changed", fix));
    };
    let mut card = Card::new(CardKind::Form, form.title.clone());
    card.verdict = format!("or type `rerun {run}` with what is to be different, as key=value");
    card.form = Some(form);
    Ok(Reply::Private(card))
}

/// Makes a private answer anew, for everybody's eyes.
async fn share(talk: &Talk<'_>, line: &str) -> Result<Reply, No> {
    let place = Place { names: talk.adapter.traits().names, is_open: true, run: None };
    let heard = grammar::hear(line, &place);
    let reply = match heard {
        Ok(Heard::Verb(verb)) => verbs::ask(talk, *verb, Vec::new()).await?,
        Ok(Heard::Help(topic)) => verbs::help(talk, topic.as_deref()).await?,
        _ => return Ok(Reply::Quiet),
    };
    Ok(match reply {
        Reply::Private(mut card) => {
            card.buttons.clear();
            card.fields.push(crate::domain::card::Field {
                name: "shared by".to_owned(),
                value: grammar::inert(&talk.caller.name, 60),
            });
            Reply::Public(card)
        }
        other => other,
    })
}

/// A line of ours, as it has to be said where not everything is meant for us.
fn spoken(talk: &Talk<'_>, line: &str) -> String {
    if talk.inbound.is_direct { line.to_owned() } else { format!("/workflow {line}") }
}

/// What was offered is decided: the message says so and cannot be pressed again. One that cannot be changed stays.
pub(super) async fn put_away(talk: &Talk<'_>, message: &MessageRef, how: &str) {
    let card: Card = super::talk::refusal("", grammar::inert(how, 100)).sealed();
    if let Err(error) = talk.adapter.edit(talk.here(), message, &card).await {
        tracing::debug!(%error, "an offer stays as it is");
    }
}
