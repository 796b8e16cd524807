//! A store that keeps what is committed, holds writers to their fence, and looks at everything that is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::super::{Entry, Event, apply};
use super::witness::Coverage;
use crate::domain::id::RunId;
use crate::domain::run::{Flow, Run, StepState};
use crate::domain::time::Timestamp;

/// A run as it is kept: its commits, and their fold.
pub struct Durable {
    pub flow: Arc<Flow>,
    pub commits: Vec<Vec<Entry>>,
    pub run: Run,
    born: Timestamp,
}

/// All runs.
#[derive(Default)]
pub struct Store {
    pub runs: BTreeMap<usize, Durable>,
    /// The run of the newest commit.
    newest: Option<usize>,
}

/// Somebody else has written since.
pub struct Fenced;

impl Durable {
    fn new(id: usize, flow: Arc<Flow>, born: Timestamp) -> Self {
        let run = Run::new(RunId::from_bits(id as u128), &flow, born);
        Self { flow, commits: Vec::new(), run, born }
    }

    /// The fold of what is kept.
    pub fn fold(&self) -> Run {
        let mut run = Run::new(self.run.id, &self.flow, self.born);
        for (at, event) in self.commits.iter().flatten() {
            apply(&mut run, &self.flow, *at, event);
        }
        run
    }
}

impl Store {
    /// Writes what follows commit `seq` of a run.
    pub fn commit(
        &mut self,
        (id, seq): (usize, usize),
        (flow, entries): (&Arc<Flow>, Vec<Entry>),
        is_fenced: bool,
        coverage: &mut Coverage,
    ) -> Result<(), Fenced> {
        let born = entries.first().map_or(Timestamp::from_micros(0), |(at, _)| *at);
        let kept = self.runs.entry(id).or_insert_with(|| Durable::new(id, Arc::clone(flow), born));
        if is_fenced && kept.commits.len() != seq {
            return Err(Fenced);
        }
        for (at, event) in &entries {
            look(kept, *at, event, coverage);
        }
        kept.commits.push(entries);
        self.newest = Some(id);
        Ok(())
    }

    /// Power fails, and the disk had not kept what it said it had.
    pub fn lose_the_newest(&mut self) {
        if let Some(kept) = self.newest.take().and_then(|id| self.runs.get_mut(&id)) {
            kept.commits.pop();
            kept.run = kept.fold();
        }
    }
}

/// Applies one event to the fold and checks what it may do.
fn look(kept: &mut Durable, at: Timestamp, event: &Event, coverage: &mut Coverage) {
    let before = kept.run.clone();
    let reopens = matches!(event, Event::Reopened { .. });
    assert!(!before.state.is_finished() || reopens, "I8: {event:?} after the end");
    let settled: &[usize] = match event {
        Event::StepSucceeded { step, .. } | Event::StepFailed { step, .. } | Event::StepReused { step, .. } => {
            std::slice::from_ref(step)
        }
        Event::StepsSkipped { steps, .. } | Event::StepsCancelled { steps } => steps,
        _ => &[],
    };
    for &step in settled {
        assert!(!before.steps[step].state.is_settled(), "I5: step {step} was settled before {event:?}");
    }
    apply(&mut kept.run, &kept.flow, at, event);
    coverage.run(before.state.status(), kept.run.state.status());
    for (step, now) in kept.run.steps.iter().enumerate() {
        let was = before.steps.get(step).map_or(StepState::Pending, |step| step.state);
        if was != now.state {
            coverage.step(word(was), word(now.state));
        }
    }
}

/// A word for every state, also for those that people see as one.
pub fn word(state: StepState) -> &'static str {
    match state {
        StepState::Backoff { .. } => "backoff",
        StepState::Sleeping { .. } => "sleeping",
        StepState::Asking { .. } => "asking",
        StepState::Looping => "looping",
        StepState::Held => "held",
        other => other.status(),
    }
}
