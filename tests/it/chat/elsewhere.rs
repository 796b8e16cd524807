//! A platform that can be away, busy, or forget messages; what reaches it is written down.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, ready};
use tokio::sync::Notify;
use workflow::chat::adapter::{
    Address, ChatAdapter, Drops, FileRef, Forms, Inbound, Reader, SendError, Standing, Traits, What, Written,
};
use workflow::domain::card::{Card, Form};
use workflow::service::{FileRecord, ServiceError};

/// Something that the platform took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// `post`, `edit` or `private`.
    pub what: &'static str,
    /// The message that it made or changed.
    pub message: String,
    /// What it shows.
    pub card: Card,
    /// By what the same post is known.
    pub nonce: String,
}

/// How it is in a bad mood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Fine,
    Away,
    /// Wants so much silence, once.
    Busy(Duration),
    /// Has lost every message, and says so once.
    Forgetful,
}

/// The platform.
pub struct Elsewhere {
    traits: Traits,
    state: Mutex<(Mood, Vec<Taken>)>,
    pub moved: Notify,
}

impl Elsewhere {
    pub fn new() -> Arc<Self> {
        let traits = Traits {
            platform: "elsewhere",
            names: &["workflow"],
            private: true,
            edits: true,
            forms: Forms::Modal,
            drops: Drops::Ask,
            edit_interval: Duration::from_millis(10),
            edits_per_minute: Some(600),
            silent_edits: true,
            post_interval: Duration::ZERO,
            longest_text: 4_000,
            in_flight: 4,
        };
        Arc::new(Self { traits, state: Mutex::new((Mood::Fine, Vec::new())), moved: Notify::new() })
    }

    pub fn be(&self, mood: Mood) {
        self.state().0 = mood;
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.state().1.clone()
    }

    /// Something that a person says there.
    pub fn said(key: &str, text: &str) -> Inbound {
        Inbound {
            key: format!("elsewhere:{key}"),
            from: Address { platform: "elsewhere".to_owned(), channel: "room".to_owned(), thread: None },
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

    /// Waits until what was taken is as wanted.
    pub async fn until(&self, wanted: impl Fn(&[Taken]) -> bool) -> Vec<Taken> {
        let limit = tokio::time::Instant::now() + Duration::from_secs(60);
        loop {
            let moved = self.moved.notified();
            let taken = self.taken();
            if wanted(&taken) {
                return taken;
            }
            if tokio::time::timeout_at(limit, moved).await.is_err() {
                panic!("it does not come: {taken:#?}");
            }
        }
    }

    fn take(&self, what: &'static str, message: Option<&str>, card: &Card, nonce: &str) -> Result<String, SendError> {
        let mut state = self.state();
        match state.0 {
            Mood::Away => return Err(SendError::Later("nobody is there".to_owned())),
            Mood::Busy(wait) => {
                state.0 = Mood::Fine;
                return Err(SendError::Busy(wait));
            }
            Mood::Forgetful if what == "edit" => {
                state.0 = Mood::Fine;
                return Err(SendError::Gone);
            }
            Mood::Fine | Mood::Forgetful => {}
        }
        let message = message.map_or_else(|| format!("m{}", state.1.len()), str::to_owned);
        let taken = Taken { what, message: message.clone(), card: card.clone(), nonce: nonce.to_owned() };
        state.1.push(taken);
        drop(state);
        self.moved.notify_waiters();
        Ok(message)
    }

    fn state(&self) -> MutexGuard<'_, (Mood, Vec<Taken>)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChatAdapter for Elsewhere {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn post<'a>(
        &'a self,
        _to: &'a Address,
        card: &'a Card,
        nonce: &'a str,
    ) -> BoxFuture<'a, Result<String, SendError>> {
        Box::pin(ready(self.take("post", None, card, nonce)))
    }

    fn edit<'a>(&'a self, _to: &'a Address, message: &'a str, card: &'a Card) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(ready(self.take("edit", Some(message), card, "").map(drop)))
    }

    fn private<'a>(
        &'a self,
        _to: &'a Address,
        _reader: Reader<'a>,
        card: &'a Card,
        nonce: &'a str,
    ) -> BoxFuture<'a, Result<String, SendError>> {
        Box::pin(ready(self.take("private", None, card, nonce)))
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
        let absent = ServiceError::NotFound { noun: "file", name: file.id.clone(), near: None };
        Box::pin(ready(Err(absent)))
    }

    fn read<'a>(&'a self, _at: &'a Address, _message: &'a str) -> BoxFuture<'a, Option<Written>> {
        Box::pin(ready(None))
    }

    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Option<String>> {
        Box::pin(ready(Some(name.to_owned())))
    }
}
