//! What workflows tell people, for whoever posts it and for whoever looks after it.

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::Caller;
use super::archive::Archive;
use super::error::ServiceError;
use super::people::Target;
use super::runs::Service;
use super::view::progress::FaultView;
use crate::domain::command::Refusal;
use crate::domain::fault::Fault;
use crate::domain::message::{Letter, LetterState, Receipt};
use crate::domain::role::Action;
use crate::domain::time::{Span, Timestamp};
use crate::store::outbox::Carrying;

/// Letters that are shown at once.
const MOST: u32 = 500;
/// Letters of one platform that are looked at for one that is due: one of each conversation.
const LOOKED_AT: u32 = 500;
/// For how long it is remembered what was sent.
const SENT_KEPT: Span = Span::from_secs(30 * 24 * 3_600);
/// For how long it is remembered what was given up.
const DEAD_KEPT: Span = Span::from_secs(90 * 24 * 3_600);
/// Characters of a letter that stand for it in a list.
const SHOWN: usize = 80;

/// A letter as people see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LetterView {
    /// Its id; a unique beginning is enough.
    pub id: String,
    /// The platform that is to carry it.
    pub platform: String,
    /// The channel there.
    pub channel: String,
    /// The message under which it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// Its first words.
    pub title: String,
    /// The execution that wrote it.
    pub execution_id: String,
    /// The step of the execution.
    pub step: String,
    /// `queued`, `sent` or `dead`.
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was written; RFC 3339.
    pub created_at: String,
    /// When it is tried again; RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<String>,
    /// When it was taken or given up; RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<String>,
    /// Why it is not there yet, or never will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub error: Option<FaultView>,
    /// What the platform calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Where to read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl LetterView {
    fn new(letter: &Letter) -> Self {
        let said = [&letter.message.title, &letter.message.text, &letter.message.subject];
        let title = said.iter().find_map(|text| text.lines().map(str::trim).find(|line| !line.is_empty()));
        let is_queued = letter.state == LetterState::Queued;
        Self {
            id: letter.key.clone(),
            platform: letter.platform.clone(),
            channel: letter.channel.clone(),
            thread: Some(letter.thread.clone()).filter(|thread| !thread.is_empty()),
            title: title.unwrap_or_default().chars().take(SHOWN).collect(),
            execution_id: letter.run.to_string(),
            step: letter.step.clone(),
            state: letter.state.word().to_owned(),
            attempts: letter.attempts,
            created_at: letter.created_at.to_string(),
            next_at: is_queued.then(|| letter.next_at.to_string()),
            settled_at: letter.settled_at.map(|at| at.to_string()),
            error: letter.fault.as_ref().map(FaultView::from),
            message: letter.receipt.as_ref().map(|receipt| receipt.message.clone()),
            link: letter.receipt.as_ref().and_then(|receipt| receipt.link.clone()),
        }
    }
}

/// How full the outbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OutboxView {
    /// Letters that wait.
    pub queued: u64,
    /// Seconds that the oldest of them has waited.
    pub oldest_seconds: u64,
    /// Letters that were given up.
    pub dead: u64,
}

impl Archive {
    /// Letters in a state, or all that are not sent; newest first.
    ///
    /// # Errors
    /// There is no such state, or the store fails.
    pub async fn letters(&self, state: Option<&str>) -> Result<Vec<LetterView>, ServiceError> {
        let read = |word: &str| {
            let absent = || ServiceError::NotFound { noun: "state", name: word.to_owned(), near: near(word) };
            LetterState::parse(word).ok_or_else(absent)
        };
        let state = state.map(read).transpose()?;
        Ok(self.store().outbox().list(state, MOST).await?.iter().map(LetterView::new).collect())
    }

    /// How full the outbox is.
    ///
    /// # Errors
    /// The store fails.
    pub async fn outbox(&self, now: Timestamp) -> Result<OutboxView, ServiceError> {
        let fill = self.store().outbox().fill().await?;
        let oldest = fill.oldest.map_or(Span::ZERO, |since| now.since(since));
        Ok(OutboxView { queued: fill.queued, oldest_seconds: oldest.duration().as_secs(), dead: fill.dead })
    }
}

fn near(word: &str) -> Option<String> {
    crate::language::near(word, ["queued", "sent", "dead"]).map(str::to_owned)
}

impl Service {
    /// A letter that was not taken is tried again at once, as if it were new.
    ///
    /// # Errors
    /// There is no such letter, it was sent already, or the store fails.
    pub async fn retry_letter(&self, caller: &Caller, id: &str) -> Result<LetterView, ServiceError> {
        let letter = self.unsent(id).await?;
        self.permit(caller, Action::Retry, Target::Run(letter.run)).await?;
        self.engine().store().outbox().revive(&letter.key, self.now()).await?;
        tracing::info!(letter = letter.key, by = caller.name, "a letter is tried again");
        Ok(LetterView::new(&self.letter(&letter.key).await?))
    }

    /// A letter that was not taken goes away.
    ///
    /// # Errors
    /// There is no such letter, it was sent already, or the store fails.
    pub async fn drop_letter(&self, caller: &Caller, id: &str) -> Result<LetterView, ServiceError> {
        let letter = self.unsent(id).await?;
        self.permit(caller, Action::Cancel, Target::Run(letter.run)).await?;
        self.engine().store().outbox().drop(&letter.key).await?;
        tracing::info!(letter = letter.key, run = %letter.run, by = caller.name, "a letter was dropped");
        Ok(LetterView::new(&letter))
    }

    /// The letters, for whoever posts them.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        Outbox { service: self.clone() }
    }

    async fn unsent(&self, id: &str) -> Result<Letter, ServiceError> {
        let letter = self.letter(id).await?;
        if letter.state == LetterState::Sent {
            let message = format!("the message {} was sent already", letter.key);
            return Err(ServiceError::Refused(Refusal::Step(message)));
        }
        Ok(letter)
    }

    async fn letter(&self, id: &str) -> Result<Letter, ServiceError> {
        let mut found = self.engine().store().outbox().beginning(id).await?;
        if found.len() > 1 && !id.is_empty() {
            let candidates = found.iter().map(|letter| letter.key.clone()).collect();
            return Err(ServiceError::Ambiguous { short: id.to_owned(), candidates });
        }
        let absent = || ServiceError::NotFound { noun: "message", name: id.to_owned(), near: None };
        found.pop().filter(|_| !id.is_empty()).ok_or_else(absent)
    }
}

/// The letters as whoever posts them needs them. Cheap to clone.
#[derive(Clone)]
pub struct Outbox {
    service: Service,
}

impl Outbox {
    /// Hears of every change from now on.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.service.engine().store().outbox().changes()
    }

    /// Says that letters to these platforms are carried in this process, until what this gives is dropped.
    #[must_use]
    pub fn carry(&self, platforms: Vec<String>) -> Carrying {
        self.service.engine().store().outbox().carry(platforms)
    }

    /// The oldest waiting letter of each conversation of a platform.
    ///
    /// # Errors
    /// The store fails.
    pub async fn heads(&self, platform: &str) -> Result<Vec<Letter>, ServiceError> {
        Ok(self.service.engine().store().outbox().heads(platform, LOOKED_AT).await?)
    }

    /// When a letter was written; `None`: there is none with this key.
    ///
    /// # Errors
    /// The store fails.
    pub async fn written(&self, key: &str) -> Result<Option<Timestamp>, ServiceError> {
        Ok(self.service.engine().store().outbox().find(key).await?.map(|letter| letter.created_at))
    }

    /// Its platform has taken a letter.
    ///
    /// # Errors
    /// The store fails.
    pub async fn sent(&self, key: &str, receipt: &Receipt) -> Result<(), ServiceError> {
        Ok(self.service.engine().store().outbox().sent(key, receipt, self.service.now()).await?)
    }

    /// A letter was not taken: how often it was tried, when it is the next time, and why.
    ///
    /// # Errors
    /// The store fails.
    pub async fn later(&self, key: &str, next: (u32, Timestamp), why: &Fault) -> Result<(), ServiceError> {
        Ok(self.service.engine().store().outbox().later(key, next, why).await?)
    }

    /// A letter is given up after so many attempts.
    ///
    /// # Errors
    /// The store fails.
    pub async fn give_up(&self, key: &str, attempts: u32, why: &Fault) -> Result<(), ServiceError> {
        Ok(self.service.engine().store().outbox().give_up(key, (attempts, self.service.now()), why).await?)
    }

    /// Whatever waits for its next attempt on a platform is due now.
    ///
    /// # Errors
    /// The store fails.
    pub async fn hurry(&self, platform: &str) -> Result<(), ServiceError> {
        Ok(self.service.engine().store().outbox().hurry(platform, self.service.now()).await?)
    }

    /// Forgets what was settled long ago.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget(&self) -> Result<(), ServiceError> {
        let now = self.service.now().micros();
        let before = |span: Span| Timestamp::from_micros(now.saturating_sub(span.micros()));
        Ok(self.service.engine().store().outbox().forget(before(SENT_KEPT), before(DEAD_KEPT)).await?)
    }
}
