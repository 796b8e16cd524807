//! The versions of a workflow.

use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use crate::http::caller::Who;
use crate::http::json::{self, Body, Json};
use crate::http::paging::Asked;
use crate::http::problem::Problem;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(versions)).routes(routes!(diff)).routes(routes!(revert))
}

/// Lists the versions of a workflow, newest first
#[utoipa::path(get, path = "/api/workflow/{workflow}/versions", tag = "workflows", params(("workflow" = String, Path)),
    responses((status = 200, description = "`{versions}`: rev, hash, at, executions, in_use", body = serde_json::Value), (status = 404)))]
async fn versions(State(api): State<Api>, Path(workflow): Path<String>) -> Result<Json, Problem> {
    Ok(json::answer(&json!({ "versions": api.service.archive().versions(&workflow).await? })))
}

/// Which versions to compare.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct DiffQuery {
    /// The older one, by its number.
    from: u32,
    /// The newer one; without it the one in use.
    to: Option<u32>,
}

/// Says what two versions of a workflow do differently, by steps and keys
#[utoipa::path(get, path = "/api/workflow/{workflow}/diff", tag = "workflows", params(("workflow" = String, Path), DiffQuery),
    responses((status = 200, description = "`{changes}`: place, from, to", body = serde_json::Value), (status = 404)))]
async fn diff(
    State(api): State<Api>,
    Path(workflow): Path<String>,
    Asked(query): Asked<DiffQuery>,
) -> Result<Json, Problem> {
    let changes = api.service.archive().diff(&workflow, (query.from, query.to)).await?;
    Ok(json::answer(&json!({ "changes": changes })))
}

/// Which version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RevertBody {
    /// Its number.
    rev: u32,
}

/// Puts an earlier version of a workflow in use again, as its newest
///
/// What runs or waits keeps the version that it has.
#[utoipa::path(post, path = "/api/workflow/{workflow}/revert", tag = "workflows", request_body = RevertBody,
    params(("workflow" = String, Path)),
    responses((status = 200, description = "`{versions}`", body = serde_json::Value), (status = 404), (status = 409, description = "a file stands for it")))]
async fn revert(
    State(api): State<Api>,
    Who(caller): Who,
    Path(workflow): Path<String>,
    Body(body): Body<RevertBody>,
) -> Result<Json, Problem> {
    Ok(json::answer(&json!({ "versions": api.service.revert(&caller, &workflow, body.rev).await? })))
}
