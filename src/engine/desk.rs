//! Who carries which run, who waits for a place, and what is due later. Only bookkeeping: no I/O, no rules.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc};

use super::carrier;
use super::reception::{self, Mail};
use super::{Inner, carrier::MAILBOX};
use crate::domain::id::RunId;
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
    ready: VecDeque<RunId>,
    later: BinaryHeap<Reverse<(Timestamp, RunId)>>,
    free: usize,
}

/// The right to carry a run: a mailbox, and a place where work is to be done.
pub struct Seat {
    pub run: RunId,
    pub mail: mpsc::Receiver<Mail>,
    pub has_place: bool,
}

/// What becomes of a run that its carrier leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nobody has to care for it.
    Rest,
    /// It wants a place.
    Ready,
    /// It wants a place at this time.
    Later(Timestamp),
}

impl Desk {
    pub fn new(places: usize) -> Self {
        let books =
            Books { carried: HashMap::new(), ready: VecDeque::new(), later: BinaryHeap::new(), free: places.max(1) };
        Self { books: Mutex::new(books), later_changed: Notify::new(), emptied: Notify::new() }
    }

    /// Takes over what a store holds open.
    pub fn enlist(&self, open: &[OpenRun]) {
        let mut books = self.books();
        for run in open {
            match run.status {
                OpenStatus::Queued | OpenStatus::Interrupted => books.ready.push_back(run.id),
                OpenStatus::Waiting(until) => books.later.push(Reverse((until, run.id))),
                OpenStatus::Resting => {}
            }
        }
    }

    /// A seat with a place for a run that nobody carries; `None` when all places are taken or others wait before it.
    pub fn sit_down(&self, run: RunId) -> Option<Seat> {
        let mut books = self.books();
        if books.free == 0 || !books.ready.is_empty() {
            return None;
        }
        Some(books.seat(run, true))
    }

    /// A seat for the next run that waits for a place.
    pub fn next(&self) -> Option<Seat> {
        let mut books = self.books();
        while books.free > 0 {
            let run = books.ready.pop_front()?;
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
    pub fn queue(&self, run: RunId) {
        self.books().ready.push_back(run);
    }

    /// Gives a seat back.
    pub fn leave(&self, seat: Seat, next: Next) {
        let Seat { run, mail, has_place } = seat;
        let mut books = self.books();
        books.carried.remove(&run);
        books.free += usize::from(has_place);
        match next {
            Next::Rest => {}
            Next::Ready => books.ready.push_back(run),
            Next::Later(Timestamp::NEVER) => {} // whatever it waits for will call it
            Next::Later(at) => {
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
            books.ready.push_back(run);
        }
        None
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // Every change of the books is a few infallible lines, so a panic elsewhere leaves them whole.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn seat(&mut self, run: RunId, has_place: bool) -> Seat {
        let (sender, mail) = mpsc::channel(MAILBOX);
        self.carried.insert(run, sender);
        self.free -= usize::from(has_place);
        Seat { run, mail, has_place }
    }
}

/// Calls runs when their time has come, until the engine drains.
pub async fn keep_time(inner: Arc<Inner>) {
    loop {
        let changed = inner.desk.later_changed.notified();
        let now = inner.clock.now();
        let next = inner.desk.call_due(now);
        reception::fill(&inner);
        let due = async {
            match next {
                Some(at) => tokio::time::sleep(at.since(now).duration().min(carrier::LONGEST_SLEEP)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = changed => {}
            () = inner.draining.cancelled() => return,
        }
    }
}
