//! Events from outside: one, several, or as CloudEvents. What came of each at every trigger is the answer.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use crate::domain::code;
use crate::http::json::{self, Json};
use crate::http::problem::Problem;
use crate::service::triggers::{Came, Occurrence};

/// Events of one request at the most.
const MOST: usize = 500;
/// The longest name or id.
const LONGEST: usize = 200;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::default().routes(routes!(send))
}

/// An event.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EventBody {
    /// Its name, as `ticket.created`.
    name: String,
    /// What makes two events of one source the same; without it, each counts.
    #[serde(default)]
    id: Option<String>,
    /// Who sends it.
    #[serde(default)]
    source: Option<String>,
    /// What expressions read as `trigger.data`.
    #[serde(default)]
    #[schema(value_type = Object)]
    data: Value,
    /// The execution that sends it: so chains of executions that start each other come to an end.
    #[serde(default)]
    caused_by: Option<String>,
}

/// Sends events: each starts the workflows whose triggers wait for it, once
///
/// One event, a list of them, `{"events": [...]}`, or CloudEvents (structured, batched, or binary with `ce-` headers).
#[utoipa::path(post, path = "/api/events", tag = "triggers", request_body = EventBody,
    responses((status = 200, description = "`{events: [{id, name, came}]}`, or one of these for one event", body = Value), (status = 422), (status = 507, description = "the disk has no room for anything new")))]
async fn send(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Result<Json, Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let kind = text("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim().to_owned();
    if !kind.is_empty()
        && kind != "application/json"
        && !kind.starts_with("application/cloudevents")
        && text("ce-type").is_none()
    {
        let message = format!("a body of type `{}` is no event", crate::http::problem::shown(&kind));
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code::WF5102, message).fix("send JSON"));
    }
    if let Some(name) = text("ce-type") {
        let data = json::read(&body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned()));
        let event = EventBody {
            name: name.to_owned(),
            id: text("ce-id").map(str::to_owned),
            source: text("ce-source").map(str::to_owned),
            data,
            caused_by: None,
        };
        return Ok(json::answer(&take(&api, event, 0).await?));
    }
    let (events, is_list) = match json::read::<Value>(&body)? {
        Value::Array(events) => (events, true),
        Value::Object(mut map) if map.len() == 1 && map.get("events").is_some_and(Value::is_array) => {
            (map.remove("events").and_then(|events| events.as_array().cloned()).unwrap_or_default(), true)
        }
        one => (vec![one], false),
    };
    if events.len() > MOST {
        return Err(Problem::unfit("events", format!("one request holds at most {MOST} events")));
    }
    // All are read before the first one counts.
    let events =
        events.into_iter().enumerate().map(|(place, event)| read(event, place)).collect::<Result<Vec<_>, _>>()?;
    let mut answers = Vec::new();
    let key = text("idempotency-key").map(str::to_owned);
    for (place, mut event) in events.into_iter().enumerate() {
        event.id = event.id.or_else(|| key.as_ref().map(|key| format!("{key}:{place}")));
        answers.push(take(&api, event, place).await?);
    }
    match (is_list, answers.pop()) {
        (false, Some(answer)) => Ok(json::answer(&answer)),
        (_, last) => {
            answers.extend(last);
            Ok(json::answer(&json!({ "events": answers })))
        }
    }
}

/// An event of ours, or a CloudEvent.
fn read(event: Value, place: usize) -> Result<EventBody, Problem> {
    let at = format!("events[{place}]");
    let Value::Object(map) = event else { return Err(Problem::unfit(&at, "an event is an object")) };
    let event = if map.contains_key("specversion") { cloud(map) } else { Value::Object(map) };
    serde_json::from_value(event).map_err(|error| Problem::unfit(&at, format!("this is no event: {error}")))
}

/// A CloudEvent as one of ours; its extensions go with the data nowhere.
fn cloud(mut map: Map<String, Value>) -> Value {
    json!({
        "name": map.remove("type"), "id": map.remove("id"), "source": map.remove("source"),
        "data": map.remove("data").unwrap_or_default(),
    })
}

async fn take(api: &Api, event: EventBody, place: usize) -> Result<Value, Problem> {
    let fits = |text: &str| !text.trim().is_empty() && text.len() <= LONGEST;
    if !fits(&event.name) || event.id.as_deref().is_some_and(|id| !fits(id)) {
        let message = format!("`name` and `id` of an event are texts of 1 to {LONGEST} bytes");
        return Err(Problem::unfit(&format!("events[{place}]"), message));
    }
    let depth = match &event.caused_by {
        Some(run) => api.service.depth_behind(api.service.archive().resolve(run).await?).await?,
        None => 0,
    };
    let source = event.source.as_deref().unwrap_or_default();
    let id = event.id.clone().unwrap_or_else(|| api.service.new_key());
    let mut occurrence = Occurrence::event(&event.name, &format!("event:{source}:{id}"), event.data);
    occurrence.facts["source"] = json!(source);
    occurrence.facts["id"] = json!(id);
    occurrence.depth = depth;
    let came = api.service.occur(&occurrence).await?;
    Ok(json!({ "id": id, "name": event.name, "came": came.iter().map(told).collect::<Vec<_>>() }))
}

fn told(came: &Came) -> Value {
    let firing = &came.firing;
    json!({
        "trigger": firing.trigger, "verdict": firing.verdict, "reason": firing.reason,
        "execution_id": firing.execution_id, "duplicate": !came.is_new,
    })
}
