//! `pause`, `resume`, `cancel`, `retry`, `health`: asks the process that owns the storage path, or acts itself.

use super::desk::Desk;
use super::run::{as_owner, watch_one};
use super::{DONE, Ended, FAILED, WRONG_USE, caller, exit_code, print};
use crate::app::control::{self as door, Act, Answer, Request};
use crate::config::Config;
use crate::service::verbs::{self, Cancel, Execution, MaybeExecution, Rerun, Retry};
use crate::service::{Caller, ListFilter, RunView, Service};

pub async fn pause(desk: &Desk<'_>, args: Execution) -> Ended {
    act(desk, &args.execution, Act::Pause, args.json).await
}

pub async fn cancel(desk: &Desk<'_>, args: Cancel) -> Ended {
    if args.reason.is_some() && matches!(desk, Desk::There(_)) {
        print::aside("`--reason` works only without `--server`");
        return Ok(WRONG_USE);
    }
    let caller = caller().because(args.reason.as_deref());
    act_as(desk, &caller, &args.execution, (Act::Cancel, args.json)).await
}

pub async fn rerun(desk: &Desk<'_>, args: Rerun) -> Ended {
    let inputs = desk.inputs_of(&args.execution, &args.inputs).await?;
    act(desk, &args.execution, Act::Rerun(inputs), args.json).await
}

pub async fn answer(desk: &Desk<'_>, args: verbs::Answer) -> Ended {
    let inputs = desk.inputs_of(&args.execution, &args.inputs).await?;
    act(desk, &args.execution, Act::Answer(inputs), args.json).await
}

pub async fn retry(desk: &Desk<'_>, args: Retry) -> Ended {
    act(desk, &args.execution, Act::Retry(args.step), args.json).await
}

pub async fn resume(desk: &Desk<'_>, args: MaybeExecution) -> Ended {
    match (args.execution, desk) {
        (Some(execution), _) => act(desk, &execution, Act::Resume, args.json).await,
        (None, Desk::Here(config)) => resume_all(config, args.json).await,
        (None, Desk::There(_)) => {
            print::aside("a running service carries everything on by itself; name the execution that is paused");
            Ok(WRONG_USE)
        }
    }
}

/// Whether a process owns the storage path and answers.
pub async fn health(desk: &Desk<'_>) -> Ended {
    let config = match desk {
        Desk::Here(config) => config,
        Desk::There(remote) => {
            remote.health().await?;
            print::line("healthy");
            return Ok(DONE);
        }
    };
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

/// Asks whoever carries the execution; where nobody does, becomes the owner for as long as it needs.
async fn act(desk: &Desk<'_>, execution: &str, act: Act, json: bool) -> Ended {
    act_as(desk, &caller(), execution, (act, json)).await
}

async fn act_as(desk: &Desk<'_>, caller: &Caller, execution: &str, (act, json): (Act, bool)) -> Ended {
    match (desk.act(&caller.name, execution, &act).await?, desk) {
        (Some(Ok(view)), _) => {
            report(&view, json)?;
            Ok(DONE)
        }
        (Some(Err(why)), _) => {
            print::aside(format!("error: {why}"));
            Ok(WRONG_USE)
        }
        (None, Desk::Here(config)) => {
            as_owner(config, false, async |service| act_here(service, caller, execution, (&act, json)).await).await
        }
        (None, Desk::There(_)) => Ok(FAILED), // a service always answers, or there was an error above
    }
}

async fn act_here(service: &Service, caller: &Caller, execution: &str, (act, json): (&Act, bool)) -> Ended {
    let view = door::control(service, caller, execution, act).await?;
    if *act == Act::Pause || view.is_finished() {
        report(&view, json)?;
        return Ok(DONE);
    }
    // A re-run is another execution than the one that was named.
    let run = service.archive().resolve(&view.execution_id).await?;
    let view = watch_one(service, run, json).await?;
    Ok(if *act == Act::Cancel { DONE } else { exit_code(view.status) })
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

fn report(view: &RunView, json: bool) -> anyhow::Result<()> {
    if json {
        return print::json(view);
    }
    print::line(format!("{} is {}", view.execution_id, view.status));
    Ok(())
}
