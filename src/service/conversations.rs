//! What conversations need to be kept, and what they want to hear: the store and the engine's feed, for doors that
//! may know neither.

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::error::ServiceError;
use super::runs::Service;
use crate::domain::event::Event;
use crate::domain::id::RunId;
use crate::domain::time::{Span, Timestamp};
use crate::engine::Notice;
use crate::language::catalog::Catalog;

pub use crate::store::cards::{RunMessage, Whereabouts};
pub use crate::store::conversations::{Attached, Channel, Message, Progress, Unanswered};

/// How long the key of something that came in is kept: longer than any platform repeats itself.
const REMEMBERED: Span = Span::from_secs(7 * 24 * 3_600);

/// How long the action of a button is kept: longer than any button can be pressed.
const PRESSABLE: Span = Span::from_secs(33 * 24 * 3_600);

/// The conversations that are kept. Cheap to clone.
#[derive(Clone)]
pub struct Conversations {
    service: Service,
}

impl Service {
    /// The conversations.
    #[must_use]
    pub fn conversations(&self) -> Conversations {
        Conversations { service: self.clone() }
    }

    /// What happens to executions from now on.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch { news: self.news() }
    }

    /// The present time, as everything here sees it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.engine().clock().now()
    }

    /// The step types that workflows can use.
    #[must_use]
    pub fn step_types(&self) -> &Catalog {
        self.engine().registry().catalog()
    }

    /// A fresh random text of 26 letters and digits, later ones sorting behind earlier ones.
    #[must_use]
    pub fn fresh_id(&self) -> String {
        let id = RunId::from_bits(self.engine().clock().id_bits()).to_string();
        id.trim_start_matches(RunId::PREFIX).to_owned()
    }
}

/// Something that happened to an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is further than it was.
    Moved {
        /// The execution.
        run: RunId,
        /// It ended, stands still, asks, or a step failed: what people want to see at once.
        turned: bool,
    },
    /// It was over, and goes on.
    Reopened(RunId),
    /// A step says how far it is. Kept nowhere.
    Says {
        /// The execution.
        run: RunId,
        /// The step's place.
        step: usize,
        /// What it says.
        text: String,
    },
    /// Something was missed: anything may have happened to any of them.
    Missed,
}

/// A listener. One that is slow misses changes, and hears that it did.
pub struct Watch {
    news: Receiver<Notice>,
}

impl Watch {
    /// The next change; `None` when the engine has gone.
    pub async fn next(&mut self) -> Option<Change> {
        match self.news.recv().await {
            Ok(Notice::Committed { run, entries, .. }) => {
                let reopened = entries.iter().any(|(_, event)| matches!(event, Event::Reopened { .. }));
                let turned = entries.iter().any(|(_, event)| is_turn(event));
                Some(if reopened { Change::Reopened(run) } else { Change::Moved { run, turned } })
            }
            Ok(Notice::Progress { run, step, text }) => Some(Change::Says { run, step, text }),
            Err(RecvError::Lagged(_)) => Some(Change::Missed),
            Err(RecvError::Closed) => None,
        }
    }
}

const fn is_turn(event: &Event) -> bool {
    matches!(
        event,
        Event::Finished { .. }
            | Event::Paused
            | Event::Resumed { .. }
            | Event::Asked { .. }
            | Event::WaitingUntil { .. }
            | Event::StepFailed { .. }
            | Event::CancelAsked { .. }
    )
}

/// Messages that do not show what they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behind {
    /// Executions that are over and whose messages do not show it.
    pub cards: u64,
    /// For how long the oldest of them waits.
    pub oldest: Span,
}

impl Conversations {
    /// How far the messages of executions that are over are behind.
    ///
    /// # Errors
    /// The store fails.
    pub async fn behind(&self) -> Result<Behind, ServiceError> {
        let (cards, since) = self.service.engine().store().conversations().cards().behind().await?;
        let oldest = since.map_or(Span::ZERO, |since| self.service.now().since(since));
        Ok(Behind { cards, oldest })
    }

    /// Keeps what came in, with the message that it is. `false`: it came before.
    ///
    /// # Errors
    /// The store fails.
    pub async fn accept(&self, key: &str, said: &str, message: Option<&Message>) -> Result<bool, ServiceError> {
        let store = self.service.engine().store().conversations();
        Ok(store.accept(key, said, self.service.now(), message).await?)
    }

    /// Notes how far the answer is.
    ///
    /// # Errors
    /// The store fails.
    pub async fn progress(&self, key: &str, progress: Progress) -> Result<(), ServiceError> {
        Ok(self.service.engine().store().conversations().progress(key, progress, self.service.now()).await?)
    }

    /// Forgets the keys of what was answered long ago.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget(&self) -> Result<(), ServiceError> {
        let ago = |span: Span| Timestamp::from_micros(self.service.now().micros().saturating_sub(span.micros()));
        let store = self.service.engine().store().conversations();
        store.forget_actions_before(ago(PRESSABLE)).await?;
        Ok(store.forget_before(ago(REMEMBERED)).await?)
    }

    /// What was not answered, oldest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn unanswered(&self) -> Result<Vec<Unanswered>, ServiceError> {
        Ok(self.service.engine().store().conversations().unanswered().await?)
    }

    /// Makes a channel; one that is there already stays as it is.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open_channel(&self, channel: &Channel) -> Result<(), ServiceError> {
        Ok(self.service.engine().store().conversations().open_channel(channel, self.service.now()).await?)
    }

    /// The channels that a person sees.
    ///
    /// # Errors
    /// The store fails.
    pub async fn channels(&self, person: &str) -> Result<Vec<Channel>, ServiceError> {
        Ok(self.service.engine().store().conversations().channels(person).await?)
    }

    /// One channel.
    ///
    /// # Errors
    /// The store fails.
    pub async fn channel(&self, id: &str) -> Result<Option<Channel>, ServiceError> {
        Ok(self.service.engine().store().conversations().channel(id).await?)
    }

    /// Keeps a message, or its new content, under its number.
    ///
    /// # Errors
    /// The store fails.
    pub async fn put_message(&self, message: &Message) -> Result<(), ServiceError> {
        Ok(self.service.engine().store().conversations().put_message(message).await?)
    }

    /// One message.
    ///
    /// # Errors
    /// The store fails.
    pub async fn message(&self, id: &str) -> Result<Option<Message>, ServiceError> {
        Ok(self.service.engine().store().conversations().message(id).await?)
    }

    /// What is new or changed above a number, in order; private messages of everybody included.
    ///
    /// # Errors
    /// The store fails.
    pub async fn since(&self, channel: &str, after: u64, limit: usize) -> Result<Vec<Message>, ServiceError> {
        Ok(self.service.engine().store().conversations().since(channel, after, limit).await?)
    }

    /// A page of a channel as one person sees it, newest first.
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
        Ok(self.service.engine().store().conversations().before(channel, before, person, limit).await?)
    }

    /// Notes that an execution wants a message; one that has one keeps it. The message as it is noted now.
    ///
    /// # Errors
    /// The store fails.
    pub async fn want_card(&self, wanted: RunMessage) -> Result<RunMessage, ServiceError> {
        let store = self.service.engine().store().conversations().cards();
        store.want(&wanted).await?;
        Ok(store.find(wanted.run).await?.unwrap_or(wanted))
    }

    /// Notes what an execution's message shows.
    ///
    /// # Errors
    /// The store fails.
    pub async fn card_sent(&self, run: RunId, message: &str, sent: u64, is_final: bool) -> Result<(), ServiceError> {
        Ok(self.service.engine().store().conversations().cards().sent(run, message, sent, is_final).await?)
    }

    /// The message of an execution.
    ///
    /// # Errors
    /// The store fails.
    pub async fn card(&self, run: RunId) -> Result<Option<RunMessage>, ServiceError> {
        Ok(self.service.engine().store().conversations().cards().find(run).await?)
    }

    /// Messages that do not show an end yet, oldest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open_cards(&self) -> Result<Vec<RunMessage>, ServiceError> {
        Ok(self.service.engine().store().conversations().cards().open().await?)
    }

    /// The newest executions whose messages are there, newest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn cards_in(&self, place: Whereabouts<'_>, limit: u32) -> Result<Vec<RunMessage>, ServiceError> {
        Ok(self.service.engine().store().conversations().cards().within(place, limit).await?)
    }

    /// Remembers the latest list of a place.
    ///
    /// # Errors
    /// The store fails.
    pub async fn remember_list(&self, place: &str, items: &[String]) -> Result<(), ServiceError> {
        Ok(self.service.engine().store().conversations().remember_list(place, items, self.service.now()).await?)
    }

    /// The latest list of a place.
    ///
    /// # Errors
    /// The store fails.
    pub async fn list(&self, place: &str) -> Result<Vec<String>, ServiceError> {
        Ok(self.service.engine().store().conversations().list(place).await?)
    }

    /// Keeps the action that a short text stands for.
    ///
    /// # Errors
    /// The store fails.
    pub async fn keep_action(&self, short: &str, action: &str) -> Result<(), ServiceError> {
        let store = self.service.engine().store().conversations();
        Ok(store.keep_action(short, action, self.service.now()).await?)
    }

    /// The action that a short text stands for.
    ///
    /// # Errors
    /// The store fails.
    pub async fn action(&self, short: &str) -> Result<Option<String>, ServiceError> {
        Ok(self.service.engine().store().conversations().action(short).await?)
    }

    /// Remembers this under a name, in the place of what was there.
    ///
    /// # Errors
    /// The store fails.
    pub async fn note(&self, name: &str, value: &str) -> Result<(), ServiceError> {
        Ok(self.service.engine().store().conversations().note(name, value, self.service.now()).await?)
    }

    /// What is remembered under a name.
    ///
    /// # Errors
    /// The store fails.
    pub async fn noted(&self, name: &str) -> Result<Option<String>, ServiceError> {
        Ok(self.service.engine().store().conversations().noted(name).await?)
    }

    /// Notes what was said of an execution in a message of its own.
    ///
    /// # Errors
    /// The store fails.
    pub async fn card_told(&self, run: RunId, what: &str) -> Result<(), ServiceError> {
        Ok(self.service.engine().store().conversations().cards().told(run, what).await?)
    }

    /// The key of this name, made at the first question and kept.
    ///
    /// # Errors
    /// The store fails.
    pub async fn key(&self, name: &str) -> Result<String, ServiceError> {
        // Two ids carry 160 bits of chance.
        let fresh = format!("{}{}", self.service.fresh_id(), self.service.fresh_id());
        Ok(self.service.engine().store().conversations().key(name, &fresh).await?)
    }
}
