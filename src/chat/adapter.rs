//! What a platform must be able to do to carry conversations, and what comes in from it. Differences between platforms
//! are data ([`Traits`]), never optional methods: the web chat, the terminal and whatever follows run one code.

use std::time::Duration;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::card::{Card, Form};
pub use crate::domain::role::Standing;
use crate::service::{FileRecord, ServiceError};

/// Where something is said: a channel of a platform, perhaps a thread in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// The platform's name.
    pub platform: String,
    /// The channel's id there.
    pub channel: String,
    /// The thread there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
}

impl Address {
    /// The address as history keeps it, with the thread; reads back with [`Address::parse`].
    #[must_use]
    pub fn text(&self) -> String {
        let thread = self.thread.as_ref().map(|thread| format!("/{thread}")).unwrap_or_default();
        format!("{}:{}{thread}", self.platform, self.channel)
    }

    /// The address that history kept.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (platform, rest) = text.split_once(':')?;
        let (channel, thread) = rest.split_once('/').map_or((rest, None), |(channel, thread)| (channel, Some(thread)));
        Some(Self { platform: platform.to_owned(), channel: channel.to_owned(), thread: thread.map(str::to_owned) })
    }
}

/// A file as its platform names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRef {
    /// Its id, or its path.
    pub id: String,
    /// The name it came with.
    pub name: String,
}

/// What somebody did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Said something, perhaps with files.
    Said {
        /// The text.
        text: String,
        /// The files.
        files: Vec<FileRef>,
    },
    /// Pressed a button, or sent a form.
    Pressed {
        /// The message on which it stands.
        message: String,
        /// Its action.
        action: String,
        /// What was filled in.
        values: Map<String, Value>,
    },
    /// Reacted to a message with a sign.
    Reacted {
        /// The message.
        message: String,
        /// The sign, or the name that the platform has for it.
        emoji: String,
    },
    /// Changed something that was said before.
    Edited,
    /// Took something back that was said before.
    Deleted,
}

/// A message of somebody's, as it is read when something is made of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Its text.
    pub text: String,
    /// Who wrote it, as the platform shows them.
    pub by: String,
    /// The files that came with it.
    pub files: Vec<FileRef>,
    /// What stands for the thread beneath it, or in which it stands.
    pub thread: Option<String>,
}

/// Something that came in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inbound {
    /// The same for the same thing, however often it comes.
    pub key: String,
    /// Where.
    pub from: Address,
    /// Who: their id there, the same for as long as they are there.
    pub user: String,
    /// What the platform calls them. Anybody may call themselves anything: for show alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The workspace or guild that vouches for the id; `None` where the platform is one place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// How they belong there. Only a platform of our own says `Owner`; who says nothing brings a guest.
    #[serde(default)]
    pub standing: Standing,
    /// By what the platform takes an answer that they alone see; of its making, good for minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// Whether only they and we are there.
    pub is_direct: bool,
    /// The message that it is, as a thread may begin under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What.
    pub what: What,
}

impl Inbound {
    /// What people call whoever did it.
    #[must_use]
    pub fn called(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.user)
    }

    /// Whoever did it, as the reader of an answer.
    #[must_use]
    pub fn reader(&self) -> Reader<'_> {
        Reader { user: &self.user, handle: self.handle.as_deref() }
    }
}

/// The one person who sees an answer.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'r> {
    /// Their id on the platform.
    pub user: &'r str,
    /// By what the platform takes the answer; see [`Inbound::handle`].
    pub handle: Option<&'r str>,
}

/// How a platform asks for several values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forms {
    /// The card carries the form.
    Inline,
    /// A window that a press opens.
    Modal,
    /// One question after the other.
    Questions,
}

/// What becomes of a document that is dropped, where the setting leaves it to the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drops {
    /// It starts its workflow.
    Start,
    /// Its bringer is asked.
    Ask,
    /// Its bringer is asked; what is no document is their own business there.
    AskDocuments,
}

/// What a platform can do, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traits {
    /// The platform's name.
    pub platform: &'static str,
    /// The names under which we are spoken to.
    pub names: &'static [&'static str],
    /// Whether answers can be seen by one person alone in a shared channel.
    pub private: bool,
    /// Whether a message can be changed.
    pub edits: bool,
    /// How several values are asked for.
    pub forms: Forms,
    /// What becomes of dropped documents in a shared channel.
    pub drops: Drops,
    /// The least time between two changes of one card. Nothing that ends or stands still waits for it.
    pub edit_interval: Duration,
    /// How often all cards together may be changed in a minute; `None`: as often as it takes.
    pub edits_per_minute: Option<u32>,
    /// Whether nobody is told of a change: what must be seen is said in a new message as well.
    pub silent_edits: bool,
    /// The least time between two new messages in one channel.
    pub post_interval: Duration,
    /// Characters of a card's text at the most.
    pub longest_text: usize,
    /// Cards that are being sent at the same time.
    pub in_flight: usize,
}

/// Why a message could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The message or its channel is not there any more; a new message may be.
    #[error("the message is gone")]
    Gone,
    /// Nothing will ever be there.
    #[error("{0}")]
    Refused(String),
    /// Nothing is taken before somebody has mended something, such as a token that was revoked. What is to be said waits.
    #[error("{0}")]
    Barred(String),
    /// Later perhaps.
    #[error("{0}")]
    Later(String),
    /// Not before this time: too much was sent.
    #[error("the platform wants {} s of silence", .0.as_secs())]
    Busy(Duration),
}

impl From<ServiceError> for SendError {
    fn from(error: ServiceError) -> Self {
        Self::Later(error.to_string())
    }
}

/// A message as its platform names it.
pub type MessageRef = String;

/// Where things are on a platform.
pub trait Signposts: Send + Sync {
    /// Where people read a message that stands at this address; `None` where the platform has no such thing.
    fn link<'a>(&'a self, at: &'a Address, message: &'a str) -> BoxFuture<'a, Option<String>>;

    /// The id of the channel that people call by this name; `None` when there is none.
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Option<String>>;
}

/// A platform that carries conversations.
pub trait ChatAdapter: Signposts {
    /// What it can do.
    fn traits(&self) -> &Traits;

    /// Posts a card. The same `nonce` means the same message: where the platform can tell, it is posted once.
    fn post<'a>(
        &'a self,
        to: &'a Address,
        card: &'a Card,
        nonce: &'a str,
    ) -> BoxFuture<'a, Result<MessageRef, SendError>>;

    /// Replaces what a message shows.
    fn edit<'a>(&'a self, to: &'a Address, message: &'a str, card: &'a Card) -> BoxFuture<'a, Result<(), SendError>>;

    /// Shows a card to one person; where the platform cannot do so in the channel, in a direct conversation.
    fn private<'a>(
        &'a self,
        to: &'a Address,
        reader: Reader<'a>,
        card: &'a Card,
        nonce: &'a str,
    ) -> BoxFuture<'a, Result<MessageRef, SendError>>;

    /// Asks a person to fill in a form, in the way the platform does it.
    fn ask<'a>(
        &'a self,
        to: &'a Address,
        user: &'a str,
        form: &'a Form,
        nonce: &'a str,
    ) -> BoxFuture<'a, Result<(), SendError>>;

    /// Takes a file that came with a message in; the content is kept when this returns.
    fn fetch_file<'a>(&'a self, file: &'a FileRef) -> BoxFuture<'a, Result<FileRecord, ServiceError>>;

    /// Reads a message again; `None` where it is not there any more, or the platform does not show it.
    fn read<'a>(&'a self, at: &'a Address, message: &'a str) -> BoxFuture<'a, Option<Written>>;
}
