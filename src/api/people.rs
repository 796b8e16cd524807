//! Who is who, and who did what.

use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use crate::domain::role::Role;
use crate::http::caller::Who;
use crate::http::json::{self, Body, Json};
use crate::http::paging::Asked;
use crate::http::problem::Problem;
use crate::service::{Code, PersonView, TraceFilter};

/// Lines of the trail where no number is given, and at the most.
const LINES: (u32, u32) = (50, 1_000);

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list, add))
        .routes(routes!(change, remove))
        .routes(routes!(code))
        .routes(routes!(unlink))
        .routes(routes!(audit))
}

/// Lists the people, with what platforms call them
#[utoipa::path(get, path = "/api/people", tag = "people",
    responses((status = 200, description = "`{people}`: name, role, created_at, links", body = serde_json::Value), (status = 403)))]
async fn list(State(api): State<Api>, Who(caller): Who) -> Result<Json, Problem> {
    Ok(json::answer(&json!({ "people": api.service.people(&caller).await? })))
}

/// A new person.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPerson {
    /// The name: small letters, digits, `.`, `_` and `-`.
    name: String,
    /// `none`, `viewer`, `runner`, `operator`, `editor` or `admin`.
    role: String,
}

/// Takes a person in
#[utoipa::path(post, path = "/api/people", tag = "people", request_body = NewPerson,
    responses((status = 200, body = PersonView), (status = 403), (status = 422, description = "the name is taken, or no name")))]
async fn add(State(api): State<Api>, Who(caller): Who, Body(body): Body<NewPerson>) -> Result<Json, Problem> {
    let role = role(&body.role)?;
    Ok(json::answer(&api.service.add_person(&caller, &body.name, role).await?))
}

/// What is to be another.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PersonChange {
    /// `none`, `viewer`, `runner`, `operator`, `editor` or `admin`.
    role: String,
}

/// Gives a person another role
///
/// It counts from their next word on.
#[utoipa::path(put, path = "/api/people/{name}", tag = "people", request_body = PersonChange, params(("name" = String, Path)),
    responses((status = 200, body = PersonView), (status = 403), (status = 404)))]
async fn change(
    State(api): State<Api>,
    Who(caller): Who,
    Path(name): Path<String>,
    Body(body): Body<PersonChange>,
) -> Result<Json, Problem> {
    let role = role(&body.role)?;
    Ok(json::answer(&api.service.set_role(&caller, &name, role).await?))
}

/// Takes a person away, with what platforms call them
#[utoipa::path(delete, path = "/api/people/{name}", tag = "people", params(("name" = String, Path)),
    responses((status = 200), (status = 403), (status = 404)))]
async fn remove(State(api): State<Api>, Who(caller): Who, Path(name): Path<String>) -> Result<Json, Problem> {
    api.service.remove_person(&caller, &name).await?;
    Ok(json::answer(&json!({ "name": name, "removed": true })))
}

/// Makes a code with which a person says who they are on a platform
///
/// It is shown here once, counts for 15 minutes, and is good for one use. It takes the place of the one before.
#[utoipa::path(post, path = "/api/people/{name}/code", tag = "people", params(("name" = String, Path)),
    responses((status = 200, body = Code), (status = 403), (status = 404)))]
async fn code(State(api): State<Api>, Who(caller): Who, Path(name): Path<String>) -> Result<Json, Problem> {
    Ok(json::answer(&api.service.give_code(&caller, &name).await?))
}

/// What to take back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct UnlinkBody {
    /// What a platform calls them, as in `slack:T01/U01ALICE`; without it, all of it.
    identity: Option<String>,
}

/// Takes back what a platform calls a person, or all of it
#[utoipa::path(post, path = "/api/people/{name}/unlink", tag = "people", request_body = UnlinkBody, params(("name" = String, Path)),
    responses((status = 200, body = PersonView), (status = 403), (status = 404)))]
async fn unlink(
    State(api): State<Api>,
    Who(caller): Who,
    Path(name): Path<String>,
    Body(body): Body<UnlinkBody>,
) -> Result<Json, Problem> {
    Ok(json::answer(&api.service.unlink(&caller, &name, body.identity.as_deref()).await?))
}

/// Which lines.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    /// Only what this one did: a person's name, or what a platform calls them.
    identity: Option<String>,
    /// Only what was refused.
    #[serde(default)]
    denied: bool,
    /// Those before this one: the `id` of the last line of the page before.
    before: Option<String>,
    /// How many at the most; 50 when it is left out.
    limit: Option<u32>,
}

/// Lists who did what through a chat, or was not let to, newest first
///
/// What was typed is kept without what looks like a secret. Changes of workflows and of people are here from every door.
#[utoipa::path(get, path = "/api/audit", tag = "people", params(AuditQuery),
    responses((status = 200, description = "`{lines}`: id, at, identity, name, door, channel, message, said, verb, about, allowed, rule", body = serde_json::Value), (status = 403)))]
async fn audit(State(api): State<Api>, Who(caller): Who, Asked(query): Asked<AuditQuery>) -> Result<Json, Problem> {
    let AuditQuery { identity, denied, before, limit } = query;
    let filter = TraceFilter { before, identity, denied, limit: limit.unwrap_or(LINES.0).clamp(1, LINES.1) };
    Ok(json::answer(&json!({ "lines": api.service.trail(&caller, &filter).await? })))
}

fn role(text: &str) -> Result<Role, Problem> {
    text.parse().map_err(|why: String| Problem::unfit("role", why))
}
