//! Questions: `status`, `history`, `logs`, `output`, `search`. They work beside a running service.

use serde_json::{Map, Value, json};

use super::desk::Desk;
use super::{DONE, Ended, WRONG_USE, print};
use crate::service::verbs::{Explain, History, Logs, MaybeExecution, Output, Search};
use crate::service::{RunView, ServiceError};

pub async fn status(desk: &Desk<'_>, args: &MaybeExecution) -> Ended {
    let view = desk.view(args.execution.as_deref().unwrap_or("last"), false).await?;
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

pub async fn history(desk: &Desk<'_>, args: &History) -> Ended {
    let rows = desk.history(args).await?;
    for row in &rows {
        if args.json {
            print::json(row)?;
            continue;
        }
        let word = |key: &str| row[key].as_str().unwrap_or_default();
        let took = row["duration"].as_f64().map(|seconds| format!("{seconds:.2} s")).unwrap_or_default();
        let fault = row["error"]["code"].as_str().unwrap_or_default();
        let (id, at) = (word("execution_id"), word("created_at"));
        let line = format!("{id}  {at}  {:<24} {:<10} {took:>10}  {fault}", word("workflow"), word("status"));
        print::line(line.trim_end());
    }
    if rows.is_empty() && !args.json {
        print::aside("no executions");
    }
    Ok(DONE)
}

pub async fn logs(desk: &Desk<'_>, args: &Logs) -> Ended {
    let mut lines = desk.log(&args.execution).await?;
    if let Some(step) = &args.step {
        lines = desk.view(&args.execution, false).await?.log_of(lines, step)?;
    }
    let earlier = args.tail.map_or(0, |tail| lines.len().saturating_sub(tail as usize));
    for line in lines.drain(..).skip(earlier) {
        if args.json {
            print::json(&line)?;
        } else {
            print::line(format!("{}  {}", line.at, line.text));
        }
    }
    Ok(DONE)
}

/// Why it stands as it does.
pub async fn explain(desk: &Desk<'_>, args: &Explain) -> Ended {
    let lines = match &args.at {
        Some(at) => desk.explain_trigger(&args.execution, Some(at)).await?,
        None => desk.explain(&args.execution).await?,
    };
    if args.json {
        print::json(&lines)?;
        return Ok(DONE);
    }
    for line in lines {
        print::line(line);
    }
    Ok(DONE)
}

pub async fn output(desk: &Desk<'_>, args: &Output) -> Ended {
    let view = desk.view(&args.execution, true).await?;
    if let Some(wanted) = &args.wanted {
        return one_output(Some(&view.outputs), &view.workflow, wanted);
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
        None => print::pretty(outputs.values())?,
        Some(name) => return one_output(Some(outputs.values()), wanted, name),
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

fn no_step(view: &RunView, wanted: &str) -> ServiceError {
    let near = crate::language::near(wanted, view.steps.iter().map(|step| step.id.as_str()));
    ServiceError::NotFound { noun: "step", name: wanted.to_owned(), near: near.map(str::to_owned) }
}

pub async fn search(desk: &Desk<'_>, args: &Search) -> Ended {
    let hits = desk.search(&args.words.join(" "), args.limit).await?;
    for hit in &hits {
        if args.json {
            print::json(hit)?;
            continue;
        }
        let word = |key: &str| hit[key].as_str().unwrap_or_default();
        let page = hit["page"].as_u64().map(|page| format!(", page {page}")).unwrap_or_default();
        print::line(format!("{}{page}  [{}]", word("name"), word("document_id")));
        print::line(format!("  {}", word("snippet")));
    }
    if hits.is_empty() && !args.json {
        print::aside("no document fits these words");
    }
    Ok(DONE)
}
