//! Workflow files: `list`, `templates`, `show`, `plan`, `validate`. Nothing is run, nothing is written.

use serde_json::{Value, json};

use super::{DONE, Ended, FAILED, WRONG_USE, print};
use crate::app::{self, Reading};
use crate::config::Config;
use crate::language::catalog::{Port, StepType};
use crate::language::{Severity, Source};
use crate::service::verbs::{PlanArgs, Templates, Validate};
use crate::service::{InputView, PlanView, ServiceError, read_pairs};

pub async fn list(config: &Config, json: bool) -> Ended {
    let reading = app::open_for_reading(config).await?;
    for template in reading.library.list()? {
        if json {
            print::json(&template)?;
            continue;
        }
        let state = if template.errors > 0 { format!("{} errors", template.errors) } else { template.description };
        print::line(format!("{:<24} {:>3} steps  {:<10} {state}", template.id, template.steps, template.origin));
    }
    Ok(DONE)
}

pub async fn templates(config: &Config, args: &Templates) -> Ended {
    if !args.types {
        return list(config, args.json).await;
    }
    let reading = app::open_for_reading(config).await?;
    for step_type in reading.registry.catalog().iter() {
        if args.json {
            print::json(step_type)?;
        } else {
            print::line(format!("{:<12} {}", step_type.name, step_type.summary));
        }
    }
    Ok(DONE)
}

pub async fn show(config: &Config, name: &str) -> Ended {
    let reading = app::open_for_reading(config).await?;
    if let Some(step_type) = reading.registry.catalog().get(name) {
        show_type(step_type)?;
        return Ok(DONE);
    }
    let source = reading.library.find(name)?;
    print::bare(&source.text);
    Ok(DONE)
}

fn show_type(step_type: &StepType) -> anyhow::Result<()> {
    print::line(format!("{}: {}", step_type.name, step_type.summary));
    let ports = |ports: &[Port]| ports.iter().map(|port| port.name).collect::<Vec<_>>().join(", ");
    print::line(format!("takes:   {}", ports(&step_type.consumes)));
    print::line(format!("gives:   {}", step_type.outputs.join(", ")));
    print::line(format!("repeats: {}", serde_json::to_value(step_type.effect)?.as_str().unwrap_or_default()));
    print::line("config:");
    print::pretty(&step_type.config)
}

pub async fn plan(config: &Config, args: &PlanArgs) -> Ended {
    let Reading { library, registry, .. } = app::open_for_reading(config).await?;
    let compiled = library.compile(&library.find(&args.workflow)?);
    let Some(plan) = compiled.plan else { return Err(ServiceError::Definition(compiled.report).into()) };
    let given = read_pairs(&InputView::all(&plan), &args.inputs);
    let view = PlanView::new(&plan, &given, registry.catalog());
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
        print::line(format!("   after:   {}", step.after));
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

pub async fn validate(config: &Config, args: &Validate) -> Ended {
    let reading = app::open_for_reading(config).await?;
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
        let source = Source { name: name.clone(), text };
        let report = reading.library.check(&source, args.strict).report;
        let found = report.count(Severity::Error);
        errors += found;
        if args.json {
            all.push(json!({ "file": name, "errors": found, "problems": report.problems }));
        } else if report.problems.is_empty() {
            print::line(format!("{name}: valid"));
        } else {
            print::bare(&print::inert(&report.text(false)));
        }
    }
    if args.json {
        print::json(&Value::Array(all))?;
    }
    Ok(if errors == 0 { DONE } else { FAILED })
}
