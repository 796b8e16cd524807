//! The one WebSocket of a page: it subscribes to executions, to the list of them, and to what other rooms offer.
//!
//! A connection is one task that either waits, reads a request, or writes one frame. While its other side does not
//! read, the task stands in that write: it pulls nothing, so nothing piles up. After a minute it is given up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use futures::FutureExt as _;
use futures::future::{BoxFuture, select_all};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::hub::Hub;
use super::line::{Cursor, Line};
use super::rows::{Pulled, Reader};
use crate::api::Api;
use crate::http::caller::Who;
use crate::http::problem::Problem;
use crate::service::Caller;

/// Subscriptions of one connection at the most.
const MOST: usize = 64;
/// A request of the page at the most, in bytes.
const LARGEST: usize = 16 * 1024;
/// How long a frame may wait for its reader.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a quiet connection is asked whether anybody is there.
const PING: Duration = Duration::from_secs(30);
/// The list of executions, as a subscription.
const EXECUTIONS: &str = "executions";

/// Opens the live connection of a page
///
/// A WebSocket. The page sends `{"subscribe":"execution","id":"exec_...","after":0}`, `{"subscribe":"executions"}` or
/// `{"subscribe":"chat","channel":"general","after":123}`, and `{"unsubscribe":...}` with the same fields; it gets
/// `workflow_progress`, `execution`, `executions` and `message` frames. `after` is the number of the last frame seen.
#[utoipa::path(get, path = "/api/events", tag = "live", responses((status = 101, description = "the connection is open")))]
pub async fn open(
    State(api): State<Api>,
    Who(caller): Who,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|_| {
        Problem::unfit("the request", "this address speaks WebSocket only")
            .fix("open it with `new WebSocket(...)`; for plain HTTP there is `GET /api/workflow/{id}/events`")
    })?;
    let guests = api.door.guests.clone();
    let upgrade = upgrade.max_message_size(LARGEST).max_frame_size(LARGEST).write_buffer_size(0);
    Ok(upgrade.on_upgrade(move |socket| guests.track_future(Connection::new(api, caller, socket).run())))
}

/// What a page may ask.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Asked {
    Subscribe {
        subscribe: String,
        #[serde(default)]
        after: Option<u64>,
        #[serde(flatten)]
        rest: Map<String, Value>,
    },
    Unsubscribe {
        unsubscribe: String,
        #[serde(flatten)]
        rest: Map<String, Value>,
    },
    Ping {
        ping: Value,
    },
}

struct Subscription {
    line: Arc<Line>,
    cursor: Cursor,
}

struct Connection {
    api: Api,
    caller: Caller,
    socket: WebSocket,
    lines: BTreeMap<(String, String), Subscription>,
    rows: Option<Reader>,
    next_ping: Instant,
}

/// Why a connection ends.
enum End {
    /// The other side has gone or does not read.
    Gone,
    /// Something to say before the end.
    Close(u16, &'static str),
}

impl Connection {
    fn new(api: Api, caller: Caller, socket: WebSocket) -> Self {
        Self { api, caller, socket, lines: BTreeMap::new(), rows: None, next_ping: Instant::now() + PING }
    }

    async fn run(mut self) {
        let ended = loop {
            if let Err(end) = self.turn().await {
                break end;
            }
        };
        if let End::Close(code, reason) = ended {
            let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
            let said = self.socket.send(Message::Close(Some(frame)));
            let _ = tokio::time::timeout(Duration::from_secs(1), said).await; // they may have gone already
        }
    }

    /// Tells what is new, then waits for more or for a request.
    async fn turn(&mut self) -> Result<(), End> {
        let mut news: Vec<BoxFuture<'static, ()>> = Vec::with_capacity(self.lines.len() + 2);
        news.extend(self.lines.values().map(|subscription| subscription.line.news().boxed()));
        news.extend(self.rows.as_ref().map(|rows| rows.news().boxed()));
        let (texts, due) = self.pull().await;
        if !texts.is_empty() {
            for text in texts {
                self.send(text).await?;
            }
            // However much there is to tell, the other side is heard in between.
            return match self.socket.recv().now_or_never() {
                Some(message) => self.hear(message).await,
                None => Ok(()),
            };
        }
        news.push(tokio::time::sleep_until(due.unwrap_or(self.next_ping).min(self.next_ping)).boxed());
        let closing = self.api.door.closing.clone();
        tokio::select! {
            _ = select_all(news) => {
                if self.next_ping <= Instant::now() {
                    self.next_ping = Instant::now() + PING;
                    self.write(Message::Ping(axum::body::Bytes::new())).await?;
                }
                Ok(())
            }
            message = self.socket.recv() => self.hear(message).await,
            () = closing.cancelled() => Err(End::Close(close_code::AWAY, "the service is stopping")),
        }
    }

    async fn pull(&mut self) -> (Vec<Utf8Bytes>, Option<Instant>) {
        let mut texts = Vec::new();
        let mut lost = Vec::new();
        for (key, subscription) in &mut self.lines {
            match subscription.line.pull(&mut subscription.cursor, &self.caller).await {
                Ok(fresh) => texts.extend(fresh),
                Err(problem) => {
                    texts.push(
                        json!({ "type": "error", "message": problem.message(), "topic": key.0 }).to_string().into(),
                    );
                    lost.push(key.clone());
                }
            }
        }
        lost.iter().for_each(|key| drop(self.lines.remove(key)));
        let mut due = None;
        if let Some(rows) = &mut self.rows {
            match rows.pull().await {
                Pulled::Texts(fresh) => texts.extend(fresh),
                Pulled::Later(at) => due = Some(at),
            }
        }
        (texts, due)
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            Some(Ok(Message::Binary(_))) => return Err(End::Close(close_code::UNSUPPORTED, "texts only")),
            Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
            Some(Err(_)) => return Err(End::Close(close_code::SIZE, "a request is too large or broken")),
        };
        let answer = match self.obey(&text).await {
            Ok(answer) => answer,
            Err(problem) => json!({ "type": "error", "message": problem.message() }),
        };
        self.send(answer.to_string().into()).await
    }

    async fn obey(&mut self, text: &str) -> Result<Value, Problem> {
        match crate::http::json::read(text.as_bytes())? {
            Asked::Ping { ping } => Ok(json!({ "type": "pong", "ping": ping })),
            Asked::Subscribe { subscribe, .. } if subscribe == EXECUTIONS => {
                if self.rows.is_none() {
                    self.rows = Some(self.api.hub.rows().reader().await);
                }
                Ok(json!({ "type": "subscribed", "topic": EXECUTIONS }))
            }
            Asked::Unsubscribe { unsubscribe, .. } if unsubscribe == EXECUTIONS => {
                self.rows = None;
                Ok(json!({ "type": "unsubscribed", "topic": EXECUTIONS }))
            }
            Asked::Subscribe { subscribe, after, rest } => self.subscribe(subscribe, after, &rest).await,
            Asked::Unsubscribe { unsubscribe, rest } => {
                let key = key(&self.api.hub, &unsubscribe, &rest)?;
                self.lines.remove(&(unsubscribe.clone(), key));
                Ok(json!({ "type": "unsubscribed", "topic": unsubscribe }))
            }
        }
    }

    async fn subscribe(
        &mut self,
        name: String,
        after: Option<u64>,
        rest: &Map<String, Value>,
    ) -> Result<Value, Problem> {
        if self.lines.len() >= MOST {
            let message = format!("a connection has at most {MOST} subscriptions");
            return Err(Problem::unfit("subscribe", message).fix("unsubscribe from something first"));
        }
        let key = key(&self.api.hub, &name, rest)?;
        let topic = Arc::clone(self.api.hub.topic(&name).ok_or_else(|| no_topic(&self.api.hub, &name))?);
        let (line, newest) = self.api.hub.join(&topic, &key, &self.caller).await?;
        let after = after.unwrap_or(newest);
        let answer = json!({ "type": "subscribed", "topic": name, topic.key_field(): key, "after": after });
        self.lines.insert((name, key), Subscription { line, cursor: Cursor::new(after) });
        Ok(answer)
    }

    async fn send(&mut self, text: Utf8Bytes) -> Result<(), End> {
        self.write(Message::Text(text)).await
    }

    async fn write(&mut self, message: Message) -> Result<(), End> {
        match tokio::time::timeout(PATIENCE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}

fn key(hub: &Hub, name: &str, rest: &Map<String, Value>) -> Result<String, Problem> {
    let field = hub.topic(name).ok_or_else(|| no_topic(hub, name))?.key_field();
    let key = rest.get(field).and_then(Value::as_str).filter(|key| key.len() <= 128);
    key.map(str::to_owned).ok_or_else(|| Problem::unfit(field, format!("`{field}` is missing")))
}

fn no_topic(hub: &Hub, name: &str) -> Problem {
    let known: Vec<_> = hub.names().chain([EXECUTIONS]).collect();
    let near = crate::language::near(name, known.iter().copied());
    Problem::absent("topic", name, near)
}
