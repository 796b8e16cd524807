//! `workflow run --server`: the same as on this machine, carried out by a running service.

use serde_json::Value;

use super::desk::inputs_there;
use super::run::{FILE_INPUT, conclude, say_started};
use super::watch::Watch;
use super::{Ended, exit_code, print};
use crate::app::control::Act;
use crate::app::remote::Remote;
use crate::service::verbs::Run;

/// Starts everything first, then watches one after the other. Files are sent over.
pub async fn run(remote: &Remote, args: &Run) -> Ended {
    let given = inputs_there(remote, &args.workflow, &args.inputs).await?;
    let mut each = Vec::new();
    for path in &args.file {
        let mut inputs = given.clone();
        inputs.insert(FILE_INPUT.to_owned(), Value::String(remote.send_file(path).await?));
        each.push(inputs);
    }
    if each.is_empty() {
        each.push(given);
    }
    let mut started = Vec::new();
    for inputs in &each {
        let (execution, warnings) = remote.start(&args.workflow, inputs, args.fresh).await?;
        say_started(&execution, &warnings);
        started.push(execution);
    }
    let mut worst = 0;
    for execution in started {
        worst = worst.max(watch(remote, &execution, args.json).await?);
    }
    Ok(worst)
}

/// Watches an execution to its end. Ctrl-C cancels it; a second one stops watching.
async fn watch(remote: &Remote, execution: &str, json: bool) -> Ended {
    let mut shown = if json { Watch::Silent } else { Watch::new() };
    let follow = remote.follow(execution, |view, says| shown.show(view, says));
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
                    print::aside(format!("the service goes on with {execution}"));
                    print::end_now(130);
                }
                asked = true;
                print::aside("cancelling; press Ctrl-C again to stop watching");
                let (remote, execution) = (remote.clone(), execution.to_owned());
                tokio::spawn(async move {
                    if let Err(error) = remote.act(&execution, &Act::Cancel).await {
                        print::aside(error.to_string());
                    }
                });
            }
        }
    }
    let view = remote.view(execution, json).await?;
    conclude(&view, json)?;
    Ok(exit_code(view.status))
}
