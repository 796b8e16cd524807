//! `schedule` and `trigger`: what starts by itself.

use serde_json::Value;

use super::desk::Desk;
use super::run::as_owner;
use super::{DONE, Ended, FAILED, WRONG_USE, caller, print};
use crate::app::control::{self as door, Answer, Request};
use crate::app::{self, now};
use crate::domain::time::Span;
use crate::service::triggers::{Acted, NewTrigger, Preview, SimulateView, TriggerAct, TriggerView};
use crate::service::verbs::{Schedule, ScheduleDo, Trigger, TriggerDo};

/// Times that are told where nobody says how many.
const USUAL: usize = 5;

pub async fn schedule(desk: &Desk<'_>, args: Schedule) -> Ended {
    let named = |what: &Option<String>| what.clone().unwrap_or_default();
    match args.act {
        ScheduleDo::Next => {
            let count = args.count.or_else(|| args.when.as_ref()?.parse().ok()).unwrap_or(USUAL);
            let (preview, spec) = meant(desk, &args).await?;
            let view = preview.next(&spec, now(), count)?;
            told_times(&view, args.json)
        }
        ScheduleDo::Simulate => {
            let (preview, spec) = meant(desk, &args).await?;
            let view = preview.simulate(&spec, now(), Span::from_secs(u64::from(args.days) * 86_400))?;
            if args.json {
                print::json(&view)?;
            } else {
                view.lines().into_iter().for_each(print::line);
                print::line(format!("{} times", view.fires.len()));
            }
            Ok(DONE)
        }
        ScheduleDo::List => list(desk, args.what.as_deref(), Some("schedule"), args.json).await,
        ScheduleDo::Add => {
            let Some(when) = args.when else {
                return misused("say for which workflow and when: add data_pipeline \"weekdays 9am\"");
            };
            let new =
                NewTrigger { workflow: named(&args.what), schedule: when, name: args.name, tz: args.tz, inputs: None };
            act(desk, TriggerAct::Add(new), args.json).await
        }
        ScheduleDo::Remove => act(desk, TriggerAct::Remove(named(&args.what)), args.json).await,
        ScheduleDo::Pause | ScheduleDo::Resume => {
            let until = args.until.filter(|_| args.act == ScheduleDo::Pause);
            let on = args.act == ScheduleDo::Resume || until.is_some();
            act(desk, TriggerAct::Switch { name: named(&args.what), on, until }, args.json).await
        }
        ScheduleDo::Backfill => {
            let (Some(from), Some(until)) = (args.from, args.until) else {
                return misused("say which instants: --from 2027-03-01 --until 2027-03-08");
            };
            act(desk, TriggerAct::Backfill { name: named(&args.what), from, until, yes: args.yes }, args.json).await
        }
    }
}

pub async fn trigger(desk: &Desk<'_>, args: Trigger) -> Ended {
    let name = args.name.clone().unwrap_or_default();
    match args.act {
        TriggerDo::List => list(desk, args.name.as_deref(), None, args.json).await,
        TriggerDo::Show => {
            let view = desk.trigger(&name).await?;
            if args.json {
                print::json(&view)?;
            } else {
                let acted = Acted { trigger: Some(view.clone()), ..Acted::default() };
                acted.lines().into_iter().for_each(print::line);
                print::pretty(&view.spec)?;
            }
            Ok(DONE)
        }
        TriggerDo::Explain => {
            let lines = desk.explain_trigger(&name, args.at.as_deref()).await?;
            if args.json {
                print::json(&lines)?;
            } else {
                lines.into_iter().for_each(print::line);
            }
            Ok(DONE)
        }
        TriggerDo::On | TriggerDo::Off => {
            act(desk, TriggerAct::Switch { name, on: args.act == TriggerDo::On, until: None }, args.json).await
        }
        TriggerDo::Fire => act(desk, TriggerAct::Fire { name, data: Value::Null }, args.json).await,
        TriggerDo::Rotate => act(desk, TriggerAct::Rotate(name), args.json).await,
        TriggerDo::Ask => act(desk, TriggerAct::AskAgain(name), args.json).await,
        TriggerDo::Remove => act(desk, TriggerAct::Remove(name), args.json).await,
    }
}

fn misused(message: &str) -> Ended {
    print::aside(message);
    Ok(WRONG_USE)
}

/// The schedule that is meant: an expression needs no store, a name does.
async fn meant(desk: &Desk<'_>, args: &Schedule) -> anyhow::Result<(Preview, crate::domain::trigger::ScheduleSpec)> {
    let what = args.what.clone().unwrap_or_default();
    let preview = Preview { what, zone: args.tz.clone(), from: args.from.clone() };
    let read = preview.spec();
    if let (Err(_), Desk::Here(config)) = (&read, desk)
        && let Some(archive) = app::open_for_reading(config).await.ok().and_then(|reading| reading.archive)
        && let Ok(spec) = archive.schedule_of(&preview).await
    {
        return Ok((preview, spec));
    }
    Ok((preview, read?))
}

fn told_times(view: &SimulateView, json: bool) -> Ended {
    if json {
        let instants: Vec<&str> = view.fires.iter().map(|fire| fire.at.as_str()).collect();
        print::json(&instants)?;
    } else {
        view.lines().into_iter().for_each(print::line);
    }
    Ok(DONE)
}

async fn list(desk: &Desk<'_>, workflow: Option<&str>, kind: Option<&str>, json: bool) -> Ended {
    let mut views = desk.triggers(workflow).await?;
    views.retain(|view| kind.is_none_or(|kind| view.kind == kind));
    for view in &views {
        if json { print::json(view)? } else { print::line(view.line()) }
    }
    if views.is_empty() && !json {
        print::aside("none; a workflow file names them under `triggers:`");
    }
    Ok(DONE)
}

/// Asks whoever owns the storage path; where nobody does, becomes the owner for as long as it needs.
async fn act(desk: &Desk<'_>, act: TriggerAct, json: bool) -> Ended {
    let config = match desk {
        Desk::Here(config) => config,
        Desk::There(remote) => return report(&remote.act_on_trigger(&act).await?, json),
    };
    let asked = Request::Trigger { act: act.clone(), by: caller().name };
    match door::ask(&config.storage_path, &asked).await? {
        Some(Answer::Done(acted)) => report(&serde_json::from_value(acted)?, json),
        Some(Answer::Refused(why)) => {
            print::aside(format!("error: {why}"));
            Ok(WRONG_USE)
        }
        None => {
            as_owner(config, false, async |service| {
                service.arm_all().await?;
                report(&service.act_on_trigger(&caller(), act).await?, json)
            })
            .await
        }
    }
}

fn report(acted: &Acted, json: bool) -> Ended {
    if json {
        print::json(acted)?;
    } else {
        acted.lines().into_iter().for_each(print::line);
    }
    let is_refused = acted.firing.as_ref().is_some_and(|firing| firing.verdict == "refused");
    Ok(if is_refused { FAILED } else { DONE })
}

/// What the desk knows of triggers.
impl Desk<'_> {
    async fn triggers(&self, workflow: Option<&str>) -> anyhow::Result<Vec<TriggerView>> {
        match self {
            Self::Here(config) => match app::open_for_reading(config).await?.archive {
                Some(archive) => Ok(archive.triggers(workflow, now()).await?),
                None => Ok(Vec::new()),
            },
            Self::There(remote) => remote.triggers(workflow).await,
        }
    }

    async fn trigger(&self, name: &str) -> anyhow::Result<TriggerView> {
        match self {
            Self::Here(config) => Ok(super::desk::archive(config).await?.trigger(name, now()).await?),
            Self::There(remote) => remote.trigger(name).await,
        }
    }

    /// Why a trigger started something, or did not.
    pub async fn explain_trigger(&self, name: &str, at: Option<&str>) -> anyhow::Result<Vec<String>> {
        match self {
            Self::Here(config) => Ok(super::desk::archive(config).await?.explain_trigger(name, at, now()).await?),
            Self::There(remote) => remote.explain_trigger(name, at).await,
        }
    }
}
