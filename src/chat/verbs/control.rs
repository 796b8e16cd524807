//! `pause`, `resume`, `cancel`, `retry`: what steers an execution. Its card says what came of it.

use super::super::actions::{Act, Action};
use super::super::grammar::inert;
use super::super::talk::{No, Reply, Talk};
use super::super::words;
use crate::domain::card::{Card, CardKind, Line, Style};
use crate::domain::id::RunId;
use crate::service::verbs::{Bulk, Cancel, Decide, Execution, MaybeExecution, Retry, Rollback, Signal, Skip};
use crate::service::{BulkFilter, ChangeView};

/// Differences of two versions that are shown.
const CHANGES: usize = 6;

pub async fn pause(talk: &Talk<'_>, args: &Execution) -> Result<Reply, No> {
    let run = talk.target(&args.execution).await?;
    act(talk, Act::Pause, run).await
}

pub async fn resume(talk: &Talk<'_>, args: &MaybeExecution) -> Result<Reply, No> {
    let run = talk.target(args.execution.as_deref().unwrap_or("last")).await?;
    act(talk, Act::Resume, run).await
}

pub async fn cancel(talk: &Talk<'_>, args: Cancel) -> Result<Reply, No> {
    let run = talk.target(&args.execution).await?;
    let Some(reason) = args.reason else { return act(talk, Act::Cancel, run).await };
    if let Some(question) = confirm(talk, run).await? {
        return Ok(question);
    }
    let caller = talk.caller.clone().because(Some(&reason));
    talk.means.service.cancel(&caller, run).await?;
    shown(talk, run).await
}

pub async fn retry(talk: &Talk<'_>, args: &Retry) -> Result<Reply, No> {
    let run = talk.target(&args.execution).await?;
    match &args.step {
        None => act(talk, Act::Retry, run).await,
        Some(step) => {
            talk.means.service.retry(&talk.caller, run, Some(step)).await?;
            shown(talk, run).await
        }
    }
}

pub async fn decide(talk: &Talk<'_>, args: Decide, approves: bool) -> Result<Reply, No> {
    let run = match args.execution.as_str() {
        "last" if talk.run.is_none() => undecided(talk).await?,
        named => talk.target(named).await?,
    };
    talk.means.service.decide(&talk.caller, run, args.step.as_deref(), (approves, args.comment)).await?;
    shown(talk, run).await
}

/// The newest execution that waits for a decision, whoever started it: those who decide are seldom those who asked.
async fn undecided(talk: &Talk<'_>) -> Result<RunId, No> {
    let waiting = talk.archive.inbox().await?;
    let newest = waiting.into_iter().find(|view| !view.approvals.is_empty());
    let run = newest.and_then(|view| view.execution_id.parse().ok());
    run.ok_or_else(|| No::because("nothing waits for a decision", "`inbox` shows what waits for somebody"))
}

pub async fn skip(talk: &Talk<'_>, args: &Skip) -> Result<Reply, No> {
    let run = talk.target(&args.execution).await?;
    talk.means.service.skip(&talk.caller, run, &args.step).await?;
    shown(talk, run).await
}

pub async fn signal(talk: &Talk<'_>, args: &Signal) -> Result<Reply, No> {
    let run = talk.target(&args.execution).await?;
    talk.means.service.signal(&talk.caller, run, (&args.event, args.payload())).await?;
    shown(talk, run).await
}

/// Counts executions, and deals with all of them once somebody has seen how many there are.
pub async fn bulk(talk: &Talk<'_>, args: &Bulk) -> Result<Reply, No> {
    let filter = BulkFilter { workflow: args.workflow.clone(), status: args.status.clone() };
    let view = talk.means.service.bulk(&talk.caller, args.act, &filter, !args.yes).await?;
    let (word, count) = (args.act.word(), words::count(view.matched, "execution"));
    if !args.yes {
        let card = Card::new(CardKind::Answer, format!("`{word}` would concern {count}"));
        if view.matched == 0 {
            return Ok(Reply::Private(card));
        }
        let option = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!(" --{name}={value}"));
        let only = [option("workflow", &args.workflow), option("status", &args.status)];
        let line = format!("bulk {word}{} --yes", only.into_iter().flatten().collect::<String>());
        let yes = talk.sign(&Action::Line(line));
        let card = card.button(format!("{word} all {}", view.matched), yes, Style::Danger);
        return Ok(Reply::Private(card.button("Leave it", talk.sign(&Action::Ignore), Style::Plain)));
    }
    let mut card = Card::new(CardKind::Answer, format!("{word}: done to {} of {count}", view.done));
    card.lines = view.refused.iter().map(|why| Line { text: inert(why, 300), ..Line::default() }).collect();
    Ok(Reply::Private(card))
}

/// Shows what an execution has done, and takes it back once somebody has seen that.
pub async fn rollback(talk: &Talk<'_>, args: &Rollback) -> Result<Reply, No> {
    let run = talk.target(&args.execution).await?;
    let service = &talk.means.service;
    if args.yes && !args.dry_run {
        let begun = service.roll_back(&talk.caller, run, args.to.as_deref()).await?;
        let begun = talk.archive.resolve(&begun.execution_id).await?;
        talk.show(begun).await?;
        return Ok(Reply::Quiet);
    }
    let effects = talk.archive.effects(run, args.to.as_deref()).await?;
    let mut card = Card::new(CardKind::Answer, format!("What {run} has done, newest first"));
    card.lines = effects.iter().map(|effect| Line { text: inert(&effect.told(), 400), ..Line::default() }).collect();
    let open = effects.iter().filter(|effect| effect.undone_by.is_none()).count();
    if open == 0 {
        return Ok(Reply::Private(card.verdict("There is nothing to take back.")));
    }
    let to = args.to.as_ref().map(|to| format!(" --to={to}")).unwrap_or_default();
    let yes = talk.sign(&Action::Line(format!("rollback {run}{to} --yes")));
    let card = card.button("Roll back", yes, Style::Danger).button("Keep it", talk.sign(&Action::Ignore), Style::Plain);
    Ok(Reply::Private(card))
}

/// Does something to an execution.
pub async fn act(talk: &Talk<'_>, act: Act, run: RunId) -> Result<Reply, No> {
    let service = &talk.means.service;
    match act {
        Act::Pause => drop(service.pause(&talk.caller, run).await?),
        Act::Resume => drop(service.resume(&talk.caller, run).await?),
        Act::Retry => {
            if let Some(question) = which_version(talk, run).await? {
                return Ok(question);
            }
            service.retry(&talk.caller, run, None).await?;
        }
        Act::RetryAsItRan => drop(service.retry(&talk.caller, run, None).await?),
        Act::CancelAnyway => drop(service.cancel(&talk.caller, run).await?),
        Act::Cancel => {
            let view = talk.archive.view(run, false).await?;
            if view.is_finished() {
                return Err(No::because(format!("{run} is over: {}", view.status), "there is nothing to cancel"));
            }
            if let Some(question) = confirm(talk, run).await? {
                return Ok(question);
            }
            service.cancel(&talk.caller, run).await?;
        }
        Act::Rerun => {
            let started = service.rerun(&talk.caller, run, &serde_json::Map::new()).await?;
            talk.show(started.execution).await?;
            return Ok(Reply::Quiet);
        }
        Act::Details => return super::ask::one(talk, run).await,
        Act::Outputs => return super::ask::outputs(talk, run).await,
        Act::Logs => return super::ask::log(talk, run, None, None).await,
    }
    shown(talk, run).await
}

/// Asks before something is ended that has already reached outside; `None`: nothing has.
async fn confirm(talk: &Talk<'_>, run: RunId) -> Result<Option<Reply>, No> {
    let archive = &talk.archive;
    let effects = archive.effects_of(run).await?;
    if effects.is_empty() || archive.view(run, false).await?.is_finished() {
        return Ok(None);
    }
    let names: Vec<_> = effects.iter().map(|name| inert(name, 60)).collect();
    let card = Card::new(CardKind::Answer, format!("{} reached outside already", names.join(", ")));
    let card = card.verdict("A cancel stops what is left; what reached outside stays.");
    let end = String::new();
    let yes = talk.sign(&Action::On { act: Act::CancelAnyway, run, end });
    let card = card.button("Cancel it", yes, Style::Danger).button("Keep it", talk.sign(&Action::Ignore), Style::Plain);
    Ok(Some(Reply::Private(card)))
}

/// Asks which version is meant where the workflow has changed since; `None`: it has not.
async fn which_version(talk: &Talk<'_>, run: RunId) -> Result<Option<Reply>, No> {
    let Some(changed) = talk.archive.changed_since(run).await? else { return Ok(None) };
    let (ran, in_use) = (changed.ran, changed.in_use);
    let mut card =
        Card::new(CardKind::Answer, format!("The workflow has changed: version {ran} ran, {in_use} is in use"));
    let line = |change: &ChangeView| Line { text: inert(&change.told(), 200), ..Line::default() };
    card.lines = changed.changes.iter().take(CHANGES).map(line).collect();
    let more = changed.changes.len().saturating_sub(CHANGES);
    if more > 0 {
        card.lines.push(Line { text: format!("and {more} more"), ..Line::default() });
    }
    let on = |act: Act| talk.sign(&Action::On { act, run, end: String::new() });
    let card = card.button(format!("Retry version {ran}"), on(Act::RetryAsItRan), Style::Primary);
    let card = card.button(format!("Rerun with version {in_use}"), on(Act::Rerun), Style::Plain);
    Ok(Some(Reply::Private(card.button("Leave it", talk.sign(&Action::Ignore), Style::Plain))))
}

/// The card says what came of it: the one that the execution has, else a new one here.
async fn shown(talk: &Talk<'_>, run: RunId) -> Result<Reply, No> {
    talk.show(run).await?;
    Ok(Reply::Quiet)
}
