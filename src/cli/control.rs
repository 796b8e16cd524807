//! `pause`, `resume`, `cancel`, `retry`, `health`: asks the process that owns the storage path, or acts itself.

use super::run::{as_owner, watch_one};
use super::{DONE, Ended, FAILED, WRONG_USE, caller, exit_code, print};
use crate::app::control::{self as door, Act, Answer, Request};
use crate::config::Config;
use crate::service::verbs::{Cancel, Execution, MaybeExecution, Retry};
use crate::service::{Caller, ListFilter, Service};

pub async fn pause(config: &Config, args: Execution) -> Ended {
    act(config, &args.execution, Act::Pause, args.json).await
}

pub async fn cancel(config: &Config, args: Cancel) -> Ended {
    act_as(config, &caller().because(args.reason.as_deref()).name, &args.execution, Act::Cancel, args.json).await
}

pub async fn retry(config: &Config, args: Retry) -> Ended {
    act(config, &args.execution, Act::Retry(args.step), args.json).await
}

pub async fn resume(config: &Config, args: MaybeExecution) -> Ended {
    match args.execution {
        Some(execution) => act(config, &execution, Act::Resume, args.json).await,
        None => resume_all(config, args.json).await,
    }
}

/// Whether a process owns the storage path and answers.
pub async fn health(config: &Config) -> Ended {
    match door::ask(&config.storage_path, &Request::Health).await {
        Ok(Some(Answer::Done(_))) => {
            print::line("healthy");
            Ok(DONE)
        }
        Ok(Some(Answer::Refused(why))) => {
            print::line(format!("unhealthy: {why}"));
            Ok(FAILED)
        }
        Ok(None) => {
            print::line(format!("no workflow process owns `{}`", config.storage_path.display()));
            Ok(FAILED)
        }
        Err(error) => Err(error),
    }
}

/// Asks the owner; where there is none, becomes it for as long as the execution needs.
async fn act(config: &Config, execution: &str, act: Act, json: bool) -> Ended {
    act_as(config, &caller().name, execution, act, json).await
}

async fn act_as(config: &Config, by: &str, execution: &str, act: Act, json: bool) -> Ended {
    let request = Request::Control { execution: execution.to_owned(), act: act.clone(), by: by.to_owned() };
    match door::ask(&config.storage_path, &request).await? {
        Some(Answer::Done(view)) => {
            report(&view, json)?;
            return Ok(DONE);
        }
        Some(Answer::Refused(why)) => {
            print::aside(format!("error: {why}"));
            return Ok(WRONG_USE);
        }
        None => {}
    }
    as_owner(config, false, async |service| act_here(service, by, execution, (&act, json)).await).await
}

async fn act_here(service: &Service, by: &str, execution: &str, (act, json): (&Act, bool)) -> Ended {
    let caller = Caller { name: by.to_owned(), ..caller() };
    let view = door::control(service, &caller, execution, act).await?;
    let goes_on = matches!(act, Act::Resume | Act::Retry(_)) && !view.is_finished();
    if goes_on || (*act == Act::Cancel && !view.is_finished()) {
        let run = service.archive().resolve(execution).await?;
        let view = watch_one(service, run, json).await?;
        return Ok(if *act == Act::Cancel { DONE } else { exit_code(view.status) });
    }
    report(&serde_json::to_value(&view)?, json)?;
    Ok(DONE)
}

/// Carries on everything that is open, and waits until nothing is.
async fn resume_all(config: &Config, json: bool) -> Ended {
    if let Some(Answer::Done(carries_on)) = door::ask(&config.storage_path, &Request::Health).await? {
        if carries_on == true {
            print::aside("a running process carries them on already; `workflow history` shows how far they are");
            return Ok(DONE);
        }
        print::aside(
            "another `workflow` process owns the store and carries only its own executions; ask when it has ended",
        );
        return Ok(FAILED);
    }
    as_owner(config, true, async |service| watch_open(service, json).await).await
}

async fn watch_open(service: &Service, json: bool) -> Ended {
    let archive = service.archive();
    let open = archive.open().await?;
    let mut worst = DONE;
    for &run in &open {
        match archive.view(run, false).await {
            Ok(view) if view.status == "paused" => {
                print::aside(format!("{run} is paused; `workflow resume {run}` lets it go on"));
            }
            Ok(_) => {
                print::aside(format!("Workflow resumed: {run}"));
                worst = worst.max(exit_code(watch_one(service, run, json).await?.status));
            }
            // The others are being carried meanwhile; one that cannot be read must not end them.
            Err(error) => {
                print::aside(format!("{run} cannot be carried on: {error}"));
                worst = worst.max(FAILED);
            }
        }
    }
    if open.is_empty() {
        let ever = archive.list(&ListFilter { limit: 1, ..ListFilter::default() }).await?;
        print::aside(if ever.is_empty() { "nothing has run here yet" } else { "nothing is open" });
    }
    Ok(worst)
}

fn report(view: &serde_json::Value, json: bool) -> anyhow::Result<()> {
    if json {
        return print::json(view);
    }
    let text = |key: &str| view[key].as_str().unwrap_or_default();
    print::line(format!("{} is {}", text("execution_id"), text("status")));
    Ok(())
}
