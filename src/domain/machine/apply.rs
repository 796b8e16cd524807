//! The fold of the journal: moves a run by what happened. Total; counters follow the states here and nowhere else.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::settle::is_left_to_people;
use super::{looping, waits};
use crate::domain::event::Event;
use crate::domain::plan::OnError;
use crate::domain::question::{Asking, Question};
use crate::domain::run::{CancelCause, Flow, Outcome, Run, RunState, StepRun, StepState};
use crate::domain::time::{Span, Timestamp};

/// What each step of `on_error` and `finally` adds to the time that they have together once a run is being ended.
const CLOSING_SECONDS: u64 = 60;

/// Moves `run` by one event that happened at `at`.
pub fn apply(run: &mut Run, flow: &Flow, at: Timestamp, event: &Event) {
    let ends_rest = matches!(
        event,
        Event::Claimed
            | Event::Requeued
            | Event::Answered { .. }
            | Event::PauseAsked { .. }
            | Event::CancelAsked { .. }
    );
    // People take their time; that is not the run's.
    if ends_rest && let Some(since) = run.people_since.take() {
        rested(run, at.since(since));
    }
    match event {
        Event::Queued => {
            run.created_at = at;
            run.turn_until = flow.plan.queue.map(|span| at.plus(span));
        }
        Event::Claimed => claimed(run, flow, at),
        Event::Requeued => run.state = RunState::Queued,
        Event::Recalled { from } => {
            run.recalled = Some(*from);
            run.started_at.get_or_insert(at);
        }
        Event::Asked { step, questions, until } => asked(run, flow, (*step, questions, *until), at),
        Event::Answered { inputs, .. } => answered(run, flow, inputs, at),
        Event::ClosingOver => run.closing_over = true,
        Event::WaitingUntil { until } => {
            run.state = RunState::Waiting { until: *until };
            run.people_since = is_left_to_people(run, flow).then_some(at);
        }
        Event::PauseAsked { .. } => run.state = RunState::Pausing,
        Event::Paused => {
            run.state = RunState::Paused;
            run.paused_at = Some(at);
        }
        Event::Resumed { .. } => resumed(run, at),
        Event::CancelAsked { cause, .. } => {
            run.state = RunState::Cancelling { cause: *cause };
            // What tidies up has time of its own.
            run.deadline = (flow.closing > 0).then(|| at.plus(Span::from_secs(CLOSING_SECONDS * flow.closing)));
        }
        Event::Reopened { steps, .. } => reopened(run, flow, steps),
        Event::Finished { outcome } => {
            run.state = RunState::Finished(*outcome);
            run.finished_at = Some(at);
        }
        _ => step_moved(run, flow, at, event),
    }
}

/// The events of steps.
fn step_moved(run: &mut Run, flow: &Flow, at: Timestamp, event: &Event) {
    match event {
        Event::StepStarted { step, attempt } => {
            set(run, flow, *step, StepState::Running, at);
            let step = &mut run.steps[*step];
            step.attempts = *attempt;
            step.started_at.get_or_insert(at);
        }
        Event::StepSucceeded { step, warnings } => {
            run.steps[*step].warnings.clone_from(warnings);
            run.steps[*step].fault = None;
            set(run, flow, *step, StepState::Succeeded, at);
        }
        Event::StepReused { step, from } => {
            run.reused.insert(*step, *from);
            run.steps[*step].fault = None;
            set(run, flow, *step, StepState::Succeeded, at);
        }
        Event::StepFailed { step, fault } => {
            run.steps[*step].fault = Some(fault.clone());
            set(run, flow, *step, StepState::Failed, at);
        }
        Event::StepRetrying { step, until, fault } => {
            run.steps[*step].fault = Some(fault.clone());
            run.steps[*step].lost = 0;
            set(run, flow, *step, StepState::Backoff { until: *until }, at);
        }
        Event::StepSleeping { step, until } => set(run, flow, *step, StepState::Sleeping { until: *until }, at),
        Event::StepInterrupted { step, lost, until } => {
            run.steps[*step].attempts = run.steps[*step].attempts.saturating_sub(1);
            run.steps[*step].lost += u32::from(*lost);
            let state = until.map_or(StepState::Pending, |until| StepState::Backoff { until });
            set(run, flow, *step, state, at);
        }
        Event::StepsSkipped { steps, reason } => {
            for &step in steps {
                set(run, flow, step, StepState::Skipped(*reason), at);
            }
        }
        Event::ItemsListed { step, count, digest, resumed } => {
            looping::listed(run, flow, *step, (*count, digest, *resumed), at);
        }
        Event::StepsCancelled { steps } => {
            for &step in steps {
                set(run, flow, step, StepState::Cancelled, at);
            }
        }
        _ => waits::moved(run, flow, at, event),
    }
}

/// Time went by that is not the run's.
fn rested(run: &mut Run, time: Span) {
    run.deadline = run.deadline.map(|deadline| deadline.plus(time));
    let micros = u64::try_from(time.micros()).unwrap_or(0);
    run.rested = run.rested.plus(time);
    for inner in run.inner_rest.values_mut().filter(|inner| inner.resting) {
        inner.micros += micros;
    }
}

fn resumed(run: &mut Run, at: Timestamp) {
    // People take their time; that is not the run's.
    if let Some(paused_at) = run.paused_at.take() {
        rested(run, at.since(paused_at));
    }
    run.state = match run.held_back_until() {
        Some(until) => RunState::Waiting { until },
        None if run.has_attempts_in_flight() => RunState::Running,
        None => RunState::Queued,
    };
}

fn claimed(run: &mut Run, flow: &Flow, at: Timestamp) {
    run.state = RunState::Running;
    run.started_at.get_or_insert(at);
    run.opened_at.get_or_insert(at);
    if run.deadline.is_none() {
        run.deadline = flow.plan.timeout.map(|span| at.plus(span));
    }
}

fn asked(run: &mut Run, flow: &Flow, (step, questions, until): (Option<usize>, &[Question], Timestamp), at: Timestamp) {
    match step {
        // An attempt that only asked is none.
        Some(step) => {
            run.steps[step].attempts = run.steps[step].attempts.saturating_sub(1);
            set(run, flow, step, StepState::Asking { until }, at);
        }
        None => run.state = RunState::Waiting { until },
    }
    run.asking.push(Asking { step, questions: questions.to_vec(), since: at, until });
}

fn answered(run: &mut Run, flow: &Flow, inputs: &Map<String, Value>, at: Timestamp) {
    let mut open = Vec::new();
    for mut asking in std::mem::take(&mut run.asking) {
        asking.questions.retain(|question| !inputs.contains_key(&question.key));
        match asking.step {
            _ if !asking.questions.is_empty() => open.push(asking),
            Some(step) if matches!(run.steps[step].state, StepState::Asking { .. }) => {
                set(run, flow, step, StepState::Pending, at);
            }
            Some(_) | None => {}
        }
    }
    run.asking = open;
    if matches!(run.state, RunState::Waiting { .. }) {
        run.state = run.held_back_until().map_or(RunState::Queued, |until| RunState::Waiting { until });
        if run.started_at.is_none() {
            run.turn_until = flow.plan.queue.map(|span| at.plus(span)); // it lines up only now
        }
    }
}

fn reopened(run: &mut Run, flow: &Flow, steps: &[usize]) {
    // Loops that are opened only for some of their items go on where they are.
    let through: BTreeSet<usize> = steps.iter().filter_map(|&step| Some(run.instance(step)?.at as usize)).collect();
    let through: BTreeSet<usize> = steps.iter().copied().filter(|step| through.contains(step)).collect();
    let mut settled = Vec::new();
    for &step in steps {
        let before = run.steps[step].state;
        if before.is_settled() {
            settled.push(step);
            count_settled(run, flow, step, before, false);
            run.unsettled += usize::from(run.instance(step).is_none());
        } else {
            count_open(run, step, before, false);
        }
        run.steps[step] = StepRun::new(run.steps[step].generation + 1);
        run.asking.retain(|asking| asking.step != Some(step));
        run.waits.remove(&step);
        run.reused.remove(&step);
        if !through.contains(&step) {
            looping::halted(run, step, before);
        }
    }
    run.asking.retain(|asking| asking.step.is_some()); // asked again by whoever reopens
    run.state = RunState::Queued;
    run.reopened += 1;
    run.opened_at = None;
    run.finished_at = None;
    run.deadline = None; // a new clock, from when it is carried again
    run.closing_over = false;
    run.paused_at = None;
    looping::reopened(run, flow, &settled, &through);
    for &step in steps {
        // What a loop runs waits until that loop has begun again, and there is room for the item.
        let under_way = run.instance(step).is_none_or(|instance| through.contains(&(instance.at as usize)));
        if under_way
            && run.has_begun(flow, step)
            && run.blockers[step] == 0
            && run.steps[step].state == StepState::Pending
        {
            run.ready.insert(step);
        }
    }
}

/// Moves one step and everything that is counted over steps.
pub(super) fn set(run: &mut Run, flow: &Flow, step: usize, state: StepState, at: Timestamp) {
    let before = run.steps[step].state;
    if before.is_settled() {
        return; // a settled step stays as it is within its generation, whatever a faulty journal says
    }
    count_open(run, step, before, false);
    run.steps[step].state = state;
    if state.is_settled() {
        run.steps[step].finished_at = Some(at);
        run.loops_over.remove(&step);
        run.asking.retain(|asking| asking.step != Some(step)); // nobody needs the answer any more
        run.unsettled -= usize::from(run.instance(step).is_none());
        count_settled(run, flow, step, state, true);
    } else {
        count_open(run, step, state, true);
    }
}

pub(super) fn count_open(run: &mut Run, step: usize, state: StepState, entering: bool) {
    match state.waits_until() {
        Some(until) if entering => _ = run.asleep.insert((until, step)),
        Some(until) => _ = run.asleep.remove(&(until, step)),
        None => {}
    }
    match state {
        StepState::Nesting if entering => run.nesting += 1,
        StepState::Nesting => {
            run.nesting = run.nesting.saturating_sub(1);
            run.inner_rest.remove(&step);
        }
        StepState::Running if entering => run.in_flight += 1,
        StepState::Running => run.in_flight = run.in_flight.saturating_sub(1),
        StepState::Pending if !entering => {
            run.ready.remove(&step);
        }
        StepState::Pending if run.blockers[step] == 0 => {
            run.ready.insert(step);
        }
        _ => {}
    }
}

fn count_settled(run: &mut Run, flow: &Flow, step: usize, state: StepState, entering: bool) {
    let of_item = run.instance(step);
    let stops = state == StepState::Failed && flow.step(run, step).on_error != OnError::Continue;
    if stops && of_item.is_none() {
        run.stoppers = if entering { run.stoppers + 1 } else { run.stoppers.saturating_sub(1) };
    }
    let dependants: Vec<usize> = run.dependants(flow, step).collect();
    for dependant in dependants {
        let blockers = &mut run.blockers[dependant];
        *blockers = if entering { blockers.saturating_sub(1) } else { *blockers + 1 };
        if run.steps[dependant].state == StepState::Pending {
            if run.blockers[dependant] == 0 {
                run.ready.insert(dependant);
            } else {
                run.ready.remove(&dependant);
            }
        }
    }
    if let Some(instance) = of_item
        && entering
    {
        looping::settled(run, flow, instance, stops);
    }
}

impl From<CancelCause> for Outcome {
    fn from(cause: CancelCause) -> Self {
        match cause {
            CancelCause::Asked => Self::Cancelled,
            CancelCause::TimedOut => Self::TimedOut,
        }
    }
}
