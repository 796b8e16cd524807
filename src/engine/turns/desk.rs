//! Who carries which run, who waits for a place, and what is due later. Only bookkeeping: no I/O, no rules.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};

use super::super::carrier::{self, MAILBOX};
use super::super::reception::{self, Mail};
use super::super::{Inner, nested};
use super::queue::{Arrival, Queue, SharedLane, Standing, Ticket};
use crate::contract::crash::crash_point;
use crate::domain::command::Command;
use crate::domain::id::RunId;
use crate::domain::lane::Concurrency;
use crate::domain::time::Timestamp;
use crate::store::runs::{OpenRun, OpenStatus};

/// The desk.
pub struct Desk {
    books: Mutex<Books>,
    /// Something was put into `later`.
    later_changed: Notify,
    /// The last carrier has left.
    emptied: Notify,
}

struct Books {
    carried: HashMap<RunId, mpsc::Sender<Mail>>,
    queue: Queue,
    later: BinaryHeap<Reverse<(Timestamp, RunId)>>,
    /// When those that wait for their turn have waited too long.
    turns: BinaryHeap<Reverse<(Timestamp, RunId)>>,
    free: usize,
}

/// The right to carry a run: a mailbox, and a place where work is to be done.
pub struct Seat {
    pub run: RunId,
    pub mail: mpsc::Receiver<Mail>,
    pub has_place: bool,
    /// With what the run waits for its turn when it is given back.
    pub ticket: Ticket,
}

/// What becomes of a run that its carrier leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is over, or never began.
    Over,
    /// Nobody has to care for it until somebody calls it.
    Rest,
    /// It wants a place.
    Ready,
    /// It wants a place at this time.
    Later(Timestamp),
    /// It wants a place when there is room for its next attempt, or at this time.
    Room(Timestamp),
}

impl Desk {
    pub fn new(places: usize) -> Self {
        let books = Books {
            carried: HashMap::new(),
            queue: Queue::default(),
            later: BinaryHeap::new(),
            turns: BinaryHeap::new(),
            free: places.max(1),
        };
        Self { books: Mutex::new(books), later_changed: Notify::new(), emptied: Notify::new() }
    }

    /// Takes over what a store holds open.
    pub fn enlist(&self, open: &[OpenRun]) {
        let mut books = self.books();
        open.iter().for_each(|run| books.queue.know(run.id, run.claimant));
        let under_way = |run: &&OpenRun| run.has_begun && run.status != OpenStatus::Queued;
        for run in open.iter().filter(under_way) {
            if let Some(lane) = &run.lane {
                books.queue.found(run.id, Arc::new(lane.clone()));
            }
        }
        // Who had begun goes before who had not.
        let mut open: Vec<&OpenRun> = open.iter().collect();
        open.sort_by_key(|run| !run.has_begun);
        for run in open {
            match run.status {
                OpenStatus::Queued | OpenStatus::Interrupted => {
                    let ticket = Ticket { lane: run.lane.clone().map(Arc::new), claimant: run.claimant };
                    let _ = books.line_up(run.id, &ticket); // time is kept from the start
                }
                OpenStatus::Waiting(until) => books.later.push(Reverse((until, run.id))),
                OpenStatus::Resting => {}
            }
        }
    }

    /// A new run comes in, on the terms of its workflow.
    pub fn arrive(&self, run: RunId, lane: &SharedLane, terms: &Concurrency) -> Arrival {
        let Some(group) = &lane.group else { return Arrival::Welcome };
        self.books().queue.arrive(run, group, terms)
    }

    /// A run that came in was not accepted after all.
    pub fn forget(&self, run: RunId, lane: &SharedLane) {
        self.books().queue.forget(run, Arc::clone(lane));
    }

    /// A seat with a place for a run that nobody carries; `None` when all places are taken or others wait before it.
    pub fn sit_down(&self, run: RunId, ticket: &Ticket) -> Option<Seat> {
        let mut books = self.books();
        if books.free == 0 || !books.queue.pass(run, ticket) {
            return None;
        }
        Some(books.seat(run, true))
    }

    /// Where a run stands that waits for its turn; with how many places there are for all.
    pub fn standing(&self, run: RunId) -> Option<Standing> {
        self.books().queue.standing(run)
    }

    /// A seat for the next run that waits for a place.
    pub fn next(&self) -> Option<Seat> {
        let mut books = self.books();
        while books.free > 0 {
            let run = books.queue.next()?;
            // Whoever carries it now will put it back when they leave.
            if !books.carried.contains_key(&run) {
                return Some(books.seat(run, true));
            }
        }
        None
    }

    /// The mailbox of whoever carries this run, else a seat without a place, to look after it oneself.
    pub fn reach(&self, run: RunId) -> Result<mpsc::Sender<Mail>, (Seat, mpsc::Sender<Mail>)> {
        let mut books = self.books();
        if let Some(sender) = books.carried.get(&run) {
            return Ok(sender.clone());
        }
        let seat = books.seat(run, false);
        let sender = books.carried[&run].clone();
        Err((seat, sender))
    }

    /// Puts a run that was just accepted at the end of the queue.
    pub fn queue(&self, run: RunId, ticket: &Ticket) {
        if self.books().line_up(run, ticket) {
            self.later_changed.notify_one();
        }
    }

    /// Lines up runs that nobody carries.
    pub fn call(&self, runs: &[RunId]) {
        if !runs.is_empty() {
            let mut books = self.books();
            runs.iter().for_each(|run| books.queue.call(*run));
            self.later_changed.notify_one();
        }
    }

    /// Gives a seat back.
    pub fn leave(&self, seat: Seat, next: Next) {
        let Seat { run, mail, has_place, ticket } = seat;
        let mut books = self.books();
        books.carried.remove(&run);
        if has_place {
            books.free += 1;
            books.queue.carry(run, false);
        }
        match next {
            Next::Over => books.queue.over(run),
            Next::Rest => {}
            Next::Ready => {
                if books.line_up(run, &ticket) {
                    self.later_changed.notify_one();
                }
            }
            Next::Later(Timestamp::NEVER) | Next::Room(Timestamp::NEVER) => {} // whatever it waits for will call it
            Next::Later(at) | Next::Room(at) => {
                books.later.push(Reverse((at, run)));
                self.later_changed.notify_one();
            }
        }
        if books.carried.is_empty() {
            self.emptied.notify_waiters();
        }
        // Only now, off the books: whoever still writes to the mailbox hears nothing and asks the desk again.
        drop(mail);
    }

    /// Resolves once nobody carries anything.
    pub async fn idle(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.books().carried.is_empty() {
                return;
            }
            emptied.await;
        }
    }

    /// Moves what is due by `now` to the queue; says when the next one is.
    fn call_due(&self, now: Timestamp) -> Option<Timestamp> {
        let mut books = self.books();
        while let Some(&Reverse((at, run))) = books.later.peek() {
            if at > now {
                return Some(at);
            }
            books.later.pop();
            crash_point("run: its time has come");
            books.queue.call(run);
        }
        None
    }

    /// Who has waited too long for its turn by `now`; when the next one will have.
    fn tired(&self, now: Timestamp) -> (Vec<RunId>, Option<Timestamp>) {
        let mut books = self.books();
        let mut tired = Vec::new();
        while let Some(&Reverse((at, run))) = books.turns.peek() {
            if at > now {
                return (tired, Some(at));
            }
            books.turns.pop();
            if books.queue.standing(run).is_some() {
                tired.push(run);
            }
        }
        (tired, None)
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // Every change of the books is a few infallible lines, so a panic elsewhere leaves them whole.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    /// Puts a run at the end of its queue; `true` when it waits for so long and no longer.
    fn line_up(&mut self, run: RunId, ticket: &Ticket) -> bool {
        self.queue.line_up(run, ticket);
        let until = ticket.lane.as_ref().and_then(|lane| lane.until);
        self.turns.extend(until.map(|until| Reverse((until, run))));
        until.is_some()
    }

    fn seat(&mut self, run: RunId, has_place: bool) -> Seat {
        let (sender, mail) = mpsc::channel(MAILBOX);
        self.carried.insert(run, sender);
        if has_place {
            self.free -= 1;
            self.queue.carry(run, true);
        }
        Seat { run, mail, has_place, ticket: Ticket::default() }
    }
}

/// Calls runs when their time has come, until the engine drains.
pub async fn keep_time(inner: Arc<Inner>) {
    loop {
        let changed = inner.desk.later_changed.notified();
        let now = inner.clock.now();
        let next = inner.desk.call_due(now);
        reception::fill(&inner);
        let (tired, turn) = inner.desk.tired(now);
        nested::pass_on(&inner, tired, &Command::Wake);
        let due = next.into_iter().chain(turn).min().map(|at| at.since(now).duration().min(carrier::LONGEST_SLEEP));
        tokio::select! {
            () = sleep(due) => {}
            () = changed => {}
            () = inner.draining.cancelled() => return,
        }
    }
}

/// Sleeps for so long, or for ever.
pub async fn sleep(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}
