//! Workflow files: `list`, `templates`, `show`, `plan`, `validate`. Nothing is run, nothing is written.

use serde_json::{Value, json};

use super::desk::{Desk, Shown};
use super::run::as_owner;
use super::{DONE, Ended, FAILED, WRONG_USE, caller, print};
use crate::language::Source;
use crate::service::VersionView;
use crate::service::verbs::{Diff, Named, PlanArgs, Revert, Templates, Validate};

pub async fn list(desk: &Desk<'_>, json: bool) -> Ended {
    for template in desk.templates().await? {
        if json {
            print::json(&template)?;
            continue;
        }
        let state = if template.errors > 0 { format!("{} errors", template.errors) } else { template.description };
        print::line(format!("{:<24} {:>3} steps  {:<10} {state}", template.id, template.steps, template.origin));
    }
    Ok(DONE)
}

pub async fn templates(desk: &Desk<'_>, args: &Templates) -> Ended {
    if !args.types {
        return list(desk, args.json).await;
    }
    for step_type in desk.step_types().await? {
        if args.json {
            print::json(&step_type)?;
        } else {
            print::line(format!("{:<12} {}", word(&step_type["name"]), word(&step_type["summary"])));
        }
    }
    Ok(DONE)
}

/// The versions of a workflow.
pub async fn versions(desk: &Desk<'_>, args: &Named) -> Ended {
    listed(&desk.versions(&args.workflow).await?, args.json)
}

fn listed(versions: &[VersionView], json: bool) -> Ended {
    for version in versions {
        if json { print::json(version)? } else { print::line(version.told()) }
    }
    Ok(DONE)
}

/// What two versions do differently.
pub async fn diff(desk: &Desk<'_>, args: &Diff) -> Ended {
    let changes = desk.diff(&args.workflow, (args.from, args.to)).await?;
    for change in &changes {
        if args.json { print::json(change)? } else { print::line(change.told()) }
    }
    if changes.is_empty() && !args.json {
        print::aside("they do the same");
    }
    Ok(DONE)
}

/// Puts an earlier version in use again.
pub async fn revert(desk: &Desk<'_>, args: &Revert) -> Ended {
    match desk {
        Desk::There(remote) => listed(&remote.revert(&args.workflow, args.rev).await?, args.json),
        Desk::Here(config) => {
            as_owner(config, false, async |service| {
                listed(&service.revert(&caller(), &args.workflow, args.rev).await?, args.json)
            })
            .await
        }
    }
}

pub async fn show(desk: &Desk<'_>, name: &str) -> Ended {
    match desk.show(name).await? {
        Shown::StepType(step_type) => show_type(&step_type)?,
        Shown::Workflow(text) => print::bare(&text),
    }
    Ok(DONE)
}

fn show_type(step_type: &Value) -> anyhow::Result<()> {
    print::line(format!("{}: {}", word(&step_type["name"]), word(&step_type["summary"])));
    let list = |value: &Value, of: fn(&Value) -> &Value| {
        let items = value.as_array().into_iter().flatten();
        items.map(|item| word(of(item))).collect::<Vec<_>>().join(", ")
    };
    print::line(format!("takes:   {}", list(&step_type["consumes"], |port| &port["name"])));
    print::line(format!("gives:   {}", list(&step_type["outputs"], |name| name)));
    print::line(format!("repeats: {}", word(&step_type["effect"])));
    print::line("config:");
    print::pretty(&step_type["config"])
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub async fn plan(desk: &Desk<'_>, args: &PlanArgs) -> Ended {
    let view = desk.plan(&args.workflow, &args.inputs).await?;
    if args.json {
        print::json(&view)?;
        return Ok(DONE);
    }
    print::line(format!("{} ({}), version {}", view.name, view.workflow, &view.hash[..12.min(view.hash.len())]));
    for problem in &view.inputs {
        print::line(format!("! {problem}"));
    }
    for step in &view.steps {
        print::line(format!("{}. {}  [{}: {}]", step.index + 1, step.name, step.id, step.kind));
        if let Some(inside) = &step.inside {
            print::line(format!("   in:      {inside}"));
        }
        print::line(format!("   after:   {}", step.after));
        if let Some(foreach) = &step.foreach {
            print::line(format!("   foreach: {foreach}"));
        }
        for port in &step.ports {
            print::line(format!("   takes:   {port}"));
        }
        print::line(format!("   config:  {}", step.config));
        print::line(format!("   effect:  {}; {}", step.effect, step.attempts));
        if let Some(condition) = &step.when {
            print::line(format!("   when:    {condition}"));
        }
    }
    print::line("nothing was run");
    Ok(DONE)
}

pub async fn validate(desk: &Desk<'_>, args: &Validate) -> Ended {
    if args.files.is_empty() {
        print::aside("error: `validate` wants the path of at least one workflow file");
        return Ok(WRONG_USE);
    }
    let mut errors = 0;
    let mut all = Vec::new();
    for path in &args.files {
        let name = path.display().to_string();
        let text = match std::fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => {
                print::aside(format!("error: `{name}` cannot be read: {error}"));
                return Ok(WRONG_USE);
            }
        };
        let (found, problems, text) = desk.validate(Source { name: name.clone(), text }, args.strict).await?;
        errors += found;
        if args.json {
            all.push(json!({ "file": name, "errors": found, "problems": problems }));
        } else if text.is_empty() {
            print::line(format!("{name}: valid"));
        } else {
            print::bare(&print::inert(&text));
        }
    }
    if args.json {
        print::json(&Value::Array(all))?;
    }
    Ok(if errors == 0 { DONE } else { FAILED })
}
