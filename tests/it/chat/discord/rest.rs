//! What we ask of the fake: its requests, each of which can be answered wrongly.

use axum::Router;
use axum::body::Bytes;
use axum::extract::multipart::Multipart;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::fake::{APPLICATION, BOT, Fake, Fault, GENERAL, GUILD, TOKEN, World, id_of};
use super::gateway;

pub fn routes(fake: Fake) -> Router {
    Router::new().route("/gateway/", get(gateway::open)).fallback(answer).with_state(fake)
}

fn told(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    let headers = [("x-ratelimit-limit", "1000"), ("x-ratelimit-remaining", "999"), ("x-ratelimit-reset-after", "1.0")];
    if status == StatusCode::NO_CONTENT {
        return (status, headers).into_response();
    }
    (status, headers, axum::Json(body.clone())).into_response()
}

fn unknown(code: u32) -> Response {
    told(404, &json!({ "code": code, "message": "Unknown" }))
}

async fn answer(State(fake): State<Fake>, request: Request) -> Response {
    let (method, uri, headers) = (request.method().clone(), request.uri().clone(), request.headers().clone());
    let (body, file) = read(request, &headers).await;
    let path = uri.path().trim_start_matches("/api/v10").to_owned();
    let whole = uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let answered = {
        let mut world = fake.world();
        world.requests.push((method.to_string(), whole.clone(), body.clone()));
        let hit = |fault: &Fault| fault.method == method.as_str() && path.contains(fault.path);
        let fault = world.faults.iter().position(hit).and_then(|place| world.faults.remove(place));
        let is_signed =
            headers.get("authorization").is_some_and(|token| token.as_bytes() == format!("Bot {TOKEN}").as_bytes());
        let open = ["/interactions/", "/webhooks/", "/cdn/"].iter().any(|begin| path.starts_with(begin));
        match fault {
            Some(fault) if fault.after => {
                world.carry_out(&method, &path, &whole, (body, file));
                told(fault.status, &fault.body)
            }
            Some(fault) => told(fault.status, &fault.body),
            None if !is_signed && !open => told(401, &json!({ "code": 0, "message": "401: Unauthorized" })),
            None if path == "/gateway/bot" => {
                let url = format!("{}/gateway/", fake.url.replace("http", "ws"));
                let limit = json!({ "total": 1000, "remaining": 1000, "reset_after": 1, "max_concurrency": 1 });
                told(200, &json!({ "url": url, "shards": 1, "session_start_limit": limit }))
            }
            None => world.carry_out(&method, &path, &whole, (body, file)),
        }
    };
    fake.moved.notify_waiters();
    answered
}

async fn read(request: Request, headers: &HeaderMap) -> (Value, Option<String>) {
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/") {
        let bytes = Bytes::from_request(request, &()).await.unwrap_or_default();
        return (serde_json::from_slice(&bytes).unwrap_or_default(), None);
    }
    let mut form = Multipart::from_request(request, &()).await.expect("a form");
    let (mut body, mut file) = (Value::Null, None);
    while let Some(field) = form.next_field().await.expect("a field") {
        match field.name() {
            Some("payload_json") => body = serde_json::from_str(&field.text().await.expect("text")).expect("JSON"),
            _ => file = Some(field.text().await.expect("text")),
        }
    }
    (body, file)
}

impl World {
    fn carry_out(
        &mut self,
        method: &Method,
        path: &str,
        whole: &str,
        (body, file): (Value, Option<String>),
    ) -> Response {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method.as_str(), parts.as_slice()) {
            ("GET", ["applications", "@me"]) => {
                told(200, &json!({ "id": APPLICATION, "flags": self.flags, "bot": { "id": BOT } }))
            }
            ("GET", ["applications", _, "commands"]) => told(200, &json!(self.commands)),
            ("POST", ["applications", _, "commands"]) => {
                self.registered += 1;
                self.commands.retain(|known| known["name"] != body["name"]);
                self.commands.push(body.clone());
                told(201, &body)
            }
            ("GET", ["users", "@me", "guilds"]) => {
                told(200, &json!([{ "id": GUILD, "name": "Team", "permissions": "274878024704" }]))
            }
            ("POST", ["users", "@me", "channels"]) => {
                let user = body["recipient_id"].as_str().expect("somebody").to_owned();
                told(200, &json!({ "id": self.direct_with(&user), "type": 1 }))
            }
            ("GET", ["channels", id]) => match self.threads.get(*id) {
                Some(parent) => told(200, &json!({ "id": id, "type": 11, "parent_id": parent })),
                None if *id == GENERAL => told(200, &json!({ "id": id, "type": 0, "guild_id": GUILD })),
                None => unknown(10_003),
            },
            ("GET", ["channels", id, "messages"]) => {
                let after = whole.split("after=").nth(1).and_then(|rest| rest.split('&').next());
                let after = after.and_then(|after| after.parse::<u64>().ok()).unwrap_or_default();
                let newer = |message: &&Value| {
                    message["channel_id"] == *id
                        && message["id"].as_str().and_then(|id| id.parse().ok()).is_some_and(|id: u64| id > after)
                };
                told(200, &self.written.iter().rev().filter(newer).cloned().collect())
            }
            ("GET", ["channels", _, "messages", id]) => {
                let found = self.written.iter().find(|message| message["id"] == *id);
                found.map_or_else(|| unknown(10_008), |message| told(200, message))
            }
            ("POST", ["channels", id, "messages"]) => {
                if self.closed_to_us && self.direct.values().any(|direct| direct == id) {
                    return told(403, &json!({ "code": 50_007, "message": "Cannot send messages to this user" }));
                }
                told(200, &self.post(id, body, None, file))
            }
            ("PATCH", ["channels", _, "messages", id]) => {
                let open = self.said.iter().any(|said| {
                    said.id == *id
                        && (said.only_for.is_none() || self.direct.values().any(|direct| *direct == said.channel))
                });
                match open.then(|| self.change(id, body, file)).flatten() {
                    Some(changed) => told(200, &changed),
                    None => unknown(10_008),
                }
            }
            ("POST", ["interactions", id, _, "callback"]) => self.first(id, body),
            (method, ["webhooks", _, token, rest @ ..]) => self.follow(method, token, rest, (body, file)),
            ("GET", ["cdn", id, _]) => match self.files.get(*id) {
                Some(content) => content.clone().into_response(),
                None => unknown(0),
            },
            _ => panic!("nothing is known of {method} {path}"),
        }
    }

    /// The first answer to an interaction.
    fn first(&mut self, id: &str, body: Value) -> Response {
        let Some(done) = self.done.get(id).cloned() else { return unknown(10_062) };
        if done.answer.is_some() {
            return told(400, &json!({ "code": 40_060, "message": "Interaction has already been acknowledged." }));
        }
        self.acknowledge(id, body);
        told(204, &Value::Null)
    }

    /// Takes the first answer, however it came.
    pub fn acknowledge(&mut self, id: &str, body: Value) {
        let Some(done) = self.done.get(id).cloned() else { return };
        let mut original = done.original.clone();
        if body["type"] == json!(4) {
            let mut data = body["data"].clone();
            data["components"] = if data["components"].is_array() { data["components"].clone() } else { json!([]) };
            let posted = self.post(&done.channel, data, Some(id_of(&done.user)), None);
            original = posted["id"].as_str().map(str::to_owned);
        }
        if let Some(done) = self.done.get_mut(id) {
            (done.answer, done.original) = (Some(body), original);
        }
    }

    /// What follows the first answer.
    fn follow(&mut self, method: &str, token: &str, rest: &[&str], (body, file): (Value, Option<String>)) -> Response {
        let id = token.trim_start_matches("token-").to_owned();
        let Some(done) = self.done.get(&id).cloned().filter(|done| done.answer.is_some()) else {
            return unknown(10_015);
        };
        let user = Some(id_of(&done.user));
        match (method, rest) {
            ("POST", []) => told(200, &self.post(&done.channel, body, user, file)),
            ("PATCH", ["messages", "@original"]) => {
                let made = match &done.original {
                    Some(message) => self.change(message, body, file),
                    None => Some(self.post(&done.channel, body, user, file)),
                };
                let original = made.as_ref().and_then(|made| made["id"].as_str()).map(str::to_owned);
                if let Some(done) = self.done.get_mut(&id) {
                    (done.closed, done.original) = (true, original);
                }
                made.map_or_else(|| unknown(10_008), |made| told(200, &made))
            }
            ("DELETE", ["messages", "@original"]) => {
                if let Some(done) = self.done.get_mut(&id) {
                    done.closed = true;
                }
                told(204, &Value::Null)
            }
            _ => panic!("nothing is known of {method} {rest:?}"),
        }
    }
}
