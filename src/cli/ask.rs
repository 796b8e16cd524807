//! Questions: `status`, `history`, `logs`, `output`, `search`. They work beside a running service.

use serde_json::json;

use super::{DONE, Ended, WRONG_USE, print};
use crate::app;
use crate::config::Config;
use crate::service::verbs::{Execution, History, Output, Search};
use crate::service::{Archive, ListFilter, RunView, ServiceError};

async fn archive(config: &Config) -> anyhow::Result<Archive> {
    let reading = app::open_for_reading(config).await?;
    reading.archive.ok_or_else(|| {
        anyhow::anyhow!("nothing has run in `{}` yet; try `workflow run NAME`", config.storage_path.display())
    })
}

pub async fn status(config: &Config, args: &Execution) -> Ended {
    let archive = archive(config).await?;
    let view = archive.view(archive.resolve(&args.execution).await?, false).await?;
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

pub async fn logs(config: &Config, args: &Execution) -> Ended {
    let archive = archive(config).await?;
    for line in archive.log(archive.resolve(&args.execution).await?).await? {
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
        Some(name) => match outputs.get(name) {
            Some(serde_json::Value::String(text)) => print::bare(text),
            Some(value) => print::pretty(value)?,
            None => {
                let names: Vec<_> = outputs.keys().map(String::as_str).collect();
                print::aside(format!("`{wanted}` has no output `{name}`; it has {}", names.join(", ")));
                return Ok(WRONG_USE);
            }
        },
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
