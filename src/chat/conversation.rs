//! The way of a message: its key is kept first, so that whatever is told twice is answered once; then it is read, its
//! verb asked, the answer sent. What a crash cut short is taken up at the next start.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::actions::{Action, Signer};
use super::adapter::{ChatAdapter, Inbound, What};
use super::complete::{Candidate, candidates};
use super::courier::Courier;
use super::grammar::{self, Heard, Place};
use super::means::{Means, Settings};
use super::talk::{No, Reply, Talk};
use super::{files, forms, inbox, press, recovery, verbs};
use crate::contract::crash::crash_point;
use crate::domain::card::{Card, Form};
use crate::service::conversations::{Conversations, Message, Progress};
use crate::service::verbs::Verb;
use crate::service::{FileRecord, Service, ServiceError};

/// Messages of one channel that wait at the most before whoever brings another one waits.
const QUEUE: usize = 64;
/// The name of the key with which buttons are signed.
const KEY: &str = "buttons";

/// What became of something that came in.
pub struct Receipt {
    /// It had come before; nothing happens.
    pub duplicate: bool,
    /// Resolves when it was answered.
    pub answered: oneshot::Receiver<()>,
}

struct Job {
    inbound: Inbound,
    begun: bool,
    answered: oneshot::Sender<()>,
}

/// The conversations of this process. Cheap to clone.
#[derive(Clone)]
pub struct Chat {
    inner: Arc<Inner>,
}

struct Inner {
    means: Arc<Means>,
    courier: Courier,
    /// One queue for each channel: what is said there is answered in order.
    queues: Mutex<HashMap<(String, String), mpsc::Sender<Job>>>,
    stop: CancellationToken,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Chat {
    /// Starts the conversations on these platforms, and takes up what a crash cut short.
    ///
    /// # Errors
    /// The store fails.
    pub async fn start(
        service: Service,
        adapters: Vec<Arc<dyn ChatAdapter>>,
        settings: Settings,
    ) -> Result<Self, ServiceError> {
        let keeper = service.conversations();
        keeper.forget().await?;
        let signer = Signer::new(&keeper.key(KEY).await?);
        let adapters = adapters.into_iter().map(|adapter| (adapter.traits().platform, adapter)).collect();
        let means = Arc::new(Means { service, keeper, signer, settings, adapters });
        let stop = CancellationToken::new();
        let (courier, task) = Courier::start(Arc::clone(&means), stop.clone()).await?;
        let inner = Inner { means, courier, queues: Mutex::default(), stop, tasks: Mutex::new(vec![task]) };
        let chat = Self { inner: Arc::new(inner) };
        chat.take_up().await?;
        Ok(chat)
    }

    /// Stops in good order; what is unfinished is taken up at the next start.
    pub async fn close(self) {
        self.inner.stop.cancel();
        let tasks = std::mem::take(&mut *self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a conversation ended badly");
            }
        }
    }

    /// Takes something in. Once this returns, it will be answered, whatever happens.
    ///
    /// # Errors
    /// The store fails; it may be brought again.
    pub async fn receive(&self, inbound: Inbound) -> Result<Receipt, ServiceError> {
        self.receive_with(inbound, None).await
    }

    /// Takes something in together with the message that it is, where we keep the messages of its platform.
    ///
    /// # Errors
    /// The store fails; it may be brought again.
    pub async fn receive_with(&self, inbound: Inbound, message: Option<&Message>) -> Result<Receipt, ServiceError> {
        let said = serde_json::to_string(&inbound).map_err(|error| ServiceError::Internal(error.to_string()))?;
        if !self.inner.means.keeper.accept(&inbound.key, &said, message).await? {
            let (_, answered) = oneshot::channel();
            return Ok(Receipt { duplicate: true, answered });
        }
        crash_point("message: accepted");
        Ok(Receipt { duplicate: false, answered: self.enqueue(inbound, false).await })
    }

    /// Takes something in, unless its channel has no place for it before `patience` is over: `None`, and nothing of it
    /// was kept. For platforms that wait only so long before they take us for dead.
    ///
    /// # Errors
    /// The store fails; it may be brought again.
    pub async fn receive_within(&self, inbound: Inbound, patience: Duration) -> Result<Option<Receipt>, ServiceError> {
        let said = serde_json::to_string(&inbound).map_err(|error| ServiceError::Internal(error.to_string()))?;
        // The place first: what is kept will be answered, and whoever was told "busy" may say it again.
        let place = tokio::time::timeout(patience, self.queue(&inbound).reserve_owned()).await;
        let Ok(Ok(place)) = place else { return Ok(None) };
        let (answer, answered) = oneshot::channel();
        if !self.inner.means.keeper.accept(&inbound.key, &said, None).await? {
            return Ok(Some(Receipt { duplicate: true, answered }));
        }
        crash_point("message: accepted");
        place.send(Job { inbound, begun: false, answered: answer });
        Ok(Some(Receipt { duplicate: false, answered }))
    }

    /// What a crash cut short, in the order in which it came.
    async fn take_up(&self) -> Result<(), ServiceError> {
        for open in self.inner.means.keeper.unanswered().await? {
            match serde_json::from_str::<Inbound>(&open.said) {
                Ok(inbound) => {
                    let begun = open.progress == Progress::Begun;
                    if begun && recovery::was_started(&self.inner.means, &self.inner.courier, &inbound, open.at).await?
                    {
                        self.inner.means.keeper.progress(&inbound.key, Progress::Done).await?;
                        continue;
                    }
                    drop(self.enqueue(inbound, begun).await);
                }
                Err(error) => tracing::error!(%error, "something that came in cannot be read"),
            }
        }
        Ok(())
    }

    async fn enqueue(&self, inbound: Inbound, begun: bool) -> oneshot::Receiver<()> {
        let (answered, receipt) = oneshot::channel();
        let queue = self.queue(&inbound);
        let _ = queue.send(Job { inbound, begun, answered }).await; // when stopping: the next start takes it up
        receipt
    }

    fn queue(&self, inbound: &Inbound) -> mpsc::Sender<Job> {
        let key = (inbound.from.platform.clone(), inbound.from.channel.clone());
        let mut queues = self.inner.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queues.entry(key).or_insert_with(|| {
            let (sender, jobs) = mpsc::channel(QUEUE);
            let (means, courier) = (Arc::clone(&self.inner.means), self.inner.courier.clone());
            let task = tokio::spawn(work(means, courier, jobs, self.inner.stop.clone()));
            self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
            sender
        });
        queue.clone()
    }

    /// The form that a press opens, as things stand now; `None`: there is nothing to fill in any more, and the press is
    /// to be taken in as any other.
    ///
    /// # Errors
    /// The store fails.
    pub async fn form(&self, inbound: &Inbound, action: &str) -> Result<Option<Form>, ServiceError> {
        let means = &self.inner.means;
        let caller = super::talk::caller(inbound);
        match means.signer.open(action, means.now()) {
            Ok(Action::Submit { run }) => {
                let view = means.service.archive().view(run, false).await?;
                Ok(forms::of_questions(&view, action.to_owned()))
            }
            Ok(Action::Again { run }) => forms::of_rerun(means, &caller, run).await,
            _ => Ok(None),
        }
    }

    /// What a line would answer to whoever it comes from, without sending it: for places that show standing answers.
    /// Only lines that change nothing are answered.
    pub async fn look(&self, inbound: &Inbound, line: &str) -> Option<Card> {
        let place = Place { names: &[], is_open: true, run: None };
        let Ok(Heard::Verb(verb)) = grammar::hear(line, &place) else { return None };
        if !matches!(*verb, Verb::Status(_) | Verb::Inbox(_) | Verb::History(_) | Verb::List(_)) {
            return None;
        }
        let talk = Talk::new(&self.inner.means, &self.inner.courier, inbound).await.ok()?;
        match verbs::ask(&talk, *verb, Vec::new()).await {
            Ok(Reply::Private(card) | Reply::Public(card)) => Some(card.sealed()),
            Ok(Reply::Quiet) => None,
            Err(no) => verbs::refused(&talk, no).ok().map(Card::sealed),
        }
    }

    /// How a line that is being typed could go on, for whoever types it.
    ///
    /// # Errors
    /// The store or a template cannot be read.
    pub async fn candidates(&self, typed: &str) -> Result<Vec<Candidate>, ServiceError> {
        candidates(self.service(), typed).await
    }

    /// What adapters remember, and short texts for long actions.
    #[must_use]
    pub fn keeper(&self) -> &Conversations {
        &self.inner.means.keeper
    }

    /// Resolves when every card of a platform shows its end, or stands still and shows that.
    ///
    /// # Errors
    /// The store fails.
    pub async fn settled(&self, platform: &str) -> Result<(), ServiceError> {
        self.inner.courier.settled(platform).await
    }

    /// The front desk.
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.inner.means.service
    }
}

/// Answers what is said in one channel, in order.
async fn work(means: Arc<Means>, courier: Courier, mut jobs: mpsc::Receiver<Job>, stop: CancellationToken) {
    loop {
        let job = tokio::select! {
            job = jobs.recv() => job,
            () = stop.cancelled() => None,
        };
        let Some(Job { inbound, begun, answered }) = job else { return };
        let done = async {
            if !begun {
                means.keeper.progress(&inbound.key, Progress::Begun).await?;
            }
            handle(&means, &courier, &inbound).await;
            crash_point("message: answered");
            means.keeper.progress(&inbound.key, Progress::Done).await
        };
        if let Err(error) = done.await {
            tracing::error!(%error, "an answer is not kept; it is given again at the next start");
        }
        let _ = answered.send(()); // nobody may wait for it
    }
}

/// Answers one thing, with a refusal if need be.
async fn handle(means: &Arc<Means>, courier: &Courier, inbound: &Inbound) {
    let answered = async {
        let talk = Talk::new(means, courier, inbound).await?;
        let reply = match &inbound.what {
            What::Said { text, .. } => said(&talk, text).await,
            What::Pressed { message, action, values } => press::pressed(&talk, message, action, values).await,
            // What was said is said: an edited command runs nothing again, a deleted one stops nothing.
            What::Edited | What::Deleted => Ok(Reply::Quiet),
        };
        let reply = reply.or_else(|no| verbs::refused(&talk, no).map(Reply::Private))?;
        talk.answer(reply).await.map_err(No::Send)
    };
    if let Err(no) = answered.await {
        tracing::warn!(channel = %inbound.from.text(), ?no, "no answer could be given");
    }
}

async fn said(talk: &Talk<'_>, text: &str) -> Result<Reply, No> {
    let files = files::fetch(talk).await?;
    understood(talk, text, files).await
}

/// Reads a line and does what it says.
pub(super) async fn understood(talk: &Talk<'_>, text: &str, files: Vec<FileRecord>) -> Result<Reply, No> {
    let run = talk.run.as_ref().map(|run| run.run.to_string());
    let is_open = talk.inbound.is_direct || run.is_some();
    let place = Place { names: talk.adapter.traits().names, is_open, run: run.as_deref() };
    match grammar::hear(text, &place) {
        Ok(Heard::Verb(verb)) => verbs::ask(talk, *verb, files).await,
        Ok(Heard::Help(topic)) => verbs::help(talk, topic.as_deref()).await,
        Ok(Heard::Nothing) if files.is_empty() => Ok(Reply::Quiet),
        Ok(Heard::Nothing) => files::dropped(talk, files).await,
        Ok(Heard::Text(words)) => inbox::told(talk, &words, files).await,
        Err(trouble) => verbs::troubled(talk, &trouble).await,
    }
}
