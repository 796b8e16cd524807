//! Questions: `status`, `history`, `logs`, `output`, `search`, `inbox`, `whoami`. They work beside a running service.

use serde_json::{Map, Value, json};

use super::{DONE, Ended, WRONG_USE, print};
use crate::app;
use crate::config::Config;
use crate::service::verbs::{History, Logs, MaybeExecution, Output, Search};
use crate::service::{Archive, ListFilter, RunView, ServiceError};

async fn archive(config: &Config) -> anyhow::Result<Archive> {
    let reading = app::open_for_reading(config).await?;
    reading.archive.ok_or_else(|| {
        anyhow::anyhow!("nothing has run in `{}` yet; try `workflow run NAME`", config.storage_path.display())
    })
}

pub async fn status(config: &Config, args: &MaybeExecution) -> Ended {
    let archive = archive(config).await?;
    let run = archive.resolve(args.execution.as_deref().unwrap_or("last")).await?;
    let view = archive.view(run, false).await?;
    if args.json {
        print::json(&view)?;
        return Ok(DONE);
    }
    print::line(format!("{} {}  {}", view.execution_id, view.name, view.status.replace('_', " ")));
    let times = [
        ("accepted", Some(&view.created_at)),
        ("started", view.started_at.as_ref()),
        ("ended", view.finished_at.as_ref()),
    ];
    let times = times.iter().filter_map(|(word, at)| at.map(|at| format!("{word} {at}"))).collect::<Vec<_>>();
    print::line(format!("{}; step {} of {}", times.join(", "), view.current_step, view.total_steps));
    for step in &view.steps {
        print::line(format!("  {}", print::step(step)));
        if let Some(error) = step.error.as_ref().filter(|_| step.status != "completed") {
            print::line(format!("    {} {}; {}", error.code, error.message, error.fix));
        }
    }
    for line in print::ending(&view) {
        print::line(line);
    }
    Ok(DONE)
}

pub async fn history(config: &Config, args: History) -> Ended {
    let reading = app::open_for_reading(config).await?;
    let filter = ListFilter { slug: args.workflow, status: args.status, limit: args.limit, ..ListFilter::default() };
    let runs = match &reading.archive {
        Some(archive) => archive.list(&filter).await?,
        None => Vec::new(),
    };
    for run in &runs {
        let fault = run.fault.as_ref().map(|fault| fault.code.id());
        if args.json {
            print::json(&json!({
                "execution_id": run.id, "workflow_id": run.workflow_id, "workflow": run.slug, "status": run.status,
                "created_at": run.created_at.to_string(),
                "started_at": run.started_at.map(|at| at.to_string()),
                "finished_at": run.finished_at.map(|at| at.to_string()),
                "error": fault,
            }))?;
        } else {
            let took = run.started_at.zip(run.finished_at).map(|(from, to)| to.since(from).to_string());
            let (took, fault) = (took.unwrap_or_default(), fault.unwrap_or_default());
            let line =
                format!("{}  {}  {:<24} {:<10} {took:>8}  {fault}", run.id, run.created_at, run.slug, run.status);
            print::line(line.trim_end());
        }
    }
    if runs.is_empty() && !args.json {
        print::aside("no executions");
    }
    Ok(DONE)
}

pub async fn logs(config: &Config, args: &Logs) -> Ended {
    let archive = archive(config).await?;
    let run = archive.resolve(&args.execution).await?;
    for line in archive.log_of(run, args.step.as_deref(), args.tail).await? {
        if args.json {
            print::json(&line)?;
        } else {
            print::line(format!("{}  {}", line.at, line.text));
        }
    }
    Ok(DONE)
}

pub async fn output(config: &Config, args: &Output) -> Ended {
    let archive = archive(config).await?;
    let view = archive.view(archive.resolve(&args.execution).await?, true).await?;
    if let Some(wanted) = &args.wanted {
        let outputs = json!(view.outputs);
        return one_output(outputs.as_object(), &view.workflow, wanted);
    }
    let Some(wanted) = &args.step else {
        let steps: serde_json::Map<_, _> =
            view.steps.iter().map(|step| (step.id.clone(), json!(step.outputs))).collect();
        print::pretty(&json!({ "outputs": view.outputs, "steps": steps }))?;
        return Ok(DONE);
    };
    let step = view.steps.iter().find(|step| step.id == *wanted).ok_or_else(|| no_step(&view, wanted))?;
    let Some(outputs) = &step.outputs else {
        print::aside(format!("`{wanted}` is {} and has no outputs", step.status));
        return Ok(WRONG_USE);
    };
    match &args.name {
        None => print::pretty(outputs)?,
        Some(name) => return one_output(Some(outputs), wanted, name),
    }
    Ok(DONE)
}

/// One output of a step or of an execution: bare when it is a text.
fn one_output(outputs: Option<&Map<String, Value>>, owner: &str, name: &str) -> Ended {
    match outputs.and_then(|outputs| outputs.get(name)) {
        Some(Value::String(text)) => print::bare(text),
        Some(value) => print::pretty(value)?,
        None => {
            let names: Vec<_> = outputs.into_iter().flat_map(Map::keys).map(String::as_str).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            print::aside(format!("`{owner}` has no output `{name}`; it has {names}"));
            return Ok(WRONG_USE);
        }
    }
    Ok(DONE)
}

/// What waits for somebody: questions, and executions that failed and were not taken up again.
pub async fn inbox(config: &Config, json: bool) -> Ended {
    let reading = app::open_for_reading(config).await?;
    let waiting = match &reading.archive {
        Some(archive) => archive.inbox().await?,
        None => Vec::new(),
    };
    for view in &waiting {
        if json {
            print::json(view)?;
            continue;
        }
        print::line(format!("{} {}  {}", view.execution_id, view.name, view.status.replace('_', " ")));
        for line in print::ending(view) {
            print::line(format!("  {line}"));
        }
    }
    if waiting.is_empty() && !json {
        print::aside("nothing waits for you");
    }
    Ok(DONE)
}

/// Who sits at this terminal.
pub fn whoami(config: &Config, json: bool) -> Ended {
    let caller = super::caller();
    if json {
        print::json(&json!({ "name": caller.name, "door": caller.door, "storage_path": config.storage_path }))?;
    } else {
        print::line(format!("{}, at the terminal, in `{}`", caller.name, config.storage_path.display()));
    }
    Ok(DONE)
}

fn no_step(view: &RunView, wanted: &str) -> ServiceError {
    let near = crate::language::near(wanted, view.steps.iter().map(|step| step.id.as_str()));
    ServiceError::NotFound { noun: "step", name: wanted.to_owned(), near: near.map(str::to_owned) }
}

pub async fn search(config: &Config, args: &Search) -> Ended {
    let hits = archive(config).await?.search(&args.words.join(" "), args.limit, ("**", "**")).await?;
    for hit in &hits {
        if args.json {
            print::json(&json!({
                "document_id": hit.id, "name": hit.name, "score": hit.score, "snippet": hit.snippet, "page": hit.page,
                "language": hit.language, "stored_at": hit.created_at.to_string(),
            }))?;
            continue;
        }
        let page = hit.page.map(|page| format!(", page {page}")).unwrap_or_default();
        print::line(format!("{}{page}  [{}]", hit.name, hit.id));
        print::line(format!("  {}", hit.snippet));
    }
    if hits.is_empty() && !args.json {
        print::aside("no document fits these words");
    }
    Ok(DONE)
}
