//! What executions have done, and taking it back.

use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::runs::resolve;
use crate::http::caller::Who;
use crate::http::json::{self, Body, Json};
use crate::http::paging::Asked;
use crate::http::problem::Problem;
use crate::service::RunView;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(effects)).routes(routes!(rollback)).routes(routes!(checkpoint))
}

/// Which effects.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
struct EffectsQuery {
    /// Only what was done after this step.
    to: Option<String>,
}

/// Lists what an execution has done that stays, newest first, and what of it can be taken back
#[utoipa::path(get, path = "/api/workflow/{execution}/effects", tag = "executions",
    params(("execution" = String, Path), EffectsQuery),
    responses((status = 200, description = "`{execution_id, effects}`", body = serde_json::Value), (status = 404), (status = 409, description = "no such step, or it was not completed")))]
async fn effects(
    State(api): State<Api>,
    Path(execution): Path<String>,
    Asked(query): Asked<EffectsQuery>,
) -> Result<Json, Problem> {
    let run = resolve(&api, &execution).await?;
    let effects = api.service.archive().effects(run, query.to.as_deref()).await?;
    Ok(json::answer(&json!({ "execution_id": run, "effects": effects })))
}

/// How far to go back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct RollbackBody {
    /// Only what was done after this step of the execution.
    to: Option<String>,
    /// Everything that executions of the workflow have done since this checkpoint.
    checkpoint: Option<String>,
}

/// Takes back what an execution has done, newest first, as an execution of its own
///
/// With `checkpoint`: what all executions of the workflow have done since then.
#[utoipa::path(post, path = "/api/workflow/{execution}/rollback", tag = "executions", request_body = RollbackBody,
    params(("execution" = String, Path)),
    responses((status = 200, description = "the execution that takes it back", body = RunView), (status = 404), (status = 409, description = "it is under way, or there is nothing to take back")))]
async fn rollback(
    State(api): State<Api>,
    Who(caller): Who,
    Path(execution): Path<String>,
    Body(body): Body<RollbackBody>,
) -> Result<Json, Problem> {
    if let Some(checkpoint) = body.checkpoint {
        let id = checkpoint.parse().map_err(|_| Problem::absent("checkpoint", &checkpoint, None))?;
        return Ok(json::answer(&api.service.roll_back_to(&caller, id).await?));
    }
    let run = resolve(&api, &execution).await?;
    Ok(json::answer(&api.service.roll_back(&caller, run, body.to.as_deref()).await?))
}

/// Marks a place in what a workflow does, to which it can be rolled back
#[utoipa::path(post, path = "/api/workflow/{workflow}/checkpoint", tag = "workflows", params(("workflow" = String, Path)),
    responses((status = 200, description = "`{checkpoint_id}`", body = serde_json::Value), (status = 404)))]
async fn checkpoint(State(api): State<Api>, Who(caller): Who, Path(workflow): Path<String>) -> Result<Json, Problem> {
    let id = api.service.checkpoint(&caller, &workflow).await?;
    Ok(json::answer(&json!({ "checkpoint_id": id })))
}
