//! The REST side of the web chat. Everything that is said is kept before it is acknowledged; answers come as messages.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::wire::{ChatChannel, ChatMessage};
use super::{Saying, WebChat};
use crate::chat::Chat;
use crate::domain::id::FileId;
use crate::http::caller::Who;
use crate::http::json::{self, Body, Json};
use crate::http::paging::{Asked, Page};
use crate::http::problem::Problem;
use crate::service::conversations::Channel;

/// Characters of a message at the most: the grammar refuses long ones far earlier, in words.
const LONGEST_TEXT: usize = 200_000;
/// Files of one message at the most.
const MOST_FILES: usize = 20;
/// Characters of an id that a browser makes up.
const LONGEST_ID: usize = 100;

#[derive(Clone)]
struct Desk {
    chat: Chat,
    web: Arc<WebChat>,
}

/// The routes.
pub fn router(chat: Chat, web: Arc<WebChat>) -> OpenApiRouter {
    OpenApiRouter::default()
        .routes(routes!(channels))
        .routes(routes!(messages, say))
        .routes(routes!(press))
        .routes(routes!(candidates))
        .with_state(Desk { chat, web })
}

/// The channels that the caller sees.
#[utoipa::path(get, path = "/api/chat/channels", tag = "chat", responses((status = 200, body = Channels)))]
async fn channels(State(desk): State<Desk>, Who(caller): Who) -> Result<Json, Problem> {
    let channels = desk.web.channels(&caller.name).await?;
    Ok(json::answer(&Channels { channels: channels.into_iter().map(ChatChannel::from).collect() }))
}

#[derive(Serialize, utoipa::ToSchema)]
struct Channels {
    /// The channels.
    channels: Vec<ChatChannel>,
}

/// A page of a channel, newest first; `before` is `next` of the page before.
#[utoipa::path(get, path = "/api/chat/{channel}/messages", tag = "chat",
    params(("channel" = String, Path), ("limit" = Option<i64>, Query), ("before" = Option<String>, Query)),
    responses((status = 200, body = Messages)))]
async fn messages(
    State(desk): State<Desk>,
    Who(caller): Who,
    Path(channel): Path<String>,
    Asked(page): Asked<Page>,
) -> Result<Json, Problem> {
    let channel = seen(&desk, &channel, &caller.name).await?;
    let before = match page.before.as_deref().map(str::parse::<u64>) {
        None => u64::MAX,
        Some(Ok(before)) => before,
        Some(Err(_)) => return Err(Problem::unfit("before", "it must be the `next` of the page before")),
    };
    let found = desk.web.before(&channel.id, before, &caller.name, page.limit()).await?;
    let full = found.len() == page.limit() as usize;
    let next = found.last().filter(|_| full).map(|message| message.posted.to_string());
    Ok(json::answer(&Messages { messages: found.into_iter().map(ChatMessage::from).collect(), next }))
}

#[derive(Serialize, utoipa::ToSchema)]
struct Messages {
    /// The messages, newest first.
    messages: Vec<ChatMessage>,
    /// What to give as `before` for the page after this one.
    next: Option<String>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Said {
    /// An id that the sender makes up: the same for the same message, however often it is sent.
    client_id: String,
    /// What was typed.
    #[serde(default)]
    text: String,
    /// Files that were uploaded before.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    files: Vec<FileId>,
    /// The message under which it stands.
    #[serde(default)]
    thread: Option<String>,
}

/// Says something in a channel. Acknowledged once it is kept; the answer comes as a message.
#[utoipa::path(post, path = "/api/chat/{channel}/messages", tag = "chat", request_body = Said,
    params(("channel" = String, Path)), responses((status = 200)))]
async fn say(
    State(desk): State<Desk>,
    Who(caller): Who,
    Path(channel): Path<String>,
    Body(said): Body<Said>,
) -> Result<Json, Problem> {
    let channel = seen(&desk, &channel, &caller.name).await?;
    if said.client_id.is_empty() || said.client_id.chars().count() > LONGEST_ID {
        return Err(Problem::unfit("client_id", format!("it must have 1 to {LONGEST_ID} characters")));
    }
    if said.text.chars().nth(LONGEST_TEXT).is_some() {
        return Err(Problem::unfit("text", format!("it must have at most {LONGEST_TEXT} characters")));
    }
    if said.files.len() > MOST_FILES {
        return Err(Problem::unfit("files", format!("at most {MOST_FILES} come with one message")));
    }
    if let Some(thread) = &said.thread {
        let known = desk.web.message(thread, &caller.name).await?;
        if known.is_none_or(|message| message.channel != channel.id) {
            return Err(Problem::absent("thread", thread, None));
        }
    }
    let mut files = Vec::new();
    for file in said.files {
        files.push(desk.chat.service().file(file).await?);
    }
    let saying = Saying { client_id: said.client_id, text: said.text, files, thread: said.thread };
    let receipt = desk.web.say(&desk.chat, &channel, &caller.name, saying).await?;
    Ok(json::answer(&json!({ "accepted": true, "duplicate": receipt.duplicate })))
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Pressed {
    /// The message on which the button stands.
    message_id: String,
    /// The action of the button or of the form, as the card carries it.
    action: String,
    /// What was filled in.
    #[serde(default)]
    #[schema(value_type = Object)]
    values: Map<String, Value>,
}

/// Presses a button or sends a form. Acknowledged once it is kept; what comes of it is seen on cards.
#[utoipa::path(post, path = "/api/chat/{channel}/actions", tag = "chat", request_body = Pressed,
    params(("channel" = String, Path)), responses((status = 200)))]
async fn press(
    State(desk): State<Desk>,
    Who(caller): Who,
    Path(channel): Path<String>,
    Body(pressed): Body<Pressed>,
) -> Result<Json, Problem> {
    let channel = seen(&desk, &channel, &caller.name).await?;
    let message = desk.web.message(&pressed.message_id, &caller.name).await?;
    let Some(message) = message.filter(|message| message.channel == channel.id) else {
        return Err(Problem::absent("message", &pressed.message_id, None));
    };
    desk.web.press(&desk.chat, &caller.name, (&message, &pressed.action), pressed.values).await?;
    Ok(json::answer(&json!({ "accepted": true })))
}

#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    text: String,
}

/// What a line that is being typed could go on with.
#[utoipa::path(get, path = "/api/chat/complete", tag = "chat", params(("text" = String, Query)),
    responses((status = 200)))]
async fn candidates(State(desk): State<Desk>, Who(caller): Who, Asked(typed): Asked<Typed>) -> Result<Json, Problem> {
    let candidates = desk.chat.candidates(&desk.web.typing(&caller.name), &typed.text).await?;
    Ok(json::answer(&json!({ "candidates": candidates })))
}

/// The channel, if the caller sees it. Somebody else's is as absent as one that was never there.
async fn seen(desk: &Desk, channel: &str, person: &str) -> Result<Channel, Problem> {
    let found = desk.web.channel(channel, person).await?;
    found.ok_or_else(|| Problem::absent("channel", channel, None))
}
