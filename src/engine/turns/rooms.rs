//! `concurrency` of steps: attempts that share something, and who waits for room.
//!
//! Only attempts in flight take room, and those are all of this process; so nothing of it has to be kept, and after a
//! crash every room is empty. Runs stand in one line for each group and are let in by the order of their coming. Who
//! waits and has nothing else to do gives its place back; it is lined up again when there is room.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::desk::Desk;
use super::queue::Standing;
use crate::domain::id::RunId;

/// All rooms of the engine.
pub struct Rooms {
    desk: Arc<Desk>,
    groups: Mutex<HashMap<String, Room>>,
}

#[derive(Default)]
struct Room {
    limit: usize,
    /// Attempts in flight, by their run.
    inside: Vec<RunId>,
    line: VecDeque<Waiting>,
}

struct Waiting {
    run: RunId,
    /// Its carrier, as long as it has one.
    carrier: Option<Arc<Notify>>,
    /// It was told that there is room.
    called: bool,
}

/// Room that an attempt takes until it is dropped.
pub struct Permit {
    rooms: Arc<Rooms>,
    group: String,
    run: RunId,
}

impl Room {
    fn free(&self) -> usize {
        self.limit.max(1).saturating_sub(self.inside.len())
    }

    /// Tells those at the head of the line for whom there is room. Whoever has no carrier is to be lined up.
    fn call(&mut self) -> Vec<RunId> {
        let free = self.free();
        let mut uncarried = Vec::new();
        for waiting in self.line.iter_mut().take(free).filter(|waiting| !waiting.called) {
            waiting.called = true;
            match &waiting.carrier {
                Some(carrier) => carrier.notify_one(),
                None => uncarried.push(waiting.run),
            }
        }
        uncarried
    }
}

impl Rooms {
    /// No room yet. Runs that nobody carries are lined up at this desk.
    pub fn new(desk: Arc<Desk>) -> Self {
        Self { desk, groups: Mutex::default() }
    }

    /// Room for an attempt of this run; else the run stands in the line, and its carrier is told when there is some.
    pub fn enter(
        self: &Arc<Self>,
        (group, limit): (&str, u32),
        (run, carrier): (RunId, &Arc<Notify>),
    ) -> Option<Permit> {
        let mut groups = self.groups();
        let room = groups.entry(group.to_owned()).or_default();
        room.limit = limit as usize;
        let place = room.line.iter().position(|waiting| waiting.run == run);
        if place.unwrap_or(room.line.len()) < room.free() {
            if let Some(place) = place {
                room.line.remove(place);
            }
            room.inside.push(run);
            return Some(Permit { rooms: Arc::clone(self), group: group.to_owned(), run });
        }
        match place {
            Some(place) => {
                room.line[place].carrier = Some(Arc::clone(carrier));
                room.line[place].called = false;
            }
            None => room.line.push_back(Waiting { run, carrier: Some(Arc::clone(carrier)), called: false }),
        }
        None
    }

    /// The carrier of a run leaves. With `waits` the run keeps its places in line, and is lined up again when there is
    /// room; otherwise it stands in no line any more.
    pub fn leave(&self, run: RunId, waits: bool) {
        let mut uncarried = Vec::new();
        self.groups().retain(|_, room| {
            if waits {
                for waiting in room.line.iter_mut().filter(|waiting| waiting.run == run) {
                    waiting.carrier = None;
                    waiting.called = false; // what it was told while it left nobody has heard
                }
            } else {
                room.line.retain(|waiting| waiting.run != run);
            }
            uncarried.extend(room.call());
            !(room.inside.is_empty() && room.line.is_empty())
        });
        self.desk.call(&uncarried);
    }

    /// Where a run stands in line, if it does.
    pub fn standing(&self, run: RunId) -> Option<Standing> {
        let groups = self.groups();
        let mut lines = groups.iter().filter_map(|(group, room)| {
            let place = room.line.iter().position(|waiting| waiting.run == run)?;
            let group = Some((group.clone(), room.limit.max(1), room.inside.clone()));
            Some(Standing { position: place + 1, group, claimants: 1 })
        });
        lines.next()
    }

    fn groups(&self) -> MutexGuard<'_, HashMap<String, Room>> {
        // Every change is a few infallible lines, so a panic elsewhere leaves them whole.
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut groups = self.rooms.groups();
        let Some(room) = groups.get_mut(&self.group) else { return };
        if let Some(place) = room.inside.iter().position(|run| *run == self.run) {
            room.inside.swap_remove(place);
        }
        let uncarried = room.call();
        if room.inside.is_empty() && room.line.is_empty() {
            groups.remove(&self.group);
        }
        drop(groups);
        self.rooms.desk.call(&uncarried);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(number: u128) -> RunId {
        RunId::from_bits(number)
    }

    #[test]
    fn the_line_is_kept_and_nobody_slips_in() {
        let desk = Arc::new(Desk::new(1));
        let rooms = Arc::new(Rooms::new(Arc::clone(&desk)));
        let carrier = Arc::new(Notify::new());
        let enter = |number| rooms.enter(("erp", 1), (run(number), &carrier));
        let first = enter(1).expect("the room is empty");
        assert!(enter(2).is_none() && enter(3).is_none());
        assert_eq!(rooms.standing(run(3)).map(|standing| standing.position), Some(2));
        rooms.leave(run(2), true);
        assert!(desk.standing(run(2)).is_none());
        drop(first);
        assert!(desk.standing(run(2)).is_some(), "it wants a place again");
        assert!(enter(4).is_none(), "the second one has its turn, although it is not there yet");
        let second = enter(2).expect("its turn");
        // The third is cancelled while it waits: the fourth is next.
        rooms.leave(run(3), false);
        drop(second);
        drop(enter(4).expect("its turn"));
        assert!(rooms.groups().is_empty(), "nothing is kept of who is gone");
    }

    #[test]
    fn who_leaves_at_the_moment_of_its_turn_is_called_again() {
        let desk = Arc::new(Desk::new(1));
        let rooms = Arc::new(Rooms::new(Arc::clone(&desk)));
        let carrier = Arc::new(Notify::new());
        let first = rooms.enter(("erp", 1), (run(1), &carrier)).expect("the room is empty");
        assert!(rooms.enter(("erp", 1), (run(2), &carrier)).is_none());
        drop(first); // tells the carrier, which leaves and does not hear it
        rooms.leave(run(2), true);
        assert!(desk.standing(run(2)).is_some());
    }
}
