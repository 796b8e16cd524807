//! Messages on their way to people.

use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use crate::http::caller::Who;
use crate::http::json::{self, Json};
use crate::http::paging::Asked;
use crate::http::problem::Problem;
use crate::service::outbox::LetterView;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(list)).routes(routes!(retry)).routes(routes!(drop))
}

/// Which messages.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
struct OutboxQuery {
    /// `queued`, `sent` or `dead`; without it all that are not sent.
    state: Option<String>,
}

/// Lists messages to people that are on their way or were given up, newest first
#[utoipa::path(get, path = "/api/outbox", tag = "operation", params(OutboxQuery),
    responses((status = 200, description = "`{queued, oldest_seconds, dead, messages}`", body = serde_json::Value), (status = 404, description = "no such state")))]
async fn list(State(api): State<Api>, Asked(query): Asked<OutboxQuery>) -> Result<Json, Problem> {
    let archive = api.service.archive();
    let fill = archive.outbox(api.service.now()).await?;
    let messages = archive.letters(query.state.as_deref()).await?;
    Ok(json::answer(&json!({
        "queued": fill.queued, "oldest_seconds": fill.oldest_seconds, "dead": fill.dead, "messages": messages,
    })))
}

/// Tries a message again at once that was not taken or was given up
#[utoipa::path(post, path = "/api/outbox/{id}/retry", tag = "operation", params(("id" = String, Path)),
    responses((status = 200, body = LetterView), (status = 404), (status = 409, description = "it was sent already")))]
async fn retry(State(api): State<Api>, Who(caller): Who, Path(id): Path<String>) -> Result<Json, Problem> {
    Ok(json::answer(&api.service.retry_letter(&caller, &id).await?))
}

/// Drops a message that was not taken: it is never sent
#[utoipa::path(post, path = "/api/outbox/{id}/drop", tag = "operation", params(("id" = String, Path)),
    responses((status = 200, body = LetterView), (status = 404), (status = 409, description = "it was sent already")))]
async fn drop(State(api): State<Api>, Who(caller): Who, Path(id): Path<String>) -> Result<Json, Problem> {
    Ok(json::answer(&api.service.drop_letter(&caller, &id).await?))
}
