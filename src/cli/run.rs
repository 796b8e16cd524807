//! `workflow run`: starts, watches, and ends with the execution's own exit code.

use serde_json::{Map, Value};

use super::desk::Desk;
use super::there;
use super::watch::Watch;
use super::{Ended, WRONG_USE, caller, disk_failed, exit_code, print};
use crate::app::App;
use crate::config::Config;
use crate::domain::id::RunId;
use crate::service::verbs::Run;
use crate::service::{RunView, Service, ServiceError, Terms};

/// The input that `--file` feeds.
pub const FILE_INPUT: &str = "file_path";

pub async fn run(desk: &Desk<'_>, args: Run) -> Ended {
    match desk {
        Desk::There(remote) => there::run(remote, &args).await,
        Desk::Here(config) if config.enabled => {
            as_carrier(config, false, async |service| all(service, &args).await).await
        }
        Desk::Here(_) => {
            print::aside("workflows are switched off: WORKFLOW_ENABLED is false");
            Ok(WRONG_USE)
        }
    }
}

/// The same as [`as_owner`] for commands that carry executions: what those tell people is posted meanwhile.
pub async fn as_carrier(config: &Config, carry_on: bool, work: impl AsyncFnOnce(&Service) -> Ended) -> Ended {
    let app = App::open(config, carry_on).await?;
    let posting = app.post_letters(config).await?;
    let Some(ended) = owned(&app, work).await else { return Ok(disk_failed()) };
    posting.close().await;
    app.close().await;
    ended
}

/// Owns the storage path for as long as `work` takes. `carry_on` takes up what other processes left open.
pub async fn as_owner(config: &Config, carry_on: bool, work: impl AsyncFnOnce(&Service) -> Ended) -> Ended {
    let app = App::open(config, carry_on).await?;
    let Some(ended) = owned(&app, work).await else { return Ok(disk_failed()) };
    app.close().await;
    ended
}

/// What came of the work; `None`: the disk failed, and nothing can be closed in good order.
async fn owned(app: &App, work: impl AsyncFnOnce(&Service) -> Ended) -> Option<Ended> {
    tokio::select! {
        biased;
        () = app.service.engine().broken() => None,
        ended = work(&app.service) => Some(ended),
    }
}

/// Starts everything first, then watches one after the other: they run side by side meanwhile.
async fn all(service: &Service, args: &Run) -> Ended {
    let mut started = Vec::new();
    for inputs in inputs_of(service, args).await? {
        let new = service.start(&caller(), &args.workflow, &inputs, Terms { fresh: args.fresh }).await?;
        say_started(&new.execution.to_string(), &new.warnings);
        started.push(new.execution);
    }
    let mut worst = 0;
    for execution in started {
        let view = watch_one(service, execution, args.json).await?;
        worst = worst.max(exit_code(view.status));
    }
    Ok(worst)
}

/// The first words about an execution.
pub fn say_started(execution: &str, warnings: &[String]) {
    print::aside(format!("Workflow started: {execution}"));
    for warning in warnings {
        print::aside(format!("! {warning}"));
    }
}

async fn inputs_of(service: &Service, args: &Run) -> Result<Vec<Map<String, Value>>, ServiceError> {
    let given = service.read_inputs(&caller(), &args.workflow, &args.inputs).await?;
    if args.file.is_empty() {
        return Ok(vec![given]);
    }
    let mut each = Vec::new();
    for path in &args.file {
        let file = service.take_in(path).await?;
        let mut inputs = given.clone();
        inputs.insert(FILE_INPUT.to_owned(), Value::String(file.id.to_string()));
        each.push(inputs);
    }
    Ok(each)
}

/// Watches an execution to its end. Ctrl-C cancels it; a second one ends this process at once.
pub async fn watch_one(service: &Service, execution: RunId, json: bool) -> anyhow::Result<RunView> {
    let mut watch = if json { Watch::Silent } else { Watch::new() };
    let follow = service.follow(execution, |view, says| watch.show(view, says));
    tokio::pin!(follow);
    let mut asked = false;
    loop {
        tokio::select! {
            ended = &mut follow => {
                ended?;
                break;
            }
            _ = tokio::signal::ctrl_c() => {
                if asked {
                    print::aside("ended at once; `workflow resume` carries on what was in flight");
                    print::end_now(130);
                }
                asked = true;
                print::aside("cancelling; press Ctrl-C again to end at once");
                let service = service.clone();
                tokio::spawn(async move {
                    if let Err(error) = service.cancel(&caller(), execution).await {
                        print::aside(error.to_string());
                    }
                });
            }
        }
    }
    let view = service.archive().view(execution, json).await?;
    conclude(&view, json)?;
    Ok(view)
}

/// The last words about an execution.
pub fn conclude(view: &RunView, json: bool) -> anyhow::Result<()> {
    if json {
        return print::json(view);
    }
    print::line(format!("{} {} {}", print::sign(view.status), view.name, view.status.replace('_', " ")));
    for line in print::ending(view) {
        print::line(line);
    }
    for (name, value) in &view.outputs {
        print::line(format!("  {name}: {value}"));
    }
    Ok(())
}
