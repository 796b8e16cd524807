//! One world: a store, a process that carries runs, sometimes one that does not know that it was replaced, people, and
//! time. Everything that happens is chosen by the tape.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::super::*;
use super::super::plans::{Shape, StepSeed, plan_of};
use super::super::question;
use super::store::Store;
use super::tape::Tape;
use super::witness::{Coverage, Start, Witness};
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::id::RunId;
use crate::domain::plan::{EffectClass, OnItemError};
use crate::domain::run::{SkipReason, StepState};
use crate::domain::time::Span;

/// A protection that is taken away, to see whether the world notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// None: this is the engine as it is.
    Nothing,
    /// Attempts begin before the commit that says so.
    EffectBeforeCommit,
    /// Callers are answered before the commit.
    AnswerBeforeCommit,
    /// The disk forgets the newest commit when power fails.
    LostTail,
    /// A start does not look at runs that wait for a place.
    QueuedForgotten,
    /// A start does not know what is due later.
    TimersInMemory,
    /// An outcome counts whichever attempt it belongs to.
    StaleOutcomes,
    /// Whoever writes need not have seen everything.
    NoFence,
    /// Each attempt has a key of its own.
    KeyOfAttempt,
    /// What was in flight at a crash is taken as done.
    InFlightIsDone,
    /// A crash does not end the steps that were in flight.
    CrashUnseen,
}

/// An attempt in flight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt {
    pub(super) step: usize,
    pub(super) number: u32,
    pub(super) generation: u32,
}

/// A run in the hands of a process.
pub(super) struct Carried {
    pub(super) run: Run,
    pub(super) flow: Arc<Flow>,
    pub(super) seq: usize,
    pub(super) pending: Vec<Entry>,
    pub(super) commit_next: bool,
    /// How many wait for the next commit to be answered.
    pub(super) asked: usize,
    pub(super) in_flight: Vec<Attempt>,
    /// Attempts whose outcome was heard; it may be heard again.
    pub(super) heard: Vec<Attempt>,
}

pub(super) type Process = BTreeMap<usize, Carried>;

pub struct World {
    pub(super) tape: Tape,
    pub(super) bug: Bug,
    pub(super) now: Timestamp,
    pub store: Store,
    pub(super) process: Process,
    /// Thinks that it still carries its runs.
    pub(super) zombie: Process,
    pub(super) witness: Witness,
    pub coverage: Coverage,
    pub(super) runs: usize,
    pub(super) boots: u32,
    pub(super) healing: bool,
}

/// The process crashed meanwhile.
pub(super) struct Crashed;

impl World {
    pub fn new(seed: u64, bug: Bug) -> Self {
        Self {
            tape: Tape::new(seed),
            bug,
            now: Timestamp::from_micros(1_000_000),
            store: Store::default(),
            process: Process::new(),
            zombie: Process::new(),
            witness: Witness::default(),
            coverage: Coverage::default(),
            runs: 0,
            boots: 0,
            healing: false,
        }
    }

    /// Plays a whole life: trouble, then peace, in which everything must come to its end.
    pub fn play(&mut self) {
        let length = 60 + self.tape.below(240);
        for _ in 0..length {
            let _ = self.something_happens();
        }
        self.heal();
        self.witness.check_answers(&self.store);
    }

    fn something_happens(&mut self) -> Result<(), Crashed> {
        let carried: Vec<usize> = self.process.keys().copied().collect();
        let id = self.tape.one_of(&carried);
        match (self.tape.below(100), id) {
            (0..=5, _) if self.runs < 3 => self.accept(),
            (0..=34, Some(id)) => self.advance(id),
            (35..=64, Some(id)) => self.attempt_ends(id),
            (65..=69, Some(id)) => self.heard_again(id),
            (70..=79, Some(id)) => self.somebody_asks(id),
            (80..=91, _) => self.time_passes(),
            (92..=94, _) => self.crash(),
            (95, _) => self.stop_in_order(),
            (96, _) => self.freeze(),
            (97..=99, _) => {
                self.zombie_acts();
                Ok(())
            }
            _ => self.accept(),
        }
    }

    fn accept(&mut self) -> Result<(), Crashed> {
        let count = 1 + self.tape.below(5);
        let shapes = [
            Shape::Plain,
            Shape::Plain,
            Shape::Plain,
            Shape::Each(OnItemError::Stop),
            Shape::Each(OnItemError::Collect),
            Shape::Around(OnItemError::Stop),
            Shape::Inside,
            Shape::Handler,
            Shape::Cleaner,
            Shape::Asks,
        ];
        let seeds: Vec<StepSeed> = (0..count)
            .map(|_| {
                let shape = shapes[self.tape.below(shapes.len())];
                let retries = self.tape.below(3) as u32;
                let (needs, effect) = (self.tape.below(256) as u8, self.tape.below(6) as u8);
                (needs, retries, self.tape.one_in(5), self.tape.one_in(8), effect, shape)
            })
            .collect();
        let timeout = self.tape.one_in(6).then(|| Span::from_secs(5 + self.tape.below(60) as u64));
        let flow = Arc::new(plan_of(&seeds, timeout));
        let id = self.runs;
        self.runs += 1;
        let mut run = Run::new(RunId::from_bits(id as u128), &flow, self.now);
        let mut events = vec![Event::Queued];
        if self.tape.one_in(8) {
            let until = self.now.plus(Span::from_secs(30));
            events.push(Event::Asked { step: None, questions: vec![question("start")], until });
        }
        events.iter().for_each(|event| apply(&mut run, &flow, self.now, event));
        let pending = events.into_iter().map(|event| (self.now, event)).collect();
        let carried = Carried {
            run,
            flow,
            seq: 0,
            pending,
            commit_next: true,
            asked: 1,
            in_flight: Vec::new(),
            heard: Vec::new(),
        };
        self.process.insert(id, carried);
        self.commit(id)
    }

    /// As a carrier does: begins what is offered, commits where something rests on it, then lets the attempts go.
    pub(super) fn advance(&mut self, id: usize) -> Result<(), Crashed> {
        let mut begun = Vec::new();
        for _ in 0..64 {
            let Some(carried) = self.process.get_mut(&id) else { return Ok(()) };
            let due = due(&carried.run, &carried.flow, self.now);
            let Some(next) = due.into_iter().find(|due| !matches!(due, Due::WakeAt { .. } | Due::Stop { .. })) else {
                break;
            };
            let command = match next {
                Due::Offer { step } if carried.run.is_loop(&carried.flow, step) => {
                    Command::List { step, count: step as u32 % 4, digest: "list".to_owned() }
                }
                Due::Offer { step } if carried.run.steps[step].state == StepState::Pending && self.tape.one_in(12) => {
                    Command::Skip { step, reason: SkipReason::Condition }
                }
                Due::Offer { step } => {
                    begun.push(step);
                    Command::Begin { step }
                }
                _ => Command::Claim,
            };
            carried.commit_next |= matches!(command, Command::Begin { .. });
            if step(&mut carried.run, &carried.flow, command, self.now, &mut carried.pending).is_err() {
                break;
            }
        }
        if self.bug == Bug::EffectBeforeCommit {
            self.launch(id, &begun);
            return self.commit(id);
        }
        self.commit(id)?;
        self.launch(id, &begun);
        self.stop_what_is_unwanted(id)
    }

    fn launch(&mut self, id: usize, begun: &[usize]) {
        let Some(carried) = self.process.get_mut(&id) else { return };
        for &step in begun {
            let known = &carried.run.steps[step];
            if known.state != StepState::Running || carried.in_flight.iter().any(|attempt| attempt.step == step) {
                continue;
            }
            let attempt = Attempt { step, number: known.attempts, generation: known.generation };
            let plan = carried.flow.step(&carried.run, step);
            let of = if self.bug == Bug::KeyOfAttempt { u64::from(attempt.number) } else { 0 };
            let start = Start {
                place: (id, step, attempt.generation),
                number: attempt.number,
                key: (id as u64) << 32 | (step as u64) << 8 | of,
                effect: plan.effect,
                most: plan.retry.max_attempts(),
            };
            self.witness.starts(start, &self.store);
            carried.in_flight.push(attempt);
        }
    }

    fn stop_what_is_unwanted(&mut self, id: usize) -> Result<(), Crashed> {
        let Some(carried) = self.process.get_mut(&id) else { return Ok(()) };
        let stops = due(&carried.run, &carried.flow, self.now);
        for due in stops {
            let Due::Stop { step: of } = due else { continue };
            let Some(at) = carried.in_flight.iter().position(|attempt| attempt.step == of) else { continue };
            let attempt = carried.in_flight.remove(at);
            let fault = Fault::transient(code::WF4007, "stopped");
            let command = Command::Fail { step: of, attempt: attempt.number, fault };
            let _ = step(&mut carried.run, &carried.flow, command, self.now, &mut carried.pending);
            carried.commit_next = true;
        }
        self.commit(id)
    }

    pub(super) fn attempt_ends(&mut self, id: usize) -> Result<(), Crashed> {
        let (healing, now) = (self.healing, self.now);
        let Some(carried) = self.process.get_mut(&id).filter(|carried| !carried.in_flight.is_empty()) else {
            return Ok(());
        };
        let attempt = carried.in_flight.swap_remove(self.tape.below(carried.in_flight.len()));
        let Attempt { step: of, number, generation } = attempt;
        let success = Command::Succeed { step: of, attempt: number, warnings: Vec::new() };
        let command = match self.tape.below(if healing { 1 } else { 16 }) {
            0..=8 => success,
            9..=11 => Command::Fail { step: of, attempt: number, fault: Fault::transient(code::WF4001, "broke") },
            12 => Command::Fail { step: of, attempt: number, fault: Fault::permanent(code::WF2006, "no") },
            13 => Command::Sleep { step: of, attempt: number, until: now.plus(Span::from_secs(4)) },
            14 => {
                self.witness.lost((id, of, generation));
                let until = now.plus(Span::from_secs(6));
                Command::Ask { step: of, attempt: number, questions: vec![question(&format!("q{of}"))], until }
            }
            _ => success,
        };
        if step(&mut carried.run, &carried.flow, command, now, &mut carried.pending).is_ok() {
            carried.heard.push(attempt);
            self.witness.ended((id, of, generation));
        }
        carried.commit_next |= carried.flow.step(&carried.run, of).effect != EffectClass::Pure;
        if self.tape.one_in(3) { self.commit(id) } else { Ok(()) }
    }

    /// The outcome of an attempt comes a second time.
    fn heard_again(&mut self, id: usize) -> Result<(), Crashed> {
        let Some(carried) = self.process.get_mut(&id) else { return Ok(()) };
        let Some(Attempt { step: of, number, .. }) = self.tape.one_of(&carried.heard) else { return Ok(()) };
        if self.bug == Bug::StaleOutcomes {
            let event = Event::StepSucceeded { step: of, warnings: Vec::new() };
            apply(&mut carried.run, &carried.flow, self.now, &event);
            carried.pending.push((self.now, event));
            return self.commit(id);
        }
        let command = Command::Succeed { step: of, attempt: number, warnings: Vec::new() };
        let before = carried.run.clone();
        let running = carried.in_flight.iter().any(|attempt| attempt.step == of && attempt.number == number);
        let heard = step(&mut carried.run, &carried.flow, command, self.now, &mut carried.pending);
        // In another generation the same number may be under way again: then it is its own outcome.
        assert!(heard.is_err() || running || before.steps[of].generation > 0, "I5: an outcome counted twice");
        if heard.is_ok() {
            self.witness.ended((id, of, before.steps[of].generation));
            carried.in_flight.retain(|attempt| attempt.step != of);
        }
        Ok(())
    }

    fn somebody_asks(&mut self, id: usize) -> Result<(), Crashed> {
        let Some(carried) = self.process.get_mut(&id) else { return Ok(()) };
        let by = || "ana".to_owned();
        let of = self.tape.below(carried.run.steps.len());
        let command = match self.tape.below(10) {
            0..=1 => Command::Pause { by: by() },
            2..=3 => Command::Resume { by: by() },
            4 => Command::Cancel { by: by() },
            5..=6 => {
                self.witness.allowed(id);
                let one = self.tape.one_in(3).then_some(of);
                Command::Retry { step: one, inputs: Default::default(), by: by() }
            }
            7 => Command::SkipStep { step: of, by: by() },
            _ => {
                let key = carried.run.asking.first().and_then(|asking| asking.questions.first());
                let key = key.map_or_else(String::new, |question| question.key.clone());
                Command::Answer { inputs: [(key, serde_json::json!(1))].into_iter().collect(), by: by() }
            }
        };
        if step(&mut carried.run, &carried.flow, command, self.now, &mut carried.pending).is_ok() {
            carried.asked += 1;
            carried.commit_next = true;
        }
        self.commit(id)
    }

    pub(super) fn time_passes(&mut self) -> Result<(), Crashed> {
        self.now = self.now.plus(Span::from_secs(1 + self.tape.below(9) as u64));
        let now = self.now;
        for carried in self.process.values_mut() {
            let _ = step(&mut carried.run, &carried.flow, Command::Wake, now, &mut carried.pending);
        }
        Ok(())
    }

    pub(super) fn commit(&mut self, id: usize) -> Result<(), Crashed> {
        let Some(carried) = self.process.get_mut(&id).filter(|carried| carried.commit_next) else { return Ok(()) };
        let trouble = if self.healing { 9 } else { self.tape.below(120) };
        if self.bug == Bug::AnswerBeforeCommit {
            let answers = std::mem::take(&mut carried.asked);
            (0..answers).for_each(|_| self.witness.answered(id, carried.seq + 1));
        }
        if trouble == 0 {
            self.crash()?;
            return Err(Crashed);
        }
        carried.commit_next = false;
        if !carried.pending.is_empty() {
            let entries = std::mem::take(&mut carried.pending);
            let is_fenced = self.bug != Bug::NoFence;
            note_successes(&mut self.witness, id, carried, &entries);
            let kept = self.store.commit((id, carried.seq), (&carried.flow, entries), is_fenced, &mut self.coverage);
            assert!(kept.is_ok(), "the process that owns the store was fenced out");
            carried.seq += 1;
        }
        if trouble == 1 {
            self.crash()?;
            return Err(Crashed);
        }
        let answers = std::mem::take(&mut carried.asked);
        (0..answers).for_each(|_| self.witness.answered(id, carried.seq));
        Ok(())
    }
}

fn note_successes(witness: &mut Witness, id: usize, Carried { run, flow, .. }: &Carried, entries: &[Entry]) {
    for (_, event) in entries {
        if let Event::StepSucceeded { step, .. } = event
            && run.steps[*step].state == StepState::Succeeded
            && !run.is_loop(flow, *step)
        {
            witness.succeeded((id, *step, run.steps[*step].generation));
        }
    }
}
