//! A platform in this process that does what a test tells it to: it is away, busy, breaks, forgets messages, cuts the
//! connection after it has taken something, and knows the same nonce again or not. What it takes is written down.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, ready};
use tokio::sync::Notify;
use workflow::chat::adapter::{
    Address, ChatAdapter, Drops, FileRef, Forms, Inbound, Reader, SendError, Signposts, Standing, Traits, What, Written,
};
use workflow::domain::card::{Card, CardKind, Form};
use workflow::service::{FileRecord, ServiceError};

/// What becomes of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Fine,
    Away,
    /// Wants so much silence, once.
    Busy(Duration),
    /// Has lost every message, and says so once.
    Forgetful,
    /// Does not take the token any more.
    Barred,
}

/// What becomes of the next letter.
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

/// Something that the platform took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// `post`, `edit` or `private`.
    pub what: &'static str,
    pub channel: String,
    pub thread: Option<String>,
    /// The message that it made or changed.
    pub message: String,
    /// What it shows, and its text.
    pub card: Card,
    pub text: String,
    /// By what the same post is known.
    pub nonce: String,
}

struct State {
    mood: Mood,
    /// What becomes of the next letters in a channel; beyond that they are taken.
    fates: HashMap<String, VecDeque<Fate>>,
    taken: Vec<Taken>,
    tries: usize,
    channels: Vec<String>,
    /// Nobody can be asked which channels there are.
    is_blind: bool,
}

/// The platform.
pub struct Elsewhere {
    traits: Traits,
    /// The same nonce is the same message.
    knows_nonces: bool,
    state: Mutex<State>,
    pub moved: Notify,
    pub go: Notify,
}

impl Elsewhere {
    pub fn new(platform: &'static str, knows_nonces: bool) -> Arc<Self> {
        let traits = Traits {
            platform,
            names: &["workflow"],
            private: true,
            edits: true,
            forms: Forms::Modal,
            drops: Drops::Ask,
            edit_interval: Duration::from_millis(10),
            edits_per_minute: Some(600),
            silent_edits: true,
            post_interval: Duration::ZERO,
            longest_text: 3_000,
            in_flight: 4,
        };
        let state = State {
            mood: Mood::Fine,
            fates: HashMap::new(),
            taken: Vec::new(),
            tries: 0,
            channels: ["room", "ops", "alerts"].map(str::to_owned).to_vec(),
            is_blind: false,
        };
        Arc::new(Self { traits, knows_nonces, state: Mutex::new(state), moved: Notify::new(), go: Notify::new() })
    }

    pub fn be(&self, mood: Mood) {
        self.state().mood = mood;
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

    /// What was taken, in the order in which it came.
    pub fn taken(&self) -> Vec<Taken> {
        self.state().taken.clone()
    }

    /// What was posted.
    pub fn posted(&self) -> Vec<Taken> {
        self.taken().into_iter().filter(|taken| taken.what == "post").collect()
    }

    /// The texts that were posted.
    pub fn texts(&self) -> Vec<String> {
        self.posted().into_iter().map(|posted| posted.text).collect()
    }

    /// How often something was sent, taken or not.
    pub fn tries(&self) -> usize {
        self.state().tries
    }

    /// Something that a person says there.
    pub fn said(key: &str, text: &str) -> Inbound {
        Inbound {
            key: format!("elsewhere:{key}"),
            from: Address { platform: "elsewhere".to_owned(), channel: id("room"), thread: None },
            user: "u1".to_owned(),
            name: Some("Ana".to_owned()),
            workspace: Some("w1".to_owned()),
            standing: Standing::Member,
            handle: None,
            is_direct: true,
            message: Some(key.to_owned()),
            what: What::Said { text: text.to_owned(), files: Vec::new() },
        }
    }

    /// Waits until it is as wanted; what was taken then.
    pub async fn until(&self, wanted: impl Fn(&Self) -> bool) -> Vec<Taken> {
        let reached = async {
            loop {
                let moved = self.moved.notified();
                tokio::pin!(moved);
                moved.as_mut().enable();
                if wanted(self) {
                    return;
                }
                moved.await;
            }
        };
        let came = tokio::time::timeout(Duration::from_secs(60), reached).await;
        assert!(came.is_ok(), "it never came: {:#?}, {} tries", self.taken(), self.tries());
        self.taken()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a post or a change; what the message is called.
    fn take(&self, what: &'static str, to: &Address, known: Option<&str>, (card, nonce): (&Card, &str)) -> String {
        let mut state = self.state();
        if self.knows_nonces
            && let Some(same) = state.taken.iter().find(|taken| taken.what == "post" && taken.nonce == nonce)
            && known.is_none()
        {
            return same.message.clone();
        }
        let posts = state.taken.iter().filter(|taken| taken.what != "edit").count();
        let message = known.map_or_else(|| format!("m{posts}"), str::to_owned);
        state.taken.push(Taken {
            what,
            channel: to.channel.clone(),
            thread: to.thread.clone(),
            message: message.clone(),
            card: card.clone(),
            text: card.text.clone(),
            nonce: nonce.to_owned(),
        });
        message
    }

    /// What its mood makes of something.
    fn mood(&self, what: &'static str) -> Result<(), SendError> {
        let mut state = self.state();
        state.tries += 1;
        let (left, answer) = match state.mood {
            Mood::Away => return Err(SendError::Later("nobody is there".to_owned())),
            Mood::Barred => return Err(SendError::Barred("the token is refused".to_owned())),
            Mood::Busy(wait) => (Mood::Fine, Err(SendError::Busy(wait))),
            Mood::Forgetful if what == "edit" => (Mood::Fine, Err(SendError::Gone)),
            mood => (mood, Ok(())),
        };
        state.mood = left;
        answer
    }

    async fn receive(&self, what: &'static str, to: &Address, sent: (&Card, &str)) -> Result<String, SendError> {
        let answer = self.judged(what, to, sent).await;
        self.moved.notify_waiters();
        answer
    }

    async fn judged(&self, what: &'static str, to: &Address, sent: (&Card, &str)) -> Result<String, SendError> {
        self.mood(what)?;
        let fate = {
            let mut state = self.state();
            if !state.channels.iter().any(|channel| id(channel) == to.channel) {
                return Err(SendError::Refused("channel_not_found".to_owned()));
            }
            // Cards come and go as executions do: what is to become of letters becomes of letters alone.
            let fates = state.fates.get_mut(&to.channel).filter(|_| sent.0.kind == CardKind::Message);
            fates.and_then(VecDeque::pop_front)
        };
        match fate {
            None => Ok(self.take(what, to, None, sent)),
            Some(Fate::Down) => Err(SendError::Later("503".to_owned())),
            Some(Fate::Busy(wait)) => Err(SendError::Busy(wait)),
            Some(Fate::Gone) => Err(SendError::Gone),
            Some(Fate::Refuse) => Err(SendError::Refused("not_in_channel".to_owned())),
            Some(Fate::Cut) => {
                self.take(what, to, None, sent);
                Err(SendError::Later("the connection was cut".to_owned()))
            }
            Some(Fate::Hold) => {
                self.moved.notify_waiters();
                self.go.notified().await;
                Ok(self.take(what, to, None, sent))
            }
        }
    }
}

/// The id of a channel by its name.
pub fn id(channel: &str) -> String {
    format!("id-{channel}")
}

impl Signposts for Elsewhere {
    fn link<'a>(&'a self, at: &'a Address, message: &'a str) -> BoxFuture<'a, Option<String>> {
        Box::pin(ready(Some(format!("https://elsewhere.example/{}/{message}", at.channel))))
    }

    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Option<String>> {
        let state = self.state();
        let known = !state.is_blind && state.channels.iter().any(|channel| channel == name);
        Box::pin(ready(known.then(|| id(name))))
    }
}

impl ChatAdapter for Elsewhere {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn post<'a>(&'a self, to: &'a Address, card: &'a Card, nonce: &'a str) -> BoxFuture<'a, Result<String, SendError>> {
        Box::pin(self.receive("post", to, (card, nonce)))
    }

    fn edit<'a>(&'a self, to: &'a Address, message: &'a str, card: &'a Card) -> BoxFuture<'a, Result<(), SendError>> {
        let changed = self.mood("edit").map(|()| drop(self.take("edit", to, Some(message), (card, ""))));
        self.moved.notify_waiters();
        Box::pin(ready(changed))
    }

    fn private<'a>(
        &'a self,
        to: &'a Address,
        _reader: Reader<'a>,
        card: &'a Card,
        nonce: &'a str,
    ) -> BoxFuture<'a, Result<String, SendError>> {
        Box::pin(self.receive("private", to, (card, nonce)))
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
}
