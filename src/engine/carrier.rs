//! Carries one run: begins what is offered, waits for what is in flight, commits what follows.
//!
//! Invariants: an attempt with an effect begins only after the commit that says so; nobody is answered before the
//! commit that justifies it; results of pure steps may wait a moment for the next commit, because running them
//! again after a crash is invisible.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::attempt::{self, Brought, Ended};
use super::carried::Carried;
use super::nested;
use super::offers::{Entrance, Offered};
use super::reception::{Held, Mail, Wish, note_broken};
use super::turns::desk::{Next, Seat, sleep};
use super::{EngineError, Inner, cached};
use crate::contract::crash::crash_point;
use crate::contract::step::StepOutcome;
use crate::domain::command::Command;
use crate::domain::id::RunId;
use crate::domain::machine::{self, Due};
use crate::domain::plan::EffectClass;
use crate::domain::run::{RunState, StepState};
use crate::domain::time::{Span, Timestamp};
use crate::domain::wait::Wait;
use crate::store::StoreError;

/// Commands that may wait for one carrier.
pub const MAILBOX: usize = 32;
/// Nobody sleeps longer in one go: the clock of the wall may jump, and that of the machine stops in its sleep.
pub const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// How long results of pure steps may wait for company in a commit.
const PATIENCE: Duration = Duration::from_millis(20);

type Accepted = oneshot::Sender<Result<(), StoreError>>;

pub struct Carrier {
    pub(super) inner: Arc<Inner>,
    pub(super) carried: Carried,
    attempts: FuturesUnordered<BoxFuture<'static, Ended>>,
    stops: HashMap<usize, CancellationToken>,
    /// Runs that were told to end.
    cancelled: HashSet<RunId>,
    /// Who waits for the next commit.
    accepted: Option<Accepted>,
    /// A visitor's command was taken.
    taken: bool,
    /// Something rests on what has happened: commit before the next attempt begins.
    commit_next: bool,
    /// Since when results wait for a commit.
    dirty_since: Option<Instant>,
    replies: Vec<(oneshot::Sender<Result<RunState, EngineError>>, RunState)>,
    /// It is suspected, and its turn has not come: when to ask again.
    held_back: Option<Span>,
    /// Where its attempts wait for room.
    pub(super) entrance: Entrance,
}

/// What a carrier waits for.
enum Heard {
    Ended(Ended),
    Mail(Mail),
    Time,
    Room,
    Drain,
}

impl Carrier {
    pub fn new(inner: Arc<Inner>, carried: Carried, accepted: Option<Accepted>) -> Self {
        Self {
            // What was loaded may have a crash behind it: its first intent is committed even if it is pure, so that a
            // step that kills the process is seen doing it.
            commit_next: accepted.is_none(),
            inner,
            carried,
            attempts: FuturesUnordered::new(),
            stops: HashMap::new(),
            cancelled: HashSet::new(),
            accepted,
            taken: false,
            dirty_since: None,
            replies: Vec::new(),
            held_back: None,
            entrance: Entrance::default(),
        }
    }

    pub async fn run(mut self, seat: Seat) {
        let inner = Arc::clone(&self.inner);
        let mut held = Held::new(&inner, seat);
        let carried = self.carry(held.seat()).await;
        inner.suspects.leave(self.carried.run.id);
        held.seat().ticket = self.carried.ticket();
        match carried {
            Ok(next) => held.next = next,
            Err(error) => {
                note_broken(&inner, &error);
                for (reply, _) in self.replies.drain(..) {
                    let _ = reply.send(Err(error.clone().into())); // whoever asked may have gone
                }
                held.refuse_mail(&error.clone().into());
                if let Some(accepted) = self.accepted.take() {
                    held.next = Next::Over; // it was never accepted
                    let _ = accepted.send(Err(error)); // likewise
                }
            }
        }
    }

    /// Carries until there is nothing to carry; says what becomes of the run.
    async fn carry(&mut self, seat: &mut Seat) -> Result<Next, StoreError> {
        if !seat.has_place {
            // A visitor came with mail.
            if let Some(mail) = seat.mail.recv().await {
                self.read(mail).await?;
            }
        }
        loop {
            while let Ok(mail) = seat.mail.try_recv() {
                self.read(mail).await?;
            }
            self.advance(seat.has_place).await?;
            if self.attempts.is_empty() && self.waits_outside() {
                self.apply(Command::Interrupt { lost: false }); // its place is for others meanwhile
            }
            if let Some(next) = self.leaving(seat.has_place) {
                self.commit().await?;
                return Ok(next);
            }
            match self.listen(seat).await {
                Heard::Ended(ended) => self.conclude_all(ended).await,
                Heard::Mail(mail) => self.read(mail).await?,
                Heard::Time if self.carried.is_dirty() => self.commit().await?,
                Heard::Time => self.apply(Command::Wake),
                Heard::Room => {} // what is offered is looked at again
                Heard::Drain => {
                    self.apply(Command::Interrupt { lost: false });
                    self.commit().await?;
                }
            }
        }
    }

    /// Begins everything that is offered and stops what is no longer wanted; commits where something rests on it.
    async fn advance(&mut self, has_place: bool) -> Result<(), StoreError> {
        let mut started = Vec::new();
        let mut must_commit = !self.replies.is_empty() || self.commit_next;
        loop {
            let now = self.inner.clock.now();
            let before = self.carried.run.state;
            let mut begun = false;
            self.entrance.is_waiting = false;
            for due in machine::due(&self.carried.run, &self.carried.flow, now) {
                match due {
                    Due::Claim if has_place && !self.inner.draining.is_cancelled() => self.claim().await,
                    Due::Offer { step } if has_place && !self.inner.draining.is_cancelled() => {
                        let offered = self.offer(step, now);
                        begun |= offered != Offered::Waits;
                        if let Offered::Begun(effect) = offered {
                            must_commit |= effect != EffectClass::Pure;
                            started.push(step);
                        }
                    }
                    Due::Stop { step } => self.stop(step),
                    Due::Claim | Due::Offer { .. } | Due::WakeAt { .. } => {}
                }
            }
            if !begun && before == self.carried.run.state {
                break;
            }
        }
        if must_commit {
            crash_point("run: before the intent");
            self.commit().await?;
            crash_point("run: after the intent");
        }
        for step in started {
            self.launch(step);
        }
        Ok(())
    }

    /// Takes the run, unless it is suspected and has to wait for its turn alone.
    async fn claim(&mut self) {
        self.held_back = self.inner.suspects.hold_back(&self.carried.run);
        let rests = nested::is_overdue(&self.carried, self.inner.clock.now())
            && nested::still_rests(&self.inner, &mut self.carried).await;
        if self.held_back.is_none() && !rests {
            let command = cached::claim(&self.inner, &mut self.carried).await;
            self.apply(command);
        }
    }

    /// Stops an attempt, or the run that a step waits for.
    fn stop(&mut self, step: usize) {
        if let Some(stop) = self.stops.get(&step) {
            stop.cancel();
        }
        if let Some(Wait::Child(child)) = self.carried.run.waits.get(&step)
            && self.cancelled.insert(*child)
        {
            let by = format!("{}, which began it", self.carried.run.id);
            nested::pass_on(&self.inner, vec![*child], &Command::Cancel { by });
        }
    }

    fn launch(&mut self, step: usize) {
        // An offer may have been overtaken: a sibling's condition failed the run, a command cancelled it.
        if self.carried.run.steps[step].state != StepState::Running {
            self.entrance.leave(step);
            return;
        }
        let cancel = CancellationToken::new();
        self.stops.insert(step, cancel.clone());
        let prepared = attempt::prepare(&self.inner, &self.carried, step, cancel);
        self.attempts.push(Box::pin(prepared.run()));
    }

    /// Where the run goes when there is nothing to carry any more.
    fn leaving(&self, has_place: bool) -> Option<Next> {
        if !self.attempts.is_empty() {
            return None;
        }
        match self.carried.run.state {
            RunState::Finished(_) => Some(Next::Over),
            RunState::Paused => Some(Next::Rest),
            RunState::Queued | RunState::Waiting { .. } if has_place && let Some(wait) = self.held_back => {
                Some(Next::Later(self.inner.clock.now().plus(wait)))
            }
            RunState::Queued if has_place && self.entrance.is_waiting => Some(Next::Room(self.tired_at())),
            RunState::Waiting { until } => Some(Next::Later(until)),
            // Looking at a run, in vain perhaps, does not set it going in a process that carries on nothing.
            RunState::Queued if !has_place && !self.taken && !self.inner.settings.carry_on => Some(Next::Rest),
            RunState::Queued if !has_place || self.inner.draining.is_cancelled() => Some(Next::Ready),
            RunState::Cancelling { .. } => self.leaving_what_ends(),
            _ => None,
        }
    }

    /// Where a run goes that is being ended while nothing of it is under way here. What tidies up wants a place; who
    /// waits for other runs to end wants none, for those may need it.
    fn leaving_what_ends(&self) -> Option<Next> {
        let now = self.inner.clock.now();
        let due = machine::due(&self.carried.run, &self.carried.flow, now);
        if due.iter().any(|due| matches!(due, Due::Offer { .. })) {
            return Some(Next::Ready);
        }
        let wake = machine::next_wake(&self.carried.run).unwrap_or(Timestamp::NEVER);
        (wake > now).then_some(Next::Later(wake))
    }

    async fn listen(&mut self, seat: &mut Seat) -> Heard {
        let now = self.inner.clock.now();
        let wake = if self.entrance.is_waiting { Some(self.tired_at()) } else { machine::next_wake(&self.carried.run) };
        let wake = wake.map(|at| at.since(now).duration());
        let draining = self.inner.draining.clone();
        let room = Arc::clone(&self.entrance.room);
        let wake = wake.filter(|_| !draining.is_cancelled()).map(|wake| wake.min(LONGEST_SLEEP));
        if self.carried.is_dirty() {
            self.dirty_since.get_or_insert_with(Instant::now);
        }
        let patience = self.dirty_since.map(|since| PATIENCE.saturating_sub(since.elapsed()));
        let time = patience.into_iter().chain(wake).min();
        tokio::select! {
            biased;
            Some(ended) = self.attempts.next(), if !self.attempts.is_empty() => Heard::Ended(ended),
            Some(mail) = seat.mail.recv() => Heard::Mail(mail),
            () = room.notified() => Heard::Room,
            () = sleep(time) => Heard::Time,
            () = draining.cancelled(), if self.attempts.is_empty() => Heard::Drain,
        }
    }

    /// What attempts brought: all that have ended by now, so that they share a commit.
    async fn conclude_all(&mut self, first: Ended) {
        self.conclude(first).await;
        while let Some(Some(ended)) = self.attempts.next().now_or_never() {
            self.conclude(ended).await;
        }
    }

    /// What an attempt brought, for the machine.
    async fn conclude(&mut self, ended: Ended) {
        let Ended { step, number: attempt, result, slot } = ended;
        crash_point("run: before an outcome");
        self.stops.remove(&step);
        self.entrance.leave(step);
        self.commit_next |= self.carried.flow.step(&self.carried.run, step).effect != EffectClass::Pure;
        if self.inner.halting.is_cancelled() && result.is_err() {
            return; // stopped by us: handed back with the run once nothing is in flight
        }
        let command = match result {
            Ok(Brought::Outcome(StepOutcome::Done(done))) => {
                let succeed = Command::Succeed { step, attempt, warnings: done.warnings };
                match self.carried.keep(&self.inner, succeed, (step, done.outputs), slot).await {
                    Ok(()) => return,
                    Err(fault) => Command::Fail { step, attempt, fault },
                }
            }
            Ok(Brought::Earlier(from, outputs)) => {
                let reuse = Command::Reuse { step, attempt, from };
                match self.carried.keep(&self.inner, reuse, (step, outputs), None).await {
                    Ok(()) => return,
                    Err(fault) => Command::Fail { step, attempt, fault },
                }
            }
            Ok(brought) => match brought.command((step, attempt), self.carried.origin.requester()) {
                Some(command) => command,
                None => return,
            },
            Err(fault) => Command::Fail { step, attempt, fault },
        };
        if let Command::Fail { fault, .. } = &command {
            let step = self.carried.run.path(&self.carried.flow, step);
            tracing::info!(run = %self.carried.run.id, step, attempt, %fault, context = fault.context, "attempt failed");
        }
        let nested = if let Command::Nest { child, .. } = &command { Some(*child) } else { None };
        self.apply(command);
        // It may be over before anybody waited for it.
        if let Some(child) = nested
            && let Err(error) = self.carried.take_child(&self.inner, child).await
        {
            tracing::debug!(run = %self.carried.run.id, %child, %error, "looked at too early");
        }
    }

    /// A command from outside: answered after the commit of what it led to.
    async fn read(&mut self, mail: Mail) -> Result<(), StoreError> {
        let now = self.inner.clock.now();
        let taken = match mail.wish {
            Wish::Command(command) => {
                let passed_on =
                    matches!(command, Command::Pause { .. } | Command::Resume { .. }).then(|| command.clone());
                let taken = self.carried.step(command, now).map_err(EngineError::from);
                if let (Ok(()), Some(command)) = (&taken, passed_on) {
                    nested::pass_on(&self.inner, self.carried.children(), &command);
                }
                taken
            }
            Wish::ChildEnded(child) => self.carried.take_child(&self.inner, child).await,
            Wish::ChildGoesOn => nested::note_rests(&self.inner, &mut self.carried).await,
        };
        match taken {
            Ok(()) => {
                crash_point("run: a command is taken");
                self.taken = true;
                self.replies.push((mail.reply, self.carried.run.state));
            }
            Err(EngineError::Store(error)) => {
                let _ = mail.reply.send(Err(error.clone().into())); // whoever asked may have gone
                return Err(error);
            }
            Err(refusal) => {
                let _ = mail.reply.send(Err(refusal)); // likewise
            }
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        self.carried.commit(&self.inner).await?;
        self.commit_next = false;
        self.dirty_since = None;
        if let Some(accepted) = self.accepted.take() {
            let _ = accepted.send(Ok(())); // whoever asked may have gone
        }
        for (reply, state) in self.replies.drain(..) {
            let _ = reply.send(Ok(state)); // likewise
        }
        Ok(())
    }

    pub(super) fn apply(&mut self, command: Command) {
        self.apply_at(command, self.inner.clock.now());
    }

    /// A command of the carrier itself. A refusal means that something else came first, and that is well.
    pub(super) fn apply_at(&mut self, command: Command, now: Timestamp) {
        if let Err(refusal) = self.carried.step(command, now) {
            tracing::debug!(run = %self.carried.run.id, %refusal, "overtaken");
        }
    }
}
