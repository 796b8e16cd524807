//! A small Slack of our own: the methods that the adapter calls, one socket, answers by URL, files. What is said and shown is kept
//! in order; answers can be made to fail.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{Message as Frame, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde_json::{Map, Value, json};
use tokio::sync::{Notify, mpsc, oneshot};

pub const TEAM: &str = "T01";
pub const BOT: &str = "UBOT";
pub const TOKEN: &str = "xoxb-test-bot-token";
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

#[derive(Default)]
struct World {
    messages: Vec<Posted>,
    calls: Vec<(String, Value)>,
    faults: HashMap<String, VecDeque<Fault>>,
    /// Answers by URL: who sees them, where, and the message that is replaced.
    urls: HashMap<String, (String, String, Option<String>)>,
    files: HashMap<String, (Value, Vec<u8>)>,
    uploads: HashMap<String, Vec<u8>>,
    views: Vec<Value>,
    sockets: Vec<mpsc::Sender<Frame>>,
    waiting: HashMap<String, oneshot::Sender<Value>>,
    scopes: String,
    is_guest: Vec<String>,
    /// What people wrote, for whoever reads it again.
    written: Vec<Value>,
    /// Answers by URL wait for this.
    held: Option<Arc<tokio::sync::Semaphore>>,
    count: u64,
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
        let routes = Router::new()
            .route("/api/{method}", any(call))
            .route("/link", get(link))
            .route("/answers/{id}", post(answer))
            .route("/files/{id}", get(download))
            .route("/upload/{id}", post(upload))
            .with_state(Arc::clone(&fake));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        fake
    }

    /// The settings with which a service is connected to it.
    pub fn settings(&self) -> Vec<String> {
        let api = format!("slack_api_url={}/api", self.base);
        vec![format!("slack_bot_token={TOKEN}"), format!("slack_app_token={APP_TOKEN}"), api]
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("nobody panicked")
    }

    fn fresh(&self) -> String {
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
    fn url(&self, user: &str, channel: &str, replaces: Option<String>) -> String {
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

    fn put(&self, posted: Posted) {
        self.world().messages.push(posted);
        self.moved.notify_waiters();
    }

    /// Tells the app of its own message, as Slack does.
    fn echo(&self, posted: &Posted) {
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

async fn call(
    State(fake): State<Arc<Fake>>,
    Path(method): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = match serde_json::from_slice::<Value>(&body) {
        Ok(body) if !body.is_null() => body,
        _ => {
            let query = query.unwrap_or_default();
            let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned();
            Value::Object(pairs.map(|(key, value)| (key, Value::String(value))).collect())
        }
    };
    let wanted = if method == "apps.connections.open" { APP_TOKEN } else { TOKEN };
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if token != format!("Bearer {wanted}") {
        return axum::Json(json!({ "ok": false, "error": "invalid_auth" })).into_response();
    }
    let fault = {
        let mut world = fake.world();
        world.calls.push((method.clone(), body.clone()));
        world.faults.get_mut(&method).and_then(VecDeque::pop_front)
    };
    fake.moved.notify_waiters();
    if let Some(Fault::Answer(status, headers, text)) = &fault {
        let status = StatusCode::from_u16(*status).expect("a status");
        let mut response = (status, [(header::CONTENT_TYPE, "application/json")], text.clone()).into_response();
        for (name, value) in headers {
            response.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        return response;
    }
    let answer = answered(&fake, &method, &body);
    if fault.is_some() {
        return (StatusCode::BAD_GATEWAY, "lost").into_response();
    }
    let scopes = fake.world().scopes.clone();
    ([("x-oauth-scopes", scopes)], axum::Json(answer)).into_response()
}

fn answered(fake: &Arc<Fake>, method: &str, body: &Value) -> Value {
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let no = |error: &str| json!({ "ok": false, "error": error });
    match method {
        "auth.test" => {
            json!({ "ok": true, "team": "Acme", "team_id": TEAM, "user_id": BOT, "user": "workflow", "bot_id": "BBOT" })
        }
        "apps.connections.open" => {
            json!({ "ok": true, "url": format!("{}/link?ticket=secret-{}", fake.base.replace("http", "ws"), fake.fresh()) })
        }
        "users.info" => {
            let user = text("user");
            let name = user.trim_start_matches('U').to_lowercase();
            let is_guest = fake.world().is_guest.contains(&user);
            json!({ "ok": true, "user": { "id": user, "team_id": TEAM, "name": name, "is_restricted": is_guest, "profile": { "display_name": name } } })
        }
        "conversations.info" => {
            let channel = text("channel");
            json!({ "ok": true, "channel": { "id": channel, "is_member": channel != ELSEWHERE, "is_im": channel.starts_with('D') } })
        }
        "conversations.open" => json!({ "ok": true, "channel": { "id": text("users").replacen('U', "D", 1) } }),
        "conversations.list" => json!({ "ok": true, "channels": [{ "id": GENERAL, "name": "general" }] }),
        "conversations.replies" => {
            let world = fake.world();
            let found = world.written.iter().filter(|message| message["ts"] == body["ts"]);
            json!({ "ok": true, "messages": found.cloned().collect::<Vec<_>>() })
        }
        "conversations.history" => {
            let messages = fake.messages().into_iter().filter(|message| message.channel == text("channel"));
            let shown: Vec<_> = messages.map(|message| json!({ "ts": message.ts, "blocks": message.blocks })).collect();
            json!({ "ok": true, "messages": shown })
        }
        "chat.postMessage" if text("channel") == ELSEWHERE => no("not_in_channel"),
        "chat.postMessage" | "chat.postEphemeral" => {
            let posted = Posted {
                ts: fake.fresh(),
                channel: text("channel"),
                thread: body["thread_ts"].as_str().map(str::to_owned),
                text: text("text"),
                blocks: body["blocks"].clone(),
                only_for: body["user"].as_str().map(str::to_owned),
                edits: 0,
            };
            let ts = posted.ts.clone();
            if posted.only_for.is_none() {
                fake.echo(&posted);
            }
            fake.put(posted);
            json!({ "ok": true, "channel": text("channel"), "ts": ts, "message_ts": ts })
        }
        "chat.update" => {
            let mut world = fake.world();
            let known =
                world.messages.iter_mut().find(|message| message.ts == text("ts") && message.only_for.is_none());
            let Some(known) = known else { return no("message_not_found") };
            (known.text, known.blocks) = (text("text"), body["blocks"].clone());
            known.edits += 1;
            drop(world);
            fake.moved.notify_waiters();
            json!({ "ok": true, "ts": text("ts") })
        }
        "views.open" | "views.publish" => {
            let mut view = body["view"].clone();
            view["id"] = json!(format!("V{}", fake.fresh()));
            fake.world().views.push(view.clone());
            fake.moved.notify_waiters();
            json!({ "ok": true, "view": view })
        }
        "files.info" => match fake.world().files.get(&text("file")) {
            Some((told, _)) => json!({ "ok": true, "file": told }),
            None => no("file_not_found"),
        },
        "files.getUploadURLExternal" => {
            let id = fake.fresh();
            json!({ "ok": true, "upload_url": format!("{}/upload/{id}", fake.base), "file_id": id })
        }
        "files.completeUploadExternal" => json!({ "ok": true, "files": body["files"] }),
        other => panic!("the fake does not know `{other}`"),
    }
}

async fn link(State(fake): State<Arc<Fake>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| carry(fake, socket))
}

async fn carry(fake: Arc<Fake>, mut socket: WebSocket) {
    let (frames, mut waiting) = mpsc::channel(256);
    let _ = socket.send(Frame::text(json!({ "type": "hello", "num_connections": 1 }).to_string())).await;
    fake.world().sockets.push(frames);
    fake.moved.notify_waiters();
    loop {
        tokio::select! {
            frame = waiting.recv() => match frame {
                Some(frame) => if socket.send(frame).await.is_err() { return },
                None => return,
            },
            frame = socket.recv() => match frame {
                Some(Ok(Frame::Text(text))) => {
                    let ack: Value = serde_json::from_str(&text).expect("an acknowledgement is JSON");
                    let id = ack["envelope_id"].as_str().expect("it names its envelope").to_owned();
                    if let Some(waits) = fake.world().waiting.remove(&id) {
                        let _ = waits.send(ack); // nobody may wait for it
                    }
                }
                Some(Ok(_)) => {}
                _ => return,
            },
        }
    }
}

async fn answer(
    State(fake): State<Arc<Fake>>,
    Path(id): Path<String>,
    axum::Json(body): axum::Json<Value>,
) -> Response {
    let Some((user, channel, replaces)) = fake.world().urls.get(&id).cloned() else {
        return (StatusCode::NOT_FOUND, "used_url").into_response();
    };
    fake.world().calls.push(("response_url".to_owned(), body.clone()));
    fake.moved.notify_waiters();
    let held = fake.world().held.clone();
    if let Some(held) = held {
        let _ = held.acquire().await; // closed: nothing is held any more
    }
    let fault = fake.world().faults.get_mut("response_url").and_then(VecDeque::pop_front);
    if let Some(Fault::Answer(status, ..)) = fault {
        return StatusCode::from_u16(status).expect("a status").into_response();
    }
    let text = body["text"].as_str().unwrap_or_default().to_owned();
    if body["replace_original"] == json!(true) {
        let mut world = fake.world();
        let known = world.messages.iter_mut().find(|message| Some(&message.ts) == replaces.as_ref());
        let known = known.expect("what is replaced is there");
        (known.text, known.blocks) = (text, body["blocks"].clone());
        known.edits += 1;
        drop(world);
        fake.moved.notify_waiters();
    } else {
        let thread = body["thread_ts"].as_str().map(str::to_owned);
        let blocks = body["blocks"].clone();
        fake.put(Posted { ts: fake.fresh(), channel, thread, text, blocks, only_for: Some(user), edits: 0 });
    }
    "ok".into_response()
}

async fn download(State(fake): State<Arc<Fake>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let may_read = fake.world().scopes.split(',').any(|scope| scope == "files:read");
    if token != format!("Bearer {TOKEN}") || !may_read {
        return ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], "<html>Sign in</html>").into_response();
    }
    let fault = fake.world().faults.get_mut("file.download").and_then(VecDeque::pop_front);
    match (fault, fake.world().files.get(&id)) {
        (Some(_), Some((_, content))) => content[..content.len() / 2].to_vec().into_response(),
        (None, Some((_, content))) => content.clone().into_response(),
        (_, None) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn upload(State(fake): State<Arc<Fake>>, Path(id): Path<String>, body: Bytes) -> Response {
    fake.world().uploads.insert(id, body.to_vec());
    fake.moved.notify_waiters();
    "OK".into_response()
}
