//! The fold of the journal: moves a run by what happened. Total; counters follow the states here and nowhere else.

use serde_json::{Map, Value};

use crate::domain::event::Event;
use crate::domain::plan::OnError;
use crate::domain::question::{Asking, Question};
use crate::domain::run::{CancelCause, Flow, Outcome, Run, RunState, StepRun, StepState};
use crate::domain::time::Timestamp;

/// Moves `run` by one event that happened at `at`.
pub fn apply(run: &mut Run, flow: &Flow, at: Timestamp, event: &Event) {
    match event {
        Event::Queued => run.created_at = at,
        Event::Claimed => claimed(run, flow, at),
        Event::Requeued => run.state = RunState::Queued,
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
        Event::StepFailed { step, fault } => {
            run.steps[*step].fault = Some(fault.clone());
            run.asking.retain(|asking| asking.step != Some(*step));
            set(run, flow, *step, StepState::Failed, at);
        }
        Event::StepRetrying { step, until, fault } => {
            run.steps[*step].fault = Some(fault.clone());
            run.steps[*step].lost = 0;
            set(run, flow, *step, StepState::Backoff { until: *until }, at);
        }
        Event::StepSleeping { step, until } => set(run, flow, *step, StepState::Sleeping { until: *until }, at),
        Event::Asked { step, questions, until } => asked(run, flow, (*step, questions, *until), at),
        Event::Answered { inputs, .. } => answered(run, flow, inputs, at),
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
        Event::WaitingUntil { until } => run.state = RunState::Waiting { until: *until },
        Event::PauseAsked { .. } => run.state = RunState::Pausing,
        Event::Paused => {
            run.state = RunState::Paused;
            run.paused_at = Some(at);
        }
        Event::Resumed { .. } => resumed(run, at),
        Event::CancelAsked { cause, .. } => run.state = RunState::Cancelling { cause: *cause },
        Event::Reopened { steps, .. } => reopened(run, flow, steps),
        Event::Finished { outcome } => finished(run, flow, *outcome, at),
    }
}

fn resumed(run: &mut Run, at: Timestamp) {
    // People take their time; that is not the run's.
    if let (Some(paused_at), Some(deadline)) = (run.paused_at.take(), run.deadline) {
        run.deadline = Some(deadline.plus(at.since(paused_at)));
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
            Some(step) => set(run, flow, step, StepState::Pending, at),
            None => {}
        }
    }
    run.asking = open;
    if matches!(run.state, RunState::Waiting { .. }) {
        run.state = run.held_back_until().map_or(RunState::Queued, |until| RunState::Waiting { until });
    }
}

fn finished(run: &mut Run, flow: &Flow, outcome: Outcome, at: Timestamp) {
    for step in 0..run.steps.len() {
        if !run.steps[step].state.is_settled() {
            set(run, flow, step, StepState::Cancelled, at);
        }
    }
    run.state = RunState::Finished(outcome);
    run.finished_at = Some(at);
}

fn reopened(run: &mut Run, flow: &Flow, steps: &[usize]) {
    for &step in steps {
        let before = run.steps[step].state;
        if before.is_settled() {
            count_settled(run, flow, step, before, false);
            run.unsettled += 1;
        } else {
            count_open(run, step, before, false);
        }
        run.steps[step] = StepRun::new(run.steps[step].generation + 1);
        run.asking.retain(|asking| asking.step != Some(step));
    }
    run.asking.retain(|asking| asking.step.is_some()); // asked again by whoever reopens
    for &step in steps {
        if run.blockers[step] == 0 {
            run.ready.insert(step);
        }
    }
    run.state = RunState::Queued;
    run.finished_at = None;
    run.deadline = None; // a new clock, from when it is carried again
    run.paused_at = None;
}

/// Moves one step and everything that is counted over steps.
fn set(run: &mut Run, flow: &Flow, step: usize, state: StepState, at: Timestamp) {
    let before = run.steps[step].state;
    if before.is_settled() {
        return; // a settled step stays as it is within its generation, whatever a faulty journal says
    }
    count_open(run, step, before, false);
    run.steps[step].state = state;
    if state.is_settled() {
        run.steps[step].finished_at = Some(at);
        run.unsettled -= 1;
        count_settled(run, flow, step, state, true);
    } else {
        count_open(run, step, state, true);
    }
}

fn count_open(run: &mut Run, step: usize, state: StepState, entering: bool) {
    let bump = |count: &mut usize| *count = if entering { *count + 1 } else { count.saturating_sub(1) };
    match state {
        StepState::Running => bump(&mut run.in_flight),
        StepState::Backoff { .. } | StepState::Sleeping { .. } | StepState::Asking { .. } => bump(&mut run.asleep),
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
    if state == StepState::Failed && flow.plan.steps[step].on_error == OnError::Stop {
        run.stoppers = if entering { run.stoppers + 1 } else { run.stoppers.saturating_sub(1) };
    }
    for &dependant in &flow.dependants[step] {
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
}

impl From<CancelCause> for Outcome {
    fn from(cause: CancelCause) -> Self {
        match cause {
            CancelCause::Asked => Self::Cancelled,
            CancelCause::TimedOut => Self::TimedOut,
        }
    }
}
