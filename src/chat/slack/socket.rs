//! Socket Mode: two connections that we open, so that one is there while the other is replaced. Every frame is handled by a task of
//! its own, so that one that waits delays no acknowledgement of another.
//!
//! A connection that Slack is going to close is replaced before it closes; one that is silent is dropped; what fails is tried again
//! for ever, ever more slowly, each at a moment of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use slack_morphism::prelude::SlackApiToken;
use slack_socket::tungstenite::{Message, Utf8Bytes};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, Interval, timeout};
use tokio_util::sync::CancellationToken;

use super::calls::{self, CallError};
use super::receive::{Ack, Kind};
use super::wire::Socket;
use super::{PLATFORM, Slack};
use crate::chat::Chat;
use crate::service::LinkState;

/// Connections that are kept.
const CONNECTIONS: usize = 2;
/// Between two pings of ours.
const PING: Duration = Duration::from_secs(10);
/// A connection on which nothing came for so long is dead: our pings are answered.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a connection may take to say hello.
const HELLO: Duration = Duration::from_secs(10);
/// How long a frame may take to leave.
const LEAVE: Duration = Duration::from_secs(10);
/// How long a connection that was replaced is listened to.
const TAIL: Duration = Duration::from_secs(15);
/// Frames that are being handled on one connection; further ones are not read.
const AT_ONCE: usize = 256;
/// The first and the longest wait before a connection is tried again.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));
/// The wait where somebody has to do something first.
const REFUSED: Duration = Duration::from_secs(60);

/// Why a connection is to be replaced.
enum End {
    /// Slack is going to close it.
    Refresh,
    /// It is closed, or silent.
    Broken(String),
    /// Socket Mode is turned off.
    Disabled,
}

/// How a connection began, and what is to be told of it.
#[derive(Clone)]
struct Line {
    slack: Arc<Slack>,
    chat: Chat,
    stop: CancellationToken,
    /// The name of the app's connection.
    link: String,
    up: Arc<AtomicUsize>,
}

/// Stays connected with the token of one app until stopped.
pub async fn stay(slack: Arc<Slack>, chat: Chat, (link, token): (String, SlackApiToken), stop: CancellationToken) {
    let line = Line { slack, chat, stop, link, up: Arc::new(AtomicUsize::new(0)) };
    line.tell(LinkState::Connecting, None);
    let places = (0..CONNECTIONS).map(|_| keep_one(line.clone(), &token));
    futures::future::join_all(places).await;
}

async fn keep_one(line: Line, token: &SlackApiToken) {
    let line = Arc::new(line);
    let mut wait = WAITS.0;
    loop {
        let opened = tokio::select! {
            () = line.stop.cancelled() => return,
            opened = open(&line, token) => opened,
        };
        let pause = match opened {
            Ok(socket) => {
                let began = Instant::now();
                let (ends, ended) = oneshot::channel();
                tokio::spawn(carry(Arc::clone(&line), socket, ends));
                match ended.await.unwrap_or(End::Broken("its task ended".to_owned())) {
                    _ if line.stop.is_cancelled() => return,
                    End::Refresh => Duration::ZERO,
                    End::Disabled => {
                        line.tell(
                            LinkState::Refused,
                            Some("Socket Mode is turned off: turn it on in the settings of the app"),
                        );
                        REFUSED
                    }
                    End::Broken(why) => {
                        line.down(&why);
                        // One that lasted is opened again at once.
                        if began.elapsed() > SILENCE { Duration::ZERO } else { longer(&mut wait) }
                    }
                }
            }
            Err(CallError::Busy(silence)) => silence,
            Err(error) if error.is_revoked() || error.code() == "missing_scope" => {
                line.refused(&refused(&error));
                REFUSED
            }
            Err(error) => {
                line.down(&error.to_string());
                longer(&mut wait)
            }
        };
        if pause.is_zero() {
            wait = WAITS.0;
        }
        let pause = line.slack.jittered(pause);
        tokio::select! {
            () = line.stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn longer(wait: &mut Duration) -> Duration {
    let now = *wait;
    *wait = (*wait * 2).min(WAITS.1);
    now
}

fn refused(error: &CallError) -> String {
    match error.code() {
        "missing_scope" => {
            "the app token lacks the scope `connections:write`: make a new one with it, under Basic Information"
                .to_owned()
        }
        code => format!(
            "Slack refuses `slack_app_token` (`{code}`): make a new one under Basic Information > App-Level Tokens"
        ),
    }
}

impl Line {
    /// Tells how the app is connected.
    fn tell(&self, state: LinkState, reason: Option<&str>) {
        self.slack.service.links().set(&self.link, state, reason, self.slack.service.now());
    }

    /// Somebody has to do something. Connections that are there go on.
    fn refused(&self, why: &str) {
        if self.up.load(Ordering::SeqCst) == 0 {
            self.tell(LinkState::Refused, Some(why));
        }
        tracing::error!(link = self.link, why, "Slack opens no socket; it is tried again every minute");
    }

    /// One connection less; the app is out of reach when it was the last one.
    fn down(&self, why: &str) {
        tracing::info!(%why, "a socket to Slack is gone");
        if self.up.load(Ordering::SeqCst) == 0 {
            self.tell(LinkState::Down, Some(why));
        }
    }
}

/// Asks for a place and opens it. The place is good once, and for a moment.
async fn open(line: &Line, token: &SlackApiToken) -> Result<Socket, CallError> {
    let answer = calls::send(&line.slack.client, token, "apps.connections.open", &json!({})).await?;
    let url = answer["url"].as_str().unwrap_or_default();
    line.slack.wire.open_socket(url).await.map_err(|error| CallError::Lost(error.to_string()))
}

/// One connection, while it is carried.
struct Carried {
    line: Arc<Line>,
    socket: Socket,
    acks: mpsc::Sender<Message>,
    waiting: mpsc::Receiver<Message>,
    seats: Arc<Semaphore>,
    pings: Interval,
    /// Told when it is to be replaced, which is before it closes where Slack says so.
    ends: Option<oneshot::Sender<End>>,
    /// It has said hello, and counts.
    is_up: bool,
    /// When it counts as silent.
    deadline: Instant,
    /// When it is left, after it was replaced.
    leave_at: Option<Instant>,
}

/// Carries one connection to its end.
async fn carry(line: Arc<Line>, socket: Socket, ends: oneshot::Sender<End>) {
    let (acks, waiting) = mpsc::channel(AT_ONCE);
    let mut carried = Carried {
        line,
        socket,
        acks,
        waiting,
        seats: Arc::new(Semaphore::new(AT_ONCE)),
        pings: tokio::time::interval(PING),
        ends: Some(ends),
        is_up: false,
        deadline: Instant::now() + HELLO,
        leave_at: None,
    };
    let why = loop {
        match carried.next().await {
            Ok(Some(text)) => carried.hear(&text),
            Ok(None) => {}
            Err(why) => break why,
        }
    };
    carried.close(why).await;
}

impl Carried {
    /// The next text that came in, if that is what happens next.
    async fn next(&mut self) -> Result<Option<Utf8Bytes>, &'static str> {
        let until = self.leave_at.map_or(self.deadline, |at| at.min(self.deadline));
        let frame = tokio::select! {
            // With every seat taken nothing more is read; acknowledgements still leave.
            frame = self.socket.next(), if self.seats.available_permits() > 0 => frame,
            Some(ack) = self.waiting.recv() => return self.send(ack).await,
            _ = self.pings.tick() => return self.send(Message::Ping("workflow".into())).await,
            () = self.line.stop.cancelled() => return Err("the service stops"),
            () = tokio::time::sleep_until(until) => {
                return Err(if self.leave_at.is_some() { "it was replaced" } else { "it is silent" });
            }
        };
        match frame {
            Some(Ok(Message::Text(text))) => {
                self.deadline = Instant::now() + SILENCE;
                Ok(Some(text))
            }
            Some(Ok(Message::Close(_))) | None => Err("Slack closed it"),
            Some(Err(_)) => Err("it broke"),
            Some(Ok(_)) => {
                // Before its hello a connection is none, whatever else it says.
                if self.is_up {
                    self.deadline = Instant::now() + SILENCE;
                }
                Ok(None)
            }
        }
    }

    async fn send(&mut self, frame: Message) -> Result<Option<Utf8Bytes>, &'static str> {
        match timeout(LEAVE, self.socket.send(frame)).await {
            Ok(Ok(())) => Ok(None),
            _ => Err("nothing can be sent on it"),
        }
    }

    fn hear(&mut self, text: &str) {
        let Ok(envelope) = serde_json::from_str::<Value>(text) else {
            return tracing::warn!(bytes = text.len(), "a frame from Slack is no JSON");
        };
        match envelope["type"].as_str().unwrap_or_default() {
            "hello" if !self.is_up => {
                self.is_up = true;
                self.line.up.fetch_add(1, Ordering::SeqCst);
                self.line.tell(LinkState::Up, None);
            }
            "disconnect" => {
                let end = if envelope["reason"] == "link_disabled" { End::Disabled } else { End::Refresh };
                // It is listened to for a little longer: what is under way on it is acknowledged on it.
                self.leave_at = self.leave_at.or(Some(Instant::now() + TAIL));
                if let Some(ends) = self.ends.take() {
                    let _ = ends.send(end); // when stopping: nobody replaces it
                }
            }
            kind => {
                let kind = sort(kind);
                // There is one: without, nothing would have been read.
                let Ok(seat) = Arc::clone(&self.seats).try_acquire_owned() else { return };
                let (line, acks) = (Arc::clone(&self.line), self.acks.clone());
                tokio::spawn(async move {
                    if let Some(ack) = handle(&line, kind, &envelope).await {
                        let _ = acks.send(Message::text(ack)).await; // a connection that is gone takes none
                    }
                    drop(seat);
                });
            }
        }
    }

    async fn close(mut self, why: &str) {
        let _ = timeout(LEAVE, self.socket.close(None)).await; // a dead peer does not matter any more
        if self.is_up {
            self.line.up.fetch_sub(1, Ordering::SeqCst);
        }
        if let Some(ends) = self.ends.take() {
            let _ = ends.send(End::Broken(why.to_owned())); // as above
        }
    }
}

/// What an envelope brings; `None` when it is of a kind that we do not know.
fn sort(kind: &str) -> Option<Kind> {
    match kind {
        "slash_commands" => Some(Kind::Command),
        "interactive" => Some(Kind::Interaction),
        "events_api" => Some(Kind::Event),
        _ => None,
    }
}

/// Handles an envelope; what is sent back, if anything is.
async fn handle(line: &Line, kind: Option<Kind>, envelope: &Value) -> Option<String> {
    let id = envelope["envelope_id"].as_str()?;
    let ack = match kind {
        Some(kind) => line.slack.take(&line.chat, kind, &envelope["payload"]).await,
        None => {
            tracing::info!(platform = PLATFORM, "Slack sends something of a kind that is not known here");
            Ack::Done
        }
    };
    match ack {
        Ack::Done => Some(json!({ "envelope_id": id }).to_string()),
        Ack::With(payload) if envelope["accepts_response_payload"] == json!(true) => {
            Some(json!({ "envelope_id": id, "payload": payload }).to_string())
        }
        Ack::With(_) => Some(json!({ "envelope_id": id }).to_string()),
        Ack::Again => None,
    }
}
