//! The Discord side of the stage: what people do there, and what they see, read back out of what Discord was sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use workflow::chat::adapter::ChatAdapter;
use workflow::chat::grammar::VERBS;
use workflow::chat::{Chat, Platforms, configured, discord};
use workflow::domain::card::{Button, Card, CardKind, Style};
use workflow::domain::role::{Role, Standing};
use workflow::http::caller::Secret;
use workflow::service::{Caller, Service, Visitor};

use super::fake::{BOT, Fake, GENERAL, Said, TOKEN, id_of, message, person};
use super::gateway::Order;
use crate::chat::script::fixtures;
use crate::chat::stage::{Doing, Shown};

/// Discord, and our connection to it.
pub struct Side {
    pub fake: Fake,
    platform: Arc<dyn workflow::chat::Platform>,
    line: Option<(JoinHandle<()>, CancellationToken)>,
}

/// The settings that lead to a fake.
pub fn settings(fake: &Fake) -> discord::Settings {
    discord::Settings {
        token: Secret::new(TOKEN.to_owned()),
        api_url: fake.url.to_string(),
        public_key: None,
        ca_file: None,
        upload_limit: 10 << 20,
    }
}

impl Side {
    pub fn open(service: &Service, fake: Fake) -> Self {
        let platforms = Platforms { discord: Some(settings(&fake)), ..Platforms::default() };
        let platform = configured(service, &platforms).expect("good settings").remove(0);
        Self { fake, platform, line: None }
    }

    pub fn adapter(&self) -> Arc<dyn ChatAdapter> {
        Arc::clone(&self.platform) as Arc<dyn ChatAdapter>
    }

    /// Connects; returns once the session is there.
    pub async fn connect(&mut self, chat: &Chat) {
        let before = self.fake.world().identifies;
        let stop = CancellationToken::new();
        let line = tokio::spawn(Arc::clone(&self.platform).connect(chat.clone(), stop.clone()));
        self.line = Some((line, stop));
        let links = chat.service().links().clone();
        self.fake.until("a session", |world| (world.identifies > before).then_some(())).await;
        while links.all().iter().all(|link| link.state != workflow::service::LinkState::Up) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        // What Discord says of the guild comes after the beginning of the session.
        while self.platform.resolve("general").await.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// Disconnects in good order.
    pub async fn close(&mut self) {
        if let Some((line, stop)) = self.line.take() {
            stop.cancel();
            tokio::time::timeout(std::time::Duration::from_secs(10), line)
                .await
                .expect("it ends")
                .expect("in good order");
        }
    }

    /// Somebody says something: as a command where it is one, else as a message.
    pub async fn say(&self, chat: &Chat, doing: &Doing<'_>) {
        let channel = if doing.direct { self.fake.direct(&id_of(doing.by)) } else { GENERAL.to_owned() };
        let files: Vec<Value> = doing.files.iter().map(|name| self.attach(name)).collect();
        if let Some(thread) = &doing.thread {
            self.fake.world().threads.insert(thread.clone(), channel.clone());
        }
        let place = doing.thread.clone().unwrap_or(channel);
        match command(doing.text, &files) {
            Some(data) if !doing.direct => {
                let (id, event) = self.fake.acts(doing.by, &place, 2, &json!({ "data": data }));
                if doing.twice {
                    self.twice("INTERACTION_CREATE", &event);
                }
                self.fake.until("an end", |world| world.done[&id].closed.then_some(())).await;
            }
            _ => {
                let received = received(chat);
                self.fake.writes(doing.by, &place, &json!({ "content": doing.text, "attachments": files }));
                if doing.twice {
                    let event = self.fake.world().events.last().cloned().expect("it was sent");
                    self.twice("MESSAGE_CREATE", &event["d"]);
                }
                self.taken_in(chat, received).await;
            }
        }
        answered(chat).await;
    }

    /// Somebody reacts to what was written last.
    pub async fn react(&self, chat: &Chat, by: &str, emoji: &str) {
        let sign = match emoji {
            "eyes" => "\u{1f440}",
            "white_check_mark" => "\u{2705}",
            other => other,
        };
        let before = received(chat);
        self.fake.reacts(by, sign);
        self.taken_in(chat, before).await;
        answered(chat).await;
    }

    fn twice(&self, name: &str, data: &Value) {
        let event = json!({ "op": 0, "t": name, "s": self.fake.world().events.len(), "d": data });
        drop(self.fake.line.send(Order::Twice(event)));
    }

    /// Waits until a message is taken in; what is not meant for us never is.
    async fn taken_in(&self, chat: &Chat, before: u64) {
        for _ in 0..80 {
            if received(chat) > before {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// Where somebody speaks.
    pub fn channel_of(&self, by: &str, direct: bool) -> String {
        if direct { self.fake.direct(&id_of(by)) } else { GENERAL.to_owned() }
    }

    /// The address of an attached file.
    pub fn address_of(&self, name: &str) -> String {
        let file = self.attach(name);
        format!("{}#{}", file["url"].as_str().expect("an address"), file["size"])
    }

    pub fn attach(&self, name: &str) -> Value {
        let path = fixtures().join(name);
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        self.fake.attach(&name, std::fs::read(&path).expect("readable"))
    }

    /// What a button does that the stage presses by itself.
    pub async fn action(chat: &Chat, shown: &str) -> String {
        let long = chat.keeper().action(shown).await.expect("readable").unwrap_or_else(|| shown.to_owned());
        // One that asks first carries its question before what it does.
        long.split_once('\n').map_or_else(|| long.clone(), |(_, action)| action.to_owned())
    }

    /// Somebody presses just this; what came of it at once.
    pub async fn press(&self, chat: &Chat, by: &str, (on, action): (&str, &str)) -> Value {
        let said = self.fake.world().said.iter().find(|said| said.id == on).cloned().expect("a message");
        let mut shown = message(
            on,
            &said.channel,
            &json!({ "id": BOT, "username": "w", "discriminator": "1", "avatar": null, "bot": true }),
        );
        let is_ephemeral = said.body["flags"] == json!(64) || said.only_for.is_some() && said.channel == GENERAL;
        shown["flags"] = json!(if is_ephemeral { 64 } else { 0 });
        let data = json!({ "custom_id": action, "component_type": 2 });
        let (id, _) = self.fake.acts(by, &said.channel, 3, &json!({ "data": data, "message": shown }));
        let answer = self.fake.until("an answer", |world| world.done[&id].answer.clone()).await;
        answered(chat).await;
        answer
    }

    /// Somebody fills in the form of the newest card that has one; files are dropped.
    pub async fn fill(&self, chat: &Chat, by: &str, values: &BTreeMap<String, String>) {
        let (files, texts): (Vec<_>, Vec<_>) = values.iter().partition(|(_, value)| value.starts_with("file:"));
        for (_, file) in files {
            let files = [file.trim_start_matches("file:").to_owned()];
            self.say(chat, &Doing { by, files: &files, ..Doing::default() }).await;
        }
        if texts.is_empty() {
            return;
        }
        let shown = self.shown();
        let found = shown
            .iter()
            .rev()
            .find_map(|shown| Some((shown.id.clone(), shown.card.as_ref()?.labelled("Answer")?.action.clone())));
        let (on, action) = found.expect("a card that asks");
        let window = self.press(chat, by, (&on, &action)).await;
        assert_eq!(window["type"], 9, "a window opens: {window}");
        let rows = window["data"]["components"].as_array().expect("fields");
        let filled: Vec<Value> = rows.iter().map(|row| {
            let field = &row["components"][0];
            let key = field["custom_id"].as_str().expect("a name");
            let value = values.get(key).map_or_else(|| field["value"].clone(), |value| json!(value));
            json!({ "type": 1, "components": [{ "type": 4, "custom_id": key, "value": value.as_str().unwrap_or_default() }] })
        }).collect();
        let data = json!({ "custom_id": window["data"]["custom_id"], "components": filled });
        let said = self.fake.world().said.iter().find(|said| said.id == on).cloned().expect("a message");
        let shown = message(&on, &said.channel, &person("workflow"));
        let (id, _) = self.fake.acts(by, &said.channel, 5, &json!({ "data": data, "message": shown }));
        self.fake.until("an answer", |world| world.done[&id].answer.clone()).await;
        answered(chat).await;
    }

    /// Everything of ours that is shown now.
    pub fn shown(&self) -> Vec<Shown> {
        self.fake.world().said.iter().map(read).collect()
    }
}

/// Somebody whose account here is known: they may what an owner may.
pub async fn introduce(service: &Service, name: &str) {
    let owner = Caller::owner("terminal", "ana");
    service.add_person(&owner, name, Role::Admin).await.expect("taken in");
    let code = service.give_code(&owner, name).await.expect("made").code;
    let visitor = Visitor {
        platform: "discord".to_owned(),
        user: id_of(name),
        name: Some(name.to_owned()),
        standing: Standing::Member,
        ..Visitor::default()
    };
    let caller = service.recognise(visitor).await.expect("recognised");
    service.link(&caller, &code).await.expect("linked");
}

fn received(chat: &Chat) -> u64 {
    chat.service().links().all().iter().map(|link| link.received).sum()
}

async fn answered(chat: &Chat) {
    let all = async {
        while !chat.keeper().unanswered().await.expect("readable").is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), all).await.expect("answered in time");
}

/// A line as the command that people choose; `None`: it can only be typed.
pub fn command(text: &str, files: &[Value]) -> Option<Value> {
    let (verb, rest) = text.strip_prefix("/workflow ").map(|line| line.split_once(' ').unwrap_or((line, "")))?;
    let known = verb == "help" || VERBS.iter().any(|(name, _)| *name == verb);
    if !known || text.contains('\n') || files.len() > 1 {
        return None;
    }
    let mut options = vec![json!({ "type": 3, "name": "arguments", "value": rest })];
    let mut resolved = Map::new();
    for file in files {
        options.push(json!({ "type": 11, "name": "file", "value": file["id"] }));
        resolved.insert(file["id"].as_str().expect("an id").to_owned(), file.clone());
    }
    let options = json!([{ "type": 1, "name": verb, "options": options }]);
    Some(
        json!({ "id": "1", "name": "workflow", "type": 1, "options": options, "resolved": { "attachments": resolved } }),
    )
}

/// A message read back: what people see of it, as a text.
fn read(said: &Said) -> Shown {
    let body = &said.body;
    let mut text = plain(body["content"].as_str().unwrap_or_default());
    let is_run = text.starts_with("Workflow started:");
    let mut card = Card::new(if is_run { CardKind::Run } else { CardKind::Answer }, "");
    for embed in body["embeds"].as_array().into_iter().flatten() {
        text += &format!("\n{}", unblocked(embed["description"].as_str().unwrap_or_default()));
        for field in embed["fields"].as_array().into_iter().flatten() {
            let part = |key: &str| field[key].as_str().unwrap_or_default();
            card = card.field(plain(part("name")), unblocked(part("value")));
        }
    }
    let (asked, fields): (Vec<_>, Vec<_>) = card.fields.drain(..).partition(|field| field.name == "needed");
    let mut table = Card::new(CardKind::Answer, "");
    table.fields = fields;
    text += &format!("\n{}", table.sealed().text);
    for line in asked.iter().flat_map(|field| field.value.lines()).filter(|line| line.starts_with('?')) {
        text += &format!("\n  {}", plain(line));
    }
    for row in body["components"].as_array().into_iter().flatten() {
        for button in row["components"].as_array().into_iter().flatten() {
            let part = |key: &str| button[key].as_str().unwrap_or_default().to_owned();
            card.buttons.push(Button {
                label: part("label"),
                action: part("custom_id"),
                style: Style::Plain,
                confirm: None,
                opens: false,
            });
        }
    }
    let labels =
        card.buttons.iter().filter(|button| button.label != "Answer").map(|button| format!("[{}]", button.label));
    text += &format!("\n{}", labels.collect::<Vec<_>>().join(" "));
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let text = lines.collect::<Vec<_>>().join("\n");
    let only_for = said.only_for.clone();
    Shown { id: said.id.clone(), text, card: Some(card), only_for, is_direct: said.channel != GENERAL }
}

/// Discord's markup taken off, what it protects left.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.extend(chars.next()),
            '*' => {}
            c => plain.push(c),
        }
    }
    plain
}

fn unblocked(text: &str) -> String {
    match text.strip_prefix("```\n").and_then(|text| text.strip_suffix("\n```")) {
        Some(inner) => inner.to_owned(),
        None => plain(text),
    }
}
