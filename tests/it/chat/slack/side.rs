//! Slack's side of the stage: what people do in the fake, and what it shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use workflow::chat::adapter::ChatAdapter;
use workflow::chat::{Chat, Platform, Platforms, configured, slack};
use workflow::domain::card::{Button, Card, CardKind, Form, Style};
use workflow::http::caller::Secret;
use workflow::service::Service;

use super::super::script::fixtures;
use super::super::stage::{Doing, Shown};
use super::fake::{self, Fake, Posted};

/// Slack, connected.
pub struct SlackSide {
    pub fake: Arc<Fake>,
    platform: Arc<dyn Platform>,
    connected: Option<(JoinHandle<()>, CancellationToken)>,
}

/// The settings with which the fake is reached.
pub fn settings(fake: &Fake) -> slack::Settings {
    slack::Settings {
        bot_tokens: vec![Secret::new(fake::TOKEN.to_owned())],
        app_tokens: vec![Secret::new(fake::APP_TOKEN.to_owned())],
        signing_secrets: Vec::new(),
        api_url: format!("{}/api", fake.base),
        upload_limit: 1 << 20,
    }
}

/// A person's id.
pub fn id(name: &str) -> String {
    format!("U{}", name.to_uppercase())
}

fn channel(doing: &Doing<'_>) -> String {
    if doing.direct { format!("D{}", doing.by.to_uppercase()) } else { fake::GENERAL.to_owned() }
}

/// What somebody typed, as Slack passes it on.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl SlackSide {
    pub fn open(service: &Service, fake: Arc<Fake>) -> Self {
        Self::with(service, settings(&fake), fake)
    }

    pub fn with(service: &Service, settings: slack::Settings, fake: Arc<Fake>) -> Self {
        let settings = Platforms { slack: Some(settings), discord: None };
        let mut platforms = configured(service, &settings).expect("good settings");
        Self { fake, platform: platforms.pop().expect("one platform"), connected: None }
    }

    /// The channel in which somebody speaks whom the stage brings by itself.
    pub fn place(user: &str, direct: bool) -> String {
        let channel = if direct { user.replacen('U', "D", 1) } else { fake::GENERAL.to_owned() };
        format!("{}.{channel}", fake::TEAM)
    }

    /// A file of the fixtures, as the adapter names it.
    pub fn file_id(&self, name: &str) -> String {
        format!("{}.{}", fake::TEAM, self.file(name)["id"].as_str().expect("an id"))
    }

    /// What a button does that the stage presses by itself.
    pub async fn action(chat: &Chat, shown: &str) -> String {
        let value = shown.split_once('\n').map_or(shown, |(_, value)| value);
        chat.keeper().action(value).await.expect("readable").unwrap_or_else(|| value.to_owned())
    }

    pub fn adapter(&self) -> Arc<dyn ChatAdapter> {
        Arc::clone(&self.platform) as Arc<dyn ChatAdapter>
    }

    /// Connects, and waits until the fake can be spoken to.
    pub async fn connect(&mut self, chat: &Chat) {
        let stop = CancellationToken::new();
        let task = tokio::spawn(Arc::clone(&self.platform).connect(chat.clone(), stop.clone()));
        self.connected = Some((task, stop));
        self.fake.connected().await;
    }

    pub async fn close(mut self) -> Arc<Fake> {
        if let Some((task, stop)) = self.connected.take() {
            stop.cancel();
            task.await.expect("it ends in good order");
        }
        self.fake.cut();
        self.fake
    }

    pub async fn say(&self, chat: &Chat, doing: &Doing<'_>) {
        let (user, channel) = (id(doing.by), channel(doing));
        let line = doing.text.strip_prefix("/workflow").or_else(|| doing.text.strip_prefix("/wf"));
        let times = 1 + usize::from(doing.twice);
        // Slash commands carry no files and are none in threads: there the app is mentioned.
        if let Some(line) = line.filter(|_| doing.files.is_empty() && doing.thread.is_none()) {
            let command = self.fake.command(&user, &channel, &escaped(line.trim()));
            for _ in 0..times {
                self.fake.bring("slash_commands", &command).await;
            }
        } else {
            let text =
                line.map_or_else(|| escaped(doing.text), |line| format!("<@{}> {}", fake::BOT, escaped(line.trim())));
            let mut event = self.fake.message(&user, &channel, &text);
            if let Some(thread) = &doing.thread {
                event["thread_ts"] = Value::String(thread.clone());
            }
            if !doing.files.is_empty() {
                event["subtype"] = Value::String("file_share".to_owned());
                event["files"] = doing.files.iter().map(|name| self.file(name)).collect();
            }
            self.fake.wrote(&event);
            for _ in 0..times {
                self.fake.bring("events_api", &self.fake.event(&event)).await;
            }
        }
        answered(chat).await;
    }

    /// Somebody reacts to what was written last.
    pub async fn react(&self, chat: &Chat, by: &str, emoji: &str) {
        let on = self.fake.last_written().expect("somebody wrote");
        let event = serde_json::json!({
            "type": "reaction_added", "user": id(by), "reaction": emoji, "event_ts": on["ts"],
            "item": { "type": "message", "channel": on["channel"], "ts": on["ts"] },
        });
        self.fake.bring("events_api", &self.fake.event(&event)).await;
        answered(chat).await;
    }

    fn file(&self, name: &str) -> Value {
        let content = std::fs::read(fixtures().join(name)).expect("a file of the fixtures");
        let name = name.rsplit('/').next().unwrap_or(name);
        self.fake.add_file(name, "application/octet-stream", &content)
    }

    pub async fn press_action(&self, chat: &Chat, by: &str, message: &str, action: &str) {
        let posted = self.fake.messages().into_iter().find(|posted| posted.ts == message).expect("a message");
        let (action_id, value) = action.split_once('\n').expect("made by `shown`");
        self.fake.bring("interactive", &self.fake.press(&id(by), &posted, (action_id, value))).await;
        answered(chat).await;
    }

    /// Opens the form of a message and sends it; a file is dropped.
    pub async fn fill(
        &self,
        chat: &Chat,
        by: &str,
        (message, opener): (&str, &str),
        values: &BTreeMap<String, String>,
    ) {
        let mut typed = Map::new();
        for (key, value) in values {
            match value.strip_prefix("file:") {
                Some(name) => {
                    let files = [name.to_owned()];
                    self.say(chat, &Doing { by, files: &files, ..Doing::default() }).await;
                }
                None => {
                    typed.insert(key.clone(), Value::String(value.clone()));
                }
            }
        }
        if typed.is_empty() {
            return;
        }
        let before = self.fake.views().len();
        self.press_action(chat, by, message, opener).await;
        self.fake.opened(before + 1).await;
        self.fake.bring("interactive", &self.fake.sent_window(&id(by), &typed)).await;
        answered(chat).await;
    }

    /// Everything of ours that is shown now.
    pub fn messages(&self) -> Vec<Shown> {
        self.fake.messages().iter().map(shown).collect()
    }
}

/// A message as the stage knows it: its text, and its buttons with what a press brings.
fn shown(posted: &Posted) -> Shown {
    let text = posted.text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let kind = if text.starts_with("Workflow started: ") { CardKind::Run } else { CardKind::Answer };
    let mut card = Card::new(kind, "");
    let rows = posted.blocks.as_array().into_iter().flatten().filter(|block| block["type"] == "actions");
    for element in rows.flat_map(|row| row["elements"].as_array().into_iter().flatten()) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let action = format!("{}\n{}", text(&element["action_id"]), text(&element["value"]));
        let (label, opens) = (text(&element["text"]["text"]), action.starts_with("open"));
        if opens && label == "Answer" {
            card.form = Some(Form { title: String::new(), submit: action.clone(), fields: Vec::new() });
        }
        card.buttons.push(Button { label, action, style: Style::Plain, confirm: None, opens });
    }
    // What stands in a direct conversation and is no run is an answer to its person.
    let direct =
        (posted.channel.starts_with('D') && kind != CardKind::Run).then(|| posted.channel.replacen('D', "U", 1));
    let only_for = posted.only_for.clone().or(direct).map(|user| name(&user));
    Shown { id: posted.ts.clone(), text, card: Some(card), only_for, is_direct: false }
}

/// What a conversation file calls somebody: the owner and their like by name, others by their id.
fn name(user: &str) -> String {
    let is_plain = user.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_plain { user.trim_start_matches('U').to_lowercase() } else { user.to_owned() }
}

/// Waits until everything that was kept is answered.
pub async fn answered(chat: &Chat) {
    let all = async {
        while !chat.keeper().unanswered().await.expect("readable").is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), all).await.expect("answered in time");
}
