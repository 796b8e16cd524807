//! `run`, `rerun`, `answer`: what begins an execution, and what it needs on the way.

use serde_json::{Map, Value};

use super::super::adapter::{FileRef, Standing};
use super::super::grammar::inert;
use super::super::talk::{No, Reply, Talk};
use crate::domain::id::RunId;
use crate::domain::plan::InputType;
use crate::domain::time::Span;
use crate::service::verbs::{Answer, Rerun, Run};
use crate::service::{FileRecord, RunView, ServiceError, Started, Terms};

/// The input by which a file is given where the workflow declares none: the specification's own word.
const FILE_INPUT: &str = "file_path";
/// The same command within this time is a finger that slipped.
const DOUBLE_TAP: Span = Span::from_secs(3);

/// Starts a workflow: once, or once for each file.
pub async fn run(talk: &Talk<'_>, args: Run, mut files: Vec<FileRecord>) -> Result<Reply, No> {
    let service = &talk.means.service;
    let workflow = service.match_workflow(&talk.caller, &talk.listed(&args.workflow).await?).await?.id;
    let inputs = service.read_inputs(&talk.caller, &workflow, &args.inputs).await?;
    if !args.file.is_empty() && talk.inbound.standing != Standing::Owner {
        // By its name anybody could take a file that was brought elsewhere, to others.
        return Err(No::because("`--file` is for the terminal", "bring the file with the message"));
    }
    for path in &args.file {
        let id = path.display().to_string();
        let name = path.file_name().map_or_else(|| id.clone(), |name| name.to_string_lossy().into_owned());
        files.push(talk.adapter.fetch_file(&FileRef { id, name }).await?);
    }
    if files.is_empty() {
        if let Some(before) = double_tap(talk, &workflow, &inputs).await? {
            return Err(No::because(
                format!("already started: {before}"),
                "for a second one, say it again in a moment",
            ));
        }
        let started = service.start(&talk.caller, &workflow, &inputs, Terms { fresh: args.fresh }).await?;
        return begun(talk, started).await;
    }
    start_each(talk, (&workflow, args.fresh), &inputs, &files).await
}

/// Starts a workflow on files that were dropped, once for each.
pub async fn start_on_files(talk: &Talk<'_>, workflow: &str, files: &[FileRecord]) -> Result<Reply, No> {
    start_each(talk, (workflow, false), &Map::new(), files).await
}

async fn start_each(
    talk: &Talk<'_>,
    (workflow, fresh): (&str, bool),
    inputs: &Map<String, Value>,
    files: &[FileRecord],
) -> Result<Reply, No> {
    let service = &talk.means.service;
    let detail = service.workflow(&talk.caller, workflow).await?;
    let declared = detail.inputs.iter().find(|input| input.kind == InputType::File);
    let key = declared.map_or(FILE_INPUT, |input| input.name.as_str());
    for file in files {
        let mut inputs = inputs.clone();
        inputs.insert(key.to_owned(), Value::String(file.id.to_string()));
        let started = service.start(&talk.caller, workflow, &inputs, Terms { fresh }).await?;
        begun(talk, started).await?;
    }
    Ok(Reply::Quiet)
}

/// The execution gets its card, and whoever began it hears what is worth saying.
async fn begun(talk: &Talk<'_>, started: Started) -> Result<Reply, No> {
    talk.show(started.execution).await?;
    if started.warnings.is_empty() {
        return Ok(Reply::Quiet);
    }
    let warnings: Vec<_> = started.warnings.iter().map(|warning| inert(warning, 200)).collect();
    let card = super::super::talk::refusal(warnings.join("\n"), "it runs all the same");
    Ok(Reply::Private(card))
}

/// The execution that the same command of the same person began just now.
async fn double_tap(talk: &Talk<'_>, workflow: &str, inputs: &Map<String, Value>) -> Result<Option<RunId>, No> {
    let Some(latest) = talk.latest().await? else { return Ok(None) };
    if talk.means.now().since(latest.created_at) > DOUBLE_TAP || latest.thread != talk.here().thread {
        return Ok(None);
    }
    let archive = &talk.archive;
    let same = archive.view(latest.run, false).await?.workflow == workflow;
    let before = archive.inputs(latest.run).await?;
    // Defaults may have been put in since; what was given is what counts.
    let given = inputs.iter().all(|(key, value)| before.get(key) == Some(value));
    Ok((same && given && before.len() >= inputs.len()).then_some(latest.run))
}

/// The same again, some inputs changed.
pub async fn rerun(talk: &Talk<'_>, args: Rerun, files: Vec<FileRecord>) -> Result<Reply, No> {
    let run = talk.target(&args.execution).await?;
    let mut changed = changes(talk, run, &args.inputs).await?;
    if let Some(file) = files.first() {
        changed.insert(FILE_INPUT.to_owned(), Value::String(file.id.to_string()));
    }
    let started = talk.means.service.rerun(&talk.caller, run, &changed).await?;
    begun(talk, started).await
}

/// The same again, with what a form says.
pub async fn rerun_with(talk: &Talk<'_>, run: RunId, pairs: &[(String, String)]) -> Result<Reply, No> {
    let changed = changes(talk, run, pairs).await?;
    let started = talk.means.service.rerun(&talk.caller, run, &changed).await?;
    begun(talk, started).await
}

/// Typed inputs of an execution's workflow.
async fn changes(talk: &Talk<'_>, run: RunId, pairs: &[(String, String)]) -> Result<Map<String, Value>, No> {
    let service = &talk.means.service;
    let view = talk.archive.view(run, false).await?;
    Ok(service.read_inputs(&talk.caller, &view.workflow_id, pairs).await?)
}

/// Gives an execution what it asks for.
pub async fn answer(talk: &Talk<'_>, args: &Answer, files: Vec<FileRecord>) -> Result<Reply, No> {
    let view = match args.execution.as_str() {
        "last" => only_asking(talk).await?,
        word => talk.archive.view(talk.target(word).await?, false).await?,
    };
    let pairs = &args.inputs;
    if pairs.is_empty() && files.is_empty() {
        let keys: Vec<_> = view.questions.iter().map(|question| format!("{}=...", question.key)).collect();
        let fix = if keys.is_empty() { "it asks for nothing now".to_owned() } else { keys.join(" ") };
        return Err(No::because("`answer` wants what to answer", fix));
    }
    give(talk, &view, pairs, &files).await
}

/// The one execution here that asks.
async fn only_asking(talk: &Talk<'_>) -> Result<RunView, No> {
    let mut asking = talk.asking().await?;
    match asking.len() {
        0 => Err(No::because("nothing here asks for anything now", "`inbox` shows what waits elsewhere")),
        1 => Ok(asking.remove(0)),
        _ => {
            let ids: Vec<_> = asking.iter().map(|view| view.execution_id.as_str()).collect();
            Err(No::because("several executions here ask", format!("name one: {}", ids.join(", "))))
        }
    }
}

/// Gives typed values and files to an execution that asks.
pub async fn give(
    talk: &Talk<'_>,
    view: &RunView,
    pairs: &[(String, String)],
    files: &[FileRecord],
) -> Result<Reply, No> {
    let service = &talk.means.service;
    let run = view.execution_id.parse().map_err(|_| ServiceError::Internal("an id cannot be read".to_owned()))?;
    let asked = |key: &str| view.questions.iter().any(|question| question.key == key);
    let mut given = service.read_inputs(&talk.caller, &view.workflow_id, pairs).await?;
    if let (Some(file), Some(question)) = (files.first(), super::super::forms::file_question(view)) {
        given.insert(question.key.clone(), Value::String(file.id.to_string()));
    }
    if let Some(other) = given.keys().find(|key| !asked(key)) {
        let keys: Vec<_> = view.questions.iter().map(|question| format!("`{}`", question.key)).collect();
        let message = format!("`{}` is not asked for", inert(other, 60));
        let fix = if keys.is_empty() { "nothing is".to_owned() } else { format!("asked for: {}", keys.join(", ")) };
        return Err(No::because(message, fix));
    }
    service.answer(&talk.caller, run, &given).await?;
    talk.show(run).await?;
    Ok(Reply::Quiet)
}
