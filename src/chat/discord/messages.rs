//! What people write: what is meant for us goes on, everything else is left where it is.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use serenity::model::channel::{Message, MessageType, Reaction, ReactionType};
use serenity::model::guild::Member;

use super::adapter::{Discord, PLATFORM};
use super::files;
use super::interactions::Desk;
use super::places::Kind;
use super::rest::{Call, RestError};
use crate::chat::adapter::{Address, ChatAdapter as _, Inbound, Standing, What, Written};
use crate::chat::grammar::{self, Place};
use crate::service::Count;
use crate::service::conversations::Whereabouts;

/// What is missing where texts come empty.
pub const CONTENT_INTENT: &str = "intent Message Content: in the developer portal, Bot, Privileged Gateway Intents";
/// How long a place in the channel's queue is waited for.
const PLACE: Duration = Duration::from_secs(10);
/// Executions of a person that are looked at for one that may want a file.
const LOOKED_AT: u32 = 10;
/// Messages that are remembered, for when they are changed or taken back.
const MOST: usize = 5_000;

/// Messages that were meant for us, for when they are changed.
#[derive(Default)]
pub struct Heard {
    heard: Mutex<(HashMap<String, Inbound>, VecDeque<String>)>,
    empty: AtomicBool,
}

impl Heard {
    fn keep(&self, id: &str, inbound: &Inbound) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let (messages, order) = &mut *heard;
        let bare = Inbound { what: What::Edited, ..inbound.clone() };
        if messages.insert(id.to_owned(), bare).is_none() {
            order.push_back(id.to_owned());
        }
        if order.len() > MOST
            && let Some(oldest) = order.pop_front()
        {
            messages.remove(&oldest);
        }
    }

    fn find(&self, id: &str) -> Option<Inbound> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).0.get(id).cloned()
    }
}

impl Desk {
    /// Takes a message in, if it is meant for us.
    ///
    /// # Errors
    /// Discord cannot be asked where it was written, or the store fails: it may be brought again.
    pub async fn written(&self, message: &Message) -> Result<(), String> {
        let Some(inbound) = self.meant(message).await.map_err(|error| error.to_string())? else { return Ok(()) };
        self.discord.links().count(PLATFORM, Count::Received);
        let id = message.id.to_string();
        self.discord.heard.keep(&id, &inbound);
        match self.chat.receive_within(inbound, PLACE).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => {
                self.refuse(message).await;
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Takes a reaction in, if a workflow waits for it.
    ///
    /// # Errors
    /// Discord cannot be asked where it was made, or the store fails.
    pub async fn reacted(&self, reaction: &Reaction) -> Result<(), String> {
        let (Some(ourselves), Some(user)) = (self.discord.ourselves(), reaction.user_id) else { return Ok(()) };
        let (user, message) = (user.to_string(), reaction.message_id.to_string());
        let is_bot = reaction.member.as_ref().is_some_and(|member| member.user.bot);
        let emoji = match &reaction.emoji {
            ReactionType::Unicode(sign) => sign.clone(),
            ReactionType::Custom { name, id, .. } => name.clone().unwrap_or_else(|| id.to_string()),
            _ => return Ok(()),
        };
        let service = self.chat.service();
        if is_bot
            || user == ourselves.user
            || !service.waits_for_reaction(&emoji).await.map_err(|error| error.to_string())?
        {
            return Ok(());
        }
        self.discord.links().count(PLATFORM, Count::Received);
        let channel = reaction.channel_id.to_string();
        let is_direct = reaction.guild_id.is_none();
        let mut from = Address { platform: PLATFORM.to_owned(), channel: channel.clone(), thread: None };
        if !is_direct
            && let Kind::Thread(parent) =
                self.discord.places.kind(&self.discord.rest, &channel).await.map_err(|error| error.to_string())?
        {
            (from.channel, from.thread) = (parent, Some(channel));
        }
        let member = reaction.member.as_ref();
        let shown =
            |member: &Member| member.nick.clone().or_else(|| member.user.global_name.as_deref().map(str::to_owned));
        let inbound = Inbound {
            // Taken back and made again, it is the same one.
            key: format!("{PLATFORM}:{message}:{user}:{emoji}"),
            from,
            name: member.and_then(|member| shown(member).or_else(|| Some(member.user.name.clone()))),
            user,
            workspace: None,
            standing: if member.is_some_and(|member| member.pending) { Standing::Guest } else { Standing::Member },
            handle: None,
            is_direct,
            message: None,
            what: What::Reacted { message, emoji },
        };
        match self.chat.receive_within(inbound, PLACE).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err("too much is being done there at once".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Somebody changed what they had written.
    pub async fn changed(&self, id: &str, at: &str) {
        self.again(id, What::Edited, &format!("edited:{at}")).await;
    }

    /// Somebody took back what they had written.
    pub async fn taken_back(&self, id: &str) {
        self.again(id, What::Deleted, "deleted").await;
    }

    async fn again(&self, id: &str, what: What, how: &str) {
        let Some(inbound) = self.discord.heard.find(id) else { return };
        let inbound = Inbound { key: format!("{PLATFORM}:{id}:{how}"), what, ..inbound };
        if let Err(error) = self.chat.receive_within(inbound, PLACE).await {
            tracing::warn!(%error, "that a message was changed is not kept");
        }
    }

    /// Says that nothing was started.
    async fn refuse(&self, message: &Message) {
        let (channel, id) = (message.channel_id.to_string(), message.id.to_string());
        let body = json!({
            "content": "Too much is being said here at once: nothing was started. Say it again in a moment.",
            "message_reference": { "message_id": id, "fail_if_not_exists": false },
            "allowed_mentions": { "parse": [] },
            "nonce": format!("busy{id}"),
            "enforce_nonce": true,
        });
        let call = Call::new("POST /channels/messages", &channel, format!("/channels/{channel}/messages"));
        if let Err(error) = self.discord.rest.send(call.body(&body).patient(Duration::from_secs(60))).await {
            tracing::warn!(%error, "that too much was said cannot be said");
        }
    }

    /// The message as something that is meant for us; `None`: it is not.
    async fn meant(&self, message: &Message) -> Result<Option<Inbound>, RestError> {
        let Some(ourselves) = self.discord.ourselves() else { return Ok(None) };
        let is_talk = matches!(message.kind, MessageType::Regular | MessageType::InlineReply);
        if !is_talk || message.author.bot || message.author.system || message.webhook_id.is_some() {
            return Ok(None);
        }
        let is_direct = message.guild_id.is_none();
        let is_called = message.mentions.iter().any(|user| user.id.to_string() == ourselves.user)
            || message.mention_roles.iter().any(|role| self.discord.places.is_our_role(&role.to_string()));
        if !is_direct && !is_called {
            self.look_for_texts(message);
        }
        let nobody = Place { names: self.discord.traits().names, is_open: false, run: None };
        let begins = !matches!(grammar::hear(&message.content, &nobody), Ok(grammar::Heard::Nothing))
            || self.is_word(&message.content).await;
        let answered = message.referenced_message.as_ref().filter(|said| said.author.id.to_string() == ourselves.user);
        let user = message.author.id.to_string();
        let from = self.place(message, answered.map(|said| said.id.to_string()).as_deref()).await?;
        if is_direct {
            self.discord.places.note_direct(&user, &from.channel);
        } else if !is_called && !begins && answered.is_none() && !self.is_awaited(message, &from, &user).await {
            return Ok(None);
        }
        Ok(Some(inbound(&self.discord, message, from, &ourselves.user)))
    }

    /// Whether a workflow waits for the word with which something begins, where nobody needs to be spoken to.
    async fn is_word(&self, content: &str) -> bool {
        content.trim_start().starts_with('!')
            && self.chat.service().command_in(content).await.is_ok_and(|word| word.is_some())
    }

    /// Where it was written: the thread beneath a message, or the message that it answers, stands for a thread.
    async fn place(&self, message: &Message, answered: Option<&str>) -> Result<Address, RestError> {
        let channel = message.channel_id.to_string();
        let here = Address { platform: PLATFORM.to_owned(), channel: channel.clone(), thread: None };
        if message.guild_id.is_some()
            && let Kind::Thread(parent) = self.discord.places.kind(&self.discord.rest, &channel).await?
        {
            return Ok(Address { channel: parent, thread: Some(channel), ..here });
        }
        Ok(Address { thread: answered.map(str::to_owned), ..here })
    }

    /// Whether a message that does not speak to us is meant for us all the same: a document, something in the thread
    /// beneath a card, a file while something of theirs is under way there. Pictures are people's own business.
    async fn is_awaited(&self, message: &Message, from: &Address, user: &str) -> bool {
        if message.attachments.iter().any(|file| is_document(&file.filename)) {
            return true;
        }
        if !message.attachments.is_empty() && self.chat.service().waits_for_files().await.unwrap_or(true) {
            return true;
        }
        let beneath = from.thread.as_deref();
        if beneath.is_none() && message.attachments.is_empty() {
            return false;
        }
        let requester = beneath.is_none().then_some(user);
        let place = Whereabouts { platform: PLATFORM, channel: &from.channel, thread: beneath, requester };
        match self.chat.keeper().cards_in(place, LOOKED_AT).await {
            Ok(cards) => cards.iter().any(|card| beneath.is_some() || !card.is_final),
            Err(error) => {
                tracing::warn!(%error, "whether a card stands above cannot be read");
                false
            }
        }
    }

    /// Messages that come without their text: the intent is not granted.
    fn look_for_texts(&self, message: &Message) {
        let is_empty = message.content.is_empty()
            && message.attachments.is_empty()
            && message.embeds.is_empty()
            && message.sticker_items.is_empty();
        if is_empty && message.kind == MessageType::Regular && !self.discord.heard.empty.swap(true, Ordering::Relaxed) {
            self.discord.lacks(CONTENT_INTENT, true);
        }
    }
}

/// Reads a message again.
pub async fn read(discord: &Discord, at: &Address, message: &str) -> Option<Written> {
    let channel = at.thread.as_ref().unwrap_or(&at.channel);
    let call = Call::new("GET /channels/messages/one", channel, format!("/channels/{channel}/messages/{message}"));
    let read = discord.rest.send(call.patient(PLACE)).await;
    let read = read.inspect_err(|error| tracing::warn!(%error, "a message cannot be read again")).ok()?;
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let by = read["author"]["global_name"].as_str().map_or_else(|| text(&read["author"]["username"]), str::to_owned);
    let files =
        read["attachments"].as_array().into_iter().flatten().map(|file| {
            files::named(&text(&file["url"]), &text(&file["filename"]), file["size"].as_u64().unwrap_or(0))
        });
    Some(Written { text: text(&read["content"]), by, files: files.collect(), thread: Some(message.to_owned()) })
}

/// Whether it is what a workflow starts on by itself; what it is in truth says its content, once it is here.
fn is_document(name: &str) -> bool {
    let name = name.to_lowercase();
    [".pdf", ".docx"].iter().any(|end| name.ends_with(end))
}

fn inbound(discord: &Discord, message: &Message, from: Address, us: &str) -> Inbound {
    let name = message.member.as_ref().and_then(|member| member.nick.clone());
    let name = name.or_else(|| message.author.global_name.as_deref().map(str::to_owned));
    let file =
        |file: &serenity::model::channel::Attachment| files::named(&file.url, &file.filename, u64::from(file.size));
    let guild = message.guild_id.map(|guild| guild.to_string());
    Inbound {
        key: format!("{PLATFORM}:{}", message.id),
        from,
        user: message.author.id.to_string(),
        name: Some(name.unwrap_or_else(|| message.author.name.clone())),
        workspace: Some(discord.places.home(&message.author.id.to_string(), guild.as_deref())),
        standing: match &message.member {
            Some(member) if member.pending => Standing::Guest,
            _ => Standing::Member,
        },
        handle: None,
        is_direct: message.guild_id.is_none(),
        message: Some(message.id.to_string()),
        what: What::Said { text: plain(discord, message, us), files: message.attachments.iter().map(file).collect() },
    }
}

/// The text with names in the places of ids.
fn plain(discord: &Discord, message: &Message, us: &str) -> String {
    let mut text = message.content.clone();
    for form in [format!("<@{us}>"), format!("<@!{us}>")] {
        text = text.replace(&form, "@workflow");
    }
    for role in message.mention_roles.iter().filter(|role| discord.places.is_our_role(&role.to_string())) {
        text = text.replace(&format!("<@&{role}>"), "@workflow");
    }
    for user in &message.mentions {
        let name = user.name.replace(['|', '<', '>'], "");
        for form in [format!("<@{}>", user.id), format!("<@!{}>", user.id)] {
            text = text.replace(&form, &format!("<@{}|{name}>", user.id));
        }
    }
    // Called at the end, or in the middle: it is said to us all the same.
    let called = text.trim_start().starts_with("@workflow") || text.trim_start().starts_with('/');
    if !called && text.contains("@workflow") {
        text = format!("@workflow {}", text.replace("@workflow", "").trim());
    }
    text
}

impl Discord {
    /// Whether a message was meant for us.
    pub(super) fn is_ours(&self, id: &str) -> bool {
        self.heard.find(id).is_some()
    }
}
