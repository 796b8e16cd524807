//! What goes wrong in a world, and how it heals.

use std::sync::Arc;

use super::super::super::*;
use super::world::{Attempt, Bug, Carried, Crashed, World};
use crate::domain::run::{RunState, StepState};
use crate::domain::time::Span;

impl World {
    pub(super) fn crash(&mut self) -> Result<(), Crashed> {
        self.process.clear();
        self.lose_what_is_under_way();
        if self.bug == Bug::LostTail {
            self.store.lose_the_newest();
        }
        self.witness.check_answers(&self.store);
        self.boot();
        Ok(())
    }

    /// SIGTERM: what is in flight is handed back.
    pub(super) fn stop_in_order(&mut self) -> Result<(), Crashed> {
        let ids: Vec<usize> = self.process.keys().copied().collect();
        let boots = self.boots;
        for id in ids {
            let Some(carried) = self.process.get_mut(&id) else { continue };
            for attempt in std::mem::take(&mut carried.in_flight) {
                self.witness.lost((id, attempt.step, attempt.generation));
            }
            let command = Command::Interrupt { lost: false };
            let _ = step(&mut carried.run, &carried.flow, command, self.now, &mut carried.pending);
            carried.commit_next = true;
            self.commit(id)?;
        }
        if self.boots == boots {
            self.process.clear();
            self.boot();
        }
        Ok(())
    }

    /// The process stands still long enough to be replaced, and does not know it.
    pub(super) fn freeze(&mut self) -> Result<(), Crashed> {
        self.lose_what_is_under_way();
        self.zombie = std::mem::take(&mut self.process);
        self.boot();
        Ok(())
    }

    /// What has an intent and no outcome may run once more.
    pub(super) fn lose_what_is_under_way(&mut self) {
        for (id, kept) in &self.store.runs {
            for (of, step) in kept.run.steps.iter().enumerate() {
                if step.state == StepState::Running {
                    self.witness.lost((*id, of, step.generation));
                }
            }
        }
    }

    /// It comes to itself and writes what it believes to be the next commit.
    pub(super) fn zombie_acts(&mut self) {
        let ids: Vec<usize> = self.zombie.keys().copied().collect();
        let Some(id) = self.tape.one_of(&ids) else { return };
        let Some(mut carried) = self.zombie.remove(&id) else { return };
        for Attempt { step: of, number, .. } in std::mem::take(&mut carried.in_flight) {
            let command = Command::Succeed { step: of, attempt: number, warnings: Vec::new() };
            let _ = step(&mut carried.run, &carried.flow, command, self.now, &mut carried.pending);
        }
        let entries = std::mem::take(&mut carried.pending);
        let kept = self.store.runs.get(&id).map_or(0, |kept| kept.commits.len());
        if entries.is_empty() || (kept == carried.seq && self.bug != Bug::NoFence) {
            return; // nobody has taken the run up since, so the lock on the store keeps it out
        }
        let is_fenced = self.bug != Bug::NoFence;
        let written =
            self.store.commit((id, carried.seq), (&carried.flow, entries), is_fenced, &mut self.coverage).is_ok();
        assert!(!written || !is_fenced, "I6: a process that was replaced has written");
    }

    pub(super) fn boot(&mut self) {
        self.boots += 1;
        let kept: Vec<usize> = self.store.runs.keys().copied().collect();
        for id in kept {
            let kept = &self.store.runs[&id];
            let mut run = kept.fold();
            let forgotten = match run.state {
                RunState::Queued => self.bug == Bug::QueuedForgotten,
                RunState::Waiting { .. } => self.bug == Bug::TimersInMemory,
                _ => false,
            };
            if forgotten {
                continue;
            }
            let mut pending = Vec::new();
            let orphaned = matches!(run.state, RunState::Running | RunState::Pausing | RunState::Cancelling { .. });
            if orphaned && self.bug == Bug::InFlightIsDone {
                for of in 0..run.steps.len() {
                    let attempt = run.steps[of].attempts;
                    let command = Command::Succeed { step: of, attempt, warnings: Vec::new() };
                    let _ = step(&mut run, &kept.flow, command, self.now, &mut pending);
                }
            }
            if orphaned && self.bug != Bug::CrashUnseen {
                let lost = Command::Interrupt { lost: true };
                step(&mut run, &kept.flow, lost, self.now, &mut pending).expect("never refused");
            }
            let carried = Carried {
                run,
                flow: Arc::clone(&kept.flow),
                seq: kept.commits.len(),
                commit_next: !pending.is_empty(),
                pending,
                asked: 0,
                in_flight: Vec::new(),
                heard: Vec::new(),
            };
            self.process.insert(id, carried);
        }
    }

    /// No more trouble: within two days everything comes to its end.
    pub(super) fn heal(&mut self) {
        self.healing = true;
        self.zombie.clear();
        for _ in 0..400 {
            let ids: Vec<usize> = self.process.keys().copied().collect();
            let mut open = false;
            for id in ids {
                self.help(id);
                let _ = self.advance(id);
                while self.process.get(&id).is_some_and(|carried| !carried.in_flight.is_empty()) {
                    let _ = self.attempt_ends(id);
                }
                if let Some(carried) = self.process.get_mut(&id) {
                    carried.commit_next = true;
                    open |= !carried.run.state.is_finished();
                }
                let _ = self.commit(id);
            }
            if !open {
                break;
            }
            self.now = self.now.plus(Span::from_secs(430));
            let _ = self.time_passes();
        }
        for (id, kept) in &self.store.runs {
            assert!(kept.run.state.is_finished(), "I9: run {id} is {} for ever", kept.run.state.status());
        }
    }

    /// People do what only they can.
    pub(super) fn help(&mut self, id: usize) {
        let Some(carried) = self.process.get_mut(&id) else { return };
        let by = || "friend".to_owned();
        let mut wishes = vec![Command::Resume { by: by() }];
        let held = carried.run.steps.iter().position(|step| step.state == StepState::Held);
        wishes.extend(held.map(|step| Command::SkipStep { step, by: by() }));
        for wish in wishes {
            let _ = step(&mut carried.run, &carried.flow, wish, self.now, &mut carried.pending);
        }
    }
}
