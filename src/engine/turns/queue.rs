//! Runs that wait for their turn: by priority, and for room in their group; within that, everybody gets theirs. Only
//! bookkeeping, as the desk that owns it.
//!
//! A run belongs to its group from its arrival to its end, and holds one of the group's places from when it is lined up
//! until then: pauses and waits included, for half done work is what a group protects. What stands in `ready` holds all
//! it needs but a place at the desk.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::fair::Fair;
use crate::domain::id::RunId;
use crate::domain::lane::{Claimant, Concurrency, Group, Lane, Overflow, Priority};

/// One of so many picks goes to the lowest priority that waits, so that it comes up at all.
const TURN_OF_THE_LOWEST: u32 = 8;

/// A run's lane, shared with its carrier.
pub type SharedLane = Arc<Lane>;

/// What a run brings into the queue.
#[derive(Clone, Default)]
pub struct Ticket {
    /// Where it waits, if not like all others.
    pub lane: Option<SharedLane>,
    /// For whom it is.
    pub claimant: Claimant,
}

/// The queue.
#[derive(Default)]
pub struct Queue {
    /// By priority, the lowest first.
    ready: [Fair; 3],
    picks: u32,
    groups: HashMap<String, Members>,
    /// Lanes of open runs that have one.
    lanes: HashMap<RunId, SharedLane>,
    /// For whom the open runs are.
    claimants: HashMap<RunId, Claimant>,
}

/// The open runs of a group.
#[derive(Default)]
struct Members {
    limit: usize,
    newest_first: bool,
    /// Accepted in a moment: counted, not yet in line.
    arriving: BTreeSet<RunId>,
    /// Under way, or about to be.
    holders: BTreeSet<RunId>,
    waiting: Fair,
}

/// What becomes of a run that arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// It lines up.
    Welcome,
    /// It is recorded and left undone, for this reason.
    Skipped(String),
    /// It is not accepted, for this reason.
    Refused(String),
    /// It lines up, and these make room for it.
    Replaces(Vec<RunId>),
}

/// Where a run stands that waits for its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// 1 is next.
    pub position: usize,
    /// The group that has no room, with its limit and who holds its places; `None`: there is no free place at all.
    pub group: Option<(String, usize, Vec<RunId>)>,
    /// How many there are who take turns.
    pub claimants: usize,
}

impl Members {
    fn has_room(&self) -> bool {
        self.holders.len() < self.limit
    }

    fn count(&self) -> usize {
        self.arriving.len() + self.holders.len() + self.waiting.len()
    }

    fn take_in(&mut self, group: &Group) {
        self.limit = (group.limit as usize).max(1);
        self.newest_first = group.newest_first;
    }

    fn next(&mut self) -> Option<RunId> {
        if self.newest_first { self.waiting.pop_newest() } else { self.waiting.pop() }
    }

    /// For whom a run is among these. Where the newest goes first there are no turns.
    fn known(&self, of: Claimant) -> Claimant {
        if self.newest_first { Claimant::default() } else { of }
    }

    fn hold(&mut self, run: RunId, of: Claimant) {
        self.waiting.remove(run, self.known(of));
        if self.holders.insert(run) {
            self.waiting.hold(self.known(of));
        }
    }

    fn let_go(&mut self, run: RunId, of: Claimant) {
        self.waiting.remove(run, self.known(of));
        if self.holders.remove(&run) {
            self.waiting.release(self.known(of));
        }
    }
}

impl Queue {
    /// Whether nobody is ready.
    pub fn is_empty(&self) -> bool {
        self.ready.iter().all(Fair::is_empty)
    }

    /// A new run of a group comes in; it counts from now on, unless it is turned away.
    pub fn arrive(&mut self, run: RunId, group: &Group, terms: &Concurrency) -> Arrival {
        let members = self.groups.entry(group.name.clone()).or_default();
        members.take_in(group);
        let (name, count, limit) = (&group.name, members.count(), members.limit);
        let full = count >= limit;
        let waiting = (count + 1).saturating_sub(limit);
        let arrival = match terms.overflow {
            Overflow::Skip if full => {
                return Arrival::Skipped(format!("the group `{name}`, in which {count} of {limit} are under way"));
            }
            Overflow::Reject if full => {
                return Arrival::Refused(format!("the group `{name}` is full: {count} of {limit} are under way"));
            }
            _ if terms.queue_max.is_some_and(|most| waiting > most as usize) => {
                let queued = waiting - 1;
                return Arrival::Refused(format!("the group `{name}` is full: {limit} under way and {queued} waiting"));
            }
            Overflow::Replace if full => {
                let mut older: Vec<RunId> = members.holders.iter().chain(members.waiting.iter()).copied().collect();
                older.sort_unstable();
                older.truncate(count + 1 - limit);
                Arrival::Replaces(older)
            }
            _ => Arrival::Welcome,
        };
        members.arriving.insert(run);
        arrival
    }

    /// Takes a new run past the queue; `false` when others wait before it.
    pub fn pass(&mut self, run: RunId, ticket: &Ticket) -> bool {
        self.is_empty() && self.hold(run, ticket)
    }

    /// Puts a run at the end of its queue.
    pub fn line_up(&mut self, run: RunId, ticket: &Ticket) {
        let claimant = ticket.claimant;
        if self.hold(run, ticket) {
            let priority = ticket.lane.as_ref().map_or(Priority::Normal, |lane| lane.priority);
            self.ready[priority as usize].push_back(run, claimant);
        } else if let Some(members) = self.members(run) {
            members.waiting.push_back(run, members.known(claimant));
        }
    }

    /// Lines a run up again in the lane that it has.
    pub fn call(&mut self, run: RunId) {
        let ticket = Ticket { lane: self.lanes.get(&run).cloned(), claimant: self.claimant(run) };
        self.line_up(run, &ticket);
    }

    /// A run that a start finds open.
    pub fn know(&mut self, run: RunId, claimant: Claimant) {
        self.claimants.insert(run, claimant);
    }

    /// A run that a start finds under way holds its group, whatever the limit is today.
    pub fn found(&mut self, run: RunId, lane: SharedLane) {
        let claimant = self.claimant(run);
        if let Some(group) = &lane.group {
            let members = self.groups.entry(group.name.clone()).or_default();
            members.take_in(group);
            members.hold(run, claimant);
        }
        self.lanes.insert(run, lane);
    }

    /// A run is carried from now on, or no longer: whose it is has so many more or fewer under way.
    pub fn carry(&mut self, run: RunId, is_carried: bool) {
        let claimant = self.claimant(run);
        for ready in &mut self.ready {
            if is_carried { ready.hold(claimant) } else { ready.release(claimant) }
        }
    }

    fn claimant(&self, run: RunId) -> Claimant {
        self.claimants.get(&run).copied().unwrap_or_default()
    }

    /// The run whose turn it is.
    pub fn next(&mut self) -> Option<RunId> {
        self.picks = self.picks.wrapping_add(1);
        let lowest = self.picks.is_multiple_of(TURN_OF_THE_LOWEST);
        let turn: [usize; 3] = if lowest { [0, 1, 2] } else { [2, 1, 0] };
        turn.into_iter().find_map(|priority| self.ready[priority].pop())
    }

    /// A run is over: whoever waits for its place in the group is ready.
    pub fn over(&mut self, run: RunId) {
        self.leave_group(run);
        self.claimants.remove(&run);
    }

    fn leave_group(&mut self, run: RunId) {
        let claimant = self.claimant(run);
        let Some(lane) = self.lanes.remove(&run) else { return };
        let Some(group) = &lane.group else { return };
        let Some(members) = self.groups.get_mut(&group.name) else { return };
        members.let_go(run, claimant);
        members.arriving.remove(&run);
        let mut freed = Vec::new();
        while members.has_room()
            && let Some(next) = members.next()
        {
            members.hold(next, self.claimants.get(&next).copied().unwrap_or_default());
            freed.push(next);
        }
        if members.count() == 0 {
            self.groups.remove(&group.name);
        }
        for next in freed.into_iter().rev() {
            let priority = self.lanes.get(&next).map_or(Priority::Normal, |lane| lane.priority);
            self.ready[priority as usize].push_front(next, self.claimant(next)); // it has waited long enough
        }
    }

    /// A run that arrived and was not accepted after all.
    pub fn forget(&mut self, run: RunId, lane: SharedLane) {
        self.lanes.entry(run).or_insert(lane);
        self.over(run);
    }

    /// Where a run stands; `None` when it does not wait for its turn.
    pub fn standing(&self, run: RunId) -> Option<Standing> {
        if let Some(Group { name, .. }) = self.lanes.get(&run).and_then(|lane| lane.group.as_ref())
            && let Some(members) = self.groups.get(name)
            && let Some(place) = members.waiting.ahead(run, members.known(self.claimant(run)))
        {
            let place = if members.newest_first { members.waiting.len() - 1 - place } else { place };
            let holders = members.holders.iter().copied().collect();
            let group = Some((name.clone(), members.limit, holders));
            return Some(Standing { position: place + 1, group, claimants: members.waiting.claimants() });
        }
        let mut ahead = 0;
        for ready in self.ready.iter().rev() {
            if let Some(place) = ready.ahead(run, self.claimant(run)) {
                return Some(Standing { position: ahead + place + 1, group: None, claimants: ready.claimants() });
            }
            ahead += ready.len();
        }
        None
    }

    /// Takes one of the group's places for a run, or keeps that which it has.
    fn hold(&mut self, run: RunId, ticket: &Ticket) -> bool {
        if self.lanes.get(&run).is_some_and(|known| Some(known) != ticket.lane.as_ref()) {
            self.leave_group(run); // its inputs have changed, and with them its group
        }
        self.claimants.insert(run, ticket.claimant);
        let Some(lane) = &ticket.lane else { return true };
        self.lanes.insert(run, Arc::clone(lane));
        let Some(group) = &lane.group else { return true };
        let members = self.groups.entry(group.name.clone()).or_default();
        members.take_in(group);
        members.arriving.remove(&run);
        let holds = members.holders.contains(&run) || members.has_room();
        if holds {
            members.hold(run, ticket.claimant);
        }
        holds
    }

    fn members(&mut self, run: RunId) -> Option<&mut Members> {
        let group = self.lanes.get(&run)?.group.as_ref()?;
        self.groups.get_mut(&group.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(number: u128) -> RunId {
        RunId::from_bits(number)
    }

    fn lane(limit: u32, newest_first: bool) -> SharedLane {
        let group = Group { name: "erp".to_owned(), limit, newest_first };
        Arc::new(Lane { group: Some(group), ..Lane::default() })
    }

    fn terms(overflow: Overflow, queue_max: Option<u32>) -> Concurrency {
        Concurrency { group: "erp".to_owned(), limit: 1, overflow, queue_max, newest_first: false }
    }

    fn ticket(lane: &SharedLane) -> Ticket {
        Ticket { lane: Some(Arc::clone(lane)), ..Ticket::default() }
    }

    fn arrive(queue: &mut Queue, number: u128, overflow: Overflow, queue_max: Option<u32>) -> Arrival {
        let lane = lane(1, false);
        let arrival = queue.arrive(run(number), lane.group.as_ref().expect("it has one"), &terms(overflow, queue_max));
        if matches!(arrival, Arrival::Welcome | Arrival::Replaces(_)) {
            queue.line_up(run(number), &ticket(&lane));
        }
        arrival
    }

    #[test]
    fn a_group_lets_its_limit_through_and_the_rest_in_order() {
        for (newest_first, order) in [(false, [2, 3]), (true, [3, 2])] {
            let mut queue = Queue::default();
            let lane = lane(1, newest_first);
            (1..=3).for_each(|number| queue.line_up(run(number), &ticket(&lane)));
            assert_eq!((queue.next(), queue.next()), (Some(run(1)), None));
            assert_eq!(queue.standing(run(order[1])).map(|standing| standing.position), Some(2));
            for (over, next) in [(1, order[0]), (order[0], order[1])] {
                queue.over(run(over));
                assert_eq!((queue.next(), queue.next()), (Some(run(next)), None));
            }
            queue.over(run(order[1]));
            let kept = (queue.groups.len(), queue.lanes.len(), queue.claimants.len());
            assert_eq!(kept, (0, 0, 0), "nothing is kept of who is over");
        }
    }

    #[test]
    fn who_waits_or_pauses_keeps_its_place_in_the_group() {
        let mut queue = Queue::default();
        let lane = lane(1, false);
        queue.line_up(run(1), &ticket(&lane));
        queue.line_up(run(2), &ticket(&lane));
        assert_eq!(queue.next(), Some(run(1)));
        queue.call(run(1));
        assert_eq!((queue.next(), queue.next()), (Some(run(1)), None));
    }

    #[test]
    fn overflow_is_what_it_is_called() {
        let mut queue = Queue::default();
        assert_eq!(arrive(&mut queue, 1, Overflow::Skip, None), Arrival::Welcome);
        assert!(matches!(arrive(&mut queue, 2, Overflow::Skip, None), Arrival::Skipped(_)));
        assert!(matches!(arrive(&mut queue, 3, Overflow::Reject, None), Arrival::Refused(_)));
        assert_eq!(arrive(&mut queue, 4, Overflow::Queue, Some(1)), Arrival::Welcome);
        assert!(matches!(arrive(&mut queue, 5, Overflow::Queue, Some(1)), Arrival::Refused(_)));
        assert_eq!(arrive(&mut queue, 6, Overflow::Replace, None), Arrival::Replaces(vec![run(1), run(4)]));
    }

    #[test]
    fn two_that_arrive_together_do_not_both_find_room() {
        let mut queue = Queue::default();
        let lane = lane(1, false);
        let group = lane.group.as_ref().expect("it has one");
        assert_eq!(queue.arrive(run(1), group, &terms(Overflow::Skip, None)), Arrival::Welcome);
        assert!(matches!(queue.arrive(run(2), group, &terms(Overflow::Skip, None)), Arrival::Skipped(_)));
        queue.forget(run(1), Arc::clone(&lane));
        assert_eq!(queue.arrive(run(3), group, &terms(Overflow::Skip, None)), Arrival::Welcome);
    }

    #[test]
    fn high_goes_first_and_low_comes_up_all_the_same() {
        let mut queue = Queue::default();
        let lane = |priority| Arc::new(Lane { priority, ..Lane::default() });
        queue.line_up(run(1), &ticket(&lane(Priority::Low)));
        (10..30).for_each(|number| queue.line_up(run(number), &ticket(&lane(Priority::High))));
        let picked: Vec<RunId> = std::iter::from_fn(|| queue.next()).collect();
        assert_eq!(picked.iter().position(|picked| *picked == run(1)), Some(7));
        assert_eq!(picked.len(), 21);
    }
}
