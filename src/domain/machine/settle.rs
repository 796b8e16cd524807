//! What follows by itself, and what the world should be doing: both read off the state alone.

use std::collections::HashMap;

use crate::domain::code;
use crate::domain::event::Event;
use crate::domain::fault::{Again, Fault};
use crate::domain::plan::{OnItemError, Phase, PlanStep};
use crate::domain::run::{CancelCause, Flow, Outcome, Run, RunState, SkipReason, StepState};
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
        RunState::Cancelling { cause } => return closing(run, flow, cause),
        _ => {}
    }
    if let Some(&step) = run.loops_over.first() {
        return Some(loop_over(run, flow, step));
    }
    if run.unsettled == 0 {
        let outcome = if run.is_failing() { Outcome::Failed } else { Outcome::Completed };
        return Some(Event::Finished { outcome });
    }
    if run.is_failing() || run.broken_items {
        let steps = unreachable_steps(run, flow);
        if !steps.is_empty() {
            return Some(Event::StepsSkipped { steps, reason: SkipReason::RunFailed });
        }
    }
    match run.state {
        RunState::Pausing if run.in_flight == 0 => Some(Event::Paused),
        RunState::Running if run.in_flight == 0 && offers(run, flow, now).next().is_none() => {
            rests_until(run, flow).map(|until| Event::WaitingUntil { until })
        }
        _ => None,
    }
}

/// A run that is being ended: first what is in flight stops, then what tidies up has its turn, then it is over.
fn closing(run: &Run, flow: &Flow, cause: CancelCause) -> Option<Event> {
    if in_flight(run).any(|step| !is_wanted(run, flow, step)) {
        return None;
    }
    let unsettled = |step: &usize| !run.steps[*step].state.is_settled() && run.has_begun(flow, *step);
    let (wanted, unwanted): (Vec<usize>, Vec<usize>) =
        (0..run.steps.len()).filter(unsettled).partition(|&step| is_wanted(run, flow, step));
    if !unwanted.is_empty() {
        return Some(Event::StepsCancelled { steps: unwanted });
    }
    if wanted.is_empty() {
        return Some(Event::Finished { outcome: cause.into() });
    }
    run.loops_over.first().map(|&step| loop_over(run, flow, step))
}

/// Whether a step still counts in a run that is being ended.
pub(super) fn is_wanted(run: &Run, flow: &Flow, step: usize) -> bool {
    let timed_out = matches!(run.state, RunState::Cancelling { cause: CancelCause::TimedOut });
    match flow.step(run, step).phase {
        _ if run.started_at.is_none() => false, // what has not begun leaves nothing behind
        Phase::Main => false,
        Phase::OnError => timed_out && !run.closing_over,
        Phase::Finally => !run.closing_over,
    }
}

/// Whether nothing of this step begins any more in this generation.
pub(super) fn is_ended(run: &Run, flow: &Flow, step: usize) -> bool {
    match run.state {
        RunState::Finished(_) => true,
        RunState::Cancelling { .. } => !is_wanted(run, flow, step),
        _ => false,
    }
}

/// What becomes of a loop of which nothing further comes.
fn loop_over(run: &Run, flow: &Flow, step: usize) -> Event {
    let collects = |step: &PlanStep| step.foreach.as_ref().is_some_and(|f| f.on_item_error == OnItemError::Collect);
    let Some(known) = run.loop_at(step) else { return Event::StepSucceeded { step, warnings: Vec::new() } };
    let Some(item) = known.failed().next() else { return Event::StepSucceeded { step, warnings: Vec::new() } };
    let (_, failed, _) = known.tally();
    if collects(flow.step(run, step)) {
        let warnings = vec![format!("{failed} of {} items failed", known.count)];
        return Event::StepSucceeded { step, warnings };
    }
    let faults = known.steps(item).filter_map(|of| {
        let failed = run.steps[of].state == StepState::Failed;
        run.steps[of].fault.as_deref().filter(|_| failed)
    });
    let fault = faults.into_iter().next().cloned();
    let fault = fault.unwrap_or_else(|| Fault::permanent(code::WF4009, "an item failed"));
    let message = format!("item {} of {}: {}", item + 1, known.count, fault.message);
    Event::failed(step, Fault { message, again: Again::Permanent, ..fault })
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
        RunState::Cancelling { .. } => {
            let stops = in_flight(run).filter(|&step| !is_wanted(run, flow, step)).map(|step| Due::Stop { step });
            let wake = if flow.closing > 0 { next_wake(run) } else { None };
            let offers = offers(run, flow, now).map(|step| Due::Offer { step });
            stops.chain(offers).chain(wake.map(|at| Due::WakeAt { at })).collect()
        }
        RunState::Pausing => run.deadline.map(|at| Due::WakeAt { at }).into_iter().collect(),
        RunState::Paused | RunState::Finished(_) => Vec::new(),
    }
}

/// Steps whose next attempt may begin now.
fn offers<'r>(run: &'r Run, flow: &'r Flow, now: Timestamp) -> impl Iterator<Item = usize> + 'r {
    let ready = run.ready.iter().copied();
    let due = run.asleep.range(..=(now, usize::MAX)).map(|(_, step)| *step);
    let again = due.filter(|&step| matches!(run.steps[step].state, StepState::Backoff { .. }));
    ready.filter(move |&step| may_begin(run, flow, step)).chain(again.filter(move |&step| is_carried(run, flow, step)))
}

/// Whether a step that waits for nothing may begin: not in a failing run or item, unless it asks about failure; and of
/// those that may be the cause of the last crashes one at a time, so that the next one names it.
pub(super) fn may_begin(run: &Run, flow: &Flow, step: usize) -> bool {
    if run.steps[step].is_suspect() && in_flight(run).any(|other| run.steps[other].is_suspect()) {
        return false;
    }
    let survives = flow.step(run, step).condition.survives_failure;
    let failing = run.is_failing() || run.is_item_failing(step);
    is_carried(run, flow, step) && (survives || !failing || runs_for_item(run, step))
}

/// A loop that has begun goes on while the run around it fails, as every step does that has begun.
fn runs_for_item(run: &Run, step: usize) -> bool {
    run.instance(step).is_some() && !run.is_item_failing(step)
}

/// Whether attempts of this step begin at all in the run's state.
pub(super) fn is_carried(run: &Run, flow: &Flow, step: usize) -> bool {
    match run.state {
        RunState::Running => true,
        RunState::Cancelling { .. } => flow.closing > 0 && is_wanted(run, flow, step),
        _ => false,
    }
}

/// Steps with work under way, here or in another run.
fn in_flight(run: &Run) -> impl Iterator<Item = usize> + '_ {
    let busy = |state| matches!(state, StepState::Running | StepState::Nesting);
    run.steps.iter().enumerate().filter(move |(_, step)| busy(step.state)).map(|(step, _)| step)
}

/// The earliest time that any step or the run itself waits for.
#[must_use]
pub fn next_wake(run: &Run) -> Option<Timestamp> {
    let deadline = run.deadline.filter(|_| run.people_since.is_none());
    run.asleep.first().map(|(until, _)| *until).into_iter().chain(deadline).min()
}

/// As [`next_wake`], for a run that is about to rest.
pub(super) fn rests_until(run: &Run, flow: &Flow) -> Option<Timestamp> {
    if is_left_to_people(run, flow) { run.asleep.first().map(|(until, _)| *until) } else { next_wake(run) }
}

/// Whether the clock of a run stands still while it rests: people are to decide, answer, or say how to go on.
pub(super) fn is_left_to_people(run: &Run, flow: &Flow) -> bool {
    let by_people = |state| matches!(state, StepState::Deciding { .. } | StepState::Asking { .. } | StepState::Held);
    let inner = || run.inner_rest.values().any(|inner| inner.resting);
    let own = || run.asleep.iter().any(|&(_, step)| by_people(run.steps[step].state));
    !flow.plan.includes_waits && (own() || inner())
}

/// In a failing run, or for a failing item: pending steps that only lead on from what has settled and do not ask about
/// failure, and those behind them, as far as nothing that still runs stands before them.
fn unreachable_steps(run: &Run, flow: &Flow) -> Vec<usize> {
    let skippable = |step: usize| {
        let lost = if run.instance(step).is_some() { run.is_item_failing(step) } else { run.is_failing() };
        lost && !flow.step(run, step).condition.survives_failure
    };
    let mut found: Vec<usize> = run.ready.iter().copied().filter(|&step| skippable(step)).collect();
    let mut lifted: HashMap<usize, usize> = HashMap::new();
    let mut next = 0;
    while next < found.len() {
        for dependant in run.dependants(flow, found[next]) {
            let lifted = lifted.entry(dependant).or_default();
            *lifted += 1;
            if run.blockers[dependant] == *lifted
                && run.steps[dependant].state == StepState::Pending
                && skippable(dependant)
            {
                found.push(dependant);
            }
        }
        next += 1;
    }
    found.sort_unstable();
    found
}
