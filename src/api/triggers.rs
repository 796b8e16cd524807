//! Triggers: which there are, why they fired or did not, and what hands do to them. Times of schedules.

use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use crate::domain::time::Span;
use crate::http::caller::Who;
use crate::http::json::{self, Body, Json};
use crate::http::problem::Problem;
use crate::service::triggers::{Preview, SimulateView, TriggerAct, TriggerView};

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(explain))
        .routes(routes!(act))
        .routes(routes!(times))
}

/// Which triggers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct OfWorkflow {
    /// Only those of this workflow.
    workflow: Option<String>,
}

/// Lists what starts workflows by itself
#[utoipa::path(get, path = "/api/triggers", tag = "triggers", params(OfWorkflow),
    responses((status = 200, description = "`{triggers}`", body = Vec<TriggerView>)))]
async fn list(State(api): State<Api>, Query(of): Query<OfWorkflow>) -> Result<Json, Problem> {
    let triggers = api.service.archive().triggers(of.workflow.as_deref(), api.service.engine_now()).await?;
    Ok(json::answer(&json!({ "triggers": triggers })))
}

/// A trigger, and a time.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Named {
    /// The trigger, as `data_pipeline/nightly`, or its workflow; with `explain` also `last`.
    name: String,
    /// A time, as `02:00`; after `last` a kind of trigger.
    at: Option<String>,
}

/// Shows one trigger, with what came of its last occurrences
#[utoipa::path(get, path = "/api/triggers/show", tag = "triggers", params(Named),
    responses((status = 200, body = TriggerView), (status = 404)))]
async fn show(State(api): State<Api>, Query(named): Query<Named>) -> Result<Json, Problem> {
    Ok(json::answer(&api.service.archive().trigger(&named.name, api.service.engine_now()).await?))
}

/// Says why a trigger started something, or did not
#[utoipa::path(get, path = "/api/triggers/explain", tag = "triggers", params(Named),
    responses((status = 200, description = "`{lines}`: one sentence a line; `{firings}`: the same for programs", body = Value), (status = 404)))]
async fn explain(State(api): State<Api>, Query(named): Query<Named>) -> Result<Json, Problem> {
    let archive = api.service.archive();
    let lines = archive.explain_trigger(&named.name, named.at.as_deref(), api.service.engine_now()).await?;
    let firings = if named.name == "last" { Vec::new() } else { archive.firings(&named.name, 100).await? };
    Ok(json::answer(&json!({ "lines": lines, "firings": firings })))
}

/// What to do; one of these keys.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its description is used; the body is read as the act that it is")]
struct ActBody {
    /// `{name, on, until}`: on, off, or paused until a time.
    switch: Value,
    /// `{workflow, schedule, name, tz, inputs}`: a schedule by hand.
    add: Value,
    /// `{workflow, trigger}`: a trigger of any type by hand, written as in a workflow file.
    make: Value,
    /// A trigger that was made by hand.
    remove: String,
    /// A trigger that asks: it asks everywhere again.
    ask_again: String,
    /// A webhook's trigger: it gets another secret.
    rotate: String,
    /// `{name, data}`: fired by hand.
    fire: Value,
    /// `{name, from, until, yes}`: instants that are made up for.
    backfill: Value,
}

/// Switches, pauses, adds, removes, fires a trigger, gives it another secret, or makes up for instants
#[utoipa::path(post, path = "/api/triggers/act", tag = "triggers", request_body = ActBody,
    responses((status = 200, description = "`{trigger, firing, backfill, secret}`: what came of it", body = Value), (status = 404), (status = 422)))]
async fn act(State(api): State<Api>, Who(caller): Who, Body(act): Body<TriggerAct>) -> Result<Json, Problem> {
    Ok(json::answer(&api.service.act_on_trigger(&caller, act).await?))
}

/// Which times.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Times {
    /// A cron expression, plain words, or the name of a schedule.
    schedule: String,
    /// Whose clocks.
    tz: Option<String>,
    /// After when; now when absent.
    from: Option<String>,
    /// How many times; 5 when absent.
    count: Option<usize>,
    /// All times of so many days instead.
    days: Option<u32>,
}

/// Tells the times of a schedule, and what the clocks do to them
#[utoipa::path(get, path = "/api/schedules/times", tag = "triggers", params(Times),
    responses((status = 200, body = SimulateView), (status = 422, description = "it cannot be read, or never happens")))]
async fn times(State(api): State<Api>, Query(times): Query<Times>) -> Result<Json, Problem> {
    let preview = Preview { what: times.schedule, zone: times.tz, from: times.from };
    let spec = api.service.archive().schedule_of(&preview).await?;
    let now = api.service.engine_now();
    let view = match times.days {
        Some(days) => preview.simulate(&spec, now, Span::from_secs(u64::from(days) * 86_400))?,
        None => preview.next(&spec, now, times.count.unwrap_or(5))?,
    };
    Ok(json::answer(&view))
}
