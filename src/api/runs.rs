//! Executions: how they stand, and what can be done to them.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use futures::{StreamExt as _, TryStreamExt as _, future, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::wire::{Accepted, ExecutionRow, InputsBody, RetryBody};
use crate::domain::id::{RunId, WorkflowId};
use crate::http::caller::Who;
use crate::http::json::{self, Body, Json};
use crate::http::paging::{Asked, Page};
use crate::http::problem::Problem;
use crate::service::{ListFilter, RunView, ServiceError};

/// How long one request may wait for an execution.
const LONGEST_WAIT: u64 = 600;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(status))
        .routes(routes!(history))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(cancel))
        .routes(routes!(retry))
        .routes(routes!(rerun))
        .routes(routes!(answer))
}

/// Routes that answer when something has happened, which may take long.
pub fn slow_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(wait))
}

/// The execution that an address names: its id, a unique beginning of it, or `last`; a workflow's id means its newest.
pub async fn resolve(api: &Api, name: &str) -> Result<RunId, Problem> {
    let absent = || Problem::absent("execution", name, None);
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
        return Err(absent());
    }
    let archive = api.service.archive();
    let by_example = name.strip_prefix("workflow_").map(|rest| format!("wf_{rest}"));
    let Ok(workflow) = by_example.as_deref().unwrap_or(name).parse::<WorkflowId>() else {
        return Ok(archive.resolve(name).await?);
    };
    archive.newest_of(workflow).await.map_err(|error| match error {
        ServiceError::NotFound { .. } => absent().fix("start one: POST /api/workflow/{workflow_id}/execute"),
        other => other.into(),
    })
}

/// What to tell beside the status.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Including {
    /// Any of `outputs`, `inputs`, `log`, separated by commas.
    #[serde(default)]
    include: String,
}

/// Tells how an execution stands
///
/// A workflow's id means its newest execution.
#[utoipa::path(get, path = "/api/workflow/{id}/status", tag = "executions", params(("id" = String, Path), Including),
    responses((status = 200, description = "the execution", body = RunView), (status = 404)))]
async fn status(
    State(api): State<Api>,
    Path(id): Path<String>,
    Asked(asked): Asked<Including>,
) -> Result<Json, Problem> {
    let include: Vec<_> = asked.include.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    if let Some(unknown) = include.iter().find(|word| !["outputs", "inputs", "log"].contains(*word)) {
        return Err(Problem::unfit("include", format!("`{unknown}` cannot be included"))
            .fix("include any of `outputs`, `inputs`, `log`"));
    }
    let run = resolve(&api, &id).await?;
    let archive = api.service.archive();
    let mut shown = serde_json::to_value(archive.view(run, include.contains(&"outputs")).await?).unwrap_or_default();
    if include.contains(&"inputs") {
        shown["inputs"] = Value::Object(archive.inputs(run).await?);
    }
    if include.contains(&"log") {
        shown["log"] = json!(archive.log(run).await?);
    }
    Ok(json::answer(&shown))
}

/// Which executions to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Only executions of this workflow, by its id or slug.
    workflow: Option<String>,
    /// Only executions with this status.
    status: Option<String>,
    /// How many, 1 to 200.
    #[serde(default)]
    limit: Option<i64>,
    /// Only executions accepted before this one.
    before: Option<String>,
}

/// Lists executions, newest first
#[utoipa::path(get, path = "/api/workflow/history", tag = "executions", params(Which),
    responses((status = 200, description = "`{executions, next}`", body = Vec<ExecutionRow>)))]
async fn history(State(api): State<Api>, Asked(which): Asked<Which>) -> Result<Json, Problem> {
    const STATUSES: [&str; 10] = [
        "queued",
        "running",
        "waiting",
        "pausing",
        "paused",
        "cancelling",
        "completed",
        "failed",
        "cancelled",
        "timed_out",
    ];
    if let Some(status) = which.status.as_deref().filter(|status| !STATUSES.contains(status)) {
        let problem = Problem::unfit("status", format!("`{status}` is no status"));
        return Err(problem.fix(format!("ask for one of {}", STATUSES.join(", "))));
    }
    // A workflow by its id, or all that bear its name.
    let workflow = which.workflow.as_deref().and_then(|name| name.parse::<WorkflowId>().ok());
    let slug = which.workflow.filter(|_| workflow.is_none());
    let limit = Page::of(which.limit, None).limit();
    let before = which.before.map(|id| id.parse().map_err(|_| Problem::absent("execution", &id, None))).transpose()?;
    let filter = ListFilter { slug, workflow, status: which.status, before, limit };
    let archive = api.service.archive();
    let found = archive.list(&filter).await?;
    let ids: Vec<RunId> = found.iter().map(|run| run.id).collect();
    let views = stream::iter(ids).map(|id| archive.view(id, false)).buffered(8);
    // One that was forgotten since it was found is not in the list.
    let views = views.filter(|view| future::ready(!matches!(view, Err(ServiceError::NotFound { .. }))));
    let rows: Vec<_> = views.map_ok(|view| ExecutionRow::new(&view)).try_collect().await?;
    let full = found.len() == usize::try_from(limit).unwrap_or(usize::MAX);
    let next = found.last().filter(|_| full).map(|run| run.id.to_string());
    Ok(json::answer(&json!({ "executions": rows, "next": next })))
}

/// Stops an execution at the next step boundary
#[utoipa::path(post, path = "/api/workflow/{execution}/pause", tag = "executions", params(("execution" = String, Path)),
    responses((status = 200, body = RunView), (status = 404), (status = 409, description = "not in a state for it")))]
async fn pause(State(api): State<Api>, Who(caller): Who, Path(execution): Path<String>) -> Result<Json, Problem> {
    let run = resolve(&api, &execution).await?;
    Ok(json::answer(&api.service.pause(&caller, run).await?))
}

/// Lets a paused execution go on
#[utoipa::path(post, path = "/api/workflow/{execution}/resume", tag = "executions", params(("execution" = String, Path)),
    responses((status = 200, body = RunView), (status = 404), (status = 409, description = "not in a state for it")))]
async fn resume(State(api): State<Api>, Who(caller): Who, Path(execution): Path<String>) -> Result<Json, Problem> {
    let run = resolve(&api, &execution).await?;
    Ok(json::answer(&api.service.resume(&caller, run).await?))
}

/// Ends an execution
///
/// What is in flight is stopped within ten seconds.
#[utoipa::path(post, path = "/api/workflow/{execution}/cancel", tag = "executions", params(("execution" = String, Path)),
    responses((status = 200, body = RunView), (status = 404), (status = 409, description = "not in a state for it")))]
async fn cancel(State(api): State<Api>, Who(caller): Who, Path(execution): Path<String>) -> Result<Json, Problem> {
    let run = resolve(&api, &execution).await?;
    Ok(json::answer(&api.service.cancel(&caller, run).await?))
}

/// Which step, in the address.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct StepIndex {
    /// A step's place from 0; the same as `step` in the body.
    step_index: Option<usize>,
}

/// Runs failed steps again, or one step and all that depends on it
#[utoipa::path(post, path = "/api/workflow/{execution}/retry", tag = "executions", request_body = RetryBody,
    params(("execution" = String, Path), StepIndex),
    responses((status = 200, body = RunView), (status = 404), (status = 409, description = "not in a state for it")))]
async fn retry(
    State(api): State<Api>,
    Who(caller): Who,
    Path(execution): Path<String>,
    Asked(place): Asked<StepIndex>,
    Body(body): Body<RetryBody>,
) -> Result<Json, Problem> {
    let step = match (body.step, place.step_index) {
        (None, place) => place.map(|place| place.to_string()),
        (Some(Value::String(step)), None) => Some(step),
        (Some(Value::Number(place)), None) => Some(place.to_string()),
        (Some(_), _) => {
            return Err(Problem::unfit("step", "`step` must be one step: its id, or its place from 0"));
        }
    };
    let run = resolve(&api, &execution).await?;
    Ok(json::answer(&api.service.retry_with(&caller, run, step.as_deref(), body.inputs).await?))
}

/// Starts the same workflow again with the same inputs, changed where others are given
#[utoipa::path(post, path = "/api/workflow/{execution}/rerun", tag = "executions", request_body = InputsBody,
    params(("execution" = String, Path)), responses((status = 200, body = Accepted), (status = 404), (status = 422), (status = 507, description = "the disk has no room for anything new")))]
async fn rerun(
    State(api): State<Api>,
    Who(caller): Who,
    Path(execution): Path<String>,
    Body(body): Body<InputsBody>,
) -> Result<Json, Problem> {
    let run = resolve(&api, &execution).await?;
    Ok(json::answer(&Accepted::from(api.service.rerun(&caller, run, &body.inputs).await?)))
}

/// Gives a waiting execution what it asks for
#[utoipa::path(post, path = "/api/workflow/{execution}/answer", tag = "executions", request_body = InputsBody,
    params(("execution" = String, Path)),
    responses((status = 200, body = RunView), (status = 404), (status = 409, description = "it asks nothing"), (status = 422)))]
async fn answer(
    State(api): State<Api>,
    Who(caller): Who,
    Path(execution): Path<String>,
    Body(body): Body<InputsBody>,
) -> Result<Json, Problem> {
    let run = resolve(&api, &execution).await?;
    Ok(json::answer(&api.service.answer(&caller, run, &body.inputs).await?))
}

/// How long to wait.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Patience {
    /// Seconds, at most 600.
    #[serde(default = "usual_wait")]
    timeout: u64,
}

const fn usual_wait() -> u64 {
    300
}

/// Waits until an execution is over
#[utoipa::path(get, path = "/api/workflow/{execution}/wait", tag = "executions", params(("execution" = String, Path), Patience),
    responses((status = 200, description = "it is over", body = RunView), (status = 202, description = "the time is over first", body = RunView), (status = 404)))]
async fn wait(
    State(api): State<Api>,
    Path(execution): Path<String>,
    Asked(patience): Asked<Patience>,
) -> Result<Json, Problem> {
    let run = resolve(&api, &execution).await?;
    let time = Duration::from_secs(patience.timeout.min(LONGEST_WAIT));
    let view = tokio::select! {
        view = api.service.wait(run, time) => view?,
        () = api.door.closing.cancelled() => api.service.archive().view(run, false).await?,
    };
    let status = if view.is_finished() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok(json::with_status(status, &view))
}
