//! The events of one execution as a stream of server-sent events, for whoever has no WebSocket: `curl -N` is enough.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use serde::Deserialize;

use super::executions::EXECUTION;
use super::line::{Cursor, Line};
use crate::api::Api;
use crate::http::caller::Who;
use crate::http::paging::Asked;
use crate::http::problem::Problem;
use crate::service::Caller;

const QUIET: Duration = Duration::from_secs(15);

/// Where to begin.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    /// The number of the last event seen; the header `Last-Event-ID` goes before.
    #[serde(default)]
    after: u64,
}

/// Follows an execution
///
/// Server-sent events: what has happened so far, then what happens. `id` is the number to resume from.
#[utoipa::path(get, path = "/api/workflow/{execution}/events", tag = "live",
    params(("execution" = String, Path, description = "execution id"), Begin),
    responses((status = 200, description = "events", content_type = "text/event-stream"), (status = 404)))]
pub async fn follow(
    State(api): State<Api>,
    Who(caller): Who,
    Path(execution): Path<String>,
    Asked(begin): Asked<Begin>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let run = crate::api::runs::resolve(&api, &execution).await?;
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let after = seen.unwrap_or(begin.after);
    let topic = api.hub.topic(EXECUTION).ok_or_else(|| Problem::absent("topic", EXECUTION, None))?;
    let (line, _) = api.hub.join(topic, &run.to_string(), &caller).await?;
    let reader = Reader { line, cursor: Cursor::new(after), caller, pulled: VecDeque::new(), api };
    let events = futures::stream::unfold(reader, |mut reader| async move {
        let text = reader.next().await?;
        Some((Ok(event(&text)), reader))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(QUIET)))
}

struct Reader {
    line: Arc<Line>,
    cursor: Cursor,
    caller: Caller,
    pulled: VecDeque<Utf8Bytes>,
    api: Api,
}

impl Reader {
    /// The next event; `None` when the service stops.
    async fn next(&mut self) -> Option<Utf8Bytes> {
        loop {
            if let Some(text) = self.pulled.pop_front() {
                return Some(text);
            }
            let news = self.line.news();
            self.pulled.extend(self.line.pull(&mut self.cursor, &self.caller).await.ok()?);
            if self.pulled.is_empty() {
                tokio::select! {
                    () = news => {}
                    () = self.api.door.closing.cancelled() => return None,
                }
            }
        }
    }
}

fn event(text: &str) -> Event {
    #[derive(Deserialize)]
    struct Numbered {
        seq: Option<u64>,
    }
    let event = Event::default().data(text);
    match serde_json::from_str(text) {
        Ok(Numbered { seq: Some(seq) }) => event.id(seq.to_string()),
        _ => event,
    }
}
