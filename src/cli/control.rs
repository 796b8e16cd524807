//! `pause`, `resume`, `cancel`, `retry`, `health`: asks the process that owns the storage path, or acts itself.

use super::desk::Desk;
use super::run::{as_carrier, as_owner, watch_one};
use super::{DONE, Ended, FAILED, WRONG_USE, caller, exit_code, print};
use crate::app::control::{self as door, Act, Answer, Request};
use crate::config::Config;
use crate::service::verbs::{
    Answer as Answering, Bulk, Cancel, Decide, Execution, MaybeExecution, Rerun, Retry, Rollback, Signal, Skip,
};
use crate::service::{BulkAct, BulkFilter, BulkView, Caller, ListFilter, RunView, Service};

pub async fn pause(desk: &Desk<'_>, args: Execution) -> Ended {
    act(desk, &args.execution, Act::Pause, args.json).await
}

pub async fn cancel(desk: &Desk<'_>, args: Cancel) -> Ended {
    let by = caller().because(args.reason.as_deref());
    if args.reason.is_some() && matches!(desk, Desk::There(_)) {
        print::aside("the reason stays here: a service elsewhere does not take one");
    }
    act_by(desk, &by, &args.execution, (Act::Cancel, args.json)).await
}

/// The same again as a new execution.
pub async fn rerun(desk: &Desk<'_>, args: Rerun) -> Ended {
    let changed = desk.inputs_of(&args.execution, &args.inputs).await?;
    act(desk, &args.execution, Act::Rerun(changed), args.json).await
}

/// Gives an execution what it asks for.
pub async fn answer(desk: &Desk<'_>, args: Answering) -> Ended {
    let given = desk.inputs_of(&args.execution, &args.inputs).await?;
    act(desk, &args.execution, Act::Answer(given), args.json).await
}

/// Approves or rejects what an execution asks for.
pub async fn decide(desk: &Desk<'_>, args: Decide, approves: bool) -> Ended {
    let Decide { execution, step, comment, json } = args;
    act(desk, &execution, Act::Decide { step, approves, comment }, json).await
}

pub async fn skip(desk: &Desk<'_>, args: Skip) -> Ended {
    act(desk, &args.execution, Act::Skip(args.step), args.json).await
}

/// Counts executions, or deals with all of them.
pub async fn bulk(desk: &Desk<'_>, args: Bulk) -> Ended {
    let Bulk { act, workflow, status, yes, json } = args;
    let filter = BulkFilter { workflow, status };
    let view = match desk {
        Desk::There(remote) => remote.bulk(act, &filter, !yes).await?,
        Desk::Here(config) => {
            let asked = Request::Bulk {
                act,
                workflow: filter.workflow.clone(),
                status: filter.status.clone(),
                yes,
                by: caller().name,
            };
            match door::ask(&config.storage_path, &asked).await? {
                Some(Answer::Done(view)) => serde_json::from_value(view)?,
                Some(Answer::Refused(why)) => {
                    print::aside(format!("error: {why}"));
                    return Ok(WRONG_USE);
                }
                None => {
                    let carries_on = yes && act == BulkAct::Retry;
                    return as_owner(config, carries_on, async |service| {
                        told(&service.bulk(&caller(), act, &filter, !yes).await?, (act, yes, json))
                    })
                    .await;
                }
            }
        }
    };
    told(&view, (act, yes, json))
}

fn told(view: &BulkView, (act, yes, json): (BulkAct, bool, bool)) -> Ended {
    let word = act.word();
    if json {
        print::json(view)?;
    } else if yes {
        print::line(format!("{word}: done to {} of {} executions", view.done, view.matched));
        view.refused.iter().for_each(print::aside);
    } else {
        let noun = if view.matched == 1 { "execution" } else { "executions" };
        print::line(format!("{word} would concern {} {noun}; add --yes to do it", view.matched));
    }
    Ok(if yes && view.done < view.matched { FAILED } else { DONE })
}

/// Takes back what an execution has done, or says what that would be.
pub async fn rollback(desk: &Desk<'_>, args: Rollback) -> Ended {
    let Rollback { execution, to, dry_run, yes: _, json } = args;
    if !dry_run {
        return act(desk, &execution, Act::RollBack { to }, json).await;
    }
    let effects = desk.effects(&execution, to.as_deref()).await?;
    for effect in &effects {
        if json { print::json(effect)? } else { print::line(effect.told()) }
    }
    if effects.is_empty() && !json {
        print::aside("nothing was done that stays");
    }
    Ok(DONE)
}

pub async fn signal(desk: &Desk<'_>, args: &Signal) -> Ended {
    let act_on = Act::Signal { event: args.event.clone(), payload: args.payload() };
    act(desk, &args.execution, act_on, args.json).await
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
    act_by(desk, &caller(), execution, (act, json)).await
}

async fn act_by(desk: &Desk<'_>, by: &Caller, execution: &str, (act, json): (Act, bool)) -> Ended {
    match (desk.act(execution, &act, by).await?, desk) {
        (Some(Ok(view)), _) => {
            report(&view, json)?;
            Ok(DONE)
        }
        (Some(Err(why)), _) => {
            print::aside(format!("error: {why}"));
            Ok(WRONG_USE)
        }
        (None, Desk::Here(config)) => {
            as_carrier(config, false, async |service| act_here(service, by, execution, (&act, json)).await).await
        }
        (None, Desk::There(_)) => Ok(FAILED), // a service always answers, or there was an error above
    }
}

async fn act_here(service: &Service, by: &Caller, execution: &str, (act, json): (&Act, bool)) -> Ended {
    let view = door::control(service, by, execution, act).await?;
    let goes_on = !matches!(act, Act::Pause) && !view.waits_for_somebody() && !view.is_finished();
    if goes_on {
        let run = service.archive().resolve(&view.execution_id).await?;
        let view = watch_one(service, run, json).await?;
        return Ok(if *act == Act::Cancel { DONE } else { exit_code(view.status) });
    }
    report(&view, json)?;
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
    as_carrier(config, true, async |service| watch_open(service, json).await).await
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
