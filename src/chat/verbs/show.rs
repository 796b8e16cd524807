//! `show`, `plan`, `validate`: what a workflow is and would do, without doing it.

use tokio::io::AsyncReadExt as _;

use super::super::grammar::inert;
use super::super::talk::{No, Reply, Talk};
use super::super::words;
use crate::domain::card::{Card, CardKind, Line, Style};
use crate::domain::plan::Required;
use crate::language::{Severity, Source};
use crate::service::verbs::{Diff, Named, PlanArgs, Revert, Validate};
use crate::service::{FileRecord, VersionView};

/// The largest file that is looked at as a workflow, in bytes.
const LARGEST: u64 = 256 * 1024;
/// Problems of a file that are told.
const PROBLEMS: usize = 20;

/// A workflow, an execution, or a step type.
pub async fn show(talk: &Talk<'_>, name: &str) -> Result<Reply, No> {
    let name = talk.listed(name).await?;
    if super::super::grammar::command::is_target(&name) {
        return super::ask::one(talk, talk.target(&name).await?).await;
    }
    let service = &talk.means.service;
    if let Some(step_type) = service.step_types().get(&name) {
        let mut card = Card::new(CardKind::Answer, format!("{}: {}", step_type.name, step_type.summary));
        let keys: Vec<_> = step_type.config["properties"].as_object().into_iter().flatten().collect();
        for (key, schema) in keys {
            let about = schema["description"].as_str().unwrap_or_default();
            card = card.field(inert(key, 60), inert(about, 200));
        }
        return Ok(Reply::Private(card));
    }
    let workflow = service.match_workflow(&talk.caller, &name).await?.id;
    let detail = service.workflow(&talk.caller, &workflow).await?;
    let mut card = Card::new(CardKind::Answer, inert(&detail.workflow.name, 80));
    card = card.verdict(inert(&detail.workflow.description, 300));
    for step in &detail.steps {
        card.lines.push(Line {
            number: (step.index + 1).to_string(),
            text: inert(&step.name, 60),
            detail: Some(format!("{}, after {}", step.kind, inert(&step.after, 100))),
            ..Line::default()
        });
    }
    for input in &detail.inputs {
        let need = match (&input.required, &input.default) {
            (Required::Yes, None) => "needed".to_owned(),
            (Required::Late, _) => "asked for when it is needed".to_owned(),
            (_, Some(default)) => format!("{} if nothing else is said", inert(&words::value(default), 60)),
            _ => "may be left out".to_owned(),
        };
        card = card.field(inert(&input.name, 60), need);
    }
    let run = talk.line(format!("run {workflow}"));
    Ok(Reply::Private(card.button("Run it", run, Style::Primary)))
}

/// The versions of a workflow.
pub async fn versions(talk: &Talk<'_>, args: &Named) -> Result<Reply, No> {
    let service = &talk.means.service;
    let workflow = service.match_workflow(&talk.caller, &talk.listed(&args.workflow).await?).await?.id;
    Ok(Reply::Private(listed_versions(&workflow, &talk.archive.versions(&workflow).await?)))
}

fn listed_versions(workflow: &str, versions: &[VersionView]) -> Card {
    let mut card = Card::new(CardKind::Answer, format!("Versions of `{}`, newest first", inert(workflow, 60)));
    card.lines = versions.iter().map(|version| told(&version.told())).collect();
    card
}

fn told(text: &str) -> Line {
    Line { text: inert(text, 300), ..Line::default() }
}

/// What two versions do differently.
pub async fn diff(talk: &Talk<'_>, args: &Diff) -> Result<Reply, No> {
    let service = &talk.means.service;
    let workflow = service.match_workflow(&talk.caller, &talk.listed(&args.workflow).await?).await?.id;
    let changes = talk.archive.diff(&workflow, (args.from, args.to)).await?;
    let newer = args.to.map_or_else(|| "the version in use".to_owned(), |to| format!("version {to}"));
    let mut card =
        Card::new(CardKind::Answer, format!("What {newer} of `{workflow}` does unlike version {}", args.from));
    card.lines = changes.iter().map(|change| told(&change.told())).collect();
    if changes.is_empty() {
        card = card.verdict("They do the same.");
    }
    Ok(Reply::Private(card))
}

/// Puts an earlier version in use again.
pub async fn revert(talk: &Talk<'_>, args: &Revert) -> Result<Reply, No> {
    let service = &talk.means.service;
    let workflow = service.match_workflow(&talk.caller, &talk.listed(&args.workflow).await?).await?.id;
    let versions = service.revert(&talk.caller, &workflow, args.rev).await?;
    let card = listed_versions(&workflow, &versions);
    Ok(Reply::Private(card.verdict(format!("Version {} is in use again.", args.rev))))
}

/// What a run would do.
pub async fn plan(talk: &Talk<'_>, args: &PlanArgs) -> Result<Reply, No> {
    let service = &talk.means.service;
    let workflow = service.match_workflow(&talk.caller, &talk.listed(&args.workflow).await?).await?.id;
    let inputs = service.read_inputs(&talk.caller, &workflow, &args.inputs).await?;
    let plan = service.plan(&talk.caller, &workflow, &inputs).await?;
    let mut card = Card::new(CardKind::Answer, format!("What `{}` would do", inert(&plan.workflow, 60)));
    card = card.verdict("nothing has run");
    for step in &plan.steps {
        let when = step.when.as_ref().map(|when| format!("  if {}", inert(when, 80))).unwrap_or_default();
        let ports = if step.ports.is_empty() { String::new() } else { format!("  {}", step.ports.join(", ")) };
        card.lines.push(Line {
            number: (step.index + 1).to_string(),
            text: inert(&step.name, 60),
            detail: Some(format!("{}, after {}{when}  {}{}", step.kind, step.after, step.effect, inert(&ports, 200))),
            ..Line::default()
        });
    }
    for problem in &plan.inputs {
        card = card.field("note", inert(problem, 300));
    }
    if let Some(usual) = talk.archive.expectation(&workflow, &plan.hash).await? {
        let (p50, p90) = (words::seconds(usual.p50_seconds), words::seconds(usual.p90_seconds));
        card = card.field("takes", format!("p50 {p50}, p90 {p90}, from {}", words::count(usual.runs, "execution")));
    }
    Ok(Reply::Private(card))
}

/// Every problem of a workflow file that came along: as a block in the line, or attached.
pub async fn validate(talk: &Talk<'_>, args: &Validate, files: Vec<FileRecord>) -> Result<Reply, No> {
    let mut sources = Vec::new();
    for text in args.files.iter().filter_map(|text| text.to_str()) {
        // A name alone would be a file of the server: nobody reads those from a chat.
        if text.contains('\n') || text.trim_start().starts_with('{') {
            sources.push(Source { name: "message".to_owned(), text: text.to_owned() });
        } else {
            let known = talk.means.service.match_workflow(&talk.caller, &talk.listed(text).await?).await?.id;
            let detail = talk.means.service.workflow(&talk.caller, &known).await?;
            sources.push(Source { name: known, text: detail.definition });
        }
    }
    for file in &files {
        let mut text = String::new();
        let opened = talk.means.service.open_file(file).await?;
        let read = opened.take(LARGEST).read_to_string(&mut text).await;
        if read.is_err() {
            return Err(No::because(format!("`{}` is not a text", inert(&file.name, 80)), "attach a workflow file"));
        }
        sources.push(Source { name: file.name.clone(), text });
    }
    if sources.is_empty() {
        let fix = "bring a workflow file with the message, or name a workflow";
        return Err(No::because("`validate` has nothing to look at", fix));
    }
    let mut card = Card::new(CardKind::Answer, String::new());
    let mut errors = 0;
    for source in &sources {
        let report = talk.means.service.library().check(source, args.strict).report;
        errors += report.count(Severity::Error);
        let told = report.text(false);
        let lines: Vec<_> = told.lines().filter(|line| !line.trim().is_empty()).take(PROBLEMS * 4).collect();
        let shown: Vec<_> = lines.iter().map(|line| inert(line, 200)).collect();
        let shown = if shown.is_empty() { "no problem".to_owned() } else { shown.join("\n") };
        card = card.field(inert(&source.name, 80), shown);
    }
    card.title = match errors {
        0 => "It can be run".to_owned(),
        errors => format!("It cannot be run: {}", words::count(errors, "error")),
    };
    Ok(Reply::Private(card))
}
