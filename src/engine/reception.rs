//! Where runs and commands come in: finds whoever carries a run, or sets somebody to it.
//!
//! Invariant: every seat goes back to the desk with word of what becomes of its run, and everybody who asked is
//! answered, whatever happens in between.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::carried::Carried;
use super::carrier::Carrier;
use super::turns::desk::{Next, Seat};
use super::turns::queue::Arrival;
use super::{EngineError, Inner, nested};
use crate::contract::crash::crash_point;
use crate::domain::command::Command;
use crate::domain::id::RunId;
use crate::domain::run::RunState;
use crate::domain::time::Span;
use crate::store::StoreError;

/// When a run that could not be carried is looked at again.
const LOOK_AGAIN: Span = Span::from_secs(30);

/// Takes in a new run: carried at once where a place is free, else queued. Durable when it returns.
///
/// # Errors
/// Its concurrency group has no room for it, or the store fails.
pub async fn accept(inner: &Arc<Inner>, mut fresh: Carried) -> Result<(), EngineError> {
    let run = fresh.run.id;
    let replaced = arrive(inner, &mut fresh)?;
    let ticket = fresh.ticket();
    let (accepted, answer) = oneshot::channel();
    let carrying = Arc::clone(inner);
    // On its own: whoever asked may go away at any await, and what is durable by then must have somebody to care.
    tokio::spawn(async move {
        let inner = carrying;
        let seat = if fresh.run.state.is_finished() { None } else { inner.desk.sit_down(run, &ticket) };
        match seat {
            Some(seat) => Carrier::new(Arc::clone(&inner), fresh, Some(accepted)).run(seat).await,
            None => {
                let done = fresh.commit(&inner).await.inspect_err(|error| note_broken(&inner, error));
                match (&done, &ticket.lane) {
                    (Ok(()), _) if fresh.run.state.is_finished() => {}
                    (Ok(()), _) => {
                        inner.desk.queue(run, &ticket);
                        fill(&inner);
                    }
                    (Err(_), Some(lane)) => inner.desk.forget(run, lane),
                    (Err(_), None) => {}
                }
                let _ = accepted.send(done); // whoever asked may have gone
            }
        }
    });
    answer.await.map_err(|_| StoreError::Closed)??;
    crash_point("run: accepted");
    let by = format!("{run}, which replaces it");
    nested::pass_on(inner, replaced, &Command::Cancel { by });
    Ok(())
}

/// What the run's group says to it; whom it replaces there.
fn arrive(inner: &Inner, fresh: &mut Carried) -> Result<Vec<RunId>, EngineError> {
    let (Some(lane), Some(terms)) = (&fresh.lane, &fresh.flow.plan.concurrency) else { return Ok(Vec::new()) };
    match inner.desk.arrive(fresh.run.id, lane, terms) {
        Arrival::Welcome => {}
        Arrival::Replaces(others) => return Ok(others),
        Arrival::Refused(why) => return Err(EngineError::Full(why)),
        Arrival::Skipped(by) => fresh.step(Command::Cancel { by }, inner.clock.now())?,
    }
    Ok(Vec::new())
}

/// What somebody wants of a run.
#[derive(Debug, Clone)]
pub enum Wish {
    /// A command of the machine.
    Command(Command),
    /// To know that a run is over for which this one may wait.
    ChildEnded(RunId),
    /// To know that a run for which this one waits goes on, after people took their time.
    ChildGoesOn,
}

/// A wish and whoever waits for what comes of it.
pub struct Mail {
    pub wish: Wish,
    pub reply: oneshot::Sender<Result<RunState, EngineError>>,
}

/// Gives a wish to whoever carries the run, or looks after the run itself.
pub async fn command(inner: &Arc<Inner>, run: RunId, wish: Wish) -> Result<RunState, EngineError> {
    loop {
        if inner.broken.is_cancelled() {
            return Err(StoreError::Closed.into());
        }
        let (reply, answer) = oneshot::channel();
        let mail = Mail { wish: wish.clone(), reply };
        let sent = match inner.desk.reach(run) {
            Ok(sender) => sender.send(mail).await.is_ok(),
            Err((seat, sender)) => {
                // Before the visit begins: a visitor waits for its mail, and we may be dropped at any await.
                let sent = sender.try_send(mail).is_ok();
                let inner = Arc::clone(inner);
                tokio::spawn(async move { visit(inner, seat).await });
                sent
            }
        };
        // A mailbox that closed under us belonged to a carrier that has left: ask the desk again.
        if sent && let Ok(answer) = answer.await {
            return answer;
        }
    }
}

/// Gives free places to runs that wait for one.
pub fn fill(inner: &Arc<Inner>) {
    while !inner.draining.is_cancelled() && !inner.broken.is_cancelled() {
        let Some(seat) = inner.desk.next() else { return };
        let inner = Arc::clone(inner);
        tokio::spawn(async move { visit(inner, seat).await });
    }
}

/// Loads a run and carries it as far as the seat allows.
async fn visit(inner: Arc<Inner>, seat: Seat) {
    let mut held = Held::new(&inner, seat);
    match Carried::load(&inner, held.seat().run).await {
        Ok(carried) => {
            let seat = held.give_up();
            Carrier::new(inner, carried, None).run(seat).await;
        }
        Err(error) => {
            if matches!(error, EngineError::NotFound(_)) {
                held.next = Next::Over;
            } else {
                tracing::error!(run = %held.seat().run, %error, "an execution cannot be carried now");
            }
            held.refuse_mail(&error);
        }
    }
}

/// A seat that goes back to the desk whatever happens, a panic included; the run is looked at again later unless
/// somebody said what becomes of it.
pub struct Held<'i> {
    inner: &'i Arc<Inner>,
    seat: Option<Seat>,
    pub next: Next,
}

impl<'i> Held<'i> {
    pub fn new(inner: &'i Arc<Inner>, seat: Seat) -> Self {
        let next = Next::Later(inner.clock.now().plus(LOOK_AGAIN));
        Self { inner, seat: Some(seat), next }
    }

    pub fn seat(&mut self) -> &mut Seat {
        self.seat.as_mut().expect("only `give_up` and the drop take it, and both end the holder")
    }

    fn give_up(mut self) -> Seat {
        self.seat.take().expect("nobody else takes it before the drop")
    }

    /// Answers everybody who wrote meanwhile.
    pub fn refuse_mail(&mut self, error: &EngineError) {
        let mail = &mut self.seat().mail;
        mail.close();
        while let Ok(mail) = mail.try_recv() {
            let _ = mail.reply.send(Err(error.clone())); // whoever asked may have gone
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(seat) = self.seat.take() {
            let run = seat.run;
            self.inner.desk.leave(seat, self.next);
            // Only now: whoever is called while it is still carried would be passed over.
            self.inner.rooms.leave(run, matches!(self.next, Next::Room(_)));
            fill(self.inner);
        }
    }
}

/// A refused commit concerns one run; a failed one ends the process, and the next start carries on.
pub fn note_broken(inner: &Inner, error: &StoreError) {
    tracing::error!(%error, "a commit did not succeed");
    if !matches!(error, StoreError::Conflict(_)) {
        inner.broken.cancel();
    }
}
