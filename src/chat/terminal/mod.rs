//! The terminal chat: one person, one channel, everything meant for us. What it shows goes to a *sheet*, so that a
//! screen can draw over itself, a pipe can get plain blocks, and a test can read along.

mod line;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::Map;

use super::adapter::{Address, ChatAdapter, Drops, FileRef, Forms, Inbound, MessageRef, SendError, Traits, What};
use super::{Chat, Receipt};
use crate::domain::card::{Card, Form, question};
use crate::service::{FileRecord, Service, ServiceError};

/// The platform's name, and that of its one channel.
const PLATFORM: &str = "terminal";
/// Messages whose buttons can still be pressed.
const REMEMBERED: usize = 200;

/// Something to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The message.
    pub id: String,
    /// Whether it takes the place of what was shown under this id.
    pub replaces: bool,
    /// The state of the execution that it shows.
    pub status: Option<String>,
    /// Its text.
    pub text: String,
}

/// Where it is shown.
pub type Sheet = Box<dyn Fn(Shown) + Send + Sync>;

/// The terminal chat.
pub struct TerminalChat {
    service: Service,
    sheet: Sheet,
    shown: Mutex<VecDeque<(String, Card)>>,
    traits: Traits,
}

/// What a typed line asks of the terminal chat.
pub enum Typed {
    /// It was said; the answer is coming.
    Said(Receipt),
    /// There is no button with this label.
    NoButton(String),
    /// Wait until nothing moves.
    Wait,
    /// The end.
    Quit,
}

impl TerminalChat {
    /// A terminal chat that shows what it has to show on this sheet.
    #[must_use]
    pub fn new(service: Service, sheet: Sheet) -> Arc<Self> {
        let traits = Traits {
            platform: PLATFORM,
            names: &["workflow", "bot"],
            private: true,
            edits: true,
            forms: Forms::Questions,
            drops: Drops::Start,
            edit_interval: Duration::from_millis(100),
            longest_text: 40_000,
            in_flight: 8,
        };
        Arc::new(Self { service, sheet, shown: Mutex::default(), traits })
    }

    /// Takes a typed line: `/file PATH` or a dragged path attaches, `[Label]` presses a button, everything else is said.
    ///
    /// # Errors
    /// The store fails.
    pub async fn typed(&self, chat: &Chat, person: &str, text: &str) -> Result<Typed, ServiceError> {
        match line::read(text) {
            line::Line::Quit => Ok(Typed::Quit),
            line::Line::Wait => Ok(Typed::Wait),
            line::Line::Press(label) => self.press(chat, person, &label).await,
            line::Line::Say { text, files } => Ok(Typed::Said(self.say(chat, person, &text, &files).await?)),
        }
    }

    /// Says something, with files of this machine.
    ///
    /// # Errors
    /// The store fails.
    pub async fn say(&self, chat: &Chat, person: &str, text: &str, files: &[String]) -> Result<Receipt, ServiceError> {
        let file = |path: &String| {
            let name = Path::new(path).file_name().map_or_else(|| path.clone(), |name| name.to_string_lossy().into());
            FileRef { id: path.clone(), name }
        };
        let what = What::Said { text: text.to_owned(), files: files.iter().map(file).collect() };
        chat.receive(self.inbound(person, what)).await
    }

    /// Presses the button with this label on the newest message that has one.
    ///
    /// # Errors
    /// The store fails.
    pub async fn press(&self, chat: &Chat, person: &str, label: &str) -> Result<Typed, ServiceError> {
        let found =
            self.shown().iter().rev().find_map(|(message, card)| {
                card.labelled(label).map(|button| (message.clone(), button.action.clone()))
            });
        let Some((message, action)) = found else { return Ok(Typed::NoButton(label.to_owned())) };
        let what = What::Pressed { message, action, values: Map::new() };
        Ok(Typed::Said(chat.receive(self.inbound(person, what)).await?))
    }

    fn inbound(&self, person: &str, what: What) -> Inbound {
        Inbound {
            key: format!("{PLATFORM}:{}", self.service.fresh_id()),
            from: Address { platform: PLATFORM.to_owned(), channel: PLATFORM.to_owned(), thread: None },
            user: person.to_owned(),
            is_direct: true,
            message: None,
            what,
        }
    }

    fn shown(&self) -> MutexGuard<'_, VecDeque<(String, Card)>> {
        // Every change is one infallible line, so a panic elsewhere leaves it whole.
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, id: &str, card: &Card) {
        let replaces = {
            let mut shown = self.shown();
            let known = shown.iter().position(|(known, _)| known == id);
            match known {
                Some(place) => shown[place].1 = card.clone(),
                None => shown.push_back((id.to_owned(), card.clone())),
            }
            if shown.len() > REMEMBERED {
                shown.pop_front();
            }
            known.is_some()
        };
        (self.sheet)(Shown { id: id.to_owned(), replaces, status: card.status.clone(), text: card.text.clone() });
    }
}

impl ChatAdapter for TerminalChat {
    fn traits(&self) -> &Traits {
        &self.traits
    }

    fn post<'a>(
        &'a self,
        _to: &'a Address,
        card: &'a Card,
        nonce: &'a str,
    ) -> BoxFuture<'a, Result<MessageRef, SendError>> {
        Box::pin(async move {
            self.put(nonce, card);
            Ok(nonce.to_owned())
        })
    }

    /// A message of an earlier life of this process is shown anew: its screen is gone.
    fn edit<'a>(&'a self, _to: &'a Address, message: &'a str, card: &'a Card) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move {
            self.put(message, card);
            Ok(())
        })
    }

    fn private<'a>(
        &'a self,
        to: &'a Address,
        _user: &'a str,
        card: &'a Card,
        nonce: &'a str,
    ) -> BoxFuture<'a, Result<MessageRef, SendError>> {
        self.post(to, card, nonce)
    }

    /// The first question; the next one comes when it is answered.
    fn ask<'a>(
        &'a self,
        _to: &'a Address,
        _user: &'a str,
        form: &'a Form,
        nonce: &'a str,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move {
            if let Some(first) = form.fields.first() {
                let how = match first.kind {
                    crate::domain::card::FieldType::File => "give it with `/file PATH`",
                    _ => "type the answer",
                };
                let text = format!("? {}\n  {how}", question(first));
                (self.sheet)(Shown { id: nonce.to_owned(), replaces: false, status: None, text });
            }
            Ok(())
        })
    }

    fn fetch_file<'a>(&'a self, file: &'a FileRef) -> BoxFuture<'a, Result<FileRecord, ServiceError>> {
        Box::pin(self.service.take_in(Path::new(&file.id)))
    }

    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move { (name == PLATFORM).then(|| PLATFORM.to_owned()) })
    }
}
