//! What we call of the fake: methods, the socket, answers by URL, files. Each can be made to fail.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{Message as Frame, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::fake::{APP_TOKEN, BOT, ELSEWHERE, Fake, Fault, GENERAL, Posted, SECOND, TEAM, TOKEN};

pub fn routes(fake: Arc<Fake>) -> Router {
    Router::new()
        .route("/api/{method}", any(call))
        .route("/link", get(link))
        .route("/answers/{id}", post(answer))
        .route("/files/{id}", get(download))
        .route("/upload/{id}", post(upload))
        .with_state(fake)
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
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = token.trim_start_matches("Bearer ").to_owned();
    let is_known = match method.as_str() {
        "apps.connections.open" => token == APP_TOKEN,
        _ => token == TOKEN || token == SECOND.1,
    };
    if !is_known {
        return axum::Json(json!({ "ok": false, "error": "invalid_auth" })).into_response();
    }
    let fault = {
        let mut world = fake.world();
        world.calls.push((method.clone(), body.clone()));
        world.tokens.push(token.clone());
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
    let team = if token == SECOND.1 { SECOND.0 } else { TEAM };
    let answer = answered(&fake, (&method, team), &body);
    if fault.is_some() {
        return (StatusCode::BAD_GATEWAY, "lost").into_response();
    }
    let scopes = fake.world().scopes.clone();
    ([("x-oauth-scopes", scopes)], axum::Json(answer)).into_response()
}

fn answered(fake: &Arc<Fake>, (method, team): (&str, &str), body: &Value) -> Value {
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let no = |error: &str| json!({ "ok": false, "error": error });
    match method {
        "auth.test" => {
            let url = format!("https://{}.slack.com/", team.to_lowercase());
            json!({ "ok": true, "team": "Acme", "team_id": team, "user_id": BOT, "user": "workflow", "bot_id": "BBOT", "url": url })
        }
        "apps.connections.open" => {
            json!({ "ok": true, "url": format!("{}/link?ticket=secret-{}", fake.base.replace("http", "ws"), fake.fresh()) })
        }
        "users.info" => {
            let user = text("user");
            let name = user.trim_start_matches('U').to_lowercase();
            let is_guest = fake.world().is_guest.contains(&user);
            json!({ "ok": true, "user": { "id": user, "team_id": team, "name": name, "is_restricted": is_guest, "profile": { "display_name": name } } })
        }
        "conversations.info" => {
            let channel = text("channel");
            json!({ "ok": true, "channel": { "id": channel, "is_member": channel != ELSEWHERE, "is_im": channel.starts_with('D') } })
        }
        "conversations.open" => json!({ "ok": true, "channel": { "id": text("users").replacen('U', "D", 1) } }),
        "conversations.list" => {
            json!({ "ok": true, "channels": [{ "id": GENERAL, "name": "general" }], "response_metadata": { "next_cursor": "" } })
        }
        "conversations.history" | "conversations.replies" => {
            let messages = fake.messages().into_iter().filter(|message| message.channel == text("channel"));
            let mut shown: Vec<_> =
                messages.map(|message| json!({ "ts": message.ts, "blocks": message.blocks })).collect();
            shown.extend(fake.world().written.iter().filter(|message| message["ts"] == body["ts"]).cloned());
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
    {
        let mut world = fake.world();
        world.calls.push(("response_url".to_owned(), body.clone()));
        world.tokens.push(String::new());
    }
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
