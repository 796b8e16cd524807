//! The way of a message: its key is kept first, so that whatever is told twice is answered once; then it is read, its
//! verb asked, the answer sent. What a crash cut short is taken up at the next start.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::actions::{Action, Signer};
use super::adapter::{ChatAdapter, Inbound, What};
use super::complete::{Candidate, candidates};
use super::courier::Courier;
use super::grammar::{self, Heard, Place};
use super::means::{Means, Settings};
use super::talk::{No, Reply, Talk};
use super::who::{self, ChannelNames};
use super::{files, forms, inbox, outbox, press, recovery, rules, verbs};
use crate::contract::crash::crash_point;
use crate::domain::card::{Card, Form};
use crate::domain::role;
use crate::service::conversations::{Conversations, Message, Progress};
use crate::service::verbs::Verb;
use crate::service::{FileRecord, Service, ServiceError};

/// The name of the key with which buttons are signed.
const KEY: &str = "buttons";

/// What became of something that came in.
pub struct Receipt {
    /// It had come before; nothing happens.
    pub duplicate: bool,
    /// Resolves when it was answered.
    pub answered: oneshot::Receiver<()>,
}

impl Receipt {
    fn of_a_duplicate() -> Self {
        Self { duplicate: true, answered: oneshot::channel().1 }
    }
}

struct Job {
    inbound: Inbound,
    /// An earlier life of the process took it in; whether it had begun to answer it.
    earlier: Option<bool>,
    answered: oneshot::Sender<()>,
    _place: Option<OwnedSemaphorePermit>,
}

/// A person in a channel: what they say there is answered in order, and a large file of one holds up nobody else.
type Line = (String, String, String);

/// The conversations of this process. Cheap to clone.
#[derive(Clone)]
pub struct Chat {
    inner: Arc<Inner>,
}

struct Inner {
    means: Arc<Means>,
    courier: Courier,
    /// What waits in each line; a line that is here has somebody who works on it.
    lines: Mutex<HashMap<Line, VecDeque<Job>>>,
    places: Arc<Semaphore>,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// What a crash cut short, and when it is answered now, until its platform asks.
    taken_up: Mutex<Vec<TakenUp>>,
}

/// Something that an earlier life had taken in; resolves when it is answered now, `None` where it was.
pub type TakenUp = (Inbound, Option<oneshot::Receiver<()>>);

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
        // What workflows wait for is known before the first word is said.
        service.arm_all().await?;
        let keeper = service.conversations();
        keeper.forget().await?;
        let signer = Signer::new(&keeper.key(KEY).await?);
        let adapters = adapters.into_iter().map(|adapter| (adapter.traits().platform, adapter)).collect();
        let (channels, floods) = (ChannelNames::default(), rules::Floods::default());
        let means = Arc::new(Means { service, keeper, signer, settings, adapters, channels, floods });
        let stop = CancellationToken::new();
        let (courier, task) = Courier::start(Arc::clone(&means), stop.clone()).await?;
        let posting = outbox::start(Arc::clone(&means), stop.clone()).await?;
        let tasks = TaskTracker::new();
        tasks.spawn(task);
        tasks.spawn(posting);
        tasks.spawn(rules::keep(Arc::clone(&means), stop.clone()));
        let places = Arc::new(Semaphore::new(settings.waiting));
        let inner = Inner { means, courier, lines: Mutex::default(), places, stop, tasks, taken_up: Mutex::default() };
        let chat = Self { inner: Arc::new(inner) };
        chat.take_up().await?;
        Ok(chat)
    }

    /// Stops in good order; what is unfinished is taken up at the next start.
    pub async fn close(self) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    /// Takes something in. Once this returns, it will be answered, whatever happens.
    ///
    /// # Errors
    /// The store fails; it may be brought again.
    pub async fn receive(&self, inbound: Inbound) -> Result<Receipt, ServiceError> {
        self.receive_with(inbound, None).await
    }

    /// Takes something in, if there is room for it within this time; `None`: there is not, and nothing was kept.
    ///
    /// # Errors
    /// The store fails; it may be brought again.
    pub async fn receive_within(&self, inbound: Inbound, patience: Duration) -> Result<Option<Receipt>, ServiceError> {
        // Room first: what is kept will be answered, so what cannot be answered soon is not kept.
        let place = Arc::clone(&self.inner.places).acquire_owned();
        let Ok(place) = tokio::time::timeout(patience, place).await else { return Ok(None) };
        if !self.accept(&inbound, None).await? {
            return Ok(Some(Receipt::of_a_duplicate()));
        }
        Ok(Some(Receipt { duplicate: false, answered: self.line_up(inbound, None, place.ok()) }))
    }

    /// Takes something in together with the message that it is, where we keep the messages of its platform.
    ///
    /// # Errors
    /// The store fails; it may be brought again.
    pub async fn receive_with(&self, inbound: Inbound, message: Option<&Message>) -> Result<Receipt, ServiceError> {
        if !self.accept(&inbound, message).await? {
            return Ok(Receipt::of_a_duplicate());
        }
        Ok(Receipt { duplicate: false, answered: self.enqueue(inbound, None).await })
    }

    /// Keeps what came in; `false`: it came before.
    async fn accept(&self, inbound: &Inbound, message: Option<&Message>) -> Result<bool, ServiceError> {
        let said = serde_json::to_string(inbound).map_err(|error| ServiceError::Internal(error.to_string()))?;
        let is_new = self.inner.means.keeper.accept(&inbound.key, &said, message).await?;
        if is_new {
            crash_point("message: accepted");
        }
        Ok(is_new)
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
                        self.inner.taken_up().push((inbound, None));
                        continue;
                    }
                    let answered = self.enqueue(inbound.clone(), Some(begun)).await;
                    self.inner.taken_up().push((inbound, Some(answered)));
                }
                Err(error) => tracing::error!(%error, "something that came in cannot be read"),
            }
        }
        Ok(())
    }

    /// What an earlier life of the process had taken in from a platform and not answered; told once.
    #[must_use]
    pub fn taken_up(&self, platform: &str) -> Vec<TakenUp> {
        let mut all = self.inner.taken_up();
        let (theirs, others) = std::mem::take(&mut *all).into_iter().partition(|(it, _)| it.from.platform == platform);
        *all = others;
        theirs
    }

    async fn enqueue(&self, inbound: Inbound, earlier: Option<bool>) -> oneshot::Receiver<()> {
        // Places are never taken away; without one it is answered all the same.
        let place = Arc::clone(&self.inner.places).acquire_owned().await.ok();
        self.line_up(inbound, earlier, place)
    }

    /// Puts something at the end of its line.
    fn line_up(
        &self,
        inbound: Inbound,
        earlier: Option<bool>,
        place: Option<OwnedSemaphorePermit>,
    ) -> oneshot::Receiver<()> {
        let (answered, receipt) = oneshot::channel();
        let line = (inbound.from.platform.clone(), inbound.from.channel.clone(), inbound.user.clone());
        let job = Job { inbound, earlier, answered, _place: place };
        let mut lines = self.inner.lines();
        if let Some(waiting) = lines.get_mut(&line) {
            waiting.push_back(job);
        } else {
            lines.insert(line.clone(), VecDeque::from([job]));
            self.inner.tasks.spawn(Arc::clone(&self.inner).work(line));
        }
        receipt
    }

    /// The form that a press opens, as things stand now; `None`: there is nothing to fill in any more, and the press is
    /// to be taken in as any other.
    ///
    /// # Errors
    /// The store fails.
    pub async fn form(&self, inbound: &Inbound, action: &str) -> Result<Option<Form>, ServiceError> {
        let means = &self.inner.means;
        let caller = who::caller(means, inbound).await?;
        let opened = means.signer.open(action, means.now());
        let (wanted, on) = match &opened {
            Ok(Action::Submit { run }) => (role::Action::Answer, *run),
            Ok(Action::Again { run }) => (role::Action::Start, *run),
            _ => return Ok(None),
        };
        match means.service.check_on(&caller, wanted, on).await {
            // The press itself is told why.
            Err(ServiceError::Denied(_) | ServiceError::NotFound { .. }) => return Ok(None),
            checked => checked?,
        }
        match opened {
            Ok(Action::Submit { run }) => {
                let view = means.service.seen_by(&caller).view(run, false).await?;
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
            Ok(Reply::Private(card) | Reply::Sealed(card) | Reply::Public(card)) => Some(card.sealed()),
            Ok(Reply::Quiet) => None,
            Err(no) => verbs::refused(&talk, no).ok().map(Card::sealed),
        }
    }

    /// How a line that is being typed could go on, for whoever types it.
    ///
    /// # Errors
    /// The store or a template cannot be read.
    pub async fn candidates(&self, inbound: &Inbound, typed: &str) -> Result<Vec<Candidate>, ServiceError> {
        let caller = who::caller(&self.inner.means, inbound).await?;
        candidates(self.service(), &caller, typed).await
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
        self.inner.courier.settled(platform).await?;
        rules::settled(&self.inner.means, platform).await
    }

    /// The front desk.
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.inner.means.service
    }
}

impl Inner {
    fn taken_up(&self) -> MutexGuard<'_, Vec<TakenUp>> {
        self.taken_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<Line, VecDeque<Job>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers what waits in one line, in order, until nothing does. What a stop leaves is taken up at the next start.
    async fn work(self: Arc<Self>, line: Line) {
        while let Some(job) = self.next(&line) {
            let key = job.inbound.key.clone();
            // Whatever goes wrong with one answer, the next one is given; this one is at the next start.
            if AssertUnwindSafe(self.answer(job)).catch_unwind().await.is_err() {
                tracing::error!(key, "an answer was given up");
            }
        }
    }

    fn next(&self, line: &Line) -> Option<Job> {
        let mut lines = self.lines();
        let job = lines.get_mut(line).filter(|_| !self.stop.is_cancelled()).and_then(VecDeque::pop_front);
        if job.is_none() {
            lines.remove(line);
        }
        job
    }

    async fn answer(&self, Job { inbound, earlier, answered, .. }: Job) {
        let keeper = &self.means.keeper;
        // What an earlier life took in waits until its platform is there: its files are fetched from there, its answers
        // go there. A stop leaves it to the next life.
        if earlier.is_some() && !who::is_there(&self.means, &inbound, &self.stop).await {
            return;
        }
        let done = async {
            if earlier != Some(true) {
                keeper.progress(&inbound.key, Progress::Begun).await?;
            }
            handle(&self.means, &self.courier, &inbound).await;
            crash_point("message: answered");
            keeper.progress(&inbound.key, Progress::Done).await
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
        if let What::Reacted { message, emoji } = &inbound.what {
            return rules::reacted(means, courier, inbound, (message, emoji)).await;
        }
        let talk = Talk::new(means, courier, inbound).await?;
        let reply = match &inbound.what {
            What::Said { text, .. } => said(&talk, text).await,
            What::Pressed { message, action, values } => press::pressed(&talk, message, action, values).await,
            // What was said is said: an edited command runs nothing again, a deleted one stops nothing.
            What::Reacted { .. } | What::Edited | What::Deleted => Ok(Reply::Quiet),
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
    if let Some(reply) = Box::pin(rules::heard(talk, text, (&files, &place))).await? {
        return Ok(reply);
    }
    match grammar::hear(text, &place) {
        Ok(Heard::Verb(verb)) => verbs::ask(talk, *verb, files).await,
        Ok(Heard::Help(topic)) => verbs::help(talk, topic.as_deref()).await,
        Ok(Heard::Nothing) if files.is_empty() => Ok(Reply::Quiet),
        Ok(Heard::Nothing) => files::dropped(talk, files).await,
        Ok(Heard::Text(words)) => inbox::told(talk, &words, files).await,
        Err(trouble) => verbs::troubled(talk, &trouble).await,
    }
}
