//! A line in which everybody gets their turn, however many runs somebody else has put into it.
//!
//! Houses take turns, and in a house the people. Next is whoever has the fewest runs under way, and of those whoever had
//! no turn for longest; what one of them has waiting goes in the order of arrival. All of it costs the same however
//! many wait.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use crate::domain::id::RunId;
use crate::domain::lane::Claimant;

/// The line.
#[derive(Default)]
pub struct Fair {
    houses: Ring,
    /// By house.
    people: HashMap<u64, Ring>,
    runs: HashMap<Claimant, VecDeque<RunId>>,
    inside: HashSet<RunId>,
    /// The last ticket that was given out.
    tickets: u64,
}

/// Those who take turns.
#[derive(Default)]
struct Ring {
    members: HashMap<u64, Member>,
    /// Those who wait, by what they have under way and their ticket.
    order: BTreeSet<(usize, u64, u64)>,
}

#[derive(Default)]
struct Member {
    under_way: usize,
    ticket: u64,
    waiting: usize,
}

impl Ring {
    /// Changes what is known of one of them, and where it stands.
    fn change(&mut self, key: u64, change: impl FnOnce(&mut Member)) {
        let member = self.members.entry(key).or_default();
        self.order.remove(&(member.under_way, member.ticket, key));
        change(member);
        if member.waiting > 0 {
            self.order.insert((member.under_way, member.ticket, key));
        } else if member.under_way == 0 {
            self.members.remove(&key);
        }
    }

    fn enter(&mut self, key: u64, ticket: u64) {
        self.change(key, |member| {
            if member.waiting == 0 {
                member.ticket = ticket;
            }
            member.waiting += 1;
        });
    }

    fn first(&self) -> Option<u64> {
        self.order.first().map(|(.., key)| *key)
    }

    /// How many go before the one that is so far behind in the line of `key`.
    fn ahead(&self, key: u64, behind: usize) -> usize {
        let Some(own) = self.members.get(&key) else { return behind };
        let own = (own.under_way, own.ticket, key);
        let others = self.order.iter().filter(|other| other.2 != key).map(|other| {
            let waiting = self.members.get(&other.2).map_or(0, |member| member.waiting);
            waiting.min(behind + usize::from(*other < own))
        });
        behind + others.sum::<usize>()
    }
}

impl Fair {
    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.inside.is_empty()
    }

    /// How many runs wait.
    pub fn len(&self) -> usize {
        self.inside.len()
    }

    /// How many there are who take turns.
    pub fn claimants(&self) -> usize {
        self.people.values().map(|ring| ring.order.len()).sum()
    }

    /// The runs that wait, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &RunId> {
        self.inside.iter()
    }

    /// A run lines up, unless it has.
    pub fn push_back(&mut self, run: RunId, of: Claimant) {
        if self.enter(run, of) {
            self.runs.entry(of).or_default().push_back(run);
        }
    }

    /// A run comes before all others of the same person.
    pub fn push_front(&mut self, run: RunId, of: Claimant) {
        if self.enter(run, of) {
            self.runs.entry(of).or_default().push_front(run);
        }
    }

    /// The run whose turn it is.
    pub fn pop(&mut self) -> Option<RunId> {
        self.take(VecDeque::pop_front)
    }

    /// The same, but of what one of them has waiting the newest.
    pub fn pop_newest(&mut self) -> Option<RunId> {
        self.take(VecDeque::pop_back)
    }

    /// A run waits no longer.
    pub fn remove(&mut self, run: RunId, of: Claimant) {
        if self.inside.remove(&run) {
            if let Some(runs) = self.runs.get_mut(&of) {
                runs.retain(|waiting| *waiting != run);
            }
            self.rings(of, |ring, key| ring.change(key, |member| member.waiting -= 1));
            self.tidy(of);
        }
    }

    /// A run of somebody is under way.
    pub fn hold(&mut self, of: Claimant) {
        self.rings(of, |ring, key| ring.change(key, |member| member.under_way += 1));
    }

    /// A run of somebody is no longer under way.
    pub fn release(&mut self, of: Claimant) {
        self.rings(of, |ring, key| ring.change(key, |member| member.under_way = member.under_way.saturating_sub(1)));
        self.tidy(of);
    }

    /// How many go before a run, as it looks now: who comes, and who is done first, changes it.
    pub fn ahead(&self, run: RunId, of: Claimant) -> Option<usize> {
        if !self.inside.contains(&run) {
            return None;
        }
        let behind = self.runs.get(&of)?.iter().position(|waiting| *waiting == run)?;
        let in_house = self.people.get(&of.house)?.ahead(of.person, behind);
        Some(self.houses.ahead(of.house, in_house))
    }

    fn enter(&mut self, run: RunId, of: Claimant) -> bool {
        let is_new = self.inside.insert(run);
        if is_new {
            self.tickets += 1;
            let ticket = self.tickets;
            self.rings(of, |ring, key| ring.enter(key, ticket));
        }
        is_new
    }

    fn take(&mut self, from: impl FnOnce(&mut VecDeque<RunId>) -> Option<RunId>) -> Option<RunId> {
        let house = self.houses.first()?;
        let of = Claimant { house, person: self.people.get(&house)?.first()? };
        let run = from(self.runs.get_mut(&of)?)?;
        self.inside.remove(&run);
        self.tickets += 1;
        let ticket = self.tickets;
        self.rings(of, |ring, key| {
            ring.change(key, |member| {
                member.waiting -= 1;
                member.ticket = ticket;
            });
        });
        self.tidy(of);
        Some(run)
    }

    /// The rings in which somebody stands, with their key there.
    fn rings(&mut self, of: Claimant, mut each: impl FnMut(&mut Ring, u64)) {
        each(&mut self.houses, of.house);
        each(self.people.entry(of.house).or_default(), of.person);
    }

    /// Nothing is kept of who neither waits nor has anything under way.
    fn tidy(&mut self, of: Claimant) {
        if self.runs.get(&of).is_some_and(VecDeque::is_empty) {
            self.runs.remove(&of);
        }
        if self.people.get(&of.house).is_some_and(|ring| ring.members.is_empty()) {
            self.people.remove(&of.house);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(number: u128) -> RunId {
        RunId::from_bits(number)
    }

    const fn who(house: u64, person: u64) -> Claimant {
        Claimant { house, person }
    }

    #[test]
    fn one_run_does_not_wait_behind_ten_thousand_of_somebody_else() {
        let mut line = Fair::default();
        (0..10_000).for_each(|number| line.push_back(run(number), who(1, 1)));
        for _ in 0..5 {
            line.pop();
            line.hold(who(1, 1));
        }
        line.push_back(run(20_000), who(1, 2));
        assert_eq!((line.ahead(run(20_000), who(1, 2)), line.claimants()), (Some(0), 2));
        assert_eq!(line.pop(), Some(run(20_000)));
        assert_eq!((line.pop(), line.pop()), (Some(run(5)), Some(run(6))), "the others go on in their order");
    }

    #[test]
    fn a_crowd_of_one_house_counts_as_one_to_the_others() {
        let mut line = Fair::default();
        (0..1_000).for_each(|number| line.push_back(run(number), who(1, number as u64)));
        (0..3).for_each(|number| line.push_back(run(2_000 + number), who(2, 1)));
        let ahead: Vec<_> = (0..3).map(|number| line.ahead(run(2_000 + number), who(2, 1))).collect();
        let order: Vec<RunId> = std::iter::from_fn(|| line.pop()).take(6).collect();
        assert_eq!(order, [0, 2_000, 1, 2_001, 2, 2_002].map(run), "alone with one place they alternate");
        assert_eq!(ahead, [Some(1), Some(3), Some(5)], "as it was foretold");
    }

    #[test]
    fn who_has_fewest_under_way_comes_first() {
        let mut line = Fair::default();
        let (many, few) = (who(0, 1), who(0, 2));
        for number in 0..10 {
            line.push_back(run(number), many);
            line.push_back(run(100 + number), few);
        }
        (0..3).for_each(|_| line.hold(many));
        let order: Vec<RunId> = std::iter::from_fn(|| line.pop()).take(3).collect();
        assert_eq!(order, [100, 101, 102].map(run), "nobody of theirs is under way yet");
        (0..3).for_each(|_| line.hold(few));
        assert_eq!(line.pop(), Some(run(0)));
    }

    /// Any pushes, pops, removals, beginnings and ends: nobody is lost or comes twice, the foretold place is right as
    /// long as nothing else happens, and in the end nothing is kept.
    #[test]
    fn nobody_is_lost_and_nothing_is_kept() {
        for seed in 0..200_u64 {
            let mut dice = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
            let mut roll = |sides: u64| {
                dice ^= dice << 13;
                dice ^= dice >> 7;
                dice ^= dice << 17;
                dice % sides
            };
            let (mut line, mut waiting, mut held) = (Fair::default(), HashMap::new(), Vec::new());
            for number in 0..300 {
                let of = who(roll(3), roll(4));
                match roll(5) {
                    0 | 1 => {
                        line.push_back(run(number), of);
                        waiting.insert(run(number), of);
                    }
                    2 => {
                        let foretold: Vec<RunId> = waiting
                            .iter()
                            .filter(|(run, of)| line.ahead(**run, **of) == Some(0))
                            .map(|(run, _)| *run)
                            .collect();
                        let next = line.pop();
                        assert_eq!(foretold, next.into_iter().collect::<Vec<_>>(), "seed {seed}");
                        if let Some(of) = next.and_then(|next| waiting.remove(&next)) {
                            line.hold(of);
                            held.push(of);
                        }
                    }
                    3 => held.pop().into_iter().for_each(|of| line.release(of)),
                    _ => {
                        if let Some((&run, &of)) = waiting.iter().next() {
                            line.remove(run, of);
                            waiting.remove(&run);
                        }
                    }
                }
                assert_eq!(line.len(), waiting.len(), "seed {seed}");
            }
            std::iter::from_fn(|| line.pop()).for_each(|next| assert!(waiting.remove(&next).is_some(), "seed {seed}"));
            held.into_iter().for_each(|of| line.release(of));
            let kept = (line.people.len(), line.houses.members.len(), line.runs.len());
            assert_eq!((waiting.len(), kept), (0, (0, 0, 0)), "seed {seed}");
        }
    }
}
