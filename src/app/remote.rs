//! A running service elsewhere, with the same verbs and the same answers as the one in this process.

use std::path::Path;

use futures::StreamExt as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::control::Act;
use crate::connect::http::{Link, Method, Reply};
use crate::service::{
    BulkAct, BulkFilter, BulkView, ChangeView, EffectView, LogLine, PlanView, RunView, TemplateInfo, VersionView,
    WorkflowDetail,
};

/// How often a line to the events of an execution is opened again before it counts as lost.
const TRIES: u32 = 5;

/// The service said no.
#[derive(Debug, Clone, Deserialize, thiserror::Error)]
#[serde(default)]
#[error("{}", self.text())]
pub struct Refusal {
    /// The status number of HTTP.
    pub status: u16,
    code: Option<String>,
    message: String,
    fix: Option<String>,
    errors: Vec<Fault>,
}

impl Default for Refusal {
    fn default() -> Self {
        let message = "the address answers, but not as a workflow service does".to_owned();
        Self { status: 0, code: None, message, fix: None, errors: Vec::new() }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Fault {
    message: String,
    fix: Option<String>,
}

impl Refusal {
    fn text(&self) -> String {
        let fix = |fix: &Option<String>| fix.as_ref().map(|fix| format!("; {fix}")).unwrap_or_default();
        let code = self.code.as_ref().map(|code| format!("{code} ")).unwrap_or_default();
        let mut text = format!("{code}{}{}", self.message, fix(&self.fix));
        for error in self.errors.iter().filter(|error| error.message != self.message) {
            text.push_str(&format!("\n  {}{}", error.message, fix(&error.fix)));
        }
        text
    }

    /// Whether the caller can mend it.
    #[must_use]
    pub const fn is_wrong_use(&self) -> bool {
        matches!(self.status, 400..=499) && self.status != 429
    }
}

/// A running service.
#[derive(Debug, Clone)]
pub struct Remote {
    link: Link,
}

impl Remote {
    /// The service at this address.
    ///
    /// # Errors
    /// The address or the token cannot be used.
    pub async fn new(address: &str, token: Option<&str>) -> anyhow::Result<Self> {
        Ok(Self { link: Link::new(address, token).await? })
    }

    /// An execution, by its id, a unique beginning of it, or `last`.
    ///
    /// # Errors
    /// No such execution, or no answer.
    pub async fn view(&self, execution: &str, with_outputs: bool) -> anyhow::Result<RunView> {
        let include = if with_outputs { "outputs" } else { "" };
        let path = format!("api/workflow/{}/status", part(execution)?);
        self.get(&path, &[("include", include.to_owned())]).await
    }

    /// What happened in an execution, in order.
    ///
    /// # Errors
    /// No such execution, or no answer.
    pub async fn log(&self, execution: &str) -> anyhow::Result<Vec<LogLine>> {
        let path = format!("api/workflow/{}/status", part(execution)?);
        let mut answer: Value = self.get(&path, &[("include", "log".to_owned())]).await?;
        Ok(serde_json::from_value(answer["log"].take())?)
    }

    /// Why an execution stands as it does, one sentence a line.
    ///
    /// # Errors
    /// No such execution, or no answer.
    pub async fn explain(&self, execution: &str) -> anyhow::Result<Vec<String>> {
        let mut answer: Value = self.get(&format!("api/workflow/{}/explain", part(execution)?), &[]).await?;
        Ok(serde_json::from_value(answer["lines"].take())?)
    }

    /// The versions of a workflow, newest first.
    ///
    /// # Errors
    /// No such workflow, or no answer.
    pub async fn versions(&self, workflow: &str) -> anyhow::Result<Vec<VersionView>> {
        let mut answer: Value = self.get(&format!("api/workflow/{}/versions", part(workflow)?), &[]).await?;
        Ok(serde_json::from_value(answer["versions"].take())?)
    }

    /// What two versions of a workflow do differently.
    ///
    /// # Errors
    /// No such workflow or version, or no answer.
    pub async fn diff(&self, workflow: &str, (from, to): (u32, Option<u32>)) -> anyhow::Result<Vec<ChangeView>> {
        let from = std::iter::once(("from", from.to_string()));
        let query: Vec<_> = from.chain(to.map(|to| ("to", to.to_string()))).collect();
        let mut answer: Value = self.get(&format!("api/workflow/{}/diff", part(workflow)?), &query).await?;
        Ok(serde_json::from_value(answer["changes"].take())?)
    }

    /// Puts an earlier version of a workflow in use again.
    ///
    /// # Errors
    /// No such workflow or version, or no answer.
    pub async fn revert(&self, workflow: &str, rev: u32) -> anyhow::Result<Vec<VersionView>> {
        let path = format!("api/workflow/{}/revert", part(workflow)?);
        let mut answer: Value = self.post(&path, &json!({ "rev": rev })).await?;
        Ok(serde_json::from_value(answer["versions"].take())?)
    }

    /// Does the same to many executions, or counts them.
    ///
    /// # Errors
    /// A state in which this is never possible, or no answer.
    pub async fn bulk(&self, act: BulkAct, filter: &BulkFilter, is_preview: bool) -> anyhow::Result<BulkView> {
        let BulkFilter { workflow, status } = filter;
        let body = json!({ "act": act, "workflow": workflow, "status": status, "preview": is_preview });
        self.post("api/workflow/bulk", &body).await
    }

    /// What an execution has done that stays.
    ///
    /// # Errors
    /// No such execution or step, or no answer.
    pub async fn effects(&self, execution: &str, to: Option<&str>) -> anyhow::Result<Vec<EffectView>> {
        let query: Vec<_> = to.map(|to| ("to", to.to_owned())).into_iter().collect();
        let mut answer: Value = self.get(&format!("api/workflow/{}/effects", part(execution)?), &query).await?;
        Ok(serde_json::from_value(answer["effects"].take())?)
    }

    /// Executions, newest first: rows of `GET /api/workflow/history`.
    ///
    /// # Errors
    /// No answer.
    pub async fn history(&self, query: &[(&str, String)]) -> anyhow::Result<Vec<Value>> {
        let mut answer: Value = self.get("api/workflow/history", query).await?;
        Ok(serde_json::from_value(answer["executions"].take())?)
    }

    /// Documents that fit these words: rows of `GET /api/documents/search`.
    ///
    /// # Errors
    /// No answer.
    pub async fn search(&self, words: &str, limit: u32) -> anyhow::Result<Vec<Value>> {
        let query = [("q", words.to_owned()), ("limit", limit.to_string())];
        let mut answer: Value = self.get("api/documents/search", &query).await?;
        Ok(serde_json::from_value(answer["documents"].take())?)
    }

    /// The templates.
    ///
    /// # Errors
    /// No answer.
    pub async fn templates(&self) -> anyhow::Result<Vec<TemplateInfo>> {
        let mut answer: Value = self.get("api/workflow/templates", &[]).await?;
        Ok(serde_json::from_value(answer["templates"].take())?)
    }

    /// The step types, as `GET /api/step-types` tells them.
    ///
    /// # Errors
    /// No answer.
    pub async fn step_types(&self) -> anyhow::Result<Vec<Value>> {
        let mut answer: Value = self.get("api/step-types", &[]).await?;
        Ok(serde_json::from_value(answer["types"].take())?)
    }

    /// A workflow with its definition and what it takes.
    ///
    /// # Errors
    /// No such workflow, or no answer.
    pub async fn workflow(&self, name: &str) -> anyhow::Result<WorkflowDetail> {
        self.get(&format!("api/workflow/{}", part(name)?), &[]).await
    }

    /// What a run would do.
    ///
    /// # Errors
    /// No such workflow, or no answer.
    pub async fn plan(&self, name: &str, inputs: &Map<String, Value>) -> anyhow::Result<PlanView> {
        self.post(&format!("api/workflow/{}/plan", part(name)?), &json!({ "inputs": inputs })).await
    }

    /// Every problem of a definition: the answer of `POST /api/workflow/validate`.
    ///
    /// # Errors
    /// No answer.
    pub async fn validate(&self, definition: &str, strict: bool) -> anyhow::Result<Value> {
        self.post("api/workflow/validate", &json!({ "definition": definition, "strict": strict })).await
    }

    /// Sends a file of this machine; its id there.
    ///
    /// # Errors
    /// It cannot be read, it is refused, or there is no answer.
    pub async fn send_file(&self, path: &Path) -> anyhow::Result<String> {
        let mut answer: Value = read(self.link.send_file("api/files", "file", path).await?)?;
        Ok(serde_json::from_value(answer["file_id"].take())?)
    }

    /// Starts an execution; its id and what is worth saying about its inputs.
    ///
    /// # Errors
    /// No such workflow, it cannot be run, or no answer.
    pub async fn start(
        &self,
        name: &str,
        inputs: &Map<String, Value>,
        fresh: bool,
    ) -> anyhow::Result<(String, Vec<String>)> {
        #[derive(Deserialize)]
        struct Accepted {
            execution_id: String,
            warnings: Vec<String>,
        }
        let path = format!("api/workflow/{}/execute", part(name)?);
        let accepted: Accepted = self.post(&path, &json!({ "inputs": inputs, "fresh": fresh })).await?;
        Ok((accepted.execution_id, accepted.warnings))
    }

    /// Does something to an execution.
    ///
    /// # Errors
    /// No such execution, its state does not allow it, or no answer.
    pub async fn act(&self, execution: &str, act: &Act) -> anyhow::Result<RunView> {
        let (verb, body) = match act {
            Act::Pause => ("pause", json!({})),
            Act::Resume => ("resume", json!({})),
            Act::Cancel => ("cancel", json!({})),
            Act::Retry(None) => ("retry", json!({})),
            Act::Retry(Some(step)) => ("retry", json!({ "step": step })),
            Act::Answer(inputs) => ("answer", json!({ "inputs": inputs })),
            Act::Decide { step, approves, comment } => {
                let verb = if *approves { "approve" } else { "reject" };
                (verb, json!({ "step": step, "comment": comment }))
            }
            Act::Skip(step) => ("skip", json!({ "step": step })),
            Act::RollBack { to } => ("rollback", json!({ "to": to })),
            Act::Signal { event, payload } => ("signal", json!({ "event": event, "payload": payload })),
            Act::Rerun(inputs) => {
                let path = format!("api/workflow/{}/rerun", part(execution)?);
                let started: Value = self.post(&path, &json!({ "inputs": inputs })).await?;
                return self.view(started["execution_id"].as_str().unwrap_or_default(), false).await;
            }
        };
        self.post(&format!("api/workflow/{}/{verb}", part(execution)?), &body).await
    }

    /// What waits for somebody: executions that ask, stand still, or failed.
    ///
    /// # Errors
    /// No answer.
    pub async fn inbox(&self) -> anyhow::Result<Vec<RunView>> {
        let mut waiting = Vec::new();
        for status in ["waiting", "paused", "failed", "timed_out"] {
            for row in self.history(&[("status", status.to_owned()), ("limit", "20".to_owned())]).await? {
                let view = self.view(row["execution_id"].as_str().unwrap_or_default(), false).await?;
                if status != "waiting" || view.waits_for_somebody() {
                    waiting.push(view);
                }
            }
        }
        waiting.sort_by(|a, b| b.execution_id.cmp(&a.execution_id));
        Ok(waiting)
    }

    /// Whether the service is well: the answer of `GET /healthz`.
    ///
    /// # Errors
    /// No answer, or a service that is not well.
    pub async fn health(&self) -> anyhow::Result<Value> {
        self.get("healthz", &[]).await
    }

    /// Watches an execution to its end, calling `watch` with every new view of it and with what its steps say.
    ///
    /// # Errors
    /// No such execution, or the service has gone.
    pub async fn follow(
        &self,
        execution: &str,
        mut watch: impl FnMut(&RunView, Option<(usize, &str)>),
    ) -> anyhow::Result<RunView> {
        let mut tries = 0;
        loop {
            let mut view = self.view(execution, false).await?;
            watch(&view, None);
            let path = format!("api/workflow/{}/events", part(execution)?);
            let mut lines = self.link.lines(&path, &[("after", view.seq.to_string())]).await?;
            while !view.is_finished() {
                let Some(Ok(line)) = lines.next().await else { break };
                let Some(frame) = line.strip_prefix("data:") else { continue };
                tries = 0;
                let frame: Value = serde_json::from_str(frame.trim())?;
                let says =
                    frame["result"]["text"].as_str().zip(frame["step"].as_u64()).filter(|_| frame["seq"].is_null());
                if let Some((text, step)) = says {
                    watch(&view, Some((usize::try_from(step).unwrap_or(usize::MAX), text)));
                    continue;
                }
                view = self.view(execution, false).await?;
                watch(&view, None);
            }
            if view.is_finished() {
                return Ok(view);
            }
            tries += 1;
            anyhow::ensure!(tries < TRIES, "the connection to the service was lost; the execution goes on there");
            tokio::time::sleep(std::time::Duration::from_secs(u64::from(tries))).await;
        }
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<T> {
        read(self.link.ask(Method::GET, path, query, None).await?)
    }

    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> anyhow::Result<T> {
        read(self.link.ask(Method::POST, path, &[], Some(body)).await?)
    }
}

/// A name as a part of a path. What could lead elsewhere is no name.
fn part(name: &str) -> Result<&str, Refusal> {
    let fine = !name.is_empty() && !name.contains(['/', '\\', '?', '#', '%']) && !matches!(name, "." | "..");
    let message = format!("`{name}` is no name that a service could know");
    if fine { Ok(name) } else { Err(Refusal { status: 404, message, ..Refusal::default() }) }
}

fn read<T: DeserializeOwned>(reply: Reply) -> anyhow::Result<T> {
    if !(200..300).contains(&reply.status) {
        let refusal: Refusal = serde_json::from_value(reply.body).unwrap_or_default();
        return Err(Refusal { status: reply.status, ..refusal }.into());
    }
    serde_json::from_value(reply.body).map_err(|_| Refusal { status: reply.status, ..Refusal::default() }.into())
}
