//! The same for many executions at once.

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use crate::http::caller::Who;
use crate::http::json::{self, Body, Json};
use crate::http::problem::Problem;
use crate::service::{BulkAct, BulkFilter, BulkView};

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(bulk))
}

/// What to do, and to which executions.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BulkBody {
    /// `cancel` or `retry`.
    act: BulkAct,
    /// Only executions of this workflow, by the name under which it is started.
    #[serde(default)]
    workflow: Option<String>,
    /// Only executions in this state.
    #[serde(default)]
    status: Option<String>,
    /// Only count them.
    #[serde(default)]
    preview: bool,
}

/// Cancels or retries many executions, or counts them first
#[utoipa::path(post, path = "/api/workflow/bulk", tag = "executions", request_body = BulkBody,
    responses((status = 200, body = BulkView), (status = 422, description = "a state in which this is never possible")))]
async fn bulk(State(api): State<Api>, Who(caller): Who, Body(body): Body<BulkBody>) -> Result<Json, Problem> {
    let filter = BulkFilter { workflow: body.workflow, status: body.status };
    Ok(json::answer(&api.service.bulk(&caller, body.act, &filter, body.preview).await?))
}
