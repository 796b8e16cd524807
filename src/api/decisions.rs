//! What people want to know before they decide about an execution, and what they decide: approvals, steps left out,
//! events sent by hand.

use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::runs::resolve;
use crate::http::caller::Who;
use crate::http::json::{self, Body, Json};
use crate::http::problem::Problem;
use crate::service::{Caller, RunView};

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(explain))
        .routes(routes!(approve))
        .routes(routes!(reject))
        .routes(routes!(skip))
        .routes(routes!(signal))
}

/// Says why an execution started, waits, failed, or left something out
#[utoipa::path(get, path = "/api/workflow/{execution}/explain", tag = "executions", params(("execution" = String, Path)),
    responses((status = 200, description = "`{execution_id, lines}`: one sentence a line", body = Value), (status = 404)))]
async fn explain(State(api): State<Api>, Path(execution): Path<String>) -> Result<Json, Problem> {
    let run = resolve(&api, &execution).await?;
    let lines = api.service.archive().explain(run).await?;
    Ok(json::answer(&serde_json::json!({ "execution_id": run, "lines": lines })))
}

/// A decision.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct DecisionBody {
    /// The step that asks, by its id; without it, the only one that does.
    step: Option<String>,
    /// Why; kept with the name of who decides.
    comment: Option<String>,
}

/// Approves what a waiting execution asks for
#[utoipa::path(post, path = "/api/workflow/{execution}/approve", tag = "executions", request_body = DecisionBody,
    params(("execution" = String, Path)),
    responses((status = 200, body = RunView), (status = 403, description = "not for this caller to decide"), (status = 404), (status = 409, description = "it asks for nothing")))]
async fn approve(
    State(api): State<Api>,
    Who(caller): Who,
    Path(execution): Path<String>,
    Body(body): Body<DecisionBody>,
) -> Result<Json, Problem> {
    decide(&api, &caller, &execution, (body, true)).await
}

/// Rejects what a waiting execution asks for
#[utoipa::path(post, path = "/api/workflow/{execution}/reject", tag = "executions", request_body = DecisionBody,
    params(("execution" = String, Path)),
    responses((status = 200, body = RunView), (status = 403, description = "not for this caller to decide"), (status = 404), (status = 409, description = "it asks for nothing")))]
async fn reject(
    State(api): State<Api>,
    Who(caller): Who,
    Path(execution): Path<String>,
    Body(body): Body<DecisionBody>,
) -> Result<Json, Problem> {
    decide(&api, &caller, &execution, (body, false)).await
}

async fn decide(
    api: &Api,
    caller: &Caller,
    execution: &str,
    (body, approves): (DecisionBody, bool),
) -> Result<Json, Problem> {
    let run = resolve(api, execution).await?;
    let view = api.service.decide(caller, run, body.step.as_deref(), (approves, body.comment)).await?;
    Ok(json::answer(&view))
}

/// Which step to leave out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SkipBody {
    /// The step's id, or its place from 0.
    #[schema(value_type = String)]
    step: Value,
}

/// Leaves a step out and goes on without it
///
/// Possible for a step that has not begun, that waits, or that failed.
#[utoipa::path(post, path = "/api/workflow/{execution}/skip", tag = "executions", request_body = SkipBody,
    params(("execution" = String, Path)),
    responses((status = 200, body = RunView), (status = 404), (status = 409, description = "not in a state for it")))]
async fn skip(
    State(api): State<Api>,
    Who(caller): Who,
    Path(execution): Path<String>,
    Body(body): Body<SkipBody>,
) -> Result<Json, Problem> {
    let step = match body.step {
        Value::String(step) => step,
        Value::Number(place) => place.to_string(),
        _ => return Err(Problem::unfit("step", "`step` must be one step: its id, or its place from 0")),
    };
    let run = resolve(&api, &execution).await?;
    Ok(json::answer(&api.service.skip(&caller, run, &step).await?))
}

/// An event.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignalBody {
    /// Its name.
    event: String,
    /// What comes with it; any JSON.
    #[serde(default)]
    #[schema(value_type = Object)]
    payload: Value,
}

/// Sends an event to an execution that waits for it, or will
#[utoipa::path(post, path = "/api/workflow/{execution}/signal", tag = "executions", request_body = SignalBody,
    params(("execution" = String, Path)),
    responses((status = 200, body = RunView), (status = 404), (status = 409, description = "it is over")))]
async fn signal(
    State(api): State<Api>,
    Who(caller): Who,
    Path(execution): Path<String>,
    Body(body): Body<SignalBody>,
) -> Result<Json, Problem> {
    if body.event.trim().is_empty() {
        return Err(Problem::unfit("event", "`event` is the name of an event and cannot be empty"));
    }
    let run = resolve(&api, &execution).await?;
    Ok(json::answer(&api.service.signal(&caller, run, (&body.event, body.payload)).await?))
}
