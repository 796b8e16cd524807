//! A small Discord on loopback: what is there, and people who do something. `rest` is what we ask of it, `gateway` the line.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Notify, broadcast};

use super::{gateway, rest};

/// The application, its bot, and the one guild with its one channel.
pub const APPLICATION: &str = "1";
pub const BOT: &str = "2";
pub const GUILD: &str = "10";
pub const GENERAL: &str = "11";
/// The bot's token.
pub const TOKEN: &str = "a.secret.token";

/// A message.
#[derive(Debug, Clone)]
pub struct Said {
    pub id: String,
    pub channel: String,
    /// Who alone sees it.
    pub only_for: Option<String>,
    pub body: Value,
    /// How often it was changed.
    pub edits: usize,
    /// The file that came along.
    pub file: Option<String>,
}

/// Something that somebody did with us.
#[derive(Debug, Clone)]
pub struct Done {
    pub user: String,
    pub channel: String,
    /// The first answer.
    pub answer: Option<Value>,
    /// The message that takes the place of "is thinking", or on which the button stands.
    pub original: Option<String>,
    pub closed: bool,
}

/// An answer that is given in the place of the right one.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Which requests: method and a part of the path.
    pub method: &'static str,
    pub path: &'static str,
    pub status: u16,
    pub body: Value,
    /// Whether the request is carried out all the same: its answer is what is lost.
    pub after: bool,
}

#[derive(Default)]
pub struct World {
    pub next: u64,
    pub said: Vec<Said>,
    pub done: HashMap<String, Done>,
    pub commands: Vec<Value>,
    pub registered: usize,
    pub faults: VecDeque<Fault>,
    /// Method, path and body of every request.
    pub requests: Vec<(String, String, Value)>,
    pub nonces: HashMap<(String, String), String>,
    pub direct: HashMap<String, String>,
    /// Threads and their channels.
    pub threads: HashMap<String, String>,
    pub files: HashMap<String, Vec<u8>>,
    /// What people wrote, for whoever reads it later.
    pub written: Vec<Value>,
    pub identifies: usize,
    pub resumes: usize,
    /// What the application is granted.
    pub flags: u64,
    /// Events of the session, for whoever resumes it.
    pub events: Vec<Value>,
    pub intents: u64,
    pub closed_to_us: bool,
}

/// The Discord.
#[derive(Clone)]
pub struct Fake {
    pub url: Arc<str>,
    pub world: Arc<Mutex<World>>,
    /// Events as they happen, and orders to the line: see `gateway`.
    pub line: broadcast::Sender<gateway::Order>,
    pub moved: Arc<Notify>,
}

impl Fake {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address")).into();
        let world = World { next: 1_000, flags: 1 << 19, ..World::default() };
        let line = broadcast::Sender::new(4_096);
        let fake = Self { url, world: Arc::new(Mutex::new(world)), line, moved: Arc::default() };
        let routes = rest::routes(fake.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        fake
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is as it should be.
    pub async fn until<T>(&self, what: &str, mut look: impl FnMut(&World) -> Option<T>) -> T {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            if let Some(found) = look(&self.world()) {
                return found;
            }
            let waited = tokio::time::timeout_at(deadline, moved).await;
            assert!(waited.is_ok(), "{what} never came: {:#?}", self.world().said);
        }
    }

    /// Answers the next request of this kind wrongly.
    pub fn fault(&self, fault: Fault) {
        self.world().faults.push_back(fault);
    }

    /// Keeps a file; how a message names it.
    pub fn attach(&self, name: &str, content: Vec<u8>) -> Value {
        let mut world = self.world();
        let id = world.id();
        let size = content.len();
        world.files.insert(id.clone(), content);
        let url = format!("{}/cdn/{id}/{name}?ex=1", self.url);
        json!({ "id": id, "filename": name, "size": size, "url": url, "proxy_url": url, "ephemeral": true })
    }

    /// The direct conversation with somebody.
    pub fn direct(&self, user: &str) -> String {
        self.world().direct_with(user)
    }

    /// The settings with which a service knows of it.
    pub fn settings(&self) -> Vec<String> {
        vec![format!("discord_token={TOKEN}"), format!("discord_api_url={}", self.url)]
    }

    /// Sends an event over the gateway.
    pub fn send(&self, name: &str, data: &Value) {
        let event = {
            let mut world = self.world();
            let event = json!({ "op": 0, "t": name, "s": world.events.len() + 1, "d": data });
            world.events.push(event.clone());
            event
        };
        let _ = self.line.send(gateway::Order::Send(event)); // nobody may be connected
    }

    /// Somebody writes; the message's id.
    pub fn writes(&self, user: &str, channel: &str, more: &Value) -> String {
        let message = {
            let mut world = self.world();
            let mut message = message(&world.id(), channel, &person(user));
            if !world.direct.values().any(|direct| direct == channel) {
                message["guild_id"] = json!(GUILD);
                message["member"] = json!({ "roles": [], "deaf": false, "mute": false, "flags": 0 });
            }
            for (key, value) in more.as_object().into_iter().flatten() {
                message[key] = value.clone();
            }
            let mut kept = message.clone();
            kept.as_object_mut().expect("an object").retain(|key, _| key != "guild_id" && key != "member");
            world.written.push(kept);
            message
        };
        let id = message["id"].as_str().expect("an id").to_owned();
        self.send("MESSAGE_CREATE", &message);
        id
    }

    /// Somebody reacts with this sign to what was written last.
    pub fn reacts(&self, user: &str, sign: &str) {
        let on = self.world().written.last().cloned().expect("somebody wrote");
        let member = json!({
            "user": person(user), "roles": [], "deaf": false, "mute": false, "flags": 0, "pending": false,
            "joined_at": "2026-01-01T00:00:00+00:00",
        });
        self.send("MESSAGE_REACTION_ADD", &json!({
            "user_id": person(user)["id"], "channel_id": on["channel_id"], "message_id": on["id"], "guild_id": GUILD,
            "member": member, "emoji": { "id": null, "name": sign }, "burst": false, "type": 0,
            "message_author_id": on["author"]["id"],
        }));
    }

    /// Somebody does something with us; its id. `data` and `message` are what Discord says of it.
    pub fn acts(&self, user: &str, channel: &str, kind: u8, more: &Value) -> (String, Value) {
        let interaction = self.interaction(user, channel, kind, more);
        let id = interaction["id"].as_str().expect("an id").to_owned();
        self.send("INTERACTION_CREATE", &interaction);
        (id, interaction)
    }

    /// What Discord says of something that somebody does.
    pub fn interaction(&self, user: &str, channel: &str, kind: u8, more: &Value) -> Value {
        let mut world = self.world();
        let id = world.id();
        let original = more["message"]["id"].as_str().map(str::to_owned);
        let done = Done { user: user.to_owned(), channel: channel.to_owned(), answer: None, original, closed: false };
        world.done.insert(id.clone(), done);
        let is_direct = world.direct.values().any(|direct| direct == channel);
        let parent = world.threads.get(channel).cloned();
        let mut interaction = json!({
            "id": id, "application_id": APPLICATION, "type": kind, "token": format!("token-{id}"), "version": 1,
            "channel_id": channel, "locale": "en-US", "entitlements": [], "attachment_size_limit": 10_485_760,
            "app_permissions": "274878024704", "authorizing_integration_owners": {},
            "channel": { "id": channel, "type": if is_direct { 1 } else if parent.is_some() { 11 } else { 0 }, "parent_id": parent },
        });
        if is_direct {
            interaction["user"] = person(user);
        } else {
            interaction["guild_id"] = json!(GUILD);
            interaction["member"] = json!({
                "user": person(user), "roles": [], "deaf": false, "mute": false, "flags": 0, "pending": false,
                "joined_at": "2026-01-01T00:00:00+00:00", "permissions": "0", "guild_id": GUILD,
            });
        }
        for (key, value) in more.as_object().into_iter().flatten() {
            interaction[key] = value.clone();
        }
        interaction
    }
}

/// A person, as Discord knows them: ids are numbers.
pub fn person(name: &str) -> Value {
    json!({ "id": id_of(name), "username": format!("{name}_"), "discriminator": "0", "global_name": name, "avatar": null })
}

/// The id of a person.
pub fn id_of(name: &str) -> String {
    let number = name.bytes().fold(0_u64, |number, byte| number * 31 + u64::from(byte));
    (500_000 + number).to_string()
}

/// A message, as Discord tells of it.
pub fn message(id: &str, channel: &str, author: &Value) -> Value {
    json!({
        "id": id, "channel_id": channel, "author": author, "content": "", "timestamp": "2026-11-29T08:00:00+00:00",
        "edited_timestamp": null, "tts": false, "mention_everyone": false, "mentions": [], "mention_roles": [],
        "attachments": [], "embeds": [], "pinned": false, "type": 0, "components": [], "flags": 0,
    })
}

impl World {
    pub fn id(&mut self) -> String {
        self.next += 1;
        // The time stands in an id: these are all newer than anybody's clock.
        ((1_000_000_000_000_u64 + self.next) << 22).to_string()
    }

    pub fn direct_with(&mut self, user: &str) -> String {
        if let Some(channel) = self.direct.get(user) {
            return channel.clone();
        }
        let id = self.id();
        self.direct.insert(user.to_owned(), id.clone());
        id
    }

    pub fn post(&mut self, channel: &str, body: Value, only_for: Option<String>, file: Option<String>) -> Value {
        let nonce = body["nonce"].as_str().filter(|_| body["enforce_nonce"] == json!(true)).map(str::to_owned);
        if let Some(nonce) = &nonce {
            assert!(nonce.len() <= 25, "a nonce of {} characters", nonce.len());
            if let Some(id) = self.nonces.get(&(channel.to_owned(), nonce.clone())) {
                return message(id, channel, &bot());
            }
        }
        let id = self.id();
        self.nonces.extend(nonce.map(|nonce| ((channel.to_owned(), nonce), id.clone())));
        check(&body);
        let only_for = only_for.or_else(|| {
            let of = self.direct.iter().find(|(_, direct)| *direct == channel);
            of.map(|(id, _)| id.clone())
        });
        self.said.push(Said { id: id.clone(), channel: channel.to_owned(), only_for, body, edits: 0, file });
        message(&id, channel, &bot())
    }

    pub fn change(&mut self, id: &str, body: Value, file: Option<String>) -> Option<Value> {
        check(&body);
        let said = self.said.iter_mut().find(|said| said.id == id)?;
        (said.body, said.file) = (body, file);
        said.edits += 1;
        Some(message(id, &said.channel, &bot()))
    }
}

fn bot() -> Value {
    json!({ "id": BOT, "username": "workflow", "discriminator": "1", "global_name": null, "avatar": null, "bot": true })
}

/// Whether Discord would take a message.
fn check(body: &Value) {
    let length = |value: &Value| value.as_str().map_or(0, |text| text.encode_utf16().count());
    assert!(length(&body["content"]) <= 2_000, "{body}");
    assert!(
        length(&body["content"]) > 0 || body["embeds"].as_array().is_some_and(|all| !all.is_empty()),
        "empty: {body}"
    );
    let mut ids = Vec::new();
    for row in body["components"].as_array().into_iter().flatten() {
        let buttons = row["components"].as_array().expect("buttons");
        assert!((1..=5).contains(&buttons.len()), "{body}");
        for button in buttons {
            let id = button["custom_id"].as_str().expect("an id");
            assert!((1..=100).contains(&id.len()) && !ids.contains(&id), "{id}");
            ids.push(id);
        }
    }
    assert_eq!(body["allowed_mentions"]["parse"], json!([]), "nobody is called by accident: {body}");
}
