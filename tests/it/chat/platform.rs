//! A platform in this process that does what a test tells it to: it takes messages, is busy, breaks, cuts the connection
//! after it has taken something, and knows the same nonce again or not.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, ready};
use tokio::sync::Notify;
use workflow::chat::adapter::{
    Address, ChatAdapter, Drops, FileRef, Forms, MessageRef, Reader, SendError, Traits, Written,
};
use workflow::domain::card::{Card, CardKind, Form};
use workflow::service::{FileRecord, ServiceError};

/// What becomes of the next post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is not there for now.
    Down,
    /// It wants silence.
    Busy(Duration),
    /// It takes the message, and the answer is lost.
    Cut,
    /// The channel is gone.
    Gone,
    /// It does not want the message.
    Refuse,
    /// It takes its time, until the test lets it go on.
    Hold,
}

/// A message as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    pub channel: String,
    pub thread: Option<String>,
    pub text: String,
    pub nonce: String,
}

#[derive(Default)]
struct State {
    /// What becomes of the next letters in a channel; beyond that they are taken.
    fates: HashMap<String, VecDeque<Fate>>,
    arrived: Vec<Arrived>,
    tries: usize,
    channels: Vec<String>,
    /// Nobody can be asked which channels there are.
    is_blind: bool,
}

/// The platform.
pub struct Platform {
    traits: Traits,
    /// The same nonce is the same message.
    knows_nonces: bool,
    state: Mutex<State>,
    pub moved: Notify,
    pub go: Notify,
}

impl Platform {
    pub fn new(platform: &'static str, knows_nonces: bool) -> Arc<Self> {
        let traits = Traits {
            platform,
            names: &["workflow"],
            private: true,
            edits: true,
            forms: Forms::Modal,
            drops: Drops::Ask,
            edit_interval: Duration::from_millis(10),
            edits_per_minute: None,
            silent_edits: false,
            post_interval: Duration::ZERO,
            longest_text: 3_000,
            in_flight: 4,
        };
        let state = State { channels: ["ops", "alerts"].map(str::to_owned).to_vec(), ..State::default() };
        Arc::new(Self { traits, knows_nonces, state: Mutex::new(state), moved: Notify::new(), go: Notify::new() })
    }

    /// What becomes of the next letters in a channel.
    pub fn fates(&self, channel: &str, fates: &[Fate]) {
        self.state().fates.entry(id(channel)).or_default().extend(fates);
    }

    /// Whether nobody can be asked which channels there are.
    pub fn be_blind(&self, is_blind: bool) {
        self.state().is_blind = is_blind;
    }

    /// A further channel.
    pub fn open(&self, channel: &str) {
        self.state().channels.push(channel.to_owned());
    }

    /// What has arrived, in the order in which it did.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.state().arrived.clone()
    }

    /// The texts that have arrived.
    pub fn texts(&self) -> Vec<String> {
        self.arrived().into_iter().map(|arrived| arrived.text).collect()
    }

    pub fn tries(&self) -> usize {
        self.state().tries
    }

    /// Waits until so many messages have arrived, or so many posts were tried.
    pub async fn until(&self, reached: impl Fn(&Self) -> bool) {
        let reached = async {
            loop {
                let moved = self.moved.notified();
                tokio::pin!(moved);
                moved.as_mut().enable();
                if reached(self) {
                    return;
                }
                moved.await;
            }
        };
        let limit = Duration::from_secs(30);
        let told = tokio::time::timeout(limit, reached).await;
        assert!(told.is_ok(), "it never came: {:?}, {} tries", self.arrived(), self.tries());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a message in; what it is called.
    fn take(&self, to: &Address, card: &Card, nonce: &str) -> MessageRef {
        let mut state = self.state();
        if let Some(known) = state.arrived.iter().position(|one| self.knows_nonces && one.nonce == nonce) {
            return format!("m{known}");
        }
        let (channel, thread) = (to.channel.clone(), to.thread.clone());
        state.arrived.push(Arrived { channel, thread, text: card.text.clone(), nonce: nonce.to_owned() });
        format!("m{}", state.arrived.len() - 1)
    }

    async fn receive(&self, to: &Address, card: &Card, nonce: &str) -> Result<MessageRef, SendError> {
        let fate = {
            let mut state = self.state();
            state.tries += 1;
            if !state.channels.iter().any(|channel| id(channel) == to.channel) {
                return Err(SendError::Refused("channel_not_found".to_owned()));
            }
            // Cards come and go as executions do: what is to become of letters becomes of letters alone.
            let fates = state.fates.get_mut(&to.channel).filter(|_| card.kind == CardKind::Message);
            fates.and_then(VecDeque::pop_front)
        };
        let answer = match fate {
            None => Ok(self.take(to, card, nonce)),
            Some(Fate::Down) => Err(SendError::Later("503".to_owned())),
            Some(Fate::Busy(wait)) => Err(SendError::Busy(wait)),
            Some(Fate::Gone) => Err(SendError::Gone),
            Some(Fate::Refuse) => Err(SendError::Refused("not_in_channel".to_owned())),
            Some(Fate::Cut) => {
                self.take(to, card, nonce);
                Err(SendError::Later("the connection was cut".to_owned()))
            }
            Some(Fate::Hold) => {
                self.moved.notify_waiters();
                self.go.notified().await;
                Ok(self.take(to, card, nonce))
            }
        };
        self.moved.notify_waiters();
        answer
    }
}

/// The id of a channel by its name.
pub fn id(channel: &str) -> String {
    format!("id-{channel}")
}

impl ChatAdapter for Platform {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn post<'a>(
        &'a self,
        to: &'a Address,
        card: &'a Card,
        nonce: &'a str,
    ) -> BoxFuture<'a, Result<MessageRef, SendError>> {
        Box::pin(self.receive(to, card, nonce))
    }

    fn edit<'a>(
        &'a self,
        _to: &'a Address,
        _message: &'a str,
        _card: &'a Card,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(ready(Ok(())))
    }

    fn private<'a>(
        &'a self,
        to: &'a Address,
        _reader: Reader<'a>,
        card: &'a Card,
        nonce: &'a str,
    ) -> BoxFuture<'a, Result<MessageRef, SendError>> {
        self.post(to, card, nonce)
    }

    fn ask<'a>(
        &'a self,
        _to: &'a Address,
        _user: &'a str,
        _form: &'a Form,
        _nonce: &'a str,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(ready(Ok(())))
    }

    fn fetch_file<'a>(&'a self, file: &'a FileRef) -> BoxFuture<'a, Result<FileRecord, ServiceError>> {
        Box::pin(ready(Err(ServiceError::NotFound { noun: "file", name: file.id.clone(), near: None })))
    }

    fn read<'a>(&'a self, _at: &'a Address, _message: &'a str) -> BoxFuture<'a, Option<Written>> {
        Box::pin(ready(None))
    }

    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Option<String>> {
        let state = self.state();
        let known = !state.is_blind && state.channels.iter().any(|channel| channel == name);
        Box::pin(ready(known.then(|| id(name))))
    }
}
