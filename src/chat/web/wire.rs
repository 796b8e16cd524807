//! Messages as they go over the wire.

use serde::Serialize;

use crate::domain::card::Card;
use crate::service::conversations::{Attached, Channel, Message};

/// Who wrote a message.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Author {
    /// The name.
    pub name: String,
    /// `person` or `workflow`.
    pub kind: &'static str,
}

/// A message.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ChatMessage {
    /// Its id; threads begin under it.
    pub id: String,
    /// The number of its last change in its channel.
    pub seq: u64,
    /// The number under which it came: messages stand in this order.
    pub posted: u64,
    /// Its channel.
    pub channel: String,
    /// The message under which it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// Who wrote it.
    pub author: Author,
    /// When it came; RFC 3339.
    pub at: String,
    /// When it was changed; RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<String>,
    /// The whole message as plain text.
    pub text: String,
    /// The same as a card: kind, title, verdict, lines, fields, buttons, form.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub card: Option<Card>,
    /// Files that came with it.
    #[schema(value_type = Vec<Object>)]
    pub files: Vec<Attached>,
    /// The only person who sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visible_to: Option<String>,
    /// The id that the sender's program gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

impl From<Message> for ChatMessage {
    fn from(message: Message) -> Self {
        let kind = if message.is_person { "person" } else { "workflow" };
        Self {
            id: message.id,
            seq: message.seq,
            posted: message.posted,
            channel: message.channel,
            thread: message.thread,
            author: Author { name: message.author, kind },
            at: message.at.to_string(),
            edited_at: message.edited_at.map(|at| at.to_string()),
            text: message.text,
            card: message.card,
            files: message.files,
            visible_to: message.visible_to,
            client_id: message.client_id,
        }
    }
}

/// A channel.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ChatChannel {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `channel`: everybody's; `direct`: yours with the workflows alone.
    pub kind: &'static str,
    /// The number of its newest change.
    pub last_seq: u64,
}

impl From<Channel> for ChatChannel {
    fn from(channel: Channel) -> Self {
        let kind = if channel.member.is_some() { "direct" } else { "channel" };
        Self { id: channel.id, name: channel.name, kind, last_seq: channel.last_seq }
    }
}

/// A message on the WebSocket: new, or changed.
#[derive(Debug, Clone, Serialize)]
pub struct MessageFrame {
    /// `message`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The message.
    pub message: ChatMessage,
}
