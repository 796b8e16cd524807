//! A small Slack of our own: what people do there, and what is shown to them, in order. `api` is what we call of it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::extract::ws::Message as Frame;
use serde_json::{Map, Value, json};
use tokio::sync::{Notify, mpsc, oneshot};

use super::api;

pub const TEAM: &str = "T01";
pub const BOT: &str = "UBOT";
pub const TOKEN: &str = "xoxb-test-bot-token";
/// Another workspace that has the app, and its token.
pub const SECOND: (&str, &str) = ("T02", "xoxb-test-second-token");
pub const APP_TOKEN: &str = "xapp-test-app-token";
pub const GENERAL: &str = "CGENERAL";
/// A channel of which the bot is no member.
pub const ELSEWHERE: &str = "CELSEWHERE";
const PATIENCE: Duration = Duration::from_secs(20);

/// What goes wrong with a call.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This answer: status, headers, body.
    Answer(u16, Vec<(&'static str, &'static str)>, String),
    /// It happens, and the answer is lost.
    LostAfter,
}

impl Fault {
    /// An error in Slack's words.
    pub fn error(code: &str) -> Self {
        Self::Answer(200, Vec::new(), json!({ "ok": false, "error": code }).to_string())
    }
}

/// A message, as it is shown now.
#[derive(Debug, Clone)]
pub struct Posted {
    pub ts: String,
    pub channel: String,
    pub thread: Option<String>,
    pub text: String,
    pub blocks: Value,
    pub only_for: Option<String>,
    pub edits: usize,
}

/// What is there.
#[derive(Default)]
pub struct World {
    pub messages: Vec<Posted>,
    pub calls: Vec<(String, Value)>,
    pub faults: HashMap<String, VecDeque<Fault>>,
    /// Answers by URL: who sees them, where, and the message that is replaced.
    pub urls: HashMap<String, (String, String, Option<String>)>,
    pub files: HashMap<String, (Value, Vec<u8>)>,
    pub uploads: HashMap<String, Vec<u8>>,
    pub views: Vec<Value>,
    pub sockets: Vec<mpsc::Sender<Frame>>,
    pub waiting: HashMap<String, oneshot::Sender<Value>>,
    /// The bodies of calls have no token: which one each came with, in the same order.
    pub tokens: Vec<String>,
    pub scopes: String,
    pub is_guest: Vec<String>,
    /// What people wrote, for whoever reads it again.
    pub written: Vec<Value>,
    /// Answers by URL wait for this.
    pub held: Option<Arc<tokio::sync::Semaphore>>,
    pub count: u64,
}

/// The fake.
pub struct Fake {
    world: Mutex<World>,
    pub moved: Arc<Notify>,
    pub base: String,
}

impl Fake {
    pub async fn start() -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let scopes = workflow::chat::slack::manifest(None)["oauth_config"]["scopes"]["bot"].clone();
        let scopes = scopes.as_array().expect("scopes").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",");
        let world = World { scopes, ..World::default() };
        let fake = Arc::new(Self { world: Mutex::new(world), moved: Arc::new(Notify::new()), base });
        let routes = api::routes(Arc::clone(&fake));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        fake
    }

    /// The settings with which a service is connected to it.
    pub fn settings(&self) -> Vec<String> {
        let api = format!("slack_api_url={}/api", self.base);
        vec![format!("slack_bot_token={TOKEN}"), format!("slack_app_token={APP_TOKEN}"), api]
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("nobody panicked")
    }

    pub fn fresh(&self) -> String {
        let mut world = self.world();
        world.count += 1;
        format!("{}.{:06}", 1_700_000_000 + world.count, world.count)
    }

    pub fn messages(&self) -> Vec<Posted> {
        self.world().messages.clone()
    }

    /// The bodies of the calls of a method, in order.
    pub fn calls(&self, method: &str) -> Vec<Value> {
        self.world().calls.iter().filter(|(called, _)| called == method).map(|(_, body)| body.clone()).collect()
    }

    /// The tokens with which a method was called, in order.
    pub fn tokens(&self, method: &str) -> Vec<String> {
        let world = self.world();
        let both = world.calls.iter().zip(&world.tokens);
        both.filter(|((called, _), _)| called == method).map(|(_, token)| token.clone()).collect()
    }

    pub fn fail(&self, method: &str, fault: Fault) {
        self.world().faults.entry(method.to_owned()).or_default().push_back(fault);
    }

    pub fn without_scope(&self, scope: &str) {
        let mut world = self.world();
        let kept: Vec<_> = world.scopes.split(',').filter(|known| *known != scope).map(str::to_owned).collect();
        world.scopes = kept.join(",");
    }

    pub fn is_guest(&self, user: &str) {
        self.world().is_guest.push(user.to_owned());
    }

    /// Answers by URL wait until what is returned is closed.
    pub fn hold_answers(&self) -> Arc<tokio::sync::Semaphore> {
        let held = Arc::new(tokio::sync::Semaphore::new(0));
        self.world().held = Some(Arc::clone(&held));
        held
    }

    pub fn views(&self) -> Vec<Value> {
        self.world().views.clone()
    }

    pub fn uploads(&self) -> Vec<String> {
        self.world().uploads.values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }

    /// Somebody's file lies here; how it is named in a message.
    pub fn add_file(&self, name: &str, kind: &str, content: &[u8]) -> Value {
        let id = format!("F{}", self.fresh().replace('.', ""));
        let told = json!({
            "id": id, "name": name, "size": content.len(), "mimetype": kind, "user": "UANA",
            "url_private_download": format!("{}/files/{id}", self.base),
        });
        self.world().files.insert(id, (told.clone(), content.to_vec()));
        told
    }

    /// Tells of a file where it was shared.
    pub fn share(&self, id: &str, channel: &str, ts: &str) {
        if let Some((told, _)) = self.world().files.get_mut(id) {
            told["shares"] = json!({ "public": { channel: [{ "ts": ts }] } });
        }
    }

    /// An address by which one answer goes to one person; `replaces`: the message on which they pressed.
    pub fn url(&self, user: &str, channel: &str, replaces: Option<String>) -> String {
        let id = self.fresh();
        self.world().urls.insert(id.clone(), (user.to_owned(), channel.to_owned(), replaces));
        format!("{}/answers/{id}", self.base)
    }

    pub fn command(&self, user: &str, channel: &str, text: &str) -> Value {
        json!({
            "team_id": TEAM, "user_id": user, "user_name": "typed", "channel_id": channel, "command": "/workflow", "text": text,
            "trigger_id": self.fresh(), "response_url": self.url(user, channel, None),
        })
    }

    pub fn message(&self, user: &str, channel: &str, text: &str) -> Value {
        json!({
            "type": "message", "user": user, "channel": channel, "text": text, "ts": self.fresh(), "team": TEAM,
            "channel_type": if channel.starts_with('D') { "im" } else { "channel" },
        })
    }

    /// What people write can be read again.
    pub fn wrote(&self, message: &Value) {
        self.world().written.push(message.clone());
    }

    /// What was written last.
    pub fn last_written(&self) -> Option<Value> {
        self.world().written.last().cloned()
    }

    pub fn event(&self, event: &Value) -> Value {
        json!({ "type": "event_callback", "team_id": TEAM, "event_id": format!("Ev{}", self.fresh()), "event": event })
    }

    /// A press of a button of a message; `open` where it opens a window.
    pub fn press(&self, user: &str, message: &Posted, (action, value): (&str, &str)) -> Value {
        let mut container = json!({
            "type": "message", "message_ts": message.ts, "channel_id": message.channel, "is_ephemeral": message.only_for.is_some(),
        });
        if let Some(thread) = &message.thread {
            container["thread_ts"] = json!(thread);
        }
        json!({
            "type": "block_actions", "team": { "id": TEAM }, "user": { "id": user, "team_id": TEAM }, "container": container,
            "trigger_id": self.fresh(), "response_url": self.url(user, &message.channel, Some(message.ts.clone())),
            "actions": [{ "type": "button", "action_id": action, "value": value, "action_ts": self.fresh() }],
        })
    }

    /// The newest window, sent with these values.
    pub fn sent_window(&self, user: &str, values: &Map<String, Value>) -> Value {
        let mut view = self.views().pop().expect("a window is open");
        let mut state = Map::new();
        for block in view["blocks"].as_array().into_iter().flatten() {
            let Some(id) = block["block_id"].as_str() else { continue };
            let key = id.split_once(':').map_or(id, |(_, key)| key);
            let value = values.get(key).cloned().unwrap_or(block["element"]["initial_value"].clone());
            let shown = match block["element"]["type"].as_str() {
                Some("static_select") => json!({ "value": { "selected_option": { "value": value } } }),
                _ => json!({ "value": { "value": value } }),
            };
            state.insert(id.to_owned(), shown);
        }
        view["state"] = json!({ "values": state });
        json!({ "type": "view_submission", "team": { "id": TEAM }, "user": { "id": user, "team_id": TEAM }, "view": view })
    }

    /// Waits until a socket is open.
    pub async fn connected(&self) {
        self.until("a socket", |world| world.sockets.iter().any(|socket| !socket.is_closed())).await;
    }

    /// Waits until the world is so.
    async fn until(&self, what: &str, is_so: impl Fn(&World) -> bool) {
        let came = async {
            loop {
                let moved = self.moved.notified();
                tokio::pin!(moved);
                moved.as_mut().enable();
                if is_so(&self.world()) {
                    return;
                }
                moved.await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, came).await.is_ok(), "{what} did not come: {:#?}", self.messages());
    }

    /// The message that is so, once there is one.
    pub async fn shown(&self, what: &str, is_it: impl Fn(&Posted) -> bool) -> Posted {
        self.until(what, |world| world.messages.iter().any(&is_it)).await;
        self.messages().into_iter().rev().find(is_it).expect("it was just there")
    }

    /// Waits until a method was called so often.
    pub async fn called(&self, method: &str, times: usize) {
        self.until(method, |world| world.calls.iter().filter(|(called, _)| called == method).count() >= times).await;
    }

    /// Waits until so many windows were opened.
    pub async fn opened(&self, windows: usize) {
        self.until("a window", |world| world.views.len() >= windows).await;
    }

    /// Brings something over the socket; what is acknowledged, with its payload.
    pub async fn bring(&self, kind: &str, payload: &Value) -> Value {
        self.connected().await;
        self.bring_now(kind, payload).await.expect("it is acknowledged")
    }

    /// The same; `None` when no acknowledgement comes in time.
    pub async fn bring_now(&self, kind: &str, payload: &Value) -> Option<Value> {
        let id = format!("env-{}", self.fresh());
        let (acked, ack) = oneshot::channel();
        let socket = {
            let mut world = self.world();
            world.waiting.insert(id.clone(), acked);
            world.sockets.retain(|socket| !socket.is_closed());
            world.sockets.last().cloned()
        };
        let envelope = json!({ "type": kind, "envelope_id": id, "accepts_response_payload": true, "payload": payload });
        socket?.send(Frame::text(envelope.to_string())).await.ok()?;
        tokio::time::timeout(Duration::from_secs(3), ack).await.ok()?.ok()
    }

    /// Sends a frame as it is.
    pub async fn send_raw(&self, text: &str) {
        let socket = self.world().sockets.last().cloned().expect("a socket");
        socket.send(Frame::text(text.to_owned())).await.expect("sent");
    }

    /// Closes every socket.
    pub fn cut(&self) {
        self.world().sockets.clear();
    }

    pub fn put(&self, posted: Posted) {
        self.world().messages.push(posted);
        self.moved.notify_waiters();
    }

    /// Tells the app of its own message, as Slack does.
    pub fn echo(&self, posted: &Posted) {
        let event = json!({
            "type": "message", "user": BOT, "bot_id": "BBOT", "channel": posted.channel, "ts": posted.ts, "text": posted.text,
            "blocks": posted.blocks,
        });
        let envelope = json!({ "type": "events_api", "envelope_id": format!("echo-{}", posted.ts), "payload": self.event(&event) });
        if let Some(socket) = self.world().sockets.last() {
            let _ = socket.try_send(Frame::text(envelope.to_string())); // a socket that is gone hears nothing
        }
    }
}
