//! What a workflow tells people: a message, where it goes, and how far it is on its way.

use serde::{Deserialize, Serialize};

use super::card::Field;
use super::fault::Fault;
use super::id::RunId;
use super::time::Timestamp;

/// A message, before any platform has drawn it. All of it is data: nothing in it rings, links or formats.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    /// One line for where messages have subjects.
    pub subject: String,
    /// One line above the text.
    pub title: String,
    /// The text, with its line breaks.
    pub text: String,
    /// Names and values.
    pub fields: Vec<Field>,
    /// Where to read on.
    pub links: Vec<Link>,
    /// People whom it is for, as the platform or people call them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<String>,
}

/// A place to read on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What it is called.
    pub text: String,
    /// Where it leads.
    pub url: String,
}

impl Message {
    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.title.is_empty() && self.text.is_empty() && self.fields.is_empty() && self.links.is_empty()
    }
}

/// How far a letter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterState {
    /// It waits to be posted.
    Queued,
    /// Its platform has taken it.
    Sent,
    /// It was given up.
    Dead,
}

impl LetterState {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Dead => "dead",
        }
    }

    /// The state that this word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Queued, Self::Sent, Self::Dead].into_iter().find(|state| state.word() == word)
    }
}

/// What a platform gave for a message that it took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The channel as the platform names it.
    pub channel: String,
    /// The message as the platform names it.
    pub message: String,
    /// Where to read it, if the platform says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// A message in the outbox. Its key is that of the step that wrote it: the same key is the same message, however often
/// the step is repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its key.
    pub key: String,
    /// The platform that is to carry it.
    pub platform: String,
    /// The channel there: a name or an id.
    pub channel: String,
    /// The message under which it is to stand; [`Letter::UNDER_CARD`]: under the card of its run. Empty: under none.
    pub thread: String,
    /// What it says.
    pub message: Message,
    /// The run that wrote it.
    pub run: RunId,
    /// The step, by its path.
    pub step: String,
    /// How far it is.
    pub state: LetterState,
    /// How often it was tried.
    pub attempts: u32,
    /// Not before this.
    pub next_at: Timestamp,
    /// What the platform gave for it.
    pub receipt: Option<Receipt>,
    /// Why it is not there yet, or never will be.
    pub fault: Option<Fault>,
    /// When it was written.
    pub created_at: Timestamp,
    /// Since when it is being tried: the patience with it begins here.
    pub since: Timestamp,
    /// When it was taken or given up.
    pub settled_at: Option<Timestamp>,
}

impl Letter {
    /// The thread that stands for the one under the card of the run.
    pub const UNDER_CARD: &str = "card";

    /// A letter that waits, written now.
    #[must_use]
    pub fn new(key: &str, to: (&str, &str, &str), message: Message, from: (RunId, &str), now: Timestamp) -> Self {
        let (platform, channel, thread) = to;
        Self {
            key: key.to_owned(),
            platform: platform.to_owned(),
            channel: channel.to_owned(),
            thread: thread.to_owned(),
            message,
            run: from.0,
            step: from.1.to_owned(),
            state: LetterState::Queued,
            attempts: 0,
            next_at: now,
            receipt: None,
            fault: None,
            created_at: now,
            since: now,
            settled_at: None,
        }
    }
}
