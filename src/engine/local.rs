//! The engine of this process: what it is made of, how it starts, what it can be asked, how it stops.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::carried::Carried;
use super::feed::Feed;
use super::ledger::{self, Deed};
use super::plans::{Plans, RevisionError};
use super::reception;
use super::suspects::Suspects;
use super::tidy::{self, Retention};
use super::turns::desk::{self, Desk};
use super::turns::queue::Standing;
use super::turns::rooms::Rooms;
use crate::contract::clock::Clock;
use crate::contract::crash::crash_point;
use crate::contract::registry::Registry;
use crate::domain::command::{Command, Refusal};
use crate::domain::fault::Fault;
use crate::domain::id::RunId;
use crate::domain::question::Question;
use crate::domain::run::{Flow, RunState};
use crate::domain::time::Span;
use crate::store::journal::NewRun;
use crate::store::{Store, StoreError};

/// How the engine works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Runs carried at the same time.
    pub max_concurrent: usize,
    /// Take up at start what earlier processes left open.
    pub carry_on: bool,
    /// How long an attempt may take to stop after it was asked to.
    pub stop_grace: Span,
    /// How long a drain waits for attempts in flight before it stops them.
    pub drain_grace: Span,
    /// For how long runs are kept after their end.
    pub retention: Retention,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_concurrent: 5,
            carry_on: true,
            stop_grace: Span::from_secs(10),
            drain_grace: Span::from_secs(25),
            retention: Retention::default(),
        }
    }
}

/// Why a command did not take effect.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// No such run.
    #[error("there is no execution `{0}`")]
    NotFound(RunId),
    /// The run's state does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Its revision cannot be run by this version.
    #[error(transparent)]
    Revision(#[from] RevisionError),
    /// A value that the run needs cannot be read.
    #[error(transparent)]
    Value(Fault),
    /// Its concurrency group has no room for it.
    #[error("{0}")]
    Full(String),
    /// The group that it belongs to cannot be named.
    #[error(transparent)]
    Group(Fault),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine is shutting down.
    #[error("the service is shutting down")]
    Stopping,
}

/// The engine. Cheap to clone; lives until [`Engine::stop`].
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

/// Who waits for which place of an engine.
#[derive(Clone)]
pub struct Line {
    desk: Arc<Desk>,
    rooms: Arc<Rooms>,
    /// Runs that are carried at the same time.
    pub places: usize,
}

impl Line {
    /// Where a run stands that waits for its turn; `None` when it does not wait for one here.
    #[must_use]
    pub fn standing(&self, run: RunId) -> Option<Standing> {
        self.desk.standing(run).or_else(|| self.rooms.standing(run))
    }
}

/// What all carriers share.
pub struct Inner {
    pub store: Store,
    pub registry: Registry,
    pub clock: Arc<dyn Clock>,
    pub settings: Settings,
    pub plans: Plans,
    pub feed: Feed,
    pub desk: Arc<Desk>,
    /// What attempts share.
    pub rooms: Arc<Rooms>,
    /// Who may have been the cause of the last crashes.
    pub suspects: Suspects,
    /// No new attempts from here on.
    pub draining: CancellationToken,
    /// Attempts in flight are to be stopped too.
    pub halting: CancellationToken,
    /// A commit failed: nothing may be acknowledged any more.
    pub broken: CancellationToken,
}

impl Engine {
    /// Starts the engine on a store that this process owns, carrying on whatever is open in it.
    ///
    /// # Errors
    /// The open runs cannot be read.
    pub async fn start(
        store: Store,
        registry: Registry,
        plans: Plans,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Result<Self, StoreError> {
        let open = store.runs().open().await?;
        crash_point("start: open runs are known");
        store.cache().tidy(clock.now()).await?;
        let desk = Arc::new(Desk::new(settings.max_concurrent));
        let inner = Arc::new(Inner {
            rooms: Arc::new(Rooms::new(Arc::clone(&desk))),
            desk,
            store,
            registry,
            clock,
            settings,
            plans,
            feed: Feed::new(),
            suspects: Suspects::new(),
            draining: CancellationToken::new(),
            halting: CancellationToken::new(),
            broken: CancellationToken::new(),
        });
        if inner.settings.carry_on && !open.is_empty() {
            tracing::info!(open = open.len(), "carrying on open executions");
            inner.desk.enlist(&open);
        }
        tokio::spawn(desk::keep_time(Arc::clone(&inner)));
        if inner.settings.carry_on {
            tokio::spawn(tidy::keep_tidy(Arc::clone(&inner)));
        }
        reception::fill(&inner);
        Ok(Self { inner })
    }

    /// Accepts a run of `flow` and returns once it is durable. It begins at once where a place is free, and where
    /// nothing is asked first.
    ///
    /// # Errors
    /// The store fails, or the engine is stopping.
    pub async fn accept(
        &self,
        new: NewRun,
        flow: Arc<Flow>,
        ask: Option<(Vec<Question>, Span)>,
    ) -> Result<RunId, EngineError> {
        self.accept_as(RunId::from_bits(self.inner.clock.id_bits()), new, flow, ask).await
    }

    /// Takes in a run as [`Engine::accept`] does, under an id that was promised for it.
    ///
    /// # Errors
    /// As for [`Engine::accept`]; also when there is a run of this id.
    pub async fn accept_as(
        &self,
        id: RunId,
        new: NewRun,
        flow: Arc<Flow>,
        ask: Option<(Vec<Question>, Span)>,
    ) -> Result<RunId, EngineError> {
        let inner = &self.inner;
        if inner.draining.is_cancelled() {
            return Err(EngineError::Stopping);
        }
        let fresh = Carried::fresh(id, new, flow, ask, inner.clock.now())?;
        reception::accept(inner, fresh).await?;
        Ok(id)
    }

    /// Begins to take back these deeds, as a run of its own. `new` says in whose name, and of which workflow.
    ///
    /// # Errors
    /// There is nothing to take back, the store fails, or the engine is stopping.
    pub async fn roll_back(&self, deeds: &[Deed], new: NewRun) -> Result<RunId, EngineError> {
        if self.inner.draining.is_cancelled() {
            return Err(EngineError::Stopping);
        }
        ledger::begin(&self.inner, deeds, new).await
    }

    /// Gives a command to a run, whoever carries it, and returns its state once that is durable.
    ///
    /// # Errors
    /// No such run, the machine refuses, or the store fails.
    pub async fn command(&self, run: RunId, command: Command) -> Result<RunState, EngineError> {
        reception::command(&self.inner, run, reception::Wish::Command(command)).await
    }

    /// Whether this process takes up what others left open, and not only what it is given.
    #[must_use]
    pub fn carries_on(&self) -> bool {
        self.inner.settings.carry_on
    }

    /// Where to ask who waits for which place. Keeps nothing of the engine alive but its books.
    #[must_use]
    pub fn line(&self) -> Line {
        let (desk, rooms) = (Arc::clone(&self.inner.desk), Arc::clone(&self.inner.rooms));
        Line { desk, rooms, places: self.inner.settings.max_concurrent }
    }

    /// What is happening, as it is committed.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.inner.feed
    }

    /// The store that the engine writes.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Compiled revisions.
    #[must_use]
    pub fn plans(&self) -> &Plans {
        &self.inner.plans
    }

    /// The handlers of this process.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// The engine's clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// Resolves when a commit has failed: the process should end, and the next start carries on.
    pub async fn broken(&self) {
        self.inner.broken.cancelled().await;
    }

    /// Stops in good order and closes the store: see [`Engine::drain`].
    pub async fn stop(&self) {
        self.drain().await;
        self.inner.store.close().await;
    }

    /// Nothing new begins, attempts in flight may finish within the drain grace, the rest is handed back.
    pub async fn drain(&self) {
        let inner = &self.inner;
        inner.draining.cancel();
        let idle = inner.desk.idle();
        if tokio::time::timeout(inner.settings.drain_grace.duration(), idle).await.is_err() {
            tracing::warn!("attempts still in flight after the grace period are handed back");
            inner.halting.cancel();
            let last = inner.settings.stop_grace.duration().saturating_mul(2);
            if tokio::time::timeout(last, inner.desk.idle()).await.is_err() {
                tracing::error!("an execution could not be handed back; the next start takes it as after a crash");
            }
        }
        crash_point("stop: drained");
    }
}
