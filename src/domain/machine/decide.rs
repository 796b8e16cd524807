//! May this happen now, and what follows at once? Guards stand here and nowhere else.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::settle::{is_carried, is_wanted, may_begin};
use super::waits;
use crate::domain::code;
use crate::domain::command::{Command, Refusal};
use crate::domain::event::Event;
use crate::domain::fault::{Again, Fault};
use crate::domain::id::RunId;
use crate::domain::plan::{EffectClass, OnError, Phase, PlanStep};
use crate::domain::question::Question;
use crate::domain::run::{CancelCause, Flow, Outcome, Run, RunState, SkipReason, StepState};
use crate::domain::time::Timestamp;

/// Crashes in a row after which a step is held to be their cause. The last of them found it as the only suspect under
/// way, see [`Run::is_suspect`]: so neither its neighbours nor the victims of a burst of kills get so far.
const POISON_AFTER: u32 = 3;

/// What follows from a command.
///
/// # Errors
/// The run's state does not allow it, or it comes from an attempt that no longer counts.
pub fn decide(run: &Run, flow: &Flow, command: Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Claim => claim(run, now),
        Command::Begin { step } => begin(run, flow, step, now),
        Command::Skip { step, reason } => skip(run, flow, step, reason),
        Command::List { step, count, digest } => list(run, flow, step, (count, digest, now)),
        Command::Succeed { step, attempt, warnings } => {
            in_flight(run, step, attempt)?;
            Ok(vec![Event::StepSucceeded { step, warnings }])
        }
        Command::Reuse { step, attempt, from } => {
            in_flight(run, step, attempt)?;
            Ok(vec![Event::StepReused { step, from }])
        }
        Command::Recall { from } => recall(run, flow, from),
        Command::Fail { step, attempt, fault } => {
            in_flight(run, step, attempt)?;
            Ok(vec![after_failure(run, flow, step, fault, now)])
        }
        Command::Sleep { step, attempt, until } => {
            in_flight(run, step, attempt)?;
            Ok(vec![Event::StepSleeping { step, until }])
        }
        Command::Ask { step, attempt, questions, until } => {
            in_flight(run, step, attempt)?;
            if questions.is_empty() {
                return Err(Refusal::Step(format!("step {step} asks nothing")));
            }
            Ok(vec![Event::Asked { step: Some(step), questions, until }])
        }
        Command::Answer { inputs, by } => answer(run, inputs, by),
        Command::Nest { step, attempt, child } => {
            in_flight(run, step, attempt)?;
            Ok(vec![Event::StepNested { step, child }])
        }
        Command::ChildEnded { child, fault, warnings } => waits::child_ended(run, flow, child, (fault, warnings)),
        Command::InnerRested { child, rested, resting } => {
            Ok(waits::inner_rested(run, flow, child, (rested, resting), now))
        }
        Command::AskApproval { step, attempt, spec, until } => {
            in_flight(run, step, attempt)?;
            Ok(vec![Event::ApprovalAsked { step, spec: Box::new(spec), until }])
        }
        Command::Decide { step, vote } => waits::vote(run, flow, step, vote),
        Command::Listen { step, attempt, event, until } => {
            in_flight(run, step, attempt)?;
            Ok(waits::listen(run, step, event, until))
        }
        Command::Signal { event, payload, by } => waits::signal(run, event, payload, by),
        Command::SkipStep { step, by } => waits::skip(run, flow, step, &by),
        Command::Wake => Ok(wake(run, now)),
        Command::Interrupt { lost } => Ok(interrupt(run, flow, lost)),
        Command::Pause { by } => pause(run, by),
        Command::Resume { by } => resume(run, by),
        Command::Cancel { by } => cancel(run, by),
        Command::Retry { step, inputs, by } => retry(run, flow, step, (inputs, by, now)),
    }
}

/// Whoever takes a run also wakes what has become due meanwhile; otherwise it would go to sleep again at once.
fn claim(run: &Run, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    match run.state {
        // Whoever waits before its beginning begins with the answer, or ends without one.
        RunState::Waiting { .. } if run.held_back_until().is_some() => Ok(due_by_now(run, now)),
        RunState::Queued if let Some(over) = timed_out(run, now) => Ok(vec![over]),
        RunState::Queued | RunState::Waiting { .. } => {
            Ok(std::iter::once(Event::Claimed).chain(due_by_now(run, now)).collect())
        }
        state => Err(refused("taking it", state, "queued or waiting")),
    }
}

/// Only a run that has done nothing can be spared.
fn recall(run: &Run, flow: &Flow, from: RunId) -> Result<Vec<Event>, Refusal> {
    if run.state != RunState::Queued || run.started_at.is_some() {
        return Err(refused("taking an earlier result", run.state, "queued, and never begun"));
    }
    let open = |step: &usize| run.has_begun(flow, *step) && !run.steps[*step].state.is_settled();
    let steps = (0..run.steps.len()).filter(open).collect();
    Ok(vec![Event::Recalled { from }, Event::StepsSkipped { steps, reason: SkipReason::Recalled }])
}

fn begin(run: &Run, flow: &Flow, step: usize, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    offered(run, flow, step, now)?;
    Ok(vec![Event::StepStarted { step, attempt: run.steps[step].attempts + 1 }])
}

fn offered(run: &Run, flow: &Flow, step: usize, now: Timestamp) -> Result<(), Refusal> {
    if !is_carried(run, flow, step) {
        return Err(refused("starting a step", run.state, "running"));
    }
    let offered = match run.steps[step].state {
        StepState::Pending => run.ready.contains(&step) && may_begin(run, flow, step),
        StepState::Backoff { until } => until <= now,
        _ => false,
    };
    if offered {
        return Ok(());
    }
    Err(Refusal::Step(format!("step {step} is {} and not offered", run.steps[step].state.status())))
}

/// A loop goes on where it was when its list is still the same.
fn list(
    run: &Run,
    flow: &Flow,
    step: usize,
    (count, digest, now): (u32, String, Timestamp),
) -> Result<Vec<Event>, Refusal> {
    offered(run, flow, step, now)?;
    let resumed = run.loop_at(step).is_some_and(|known| known.digest == digest && known.count == count);
    Ok(vec![Event::ItemsListed { step, count, digest, resumed }])
}

fn skip(run: &Run, flow: &Flow, step: usize, reason: SkipReason) -> Result<Vec<Event>, Refusal> {
    if !is_carried(run, flow, step) || !run.ready.contains(&step) {
        return Err(Refusal::Step(format!("step {step} is {} and cannot be skipped", run.steps[step].state.status())));
    }
    Ok(vec![Event::StepsSkipped { steps: vec![step], reason }])
}

pub(super) fn in_flight(run: &Run, step: usize, attempt: u32) -> Result<(), Refusal> {
    let counts = run.steps[step].state == StepState::Running && run.steps[step].attempts == attempt;
    if counts { Ok(()) } else { Err(Refusal::Stale { step, attempt }) }
}

fn after_failure(run: &Run, flow: &Flow, step: usize, fault: Fault, now: Timestamp) -> Event {
    let plan_step = flow.step(run, step);
    let policy = &plan_step.retry;
    let attempt = run.steps[step].attempts;
    if matches!(run.state, RunState::Cancelling { .. }) && !is_wanted(run, flow, step) {
        // It did not fail of itself: it ends as cancelled, with the run.
        return Event::StepInterrupted { step, lost: false, until: None };
    }
    if attempt >= policy.max_attempts() || !may_retry(plan_step, &fault) {
        return given_up(plan_step, step, fault);
    }
    let mut delay = policy.delay_after(attempt, chance(run, step, attempt));
    if let Again::Transient { after: Some(after) } = fault.again {
        delay = delay.max(after);
    }
    let until = now.plus(delay);
    let begun = run.steps[step].started_at.unwrap_or(now);
    match plan_step.total {
        Some(total) if until > begun.plus(total) => {
            let message = format!("{}; no time is left of the {total} that all attempts have together", fault.message);
            given_up(plan_step, step, Fault { message, again: Again::Permanent, ..fault })
        }
        _ => Event::StepRetrying { step, until, fault: Box::new(fault) },
    }
}

/// A step that has failed for good.
pub(super) fn given_up(plan: &PlanStep, step: usize, fault: Fault) -> Event {
    match plan.on_error {
        OnError::Ask => Event::StepHeld { step, fault: Box::new(fault) },
        OnError::Stop | OnError::Continue => Event::failed(step, fault),
    }
}

fn may_retry(step: &PlanStep, fault: &Fault) -> bool {
    let listed = |codes: &[String]| codes.iter().any(|code| code == fault.code.id());
    // Who must never act twice is not tried twice, whatever the fault says.
    let repeatable = step.effect != EffectClass::AtMostOnce;
    repeatable && !listed(&step.retry.not_on) && (fault.again != Again::Permanent || listed(&step.retry.on))
}

/// Spreads delays; the same run, step and attempt always give the same number, so a replay decides alike.
fn chance(run: &Run, step: usize, attempt: u32) -> u32 {
    let mut bits = run.id.low_bits() ^ (step as u64).rotate_left(32) ^ u64::from(attempt);
    // SplitMix64: every input bit reaches every output bit.
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits >> 32) as u32
}

fn wake(run: &Run, now: Timestamp) -> Vec<Event> {
    match run.state {
        RunState::Running => due_by_now(run, now),
        RunState::Queued | RunState::Waiting { .. } | RunState::Pausing => timed_out(run, now).into_iter().collect(),
        RunState::Cancelling { .. } if run.closing_over => Vec::new(),
        RunState::Cancelling { .. } if run.deadline.is_some_and(|deadline| deadline <= now) => {
            vec![Event::ClosingOver]
        }
        RunState::Cancelling { .. } => awake(run, now),
        RunState::Paused | RunState::Finished(_) => Vec::new(),
    }
}

fn due_by_now(run: &Run, now: Timestamp) -> Vec<Event> {
    if let Some(event) = timed_out(run, now) {
        return vec![event];
    }
    awake(run, now)
}

fn awake(run: &Run, now: Timestamp) -> Vec<Event> {
    let due = run.asleep.range(..=(now, usize::MAX)).filter_map(|&(_, step)| match run.steps[step].state {
        StepState::Sleeping { .. } => Some(Event::StepSucceeded { step, warnings: Vec::new() }),
        StepState::Asking { .. } => Some(Event::failed(step, unanswered())),
        StepState::Deciding { .. } | StepState::Listening { .. } => Some(waits::expired(run, step)),
        _ => None,
    });
    due.collect()
}

fn timed_out(run: &Run, now: Timestamp) -> Option<Event> {
    let deadline = run.deadline.filter(|_| run.people_since.is_none());
    let turn = run.turn_until.filter(|_| run.state == RunState::Queued && run.started_at.is_none());
    let over = deadline.into_iter().chain(turn).chain(run.held_back_until()).any(|deadline| deadline <= now);
    over.then(|| Event::CancelAsked { by: "deadline".to_owned(), cause: CancelCause::TimedOut })
}

fn interrupt(run: &Run, flow: &Flow, lost: bool) -> Vec<Event> {
    let running = run.steps.iter().enumerate().filter(|(_, step)| step.state == StepState::Running);
    let mut events: Vec<Event> = running.map(|(step, _)| interrupted(run, flow, step, lost)).collect();
    if run.state == RunState::Running {
        events.push(Event::Requeued);
    }
    events
}

/// What an attempt without an outcome leads to.
fn interrupted(run: &Run, flow: &Flow, step: usize, crashed: bool) -> Event {
    let (plan_step, crashes) = (flow.step(run, step), run.steps[step].lost + 1);
    let name = &plan_step.id;
    if plan_step.effect == EffectClass::AtMostOnce {
        let message = format!("`{name}` was interrupted and must not be repeated unseen");
        return given_up(plan_step, step, Fault::permanent(code::WF4003, message).at(name));
    }
    if !crashed {
        return Event::StepInterrupted { step, lost: false, until: None };
    }
    if crashes >= POISON_AFTER {
        let message = format!("`{name}` was running during {POISON_AFTER} crashes in a row");
        return given_up(plan_step, step, Fault::permanent(code::WF4002, message).at(name));
    }
    Event::StepInterrupted { step, lost: true, until: None }
}

fn pause(run: &Run, by: String) -> Result<Vec<Event>, Refusal> {
    match run.state {
        RunState::Pausing | RunState::Paused => Ok(Vec::new()),
        RunState::Queued | RunState::Running | RunState::Waiting { .. } => Ok(vec![Event::PauseAsked { by }]),
        state => Err(refused("pausing", state, "queued, running or waiting")),
    }
}

fn resume(run: &Run, by: String) -> Result<Vec<Event>, Refusal> {
    match run.state {
        RunState::Pausing | RunState::Paused => Ok(vec![Event::Resumed { by }]),
        RunState::Queued | RunState::Running | RunState::Waiting { .. } => Ok(Vec::new()),
        state => Err(refused("resuming", state, "paused")),
    }
}

fn cancel(run: &Run, by: String) -> Result<Vec<Event>, Refusal> {
    match run.state {
        RunState::Cancelling { .. } | RunState::Finished(Outcome::Cancelled) => Ok(Vec::new()),
        RunState::Finished(_) => Err(refused("cancelling", run.state, "not over")),
        _ => Ok(vec![Event::CancelAsked { by, cause: CancelCause::Asked }]),
    }
}

fn answer(run: &Run, inputs: Map<String, Value>, by: String) -> Result<Vec<Event>, Refusal> {
    let asked = run.asking.iter().flat_map(|asking| &asking.questions);
    if run.state.is_finished() || matches!(run.state, RunState::Cancelling { .. }) || run.asking.is_empty() {
        return Err(refused("an answer", run.state, "waiting for one"));
    }
    let keys: Vec<&str> = asked.map(|question| question.key.as_str()).collect();
    if !keys.iter().any(|key| inputs.contains_key(*key)) {
        return Err(Refusal::Step(format!("nobody asked for that; what is asked for: {}", keys.join(", "))));
    }
    Ok(vec![Event::Answered { inputs: Box::new(inputs), by }])
}

/// The fault of a question that nobody answered in time.
pub fn unanswered() -> Fault {
    Fault::permanent(code::WF4008, "nobody answered in time")
}

pub(super) fn retry(
    run: &Run,
    flow: &Flow,
    step: Option<usize>,
    (inputs, by, now): (Map<String, Value>, String, Timestamp),
) -> Result<Vec<Event>, Refusal> {
    if let Some(held) = waits::held(run, step)
        && !run.state.is_finished()
    {
        return Ok(waits::release(run, held, inputs, by));
    }
    let retryable = matches!(
        run.state,
        RunState::Paused | RunState::Finished(Outcome::Failed | Outcome::Cancelled | Outcome::TimedOut)
    );
    if !retryable {
        return Err(refused("a retry", run.state, "failed, cancelled, timed out or paused"));
    }
    let steps = match step {
        Some(step) if step >= run.steps.len() => {
            return Err(Refusal::Step(format!("there is no step {step}; the last one is {}", run.steps.len() - 1)));
        }
        Some(step) if !run.has_begun(flow, step) => {
            return Err(Refusal::Step(format!("step {step} has not begun, or was replaced when its loop began anew")));
        }
        Some(step) => reopen_from(run, flow, &[step]),
        None => {
            let broken = |state| matches!(state, StepState::Failed | StepState::Cancelled);
            let all: Vec<usize> = (0..run.planned()).filter(|&step| broken(run.steps[step].state)).collect();
            reopen_from(run, flow, &all)
        }
    };
    if steps.is_empty() {
        return Err(Refusal::Step("no step has failed or was cancelled, so there is nothing to retry".to_owned()));
    }
    let mut events = vec![Event::Reopened { steps, by: by.clone() }];
    // What the run could not begin without, it still cannot.
    for asking in run.asking.iter().filter(|asking| asking.step.is_none()) {
        let unanswered = asking.questions.iter().filter(|question| !inputs.contains_key(&question.key));
        let questions: Vec<Question> = unanswered.cloned().collect();
        if !questions.is_empty() {
            events.push(Event::Asked { step: None, questions, until: now.plus(asking.until.since(asking.since)) });
        }
    }
    if !inputs.is_empty() {
        events.push(Event::Answered { inputs: Box::new(inputs), by });
    }
    Ok(events)
}

/// These steps, everything behind them, the loops that they are items of, and whatever only an end of the run had kept
/// from running.
pub(super) fn reopen_from(run: &Run, flow: &Flow, from: &[usize]) -> Vec<usize> {
    let mut chosen = BTreeSet::new();
    let mut open: Vec<usize> = from.to_vec();
    if !from.is_empty() {
        let kept_back = |state| matches!(state, StepState::Cancelled | StepState::Skipped(SkipReason::RunFailed));
        open.extend((0..run.planned()).filter(|&step| kept_back(run.steps[step].state)));
        // Tidying up belongs to an end; the next one has its own.
        open.extend((0..run.planned()).filter(|&step| flow.plan.steps[step].phase != Phase::Main));
    }
    while let Some(step) = open.pop() {
        if chosen.insert(step) {
            open.extend(run.dependants(flow, step));
            open.extend(run.instance(step).map(|instance| instance.at as usize));
        }
    }
    // A step that has not begun needs no new generation.
    let begun = |step: &usize| run.steps[*step].state != StepState::Pending && run.has_begun(flow, *step);
    chosen.into_iter().filter(begun).collect()
}

pub(super) const fn refused(action: &'static str, state: RunState, possible: &'static str) -> Refusal {
    Refusal::State { action, status: state.status(), possible }
}
