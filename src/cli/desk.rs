//! Where a command line is carried out: on the storage path of this machine, or by a running service elsewhere
//! (`--server`). Questions are asked here once for both.

use serde_json::{Map, Value, json};

use super::line::Server;
use crate::app::control::{self as door, Act, Answer, Request};
use crate::app::remote::Remote;
use crate::app::{self, Reading};
use crate::config::Config;
use crate::http::caller::Secret;
use crate::language::Source;
use crate::service::outbox::LetterView;
use crate::service::verbs::History;
use crate::service::{
    Archive, Caller, ChangeView, EffectView, InputView, ListFilter, LogLine, PlanView, RunView, ServiceError,
    StoredRun, TemplateInfo, VersionView, read_pairs,
};

/// Where to.
pub enum Desk<'c> {
    /// The storage path of this machine.
    Here(&'c Config),
    /// A running service.
    There(Remote),
}

impl<'c> Desk<'c> {
    /// Where this command line is carried out.
    pub async fn of(config: &'c Config, server: &Server) -> anyhow::Result<Self> {
        match &server.server {
            None => Ok(Desk::Here(config)),
            Some(address) => {
                let token = config.api_token.as_ref().map(Secret::reveal);
                Ok(Desk::There(Remote::new(address, token).await?))
            }
        }
    }
}

/// What a name leads to.
pub enum Shown {
    /// A step type: its declaration, as JSON.
    StepType(Value),
    /// A workflow: the text of its file.
    Workflow(String),
}

impl Desk<'_> {
    /// An execution.
    pub async fn view(&self, execution: &str, with_outputs: bool) -> anyhow::Result<RunView> {
        match self {
            Self::Here(config) => {
                let archive = archive(config).await?;
                Ok(archive.view(archive.resolve(execution).await?, with_outputs).await?)
            }
            Self::There(remote) => remote.view(execution, with_outputs).await,
        }
    }

    /// What happened in an execution.
    pub async fn log(&self, execution: &str) -> anyhow::Result<Vec<LogLine>> {
        match self {
            Self::Here(config) => {
                let archive = archive(config).await?;
                Ok(archive.log(archive.resolve(execution).await?).await?)
            }
            Self::There(remote) => remote.log(execution).await,
        }
    }

    /// Why an execution stands as it does.
    pub async fn explain(&self, execution: &str) -> anyhow::Result<Vec<String>> {
        match self {
            Self::Here(config) => {
                let archive = archive(config).await?;
                Ok(archive.explain(archive.resolve(execution).await?).await?)
            }
            Self::There(remote) => remote.explain(execution).await,
        }
    }

    /// What an execution has done that stays.
    pub async fn effects(&self, execution: &str, to: Option<&str>) -> anyhow::Result<Vec<EffectView>> {
        match self {
            Self::Here(config) => {
                let archive = archive(config).await?;
                Ok(archive.effects(archive.resolve(execution).await?, to).await?)
            }
            Self::There(remote) => remote.effects(execution, to).await,
        }
    }

    /// Executions, newest first, each as a JSON object.
    pub async fn history(&self, args: &History) -> anyhow::Result<Vec<Value>> {
        let config = match self {
            Self::Here(config) => config,
            Self::There(remote) => {
                let given = [("workflow", args.workflow.clone()), ("status", args.status.clone())];
                let given = given.into_iter().filter_map(|(key, value)| Some((key, value?)));
                let query: Vec<_> = given.chain([("limit", args.limit.to_string())]).collect();
                return remote.history(&query).await;
            }
        };
        // Nothing has run yet: no store, and no executions.
        let Some(archive) = app::open_for_reading(config).await?.archive else { return Ok(Vec::new()) };
        let (slug, status) = (args.workflow.clone(), args.status.clone());
        let filter = ListFilter { slug, status, limit: args.limit, ..ListFilter::default() };
        Ok(archive.list(&filter).await?.iter().map(row).collect())
    }

    /// Documents that fit these words, each as a JSON object.
    pub async fn search(&self, words: &str, limit: u32) -> anyhow::Result<Vec<Value>> {
        let config = match self {
            Self::Here(config) => config,
            Self::There(remote) => return remote.search(words, limit).await,
        };
        let hits = archive(config).await?.search(words, limit, ("**", "**")).await?;
        let row = |hit: &crate::service::Hit| {
            json!({
                "document_id": hit.id, "execution_id": hit.run, "name": hit.name, "score": hit.score,
                "snippet": hit.snippet, "page": hit.page, "language": hit.language,
                "stored_at": hit.created_at.to_string(),
            })
        };
        Ok(hits.iter().map(row).collect())
    }

    /// The versions of a workflow, newest first.
    pub async fn versions(&self, workflow: &str) -> anyhow::Result<Vec<VersionView>> {
        match self {
            Self::Here(config) => Ok(archive(config).await?.versions(workflow).await?),
            Self::There(remote) => remote.versions(workflow).await,
        }
    }

    /// What two versions of a workflow do differently.
    pub async fn diff(&self, workflow: &str, which: (u32, Option<u32>)) -> anyhow::Result<Vec<ChangeView>> {
        match self {
            Self::Here(config) => Ok(archive(config).await?.diff(workflow, which).await?),
            Self::There(remote) => remote.diff(workflow, which).await,
        }
    }

    /// The templates.
    pub async fn templates(&self) -> anyhow::Result<Vec<TemplateInfo>> {
        match self {
            Self::Here(config) => Ok(app::open_for_reading(config).await?.library.list()?),
            Self::There(remote) => remote.templates().await,
        }
    }

    /// The step types, each as a JSON object.
    pub async fn step_types(&self) -> anyhow::Result<Vec<Value>> {
        match self {
            Self::Here(config) => {
                let registry = app::open_for_reading(config).await?.registry;
                Ok(registry.catalog().iter().map(|step_type| json!(step_type)).collect())
            }
            Self::There(remote) => remote.step_types().await,
        }
    }

    /// A step type or a workflow.
    pub async fn show(&self, name: &str) -> anyhow::Result<Shown> {
        let known = self.step_types().await?.into_iter().find(|step_type| step_type["name"] == name);
        if let Some(step_type) = known {
            return Ok(Shown::StepType(step_type));
        }
        match self {
            Self::Here(config) => Ok(Shown::Workflow(app::open_for_reading(config).await?.library.find(name)?.text)),
            Self::There(remote) => Ok(Shown::Workflow(remote.workflow(name).await?.definition)),
        }
    }

    /// What a run would do.
    pub async fn plan(&self, name: &str, pairs: &[(String, String)]) -> anyhow::Result<PlanView> {
        let config = match self {
            Self::Here(config) => config,
            Self::There(remote) => return remote.plan(name, &inputs_there(remote, name, pairs).await?).await,
        };
        let Reading { library, registry, .. } = app::open_for_reading(config).await?;
        let compiled = library.compile(&library.find(name)?);
        let Some(plan) = compiled.plan else { return Err(ServiceError::Definition(compiled.report).into()) };
        Ok(PlanView::new(&plan, &read_pairs(&InputView::all(&plan), pairs), registry.catalog()))
    }

    /// Every problem of a definition: how many errors, the problems as JSON, and the report as text.
    pub async fn validate(&self, source: Source, strict: bool) -> anyhow::Result<(u64, Value, String)> {
        let config = match self {
            Self::Here(config) => config,
            Self::There(remote) => return validate_there(remote, &source, strict).await,
        };
        let report = app::open_for_reading(config).await?.library.check(&source, strict).report;
        let errors = report.count(crate::language::Severity::Error) as u64;
        Ok((errors, json!(report.problems), report.text(false)))
    }

    /// Pairs as the workflow of an execution takes them.
    pub async fn inputs_of(&self, execution: &str, pairs: &[(String, String)]) -> anyhow::Result<Map<String, Value>> {
        match self {
            Self::Here(config) => {
                let archive = archive(config).await?;
                let flow = archive.flow(archive.resolve(execution).await?).await?;
                Ok(read_pairs(&InputView::all(&flow.plan), pairs))
            }
            Self::There(remote) => inputs_there(remote, &remote.view(execution, false).await?.workflow_id, pairs).await,
        }
    }

    /// Messages to people in a state, or all that are not sent; none where nothing has run.
    pub async fn letters(&self, state: Option<&str>) -> anyhow::Result<Vec<LetterView>> {
        let config = match self {
            Self::Here(config) => config,
            Self::There(remote) => return remote.letters(state).await,
        };
        match app::open_for_reading(config).await?.archive {
            Some(archive) => Ok(archive.letters(state).await?),
            None => Ok(Vec::new()),
        }
    }

    /// What waits for somebody; nothing where nothing has run.
    pub async fn inbox(&self) -> anyhow::Result<Vec<RunView>> {
        let config = match self {
            Self::Here(config) => config,
            Self::There(remote) => return remote.inbox().await,
        };
        match app::open_for_reading(config).await?.archive {
            Some(archive) => Ok(archive.inbox().await?),
            None => Ok(Vec::new()),
        }
    }

    /// Does something to an execution that another process carries; `None` when there is no such process.
    pub async fn act(
        &self,
        execution: &str,
        act: &Act,
        by: &Caller,
    ) -> anyhow::Result<Option<Result<RunView, String>>> {
        let config = match self {
            Self::Here(config) => config,
            Self::There(remote) => return Ok(Some(Ok(remote.act(execution, act).await?))),
        };
        let request = Request::Control { execution: execution.to_owned(), act: act.clone(), by: by.name.clone() };
        match door::ask(&config.storage_path, &request).await? {
            Some(Answer::Done(view)) => Ok(Some(Ok(serde_json::from_value(view)?))),
            Some(Answer::Refused(why)) => Ok(Some(Err(why))),
            None => Ok(None),
        }
    }
}

/// Pairs as the workflow over there takes them.
pub async fn inputs_there(
    remote: &Remote,
    name: &str,
    pairs: &[(String, String)],
) -> anyhow::Result<Map<String, Value>> {
    if pairs.is_empty() {
        return Ok(Map::new());
    }
    Ok(read_pairs(&remote.workflow(name).await?.inputs, pairs))
}

async fn validate_there(remote: &Remote, source: &Source, strict: bool) -> anyhow::Result<(u64, Value, String)> {
    let mut answer = remote.validate(&source.text, strict).await?;
    let mut problems: Vec<Value> = serde_json::from_value(answer["problems"].take())?;
    let mut text = String::new();
    for problem in &mut problems {
        problem["file"] = json!(source.name); // it has no name over there
        let say = |key: &str| problem[key].as_str().unwrap_or_default();
        let (line, column) = (&problem["line"], &problem["column"]);
        text.push_str(&format!("{} {}: {}\n", say("severity"), say("code"), say("message")));
        text.push_str(&format!("  --> {}:{line}:{column}\n", source.name));
        if let Some(fix) = problem["fix"].as_str() {
            text.push_str(&format!("  fix: {fix}\n"));
        }
    }
    let errors = problems.iter().filter(|problem| problem["severity"] == "error").count() as u64;
    Ok((errors, Value::Array(problems), text))
}

pub(super) async fn archive(config: &Config) -> anyhow::Result<Archive> {
    let reading = app::open_for_reading(config).await?;
    reading.archive.ok_or_else(|| {
        anyhow::anyhow!("nothing has run in `{}` yet; try `workflow run NAME`", config.storage_path.display())
    })
}

fn row(run: &StoredRun) -> Value {
    let fault = run.fault.as_ref();
    let took = run.started_at.zip(run.finished_at).map(|(from, to)| to.since(from).as_secs_f64());
    json!({
        "execution_id": run.id, "workflow_id": run.workflow_id, "workflow": run.slug, "name": run.name,
        "status": run.status, "created_at": run.created_at.to_string(),
        "started_at": run.started_at.map(|at| at.to_string()),
        "finished_at": run.finished_at.map(|at| at.to_string()),
        "duration": took,
        "error": fault.map(|fault| json!({ "code": fault.code, "message": fault.message })),
    })
}
