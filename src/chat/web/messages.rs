//! The platform of the web chat: channels and messages in our own store.
//!
//! Invariant: within a channel the numbers of changes are given out and kept one after the other, so that whoever has
//! seen a number has seen everything below it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex, MutexGuard, broadcast};

use super::super::adapter::{
    Address, ChatAdapter, Drops, FileRef, Forms, Inbound, MessageRef, Reader, SendError, Signposts, Standing, Traits,
    What, Written,
};
use super::super::{Chat, Receipt};
use crate::contract::blob::Digest;
use crate::domain::card::{Card, Form};
use crate::domain::id::FileId;
use crate::service::conversations::{Attached, Channel, Conversations, Message};
use crate::service::{FileRecord, Service, ServiceError};

/// The platform's name.
const PLATFORM: &str = "web";
/// The name under which we write.
const OURSELVES: &str = "workflow";
/// The channel of everybody.
const GENERAL: &str = "general";
/// Channels with news that a slow listener may miss; it then looks by itself.
const BACKLOG: usize = 256;

/// The web chat. One for each process, as it gives out the numbers.
pub struct WebChat {
    service: Service,
    keeper: Conversations,
    /// The newest number of each channel, and the right to give out the next one.
    numbers: Mutex<HashMap<String, u64>>,
    pub(super) news: broadcast::Sender<Arc<str>>,
    traits: Traits,
}

/// Something that a person says in the web chat.
#[derive(Debug, Clone, Default)]
pub struct Saying {
    /// The id that their browser gave it; the same for the same.
    pub client_id: String,
    /// The text.
    pub text: String,
    /// Files that they brought before.
    pub files: Vec<FileRecord>,
    /// The message under which they say it.
    pub thread: Option<String>,
}

impl WebChat {
    /// The web chat on this store, with its channel for everybody.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open(service: Service) -> Result<Arc<Self>, ServiceError> {
        let keeper = service.conversations();
        let general = Channel { id: GENERAL.to_owned(), name: GENERAL.to_owned(), member: None, last_seq: 0 };
        keeper.open_channel(&general).await?;
        let traits = Traits {
            platform: PLATFORM,
            names: &[OURSELVES, "bot"],
            private: true,
            edits: true,
            forms: Forms::Inline,
            drops: Drops::Start,
            edit_interval: Duration::from_millis(250),
            edits_per_minute: None,
            silent_edits: false,
            post_interval: Duration::ZERO,
            longest_text: 40_000,
            in_flight: 16,
        };
        let news = broadcast::Sender::new(BACKLOG);
        Ok(Arc::new(Self { service, keeper, numbers: Mutex::default(), news, traits }))
    }

    /// The channels that a person sees; their own with us is made at the first question.
    ///
    /// # Errors
    /// The store fails.
    pub async fn channels(&self, person: &str) -> Result<Vec<Channel>, ServiceError> {
        let own =
            Channel { id: direct_id(person), name: OURSELVES.to_owned(), member: Some(person.to_owned()), last_seq: 0 };
        self.keeper.open_channel(&own).await?;
        self.keeper.channels(person).await
    }

    /// A channel, if this person sees it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn channel(&self, id: &str, person: &str) -> Result<Option<Channel>, ServiceError> {
        if id == direct_id(person) {
            self.channels(person).await?;
        }
        let found = self.keeper.channel(id).await?;
        Ok(found.filter(|channel| channel.member.as_deref().is_none_or(|member| member == person)))
    }

    /// A message, if this person sees it.
    ///
    /// # Errors
    /// The store fails.
    pub async fn message(&self, id: &str, person: &str) -> Result<Option<Message>, ServiceError> {
        let found = self.keeper.message(id).await?;
        Ok(found.filter(|message| message.visible_to.as_deref().is_none_or(|name| name == person)))
    }

    /// A page of a channel, newest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn before(
        &self,
        channel: &str,
        before: u64,
        person: &str,
        limit: u32,
    ) -> Result<Vec<Message>, ServiceError> {
        self.keeper.before(channel, before, person, limit).await
    }

    pub(super) async fn since(&self, channel: &str, after: u64, limit: usize) -> Result<Vec<Message>, ServiceError> {
        self.keeper.since(channel, after, limit).await
    }

    pub(super) async fn last_seq(&self, channel: &str) -> Result<u64, ServiceError> {
        Ok(self.keeper.channel(channel).await?.map_or(0, |channel| channel.last_seq))
    }

    /// A person says something: it is kept and shown, and will be answered.
    ///
    /// # Errors
    /// The store fails; it may be said again.
    pub async fn say(
        &self,
        chat: &Chat,
        channel: &Channel,
        person: &str,
        saying: Saying,
    ) -> Result<Receipt, ServiceError> {
        let key = format!("{PLATFORM}:{person}:{}", saying.client_id);
        let mut message = Message {
            id: message_id(&key),
            channel: channel.id.clone(),
            posted: 0,
            seq: 0,
            thread: saying.thread.clone(),
            author: person.to_owned(),
            is_person: true,
            at: self.service.now(),
            edited_at: None,
            text: saying.text.clone(),
            card: None,
            files: saying.files.iter().map(attached).collect(),
            visible_to: None,
            client_id: Some(saying.client_id),
        };
        let files = saying.files.iter().map(|file| FileRef { id: file.id.to_string(), name: file.name.clone() });
        let inbound = Inbound {
            key,
            from: Address { platform: PLATFORM.to_owned(), channel: channel.id.clone(), thread: saying.thread },
            user: person.to_owned(),
            name: None,
            workspace: None,
            standing: Standing::Owner,
            handle: None,
            is_direct: channel.member.is_some(),
            message: Some(message.id.clone()),
            what: What::Said { text: saying.text, files: files.collect() },
        };
        let mut numbers = self.numbers.lock().await;
        message.seq = self.next(&mut numbers, &channel.id).await?;
        let receipt = chat.receive_with(inbound, Some(&message)).await?;
        if !receipt.duplicate {
            self.gave(&mut numbers, &message);
        }
        Ok(receipt)
    }

    /// A person is typing something.
    #[must_use]
    pub fn typing(&self, person: &str) -> Inbound {
        Inbound {
            key: String::new(),
            from: Address { platform: PLATFORM.to_owned(), channel: direct_id(person), thread: None },
            user: person.to_owned(),
            name: None,
            workspace: None,
            standing: Standing::Owner,
            handle: None,
            is_direct: true,
            message: None,
            what: What::Said { text: String::new(), files: Vec::new() },
        }
    }

    /// A person presses a button or sends a form.
    ///
    /// # Errors
    /// The store fails; it may be pressed again.
    pub async fn press(
        &self,
        chat: &Chat,
        person: &str,
        pressed: (&Message, &str),
        values: serde_json::Map<String, serde_json::Value>,
    ) -> Result<Receipt, ServiceError> {
        let (message, action) = pressed;
        let channel = self.keeper.channel(&message.channel).await?;
        let inbound = Inbound {
            key: format!("{PLATFORM}:{person}:press:{}", self.service.fresh_id()),
            from: Address {
                platform: PLATFORM.to_owned(),
                channel: message.channel.clone(),
                thread: message.thread.clone(),
            },
            user: person.to_owned(),
            name: None,
            workspace: None,
            standing: Standing::Owner,
            handle: None,
            is_direct: channel.is_some_and(|channel| channel.member.is_some()),
            message: None,
            what: What::Pressed { message: message.id.clone(), action: action.to_owned(), values },
        };
        chat.receive(inbound).await
    }

    async fn next(
        &self,
        numbers: &mut MutexGuard<'_, HashMap<String, u64>>,
        channel: &str,
    ) -> Result<u64, ServiceError> {
        let newest = match numbers.get(channel) {
            Some(newest) => *newest,
            None => self.keeper.channel(channel).await?.map_or(0, |channel| channel.last_seq),
        };
        Ok(newest + 1)
    }

    /// A number is kept: the next one may be given out, and listeners may read.
    fn gave(&self, numbers: &mut MutexGuard<'_, HashMap<String, u64>>, message: &Message) {
        numbers.insert(message.channel.clone(), message.seq);
        let _ = self.news.send(message.channel.as_str().into()); // nobody may listen
    }

    async fn put(&self, mut message: Message) -> Result<(), SendError> {
        let mut numbers = self.numbers.lock().await;
        message.seq = self.next(&mut numbers, &message.channel).await?;
        self.keeper.put_message(&message).await?;
        self.gave(&mut numbers, &message);
        Ok(())
    }

    async fn write(
        &self,
        to: &Address,
        card: &Card,
        nonce: &str,
        only_for: Option<&str>,
    ) -> Result<MessageRef, SendError> {
        if self.keeper.channel(&to.channel).await?.is_none() {
            return Err(SendError::Refused(format!("there is no channel `{}`", to.channel)));
        }
        let id = message_id(nonce);
        let message = Message {
            id: id.clone(),
            channel: to.channel.clone(),
            posted: 0,
            seq: 0,
            thread: to.thread.clone(),
            author: OURSELVES.to_owned(),
            is_person: false,
            at: self.service.now(),
            edited_at: None,
            text: card.text.clone(),
            card: Some(card.clone()),
            files: Vec::new(),
            visible_to: only_for.map(str::to_owned),
            client_id: None,
        };
        self.put(message).await?;
        Ok(id)
    }
}

impl Signposts for WebChat {
    /// A message is where it is read.
    fn link<'a>(&'a self, _at: &'a Address, _message: &'a str) -> BoxFuture<'a, Option<String>> {
        Box::pin(std::future::ready(None))
    }

    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move {
            let id = name.trim_start_matches('#');
            self.keeper.channel(id).await.ok().flatten().map(|channel| channel.id)
        })
    }
}

impl ChatAdapter for WebChat {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn post<'a>(
        &'a self,
        to: &'a Address,
        card: &'a Card,
        nonce: &'a str,
    ) -> BoxFuture<'a, Result<MessageRef, SendError>> {
        Box::pin(self.write(to, card, nonce, None))
    }

    fn edit<'a>(&'a self, _to: &'a Address, message: &'a str, card: &'a Card) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move {
            let Some(known) = self.keeper.message(message).await? else { return Err(SendError::Gone) };
            let now = self.service.now();
            self.put(Message { text: card.text.clone(), card: Some(card.clone()), at: now, ..known }).await
        })
    }

    fn private<'a>(
        &'a self,
        to: &'a Address,
        reader: Reader<'a>,
        card: &'a Card,
        nonce: &'a str,
    ) -> BoxFuture<'a, Result<MessageRef, SendError>> {
        Box::pin(self.write(to, card, nonce, Some(reader.user)))
    }

    /// The card carries its form.
    fn ask<'a>(
        &'a self,
        _to: &'a Address,
        _user: &'a str,
        _form: &'a Form,
        _nonce: &'a str,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async { Ok(()) })
    }

    /// Files of the web chat were uploaded before they are said.
    fn fetch_file<'a>(&'a self, file: &'a FileRef) -> BoxFuture<'a, Result<FileRecord, ServiceError>> {
        Box::pin(async move {
            let absent = || ServiceError::NotFound { noun: "file", name: file.id.clone(), near: None };
            self.service.file(file.id.parse::<FileId>().map_err(|_| absent())?).await
        })
    }

    fn read<'a>(&'a self, at: &'a Address, message: &'a str) -> BoxFuture<'a, Option<Written>> {
        Box::pin(async move {
            let found = self.keeper.message(message).await.ok().flatten();
            let found = found.filter(|found| found.channel == at.channel && found.visible_to.is_none())?;
            let files =
                found.files.iter().map(|file| FileRef { id: file.file_id.to_string(), name: file.name.clone() });
            let (files, thread) = (files.collect(), Some(found.thread.unwrap_or(found.id)));
            Some(Written { text: found.text, by: found.author, files, thread })
        })
    }
}

/// The id of the message that a nonce stands for: the same nonce is the same message.
fn message_id(nonce: &str) -> String {
    format!("msg_{}", &hash(nonce)[..26])
}

/// The channel of one person and us.
fn direct_id(person: &str) -> String {
    format!("direct_{}", &hash(person)[..12])
}

fn hash(text: &str) -> String {
    let bytes: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    Digest::from_bytes(&bytes).as_str().to_owned()
}

fn attached(file: &FileRecord) -> Attached {
    Attached { file_id: file.id, name: file.name.clone(), size: file.size, media_type: file.media_type.clone() }
}
