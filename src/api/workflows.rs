//! Workflows: made, changed, listed, looked at, and started.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::repeats::once;
use super::wire::{Accepted, Created, DefinitionBody, InputsBody, StartBody, WorkflowBody};
use crate::domain::id::{RunId, WorkflowId};
use crate::http::caller::Who;
use crate::http::json::{self, Body, Json};
use crate::http::paging::{Asked, Page};
use crate::http::problem::Problem;
use crate::language::{Severity, Source};
use crate::service::{NewWorkflow, PlanView, Terms, Ticket, WorkflowDetail};

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(create))
        .routes(routes!(list))
        .routes(routes!(templates))
        .routes(routes!(validate))
        .routes(routes!(show, update, delete))
        .routes(routes!(execute))
        .routes(routes!(plan))
}

impl From<WorkflowBody> for NewWorkflow {
    fn from(body: WorkflowBody) -> Self {
        let WorkflowBody { name, description, template, steps, definition, strict } = body;
        Self { name, description, template, steps, definition, strict }
    }
}

/// Makes a workflow
///
/// From a `template`, from `steps`, or from a `definition`. A step type that is not known is a warning: the workflow
/// is made, and a run of it fails at that step. With `strict` it is an error. `Idempotency-Key` makes a repeat
/// harmless for 24 hours.
#[utoipa::path(post, path = "/api/workflow/create", tag = "workflows", request_body = WorkflowBody,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = Created), (status = 422, description = "what is wrong, with its place")))]
async fn create(
    State(api): State<Api>,
    Who(caller): Who,
    headers: HeaderMap,
    Body(body): Body<WorkflowBody>,
) -> Result<Json, Problem> {
    let fingerprint = format!("create {body:?}");
    let work = async |ticket: Option<&Ticket>| {
        let saved = match ticket {
            Some(ticket) => api.service.create_as(WorkflowId::from_bits(ticket.bits), &caller, body.into()).await?,
            None => api.service.create(&caller, body.into()).await?,
        };
        Ok(json!(Created::new(saved.workflow, saved.warnings, "created")))
    };
    once(&api, &headers, &fingerprint, work).await
}

/// A page of workflows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Which {
    /// How many, 1 to 200.
    #[serde(default)]
    limit: Option<i64>,
    /// Only workflows made before this one.
    before: Option<String>,
}

/// Lists workflows that were made or run, newest first
#[utoipa::path(get, path = "/api/workflow/list", tag = "workflows", params(Which),
    responses((status = 200, description = "`{workflows, total, next}`", body = Vec<crate::service::WorkflowView>)))]
async fn list(State(api): State<Api>, Asked(which): Asked<Which>) -> Result<Json, Problem> {
    let limit = Page::of(which.limit, None).limit();
    let before = which.before.map(|before| id(&before)).transpose()?;
    let archive = api.service.archive();
    let mut shown = archive.workflows(before, limit + 1).await?;
    let more = shown.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    shown.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = shown.last().filter(|_| more).map(|workflow| workflow.id.clone());
    Ok(json::answer(&json!({ "workflows": shown, "total": archive.workflow_count().await?, "next": next })))
}

/// Lists templates
#[utoipa::path(get, path = "/api/workflow/templates", tag = "workflows",
    responses((status = 200, description = "`{templates}`", body = Vec<crate::service::TemplateInfo>)))]
async fn templates(State(api): State<Api>) -> Result<Json, Problem> {
    Ok(json::answer(&json!({ "templates": api.service.library().list()? })))
}

/// Checks a definition
///
/// Nothing is kept, nothing runs. Every problem with its line and column.
#[utoipa::path(post, path = "/api/workflow/validate", tag = "workflows", request_body = DefinitionBody,
    responses((status = 200, description = "`{valid, problems}`")))]
async fn validate(State(api): State<Api>, Body(body): Body<DefinitionBody>) -> Result<Json, Problem> {
    let source = Source { name: "definition".to_owned(), text: body.definition };
    let compiled = api.service.library().check(&source, body.strict);
    let problems: Vec<_> = compiled.report.problems.iter().collect();
    let valid = compiled.report.count(Severity::Error) == 0;
    Ok(json::answer(&json!({ "valid": valid, "problems": problems })))
}

/// Shows a workflow or template: its definition, its inputs, its steps
#[utoipa::path(get, path = "/api/workflow/{workflow}", tag = "workflows", params(("workflow" = String, Path, description = "workflow id or slug")),
    responses((status = 200, body = WorkflowDetail), (status = 404)))]
async fn show(State(api): State<Api>, Who(caller): Who, Path(workflow): Path<String>) -> Result<Json, Problem> {
    Ok(json::answer(&api.service.workflow(&caller, named(&workflow)?).await?))
}

/// Changes a workflow; executions that were started keep the version they have
#[utoipa::path(put, path = "/api/workflow/{workflow}", tag = "workflows", params(("workflow" = String, Path, description = "workflow id")),
    request_body = WorkflowBody, responses((status = 200, body = Created), (status = 404), (status = 422)))]
async fn update(
    State(api): State<Api>,
    Who(caller): Who,
    Path(workflow): Path<String>,
    Body(body): Body<WorkflowBody>,
) -> Result<Json, Problem> {
    let saved = api.service.update(&caller, id(&workflow)?, body.into()).await?;
    Ok(json::answer(&Created::new(saved.workflow, saved.warnings, "updated")))
}

/// Takes a workflow out of the list; its executions stay
#[utoipa::path(delete, path = "/api/workflow/{workflow}", tag = "workflows", params(("workflow" = String, Path, description = "workflow id")),
    responses((status = 204), (status = 404)))]
async fn delete(State(api): State<Api>, Who(caller): Who, Path(workflow): Path<String>) -> Result<StatusCode, Problem> {
    api.service.delete(&caller, id(&workflow)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Starts a workflow
///
/// The execution is durable when this answers. An input that is missing is no error here: the step that needs it
/// fails with what to do. `Idempotency-Key` makes a repeat harmless for 24 hours.
#[utoipa::path(post, path = "/api/workflow/{workflow}/execute", tag = "workflows", request_body = StartBody,
    params(("workflow" = String, Path, description = "workflow id or slug"), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 200, body = Accepted), (status = 404), (status = 409, description = "this key is being answered"), (status = 422), (status = 507, description = "the disk has no room for anything new")))]
async fn execute(
    State(api): State<Api>,
    Who(caller): Who,
    Path(workflow): Path<String>,
    headers: HeaderMap,
    Body(body): Body<StartBody>,
) -> Result<Json, Problem> {
    let workflow = named(&workflow)?;
    let fingerprint = format!("execute {workflow} {}", json!([body.inputs, body.fresh]));
    let terms = Terms { fresh: body.fresh };
    let work = async |ticket: Option<&Ticket>| {
        let Some(ticket) = ticket else {
            return Ok(json!(Accepted::from(api.service.start(&caller, workflow, &body.inputs, terms).await?)));
        };
        let id = RunId::from_bits(ticket.bits);
        // Started before, and the answer was lost on the way.
        if ticket.is_second_try
            && let Ok(view) = api.service.archive().view(id, false).await
        {
            return Ok(json!(Accepted::again(view)));
        }
        Ok(json!(Accepted::from(api.service.start_as(id, &caller, workflow, &body.inputs, terms).await?)))
    };
    once(&api, &headers, &fingerprint, work).await
}

/// Shows what a run would do, step by step; runs nothing
#[utoipa::path(post, path = "/api/workflow/{workflow}/plan", tag = "workflows", request_body = InputsBody,
    params(("workflow" = String, Path, description = "workflow id or slug")), responses((status = 200, body = PlanView), (status = 404), (status = 422)))]
async fn plan(
    State(api): State<Api>,
    Who(caller): Who,
    Path(workflow): Path<String>,
    Body(body): Body<InputsBody>,
) -> Result<Json, Problem> {
    Ok(json::answer(&api.service.plan(&caller, named(&workflow)?, &body.inputs).await?))
}

/// A name as addresses may hold it: never a path of this machine.
fn named(name: &str) -> Result<&str, Problem> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ');
    let fits = !name.is_empty() && name.len() <= 256 && name.chars().all(plain);
    if fits { Ok(name) } else { Err(Problem::absent("workflow", name, None)) }
}

fn id(name: &str) -> Result<WorkflowId, Problem> {
    name.parse().map_err(|_| Problem::absent("workflow", name, None).fix("name it by its id, as `wf_...`"))
}
