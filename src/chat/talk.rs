//! One thing that was said, while it is being answered: who, where, and how an answer gets there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::actions::Action;
use super::adapter::{Address, ChatAdapter, Inbound, SendError};
use super::courier::Courier;
use super::grammar::inert;
use super::means::Means;
use super::who;
use crate::domain::card::{Card, CardKind, Style};
use crate::domain::id::RunId;
use crate::domain::time::Span;
use crate::service::conversations::{RunMessage, Whereabouts};
use crate::service::{Archive, Caller, RunView, ServiceError};

/// Two executions that began closer to each other than this are not told apart by `last`.
const CLOSE: Span = Span::from_secs(10);
/// Executions of a place that are looked at for one that asks.
const LOOKED_AT: u32 = 20;

/// What a verb answers.
pub enum Reply {
    /// Only whoever asked sees it.
    Private(Card),
    /// The same, and it cannot be shared.
    Sealed(Card),
    /// Everybody there sees it.
    Public(Card),
    /// The execution's own card says it.
    Quiet,
}

/// Why a verb does not answer.
#[derive(Debug)]
pub enum No {
    /// The front desk says no.
    Service(ServiceError),
    /// This room does, with a card.
    Card(Box<Card>),
    /// The platform failed.
    Send(SendError),
}

impl From<ServiceError> for No {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

impl From<SendError> for No {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

impl No {
    /// A refusal in one sentence, with what to do instead.
    pub fn because(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Card(Box::new(refusal(message, fix)))
    }
}

/// The card of a refusal.
pub fn refusal(message: impl Into<String>, fix: impl Into<String>) -> Card {
    let (message, fix): (String, String) = (message.into(), fix.into());
    let card = Card::new(CardKind::Error, message);
    if fix.is_empty() { card } else { card.verdict(fix) }
}

/// The talk.
pub struct Talk<'t> {
    pub means: &'t Arc<Means>,
    pub courier: &'t Courier,
    pub adapter: &'t dyn ChatAdapter,
    pub inbound: &'t Inbound,
    pub caller: Caller,
    /// What can be asked, as far as they may see it.
    pub archive: Archive,
    /// The execution under whose card this was said.
    pub run: Option<RunMessage>,
    answers: AtomicUsize,
}

impl<'t> Talk<'t> {
    /// Finds out what is meant where nothing is named.
    pub async fn new(means: &'t Arc<Means>, courier: &'t Courier, inbound: &'t Inbound) -> Result<Self, No> {
        let adapter = &**means.adapter(&inbound.from)?;
        let caller = who::caller(means, inbound).await?;
        let archive = means.service.seen_by(&caller);
        let mut talk =
            Self { means, courier, adapter, inbound, caller, archive, run: None, answers: AtomicUsize::new(0) };
        if let Some(thread) = &inbound.from.thread {
            talk.run = talk.cards(Some(thread), false, 1).await?.into_iter().next();
        }
        Ok(talk)
    }

    /// Executions whose cards are here, newest first.
    async fn cards(&self, thread: Option<&str>, mine: bool, limit: u32) -> Result<Vec<RunMessage>, ServiceError> {
        let place = Whereabouts {
            platform: &self.inbound.from.platform,
            channel: &self.inbound.from.channel,
            thread,
            requester: mine.then_some(self.inbound.user.as_str()),
        };
        self.means.keeper.cards_in(place, limit).await
    }

    /// The latest execution that whoever speaks began here.
    pub async fn latest(&self) -> Result<Option<RunMessage>, ServiceError> {
        Ok(self.cards(None, true, 1).await?.into_iter().next())
    }

    /// The executions here that ask whoever speaks: in a run's thread that one alone.
    pub async fn asking(&self) -> Result<Vec<RunView>, ServiceError> {
        let cards = match &self.run {
            Some(run) => vec![run.clone()],
            None => self.cards(None, true, LOOKED_AT).await?,
        };
        let mut asking = Vec::new();
        for card in cards.iter().filter(|card| !card.is_final) {
            let view = match self.archive.view(card.run, false).await {
                Err(ServiceError::NotFound { .. }) => continue, // not theirs to see, or forgotten just now
                view => view?,
            };
            if !view.questions.is_empty() {
                asking.push(view);
            }
        }
        Ok(asking)
    }

    /// The execution that a word means: an id or its beginning, `last`, `#3`.
    pub async fn target(&self, word: &str) -> Result<RunId, No> {
        if word == "last" {
            return self.last().await;
        }
        let word = self.listed(word).await?;
        Ok(self.archive.resolve(&word).await?)
    }

    async fn last(&self) -> Result<RunId, No> {
        if let Some(run) = &self.run {
            return Ok(run.run);
        }
        let cards = self.cards(None, true, 2).await?;
        match cards.as_slice() {
            [] => Err(No::because("you have started nothing here yet", "`list` shows what can be run")),
            [newest, before] if newest.created_at.since(before.created_at) < CLOSE => {
                let message = "`last` could be either of two that began together";
                let fix = format!("name one: {} or {}", newest.run, before.run);
                Err(No::because(message, fix))
            }
            [newest, ..] => Ok(newest.run),
        }
    }

    /// What `#3` meant in the latest list here; any other word as it is.
    pub async fn listed(&self, word: &str) -> Result<String, No> {
        let Some(number) = word.strip_prefix('#') else { return Ok(word.to_owned()) };
        let items = self.means.keeper.list(&self.place()).await?;
        let item = number.parse::<usize>().ok().and_then(|number| items.get(number.checked_sub(1)?).cloned());
        item.ok_or_else(|| {
            let message = format!("there is no line {} in the latest list here", inert(word, 20));
            No::because(message, "`list` or `history` makes a list")
        })
    }

    /// Remembers what the lines of a list mean.
    pub async fn remember(&self, items: &[String]) -> Result<(), No> {
        Ok(self.means.keeper.remember_list(&self.place(), items).await?)
    }

    /// Where a list is remembered: each person has their own, as they alone see it.
    fn place(&self) -> String {
        format!("{}/{}", self.inbound.from.text(), self.inbound.user)
    }

    /// What was typed, if anything was.
    pub fn text(&self) -> Option<&str> {
        match &self.inbound.what {
            super::adapter::What::Said { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Shows an execution's card here, or brings the one that it has up to date.
    pub async fn show(&self, run: RunId) -> Result<(), No> {
        self.courier.open(run, &self.inbound.from, &self.inbound.user).await?;
        Ok(())
    }

    /// Sends an answer.
    pub async fn answer(&self, reply: Reply) -> Result<(), SendError> {
        let nonce = format!("{}:{}", self.inbound.key, self.answers.fetch_add(1, Ordering::Relaxed));
        let to = &self.inbound.from;
        match reply {
            Reply::Private(card) => {
                let card = self.shareable(card).sealed();
                self.adapter.private(to, self.inbound.reader(), &card, &nonce).await?;
            }
            Reply::Sealed(card) => {
                self.adapter.private(to, self.inbound.reader(), &card.sealed(), &nonce).await?;
            }
            Reply::Public(card) => {
                self.adapter.post(to, &card.sealed(), &nonce).await?;
            }
            Reply::Quiet => {}
        }
        Ok(())
    }

    /// A private answer in a shared place can be shared: it is made anew then, for everybody's eyes.
    fn shareable(&self, card: Card) -> Card {
        let told = matches!(card.kind, CardKind::Answer | CardKind::List);
        match self.text().filter(|text| told && !text.is_empty() && !self.inbound.is_direct) {
            Some(line) => card.button("Share", self.sign(&Action::Share(line.to_owned())), Style::Plain),
            None => card,
        }
    }

    /// The action as a button carries it.
    pub fn sign(&self, action: &Action) -> String {
        self.means.sign(action)
    }

    /// A button that says a line in the name of whoever presses.
    pub fn line(&self, line: impl Into<String>) -> String {
        self.sign(&Action::Line(line.into()))
    }

    /// Where this was said.
    pub fn here(&self) -> &Address {
        &self.inbound.from
    }
}
