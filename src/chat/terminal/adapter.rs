//! What the conversations do with a terminal.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, ready};
use serde_json::Map;

use super::screen::Screen;
use crate::chat::adapter::{
    Address, ChatAdapter, Drops, FileRef, Forms, Inbound, Reader, SendError, Signposts, Standing, Traits, What, Written,
};
use crate::domain::card::{Card, Form};
use crate::service::{FileRecord, Service, ServiceError};

/// The platform's name.
pub const PLATFORM: &str = "terminal";
/// The one channel.
const CHANNEL: &str = "here";
/// Messages that are remembered, for their buttons.
const REMEMBERED: usize = 200;

static TRAITS: Traits = Traits {
    platform: PLATFORM,
    names: &["workflow", "bot"],
    private: true,
    edits: true,
    forms: Forms::Questions,
    drops: Drops::Start,
    edit_interval: Duration::from_millis(250),
    edits_per_minute: None,
    silent_edits: false,
    post_interval: Duration::ZERO,
    longest_text: 100_000,
    in_flight: 1,
};

/// A terminal. Cheap to clone.
#[derive(Clone)]
pub struct Terminal {
    service: Service,
    user: Arc<str>,
    state: Arc<Mutex<State>>,
}

struct State {
    screen: Screen,
    /// What was posted, oldest first.
    messages: BTreeMap<String, Card>,
}

impl Terminal {
    /// A terminal at which this person sits. `out` gets what is shown.
    #[must_use]
    pub fn new(service: Service, user: &str, out: Screen) -> Self {
        let state = State { screen: out, messages: BTreeMap::new() };
        Self { service, user: user.into(), state: Arc::new(Mutex::new(state)) }
    }

    /// Something that was typed, with files of this machine.
    #[must_use]
    pub fn said(&self, text: &str, files: &[PathBuf]) -> Inbound {
        let named = |path: &PathBuf| {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            FileRef { id: path.to_string_lossy().into_owned(), name }
        };
        self.inbound(What::Said { text: text.to_owned(), files: files.iter().map(named).collect() })
    }

    /// A press of the button with this label, on the newest message that has one; `None` when none has.
    #[must_use]
    pub fn pressed(&self, label: &str) -> Option<Inbound> {
        let (message, action) = {
            let state = self.state();
            let found = state.messages.iter().rev().find_map(|(id, card)| Some((id.clone(), card.labelled(label)?)));
            found.map(|(id, button)| (id, button.action.clone()))?
        };
        Some(self.inbound(What::Pressed { message, action, values: Map::new() }))
    }

    /// What a message shows.
    #[must_use]
    pub fn shown(&self, message: &str) -> Option<Card> {
        self.state().messages.get(message).cloned()
    }

    /// Everything that was posted and is remembered, oldest first.
    #[must_use]
    pub fn messages(&self) -> Vec<(String, Card)> {
        self.state().messages.clone().into_iter().collect()
    }

    /// Shows what is being typed, where the screen draws it itself.
    pub fn typing(&self, typed: &str) {
        self.state().screen.typing(typed);
    }

    /// Takes the typed line off the screen and leaves it among what was said.
    pub fn entered(&self, typed: &str) {
        self.state().screen.entered(typed);
    }

    fn inbound(&self, what: What) -> Inbound {
        let message = self.service.fresh_id();
        let from = Address { platform: PLATFORM.to_owned(), channel: CHANNEL.to_owned(), thread: None };
        let key = format!("{PLATFORM}:{message}");
        Inbound {
            key,
            from,
            user: self.user.as_ref().to_owned(),
            name: None,
            workspace: None,
            standing: Standing::Owner,
            handle: None,
            is_direct: true,
            message: Some(message),
            what,
        }
    }

    fn put(&self, message: &str, card: &Card) {
        let mut state = self.state();
        state.screen.show(message, &card.text);
        state.messages.insert(message.to_owned(), card.clone());
        if state.messages.len() > REMEMBERED {
            state.messages.pop_first();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Signposts for Terminal {
    /// A message is where it is read.
    fn link<'a>(&'a self, _at: &'a Address, _message: &'a str) -> BoxFuture<'a, Option<String>> {
        Box::pin(ready(None))
    }

    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Option<String>> {
        Box::pin(ready((name == CHANNEL).then(|| CHANNEL.to_owned())))
    }
}

impl ChatAdapter for Terminal {
    fn traits(&self) -> &Traits {
        &TRAITS
    }

    fn post<'a>(
        &'a self,
        _to: &'a Address,
        card: &'a Card,
        _nonce: &'a str,
    ) -> BoxFuture<'a, Result<String, SendError>> {
        let message = self.service.fresh_id();
        self.put(&message, card);
        Box::pin(ready(Ok(message)))
    }

    fn edit<'a>(&'a self, _to: &'a Address, message: &'a str, card: &'a Card) -> BoxFuture<'a, Result<(), SendError>> {
        // Another process has shown it: its screen is not this one.
        let known = self.state().messages.contains_key(message);
        if known {
            self.put(message, card);
        }
        Box::pin(ready(if known { Ok(()) } else { Err(SendError::Gone) }))
    }

    fn private<'a>(
        &'a self,
        to: &'a Address,
        _reader: Reader<'a>,
        card: &'a Card,
        nonce: &'a str,
    ) -> BoxFuture<'a, Result<String, SendError>> {
        self.post(to, card, nonce)
    }

    fn ask<'a>(
        &'a self,
        _to: &'a Address,
        _user: &'a str,
        form: &'a Form,
        _nonce: &'a str,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        let questions = form.fields.iter().map(|field| format!("? {}", crate::domain::card::question(field)));
        let text = questions.collect::<Vec<_>>().join("\n");
        let (message, mut state) = (self.service.fresh_id(), self.state());
        // The card above may ask already.
        if !state.screen.shows(&text) {
            state.screen.show(&message, &text);
        }
        Box::pin(ready(Ok(())))
    }

    fn fetch_file<'a>(&'a self, file: &'a FileRef) -> BoxFuture<'a, Result<FileRecord, ServiceError>> {
        Box::pin(async move { self.service.take_in(file.id.as_ref()).await })
    }

    /// Nothing that was typed is kept.
    fn read<'a>(&'a self, _at: &'a Address, _message: &'a str) -> BoxFuture<'a, Option<Written>> {
        Box::pin(ready(None))
    }
}
