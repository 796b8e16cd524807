//! Events: what people write and drop, our own messages coming back, the home tab, the end of a token.
//!
//! One message can come as several events, and each event several times; its channel and time make the one key of them all.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::calls::CallError;
use super::files::named;
use super::receive::{Ack, Done, Kept, inbound, pressed};
use super::render;
use super::text::typed;
use super::workspace::Workspace;
use super::{PLATFORM, Slack};
use crate::chat::Chat;
use crate::chat::adapter::{Address, FileRef, What, Written};
use crate::chat::grammar::normalise::folded;
use crate::domain::card::Card;
use crate::service::conversations::Whereabouts;

/// How long the message of a file is waited for: it says more than the event of the file alone.
const MESSAGE_FIRST: Duration = Duration::from_secs(3);
/// Files that are remembered as having come with their message.
const FILES: usize = 10_000;

/// How long Slack is let be silent before a message is read again.
const PATIENCE: Duration = Duration::from_secs(30);

/// Blocks of the tab at the most.
const BLOCKS: usize = 100;
/// What it shows: a line as it would be said, in this order.
const SHOWN: [&str; 2] = ["status", "inbox"];

/// A message, as far as it matters.
struct Heard<'m> {
    channel: &'m str,
    ts: &'m str,
    thread: Option<String>,
    user: &'m str,
    is_foreign: bool,
    text: String,
    files: Vec<FileRef>,
}

impl Slack {
    pub(super) async fn event(self: &Arc<Self>, chat: &Chat, workspace: &Arc<Workspace>, payload: &Value) -> Ack {
        let event = &payload["event"];
        match event["type"].as_str().unwrap_or_default() {
            "message" | "app_mention" => self.message(chat, workspace, event).await,
            "file_shared" => {
                self.file_shared(chat, workspace, event);
                Ack::Done
            }
            "reaction_added" => self.reaction(chat, workspace, event).await,
            "app_home_opened" if event["tab"].as_str().is_none_or(|tab| tab == "home") => {
                self.show_home(chat, workspace, event["user"].as_str().unwrap_or_default(), Duration::ZERO);
                Ack::Done
            }
            "app_uninstalled" => {
                workspace.refuse("account_inactive");
                Ack::Done
            }
            "tokens_revoked" if event["tokens"]["bot"].as_array().is_some_and(|tokens| !tokens.is_empty()) => {
                workspace.refuse("token_revoked");
                Ack::Done
            }
            _ => Ack::Done,
        }
    }

    async fn message(&self, chat: &Chat, workspace: &Workspace, event: &Value) -> Ack {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let channel = text(&event["channel"]);
        workspace.is_inside(&channel);
        let (message, happened) = match event["subtype"].as_str().unwrap_or_default() {
            "" | "file_share" | "thread_broadcast" | "me_message" => (event, None),
            "message_changed" if event["message"]["text"] == event["previous_message"]["text"] => return Ack::Done,
            "message_changed" => (&event["message"], Some(What::Edited)),
            "message_deleted" => {
                self.echoes.forget(event["deleted_ts"].as_str().unwrap_or_default());
                (&event["previous_message"], Some(What::Deleted))
            }
            // Somebody joined, a topic changed, a bot said something.
            _ => return Ack::Done,
        };
        if self.is_of_a_bot(workspace, message) {
            return Ack::Done;
        }
        let written = written(workspace, &channel, message);
        if written.user.is_empty() || written.ts.is_empty() || !self.is_for_us(chat, workspace, &written).await {
            return Ack::Done;
        }
        let key = match happened {
            None => format!("{channel}:{}", written.ts),
            Some(_) => format!("{channel}:{}:{}", written.ts, text(&event["event_ts"])),
        };
        self.keep_written(chat, workspace, written, key, happened).await
    }

    /// Our own messages and those of other bots are nobody's words; our own say that they are there.
    fn is_of_a_bot(&self, workspace: &Workspace, message: &Value) -> bool {
        let bot = message["bot_id"].as_str().unwrap_or_default();
        let is_ours = bot == workspace.bot_id || message["user"].as_str() == Some(&workspace.bot_user);
        if is_ours && let Some(ts) = message["ts"].as_str() {
            for mark in
                message["blocks"].as_array().into_iter().flatten().filter_map(|block| block["block_id"].as_str())
            {
                self.echoes.heard(mark, ts);
            }
        }
        is_ours || !bot.is_empty()
    }

    /// Whether a message can be meant for us. What cannot is not kept: people talk of other things.
    async fn is_for_us(&self, chat: &Chat, workspace: &Workspace, written: &Heard<'_>) -> bool {
        // As it is compared later: a full-width prefix is a prefix.
        let start = folded(&written.text.trim_start().chars().take(20).collect::<String>());
        let is_spoken_to = ["@workflow", "@bot", "/workflow", "/wf"].iter().any(|prefix| start.starts_with(prefix));
        if is_spoken_to || written.channel.starts_with('D') || !written.files.is_empty() {
            return true;
        }
        // A word that begins so is heard without being spoken to, where a workflow waits for it.
        if start.starts_with('!') && self.service.command_in(&written.text).await.is_ok_and(|word| word.is_some()) {
            return true;
        }
        let Some(thread) = &written.thread else { return false };
        let channel = format!("{}.{}", workspace.team, written.channel);
        let place = Whereabouts { platform: PLATFORM, channel: &channel, thread: Some(thread), requester: None };
        match chat.keeper().cards_in(place, 1).await {
            Ok(cards) => !cards.is_empty(),
            Err(_) => true, // it is kept, or comes again
        }
    }

    /// Somebody reacted to a message. What no workflow waits for is not kept.
    async fn reaction(&self, chat: &Chat, workspace: &Workspace, event: &Value) -> Ack {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (user, emoji, at) = (text(&event["user"]), text(&event["reaction"]), text(&event["event_ts"]));
        let (channel, ts) = (text(&event["item"]["channel"]), text(&event["item"]["ts"]));
        if event["item"]["type"] != "message" || user.is_empty() || ts.is_empty() || user == workspace.bot_user {
            return Ack::Done;
        }
        match self.service.waits_for_reaction(&emoji).await {
            Ok(true) => {}
            Ok(false) => return Ack::Done,
            Err(_) => return Ack::Again,
        }
        let person = workspace.person(&user, false).await;
        let done = Done {
            key: format!("{channel}:{ts}:{user}:{emoji}:{at}"),
            from: workspace.address(&channel, None),
            is_direct: channel.starts_with('D'),
            user: &user,
            handle: None,
            message: None,
        };
        match self.keep(chat, inbound(workspace, person, done, What::Reacted { message: ts, emoji })).await {
            Kept::Taken => Ack::Done,
            _ => Ack::Again,
        }
    }

    /// Reads a message again.
    pub(super) async fn read_again(&self, workspace: &Workspace, at: &Address, ts: &str) -> Option<Written> {
        let channel = at.channel.split_once('.').map_or(at.channel.as_str(), |(_, channel)| channel);
        let asked = json!({ "channel": channel, "ts": ts, "limit": "1", "inclusive": "true" });
        let answer = match workspace.call("conversations.replies", &asked).await {
            Err(CallError::Busy(wait)) if wait <= PATIENCE => {
                tokio::time::sleep(wait).await;
                workspace.call("conversations.replies", &asked).await
            }
            answer => answer,
        };
        let answer = answer.inspect_err(|error| tracing::warn!(%error, "a message cannot be read again")).ok()?;
        let message = answer["messages"].as_array()?.iter().find(|message| message["ts"] == ts)?;
        let text = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
        let by = workspace.person(&text("user"), false).await.name.unwrap_or_else(|| text("user"));
        Some(Written {
            text: typed(&text("text"), &workspace.bot_user),
            by,
            files: named(&workspace.team, &message["files"]),
            thread: Some(message["thread_ts"].as_str().unwrap_or(ts).to_owned()),
        })
    }

    async fn keep_written(
        &self,
        chat: &Chat,
        workspace: &Workspace,
        written: Heard<'_>,
        key: String,
        happened: Option<What>,
    ) -> Ack {
        let person = workspace.person(written.user, written.is_foreign).await;
        self.came_along(&written.files);
        let done = Done {
            key,
            from: workspace.address(written.channel, written.thread),
            is_direct: written.channel.starts_with('D'),
            user: written.user,
            handle: None,
            message: Some(written.ts),
        };
        let what = happened.unwrap_or(What::Said { text: written.text, files: written.files });
        match self.keep(chat, inbound(workspace, person, done, what)).await {
            Kept::Taken => Ack::Done,
            _ => Ack::Again,
        }
    }

    /// Notes that files came with their message.
    fn came_along(&self, files: &[FileRef]) {
        let mut seen = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() > FILES {
            seen.clear();
        }
        seen.extend(files.iter().map(|file| file.id.clone()));
    }

    /// A file was shared. Its message tells more and usually comes as well; the event of the file alone counts when it does not.
    fn file_shared(self: &Arc<Self>, chat: &Chat, workspace: &Arc<Workspace>, event: &Value) {
        let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
        let (id, user, channel) = (text("file_id"), text("user_id"), text("channel_id"));
        if id.is_empty() || channel.is_empty() || user == workspace.bot_user {
            return;
        }
        let (slack, chat, workspace) = (Arc::clone(self), chat.clone(), Arc::clone(workspace));
        tokio::spawn(async move {
            tokio::time::sleep(MESSAGE_FIRST).await;
            let known = format!("{}.{id}", workspace.team);
            let came = slack.files.lock().unwrap_or_else(PoisonError::into_inner).contains(&known);
            if !came {
                slack.take_alone(&chat, &workspace, &id, &channel).await;
            }
        });
    }

    /// Takes a file in whose message did not come, under the key that its message would have.
    async fn take_alone(&self, chat: &Chat, workspace: &Workspace, id: &str, channel: &str) {
        let answer = match workspace.call("files.info", &json!({ "file": id })).await {
            Ok(answer) => answer,
            Err(error) => return tracing::warn!(%error, "a file was shared and cannot be looked at"),
        };
        let file = &answer["file"];
        let shares = ["public", "private"].iter().find_map(|kind| file["shares"][kind][channel].get(0));
        let Some((share, ts)) = shares.and_then(|share| Some((share, share["ts"].as_str()?))) else {
            return tracing::warn!("a file was shared and its message cannot be found");
        };
        let written = Heard {
            channel,
            ts,
            thread: share["thread_ts"].as_str().map(str::to_owned),
            user: file["user"].as_str().unwrap_or_default(),
            is_foreign: is_foreign(workspace, file),
            text: String::new(),
            files: named(&workspace.team, &json!([file])),
        };
        let key = format!("{channel}:{ts}");
        if self.keep_written(chat, workspace, written, key, None).await != Ack::Done {
            tracing::warn!("a file was shared and could not be kept");
        }
    }
}

impl Slack {
    /// Draws the home tab of a person, after this time.
    pub(super) fn show_home(self: &Arc<Self>, chat: &Chat, workspace: &Arc<Workspace>, user: &str, after: Duration) {
        let (slack, chat, workspace, user) = (Arc::clone(self), chat.clone(), Arc::clone(workspace), user.to_owned());
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            if let Err(why) = slack.draw_home(&chat, &workspace, &user).await {
                tracing::warn!(%why, "a home tab is not drawn");
            }
        });
    }

    async fn draw_home(&self, chat: &Chat, workspace: &Workspace, user: &str) -> Result<(), String> {
        let person = workspace.person(user, false).await;
        let direct = workspace.direct(user).await.map_err(|error| error.to_string())?;
        let from = workspace.address(&direct, None);
        let done = Done { key: "home".to_owned(), from, is_direct: true, user, handle: None, message: None };
        let asks = inbound(workspace, person, done, pressed("", String::new(), Map::new()));
        let mut blocks = Vec::new();
        for line in SHOWN {
            let Some(card) = chat.look(&asks, line).await else { continue };
            blocks.extend(self.part(card, line).await?);
        }
        let how = "Say `help` in our conversation, or `/workflow help` anywhere.";
        blocks.truncate(BLOCKS - 1);
        blocks.push(json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": how }] }));
        let view = json!({ "type": "home", "blocks": blocks });
        let published = workspace.call("views.publish", &json!({ "user_id": user, "view": view })).await;
        published.map(|_| ()).map_err(|error| error.to_string())
    }

    /// One card of the tab. The ids of its blocks and buttons are its own: two cards stand on one tab.
    async fn part(&self, mut card: Card, name: &str) -> Result<Vec<Value>, String> {
        for button in &mut card.buttons {
            button.action = self.shortener.short(&button.action).await.map_err(|error| error.to_string())?;
        }
        let mut blocks = render::draw(&card, &format!("home.{name}")).blocks;
        blocks.push(json!({ "type": "divider" }));
        Ok(blocks)
    }
}

fn written<'m>(workspace: &Workspace, channel: &'m str, message: &'m Value) -> Heard<'m> {
    let ts = message["ts"].as_str().unwrap_or_default();
    let thread = message["thread_ts"].as_str().filter(|thread| *thread != ts).map(str::to_owned);
    let raw = message["text"].as_str().unwrap_or_default();
    // Whoever is mentioned in the middle is spoken to from there on.
    let from = raw.find(&format!("<@{}", workspace.bot_user)).unwrap_or(0);
    Heard {
        channel,
        ts,
        thread,
        user: message["user"].as_str().unwrap_or_default(),
        is_foreign: is_foreign(workspace, message),
        text: typed(&raw[from..], &workspace.bot_user),
        files: named(&workspace.team, &message["files"]),
    }
}

/// Whether something comes from another workspace, by a channel that both share.
fn is_foreign(workspace: &Workspace, told: &Value) -> bool {
    let team = ["user_team", "source_team", "team"].iter().find_map(|key| told[key].as_str());
    team.is_some_and(|team| team != workspace.team)
}
