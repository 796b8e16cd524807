//! What follows by itself, and what the world should be doing: both read off the state alone.

use crate::domain::event::Event;
use crate::domain::run::{Flow, Outcome, Run, RunState, SkipReason, StepState};
use crate::domain::time::Timestamp;

/// What the world should be doing for a run now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Some process should take it.
    Claim,
    /// An attempt of this step should begin (its condition is to be looked at first).
    Offer {
        /// The step.
        step: usize,
    },
    /// The attempt of this step should be stopped.
    Stop {
        /// The step.
        step: usize,
    },
    /// Somebody should look again at this time.
    WakeAt {
        /// When.
        at: Timestamp,
    },
}

/// The next thing that follows by itself; `None` when all is quiet.
#[must_use]
pub fn settle(run: &Run, flow: &Flow, now: Timestamp) -> Option<Event> {
    match run.state {
        RunState::Finished(_) => return None,
        RunState::Cancelling { cause } => {
            return (run.in_flight == 0).then(|| Event::Finished { outcome: cause.into() });
        }
        _ => {}
    }
    if run.unsettled == 0 {
        let outcome = if run.is_failing() { Outcome::Failed } else { Outcome::Completed };
        return Some(Event::Finished { outcome });
    }
    if run.is_failing() {
        let steps = unreachable_steps(run, flow);
        if !steps.is_empty() {
            return Some(Event::StepsSkipped { steps, reason: SkipReason::RunFailed });
        }
    }
    match run.state {
        RunState::Pausing if run.in_flight == 0 => Some(Event::Paused),
        RunState::Running if run.in_flight == 0 && offers(run, flow, now).next().is_none() => {
            next_wake(run).map(|until| Event::WaitingUntil { until })
        }
        _ => None,
    }
}

/// Everything that is due. Repeating it is harmless: it is a reading, not a message.
#[must_use]
pub fn due(run: &Run, flow: &Flow, now: Timestamp) -> Vec<Due> {
    match run.state {
        RunState::Queued => vec![Due::Claim],
        RunState::Waiting { until } if until <= now => vec![Due::Claim],
        RunState::Waiting { until } => vec![Due::WakeAt { at: until }],
        RunState::Running => {
            let offers = offers(run, flow, now).map(|step| Due::Offer { step });
            offers.chain(next_wake(run).map(|at| Due::WakeAt { at })).collect()
        }
        RunState::Cancelling { .. } => in_flight(run).map(|step| Due::Stop { step }).collect(),
        RunState::Pausing => run.deadline.map(|at| Due::WakeAt { at }).into_iter().collect(),
        RunState::Paused | RunState::Finished(_) => Vec::new(),
    }
}

/// Steps whose next attempt may begin now.
fn offers<'r>(run: &'r Run, flow: &'r Flow, now: Timestamp) -> impl Iterator<Item = usize> + 'r {
    let failing = run.is_failing();
    let ready = run.ready.iter().copied();
    let ready = ready.filter(move |&step| !failing || flow.plan.steps[step].condition.survives_failure);
    let asleep = if run.asleep > 0 { run.steps.as_slice() } else { &[] };
    let again = asleep.iter().enumerate().filter_map(move |(step, run)| match run.state {
        StepState::Backoff { until } if until <= now => Some(step),
        _ => None,
    });
    ready.chain(again)
}

fn in_flight(run: &Run) -> impl Iterator<Item = usize> + '_ {
    run.steps.iter().enumerate().filter(|(_, step)| step.state == StepState::Running).map(|(step, _)| step)
}

/// The earliest time that any step or the run itself waits for.
fn next_wake(run: &Run) -> Option<Timestamp> {
    let asleep = if run.asleep > 0 { run.steps.as_slice() } else { &[] };
    let steps = asleep.iter().filter_map(|step| match step.state {
        StepState::Backoff { until } | StepState::Sleeping { until } | StepState::Asking { until } => Some(until),
        _ => None,
    });
    steps.chain(run.deadline).min()
}

/// In a failing run: pending steps that only lead on from what has settled and do not ask about failure, and
/// those behind them, as far as nothing that still runs stands before them.
fn unreachable_steps(run: &Run, flow: &Flow) -> Vec<usize> {
    let skippable = |step: usize| !flow.plan.steps[step].condition.survives_failure;
    let mut found: Vec<usize> = run.ready.iter().copied().filter(|&step| skippable(step)).collect();
    if found.is_empty() {
        return found;
    }
    let mut blockers = run.blockers.clone();
    let mut next = 0;
    while next < found.len() {
        for &dependant in &flow.dependants[found[next]] {
            blockers[dependant] -= 1;
            if blockers[dependant] == 0 && run.steps[dependant].state == StepState::Pending && skippable(dependant) {
                found.push(dependant);
            }
        }
        next += 1;
    }
    found.sort_unstable();
    found
}
