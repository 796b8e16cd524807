//! Who sees what really happened: attempts as the world saw them, and answers as callers got them. Never crashes.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::store::Store;
use crate::domain::plan::EffectClass;
use crate::domain::run::StepState;

/// A step of a run in a generation.
pub type Place = (usize, usize, u32);

/// An attempt that begins.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    pub place: Place,
    pub number: u32,
    /// What the outside world gets as idempotency key.
    pub key: u64,
    pub effect: EffectClass,
    pub most: u32,
}

#[derive(Default)]
pub struct Witness {
    /// Steps of which an attempt came to an end of its own.
    ended: HashSet<Place>,
    /// Successes that were committed.
    done: HashSet<Place>,
    starts: HashMap<Place, Vec<u64>>,
    /// Attempts that ended without an outcome that counts: crashes, orderly stops, questions.
    lost: HashMap<Place, u32>,
    /// What people allowed again, by run.
    allowed: HashMap<usize, u32>,
    /// Run and commit of every answer that was given.
    acks: Vec<(usize, usize)>,
}

impl Witness {
    pub fn starts(&mut self, start: Start, store: &Store) {
        let Start { place, number, key, effect, most } = start;
        let (run, step, generation) = place;
        assert!(!self.done.contains(&place), "I4: {place:?} runs again after its success was committed");
        if effect != EffectClass::Pure {
            let kept = store.runs.get(&run).and_then(|kept| kept.run.steps.get(step));
            let intent = kept.is_some_and(|kept| {
                (kept.state, kept.attempts, kept.generation) == (StepState::Running, number, generation)
            });
            assert!(intent, "I3: attempt {number} of {place:?} begins, and nothing durable says so: {kept:?}");
        }
        let keys = self.starts.entry(place).or_default();
        assert!(keys.iter().all(|known| *known == key), "the idempotency key of {place:?} changed");
        keys.push(key);
        let allowed = most * (1 + self.allowed.get(&run).copied().unwrap_or(0));
        let bound = allowed + self.lost.get(&place).copied().unwrap_or(0);
        let count = keys.len();
        assert!(count <= bound as usize, "I7: {count} starts of {place:?}, at most {bound} were due");
        let once = effect != EffectClass::AtMostOnce || count == 1 || bound > most;
        assert!(once, "{place:?} must not be repeated");
    }

    pub fn lost(&mut self, place: Place) {
        *self.lost.entry(place).or_default() += 1;
    }

    pub fn allowed(&mut self, run: usize) {
        *self.allowed.entry(run).or_default() += 1;
    }

    /// An attempt came to an end of its own.
    pub fn ended(&mut self, place: Place) {
        self.ended.insert(place);
    }

    pub fn succeeded(&mut self, place: Place) {
        assert!(self.ended.contains(&place), "I5: {place:?} is said to be done, and no attempt of it came to an end");
        self.done.insert(place);
    }

    pub fn answered(&mut self, run: usize, commit: usize) {
        self.acks.push((run, commit));
    }

    /// Whoever got an answer finds it kept.
    pub fn check_answers(&self, store: &Store) {
        for (run, commit) in &self.acks {
            let kept = store.runs.get(run).map_or(0, |kept| kept.commits.len());
            assert!(kept >= *commit, "I1: run {run} was answered at commit {commit}, and {kept} are kept");
        }
    }
}

/// Which transitions were taken, and how often.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    pub runs: BTreeMap<(&'static str, &'static str), u64>,
    pub steps: BTreeMap<(&'static str, &'static str), u64>,
    pub events: u64,
}

impl Coverage {
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        for (way, count) in &other.runs {
            *self.runs.entry(*way).or_default() += count;
        }
        for (way, count) in &other.steps {
            *self.steps.entry(*way).or_default() += count;
        }
    }

    pub fn run(&mut self, from: &'static str, to: &'static str) {
        self.events += 1;
        if from != to {
            *self.runs.entry((from, to)).or_default() += 1;
        }
    }

    pub fn step(&mut self, from: &'static str, to: &'static str) {
        *self.steps.entry((from, to)).or_default() += 1;
    }
}
