//! `schedule`, `trigger` and the part of `explain` that is about them.

use super::super::grammar::inert;
use super::super::talk::{No, Reply, Talk};
use crate::domain::card::{Card, CardKind, Line};
use crate::domain::time::Span;
use crate::service::triggers::{Acted, NewTrigger, Preview, TriggerAct, TriggerView};
use crate::service::verbs::{Schedule, ScheduleDo, Trigger, TriggerDo};

/// Lines of an answer at the most.
const MOST: usize = 25;
/// Times that are told where nobody says how many.
const USUAL: usize = 5;

/// Schedules: their times, and what hands can do to them.
pub async fn schedule(talk: &Talk<'_>, args: Schedule) -> Result<Reply, No> {
    let archive = talk.means.service.seen_by(&talk.caller);
    let now = talk.means.service.engine_now();
    let what = args.what.clone().unwrap_or_default();
    let act = match args.act {
        ScheduleDo::List => return list(talk, args.what.as_deref(), Some("schedule")).await,
        ScheduleDo::Next | ScheduleDo::Simulate => {
            let preview = Preview { what, zone: args.tz, from: args.from };
            let spec = archive.schedule_of(&preview).await?;
            let count = args.count.or_else(|| args.when.as_ref()?.parse().ok()).unwrap_or(USUAL);
            let view = match args.act {
                ScheduleDo::Next => preview.next(&spec, now, count)?,
                _ => preview.simulate(&spec, now, Span::from_secs(u64::from(args.days) * 86_400))?,
            };
            return Ok(Reply::Private(card("When it happens", &view.lines())));
        }
        ScheduleDo::Add => {
            let Some(when) = args.when else {
                return Err(No::because("It does not say when.", "say `schedule add data_pipeline \"weekdays 9am\"`"));
            };
            let workflow = talk.means.service.match_workflow(&talk.caller, &talk.listed(&what).await?).await?.id;
            TriggerAct::Add(NewTrigger { workflow, schedule: when, name: args.name, tz: args.tz, inputs: None })
        }
        ScheduleDo::Remove => TriggerAct::Remove(talk.listed(&what).await?),
        ScheduleDo::Pause | ScheduleDo::Resume => {
            let until = args.until.filter(|_| args.act == ScheduleDo::Pause);
            let on = args.act == ScheduleDo::Resume || until.is_some();
            TriggerAct::Switch { name: talk.listed(&what).await?, on, until }
        }
        ScheduleDo::Backfill => {
            let (Some(from), Some(until)) = (args.from, args.until) else {
                return Err(No::because(
                    "It does not say which instants.",
                    "add `--from=2027-03-01 --until=2027-03-08`",
                ));
            };
            TriggerAct::Backfill { name: talk.listed(&what).await?, from, until, yes: args.yes }
        }
    };
    done(talk, act).await
}

/// Triggers of all kinds.
pub async fn trigger(talk: &Talk<'_>, args: Trigger) -> Result<Reply, No> {
    let archive = talk.means.service.seen_by(&talk.caller);
    let now = talk.means.service.engine_now();
    let name = match &args.name {
        Some(name) => talk.listed(name).await?,
        None => String::new(),
    };
    let act = match args.act {
        TriggerDo::List => return list(talk, args.name.as_deref(), None).await,
        TriggerDo::Show => {
            let acted = Acted { trigger: Some(archive.trigger(&name, now).await?), ..Acted::default() };
            return Ok(Reply::Private(card("Trigger", &acted.lines())));
        }
        TriggerDo::Explain => return explain(talk, &name, args.at.as_deref()).await,
        TriggerDo::On | TriggerDo::Off => TriggerAct::Switch { name, on: args.act == TriggerDo::On, until: None },
        TriggerDo::Fire => TriggerAct::Fire { name, data: serde_json::Value::Null },
        TriggerDo::Rotate => TriggerAct::Rotate(name),
        TriggerDo::Ask => TriggerAct::AskAgain(name),
        TriggerDo::Remove => TriggerAct::Remove(name),
    };
    done(talk, act).await
}

/// Why a trigger started something, or did not.
pub async fn explain(talk: &Talk<'_>, name: &str, at: Option<&str>) -> Result<Reply, No> {
    let service = &talk.means.service;
    let lines = service.seen_by(&talk.caller).explain_trigger(name, at, service.engine_now()).await?;
    Ok(Reply::Private(card("Why it started, or did not", &lines)))
}

async fn done(talk: &Talk<'_>, act: TriggerAct) -> Result<Reply, No> {
    let acted = talk.means.service.act_on_trigger(&talk.caller, act).await?;
    let lines = acted.lines();
    if lines.is_empty() {
        return Ok(Reply::Private(Card::new(CardKind::Answer, "Done")));
    }
    // A secret is for whoever asked; a change of a schedule concerns everybody there.
    let card = card("Done", &lines);
    Ok(if acted.secret.is_some() { Reply::Private(card) } else { Reply::Public(card) })
}

async fn list(talk: &Talk<'_>, workflow: Option<&str>, kind: Option<&str>) -> Result<Reply, No> {
    let service = &talk.means.service;
    let mut views = service.seen_by(&talk.caller).triggers(workflow, service.engine_now()).await?;
    views.retain(|view| kind.is_none_or(|kind| view.kind == kind));
    let title = if kind.is_some() { "Schedules" } else { "What starts workflows" };
    let mut card = Card::new(CardKind::List, title);
    let mut items = Vec::new();
    for (place, view) in views.iter().enumerate().take(MOST) {
        items.push(view.id.clone());
        card.lines.push(Line {
            number: (place + 1).to_string(),
            status: view.state.clone(),
            text: inert(&view.id, 60),
            detail: Some(inert(&detail(view), 300)),
            ..Line::default()
        });
    }
    if views.is_empty() {
        card = card.verdict("none; a workflow file names them under `triggers:`");
    } else if views.len() > MOST {
        card = card.verdict(format!("the first {MOST} of {}", views.len()));
    }
    talk.remember(&items).await?;
    Ok(Reply::Private(card))
}

fn detail(view: &TriggerView) -> String {
    let next = view.next_local.first().map(|next| format!("  next {next}")).unwrap_or_default();
    let last = view.last.as_ref().map(|last| format!("  last {}", last.verdict.replace('_', " "))).unwrap_or_default();
    format!("{}{next}{last}", view.told)
}

fn card(title: &str, lines: &[String]) -> Card {
    let mut card = Card::new(CardKind::Answer, title);
    card.lines = lines.iter().take(MOST).map(|line| Line { text: inert(line, 400), ..Line::default() }).collect();
    if lines.len() > MOST {
        card = card.verdict(format!("the first {MOST} of {} lines", lines.len()));
    }
    card
}
