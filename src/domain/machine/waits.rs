//! Waiting for people, other runs and events: what may happen then, and how it moves the run.

use serde_json::{Map, Value};

use super::apply::set;
use super::decide::{given_up, refused, reopen_from, unanswered};
use super::settle::rests_until;
use crate::domain::code;
use crate::domain::command::Refusal;
use crate::domain::event::Event;
use crate::domain::fault::Fault;
use crate::domain::id::RunId;
use crate::domain::run::{Flow, Run, RunState, SkipReason, StepState};
use crate::domain::time::{Span, Timestamp};
use crate::domain::wait::{Approval, InnerRest, OnExpire, Vote, Wait};

pub(super) fn listen(run: &Run, step: usize, event: String, until: Timestamp) -> Vec<Event> {
    let heard = run.signals.iter().any(|(name, _)| *name == event);
    let listening = Event::StepListening { step, event, until };
    let went_on = heard.then(|| Event::StepSucceeded { step, warnings: Vec::new() });
    std::iter::once(listening).chain(went_on).collect()
}

/// A waiting run has something to do again.
fn awake(run: &Run) -> Option<Event> {
    (matches!(run.state, RunState::Waiting { .. }) && run.held_back_until().is_none()).then_some(Event::Requeued)
}

pub(super) fn child_ended(
    run: &Run,
    flow: &Flow,
    child: RunId,
    (fault, warnings): (Option<Fault>, Vec<String>),
) -> Result<Vec<Event>, Refusal> {
    let waits = |step: &usize| run.steps[*step].state == StepState::Nesting;
    let mut waiting = run.waits.iter().filter(|(_, wait)| **wait == Wait::Child(child)).map(|(step, _)| *step);
    let Some(step) = waiting.find(waits) else {
        return Err(Refusal::Step(format!("nothing here waits for {child}")));
    };
    let ended = match fault {
        None => Event::StepSucceeded { step, warnings },
        // It did not fail of itself: it ends with the run that cancelled it.
        Some(_) if matches!(run.state, RunState::Cancelling { .. }) => Event::StepsCancelled { steps: vec![step] },
        Some(fault) => given_up(flow.step(run, step), step, fault),
    };
    Ok(std::iter::once(ended).chain(awake(run)).collect())
}

/// What another run rests for is not the time of a run that waits for it; as long as it works itself, its clock goes on.
pub(super) fn inner_rested(
    run: &Run,
    flow: &Flow,
    child: RunId,
    (rested, resting): (Span, bool),
    now: Timestamp,
) -> Vec<Event> {
    let waits =
        |(step, wait): &(&usize, &Wait)| **wait == Wait::Child(child) && run.steps[**step].state == StepState::Nesting;
    let Some((&step, _)) = run.waits.iter().find(waits) else { return Vec::new() };
    let rested = u64::try_from(rested.micros()).unwrap_or(0);
    let known = run.inner_rest.get(&step).copied().unwrap_or_default();
    let is_news = rested > known.micros || resting != known.resting;
    let rests = matches!(run.state, RunState::Waiting { .. }) && run.held_back_until().is_none();
    if !is_news || !rests || run.deadline.is_none() || flow.plan.includes_waits {
        return Vec::new();
    }
    let event = Event::InnerRested { step, rested, resting };
    let mut after = run.clone();
    moved(&mut after, flow, now, &event);
    let until = rests_until(&after, flow).unwrap_or(Timestamp::NEVER);
    vec![event, Event::WaitingUntil { until }]
}

pub(super) fn vote(run: &Run, flow: &Flow, step: Option<usize>, vote: Vote) -> Result<Vec<Event>, Refusal> {
    let (step, approval) = asked(run, flow, step)?;
    if let Some(why) = approval.spec.forbids(&vote.by) {
        return Err(Refusal::Forbidden(why));
    }
    if approval.votes.iter().any(|earlier| earlier.by == vote.by) {
        return Err(Refusal::Forbidden(format!("{} has decided already", vote.called())));
    }
    let agree = approval.votes.iter().filter(|vote| vote.approves).count() + usize::from(vote.approves);
    let decided = match vote.approves {
        true => (agree >= approval.spec.required as usize).then(|| Event::StepSucceeded { step, warnings: Vec::new() }),
        false if approval.spec.rejection_continues => Some(Event::StepSucceeded { step, warnings: Vec::new() }),
        false => Some(Event::failed(step, rejected(vote.called(), vote.comment.as_deref()))),
    };
    let awake = decided.is_some().then(|| awake(run)).flatten();
    Ok(std::iter::once(Event::Decided { step, vote: Box::new(vote) }).chain(decided).chain(awake).collect())
}

/// The approval that a step asks for, or the only one that is asked for.
fn asked<'r>(run: &'r Run, flow: &Flow, step: Option<usize>) -> Result<(usize, &'r Approval), Refusal> {
    let open: Vec<(usize, &Approval)> = run
        .waits
        .iter()
        .filter(|(step, _)| matches!(run.steps[**step].state, StepState::Deciding { .. }))
        .filter_map(|(step, wait)| if let Wait::Approval(approval) = wait { Some((*step, approval)) } else { None })
        .collect();
    if run.state.is_finished() || matches!(run.state, RunState::Cancelling { .. }) || open.is_empty() {
        return Err(refused("a decision", run.state, "waiting for one"));
    }
    let paths = || open.iter().map(|(step, _)| run.path(flow, *step)).collect::<Vec<_>>().join(", ");
    match step {
        Some(step) => open.iter().find(|(open, _)| *open == step).copied().ok_or_else(|| {
            Refusal::Step(format!("`{}` does not ask for a decision; these do: {}", run.path(flow, step), paths()))
        }),
        None if open.len() == 1 => Ok(open[0]),
        None => Err(Refusal::Step(format!("several steps ask for a decision; say which: {}", paths()))),
    }
}

pub(super) fn signal(run: &Run, event: String, payload: Value, by: String) -> Result<Vec<Event>, Refusal> {
    if run.state.is_finished() || matches!(run.state, RunState::Cancelling { .. }) {
        return Err(refused("an event", run.state, "not over"));
    }
    let waits = |(step, wait): (&usize, &Wait)| {
        let wanted = matches!(wait, Wait::Event { name, .. } if *name == event);
        (wanted && matches!(run.steps[*step].state, StepState::Listening { .. })).then_some(*step)
    };
    let heard: Vec<usize> = run.waits.iter().filter_map(waits).collect();
    let awake = if heard.is_empty() { None } else { awake(run) };
    let went_on = heard.into_iter().map(|step| Event::StepSucceeded { step, warnings: Vec::new() });
    Ok(std::iter::once(Event::Signalled { event, payload: Box::new(payload), by })
        .chain(went_on)
        .chain(awake)
        .collect())
}

/// Somebody wants a step left out: one that has not begun, that waits, or that has failed.
pub(super) fn skip(run: &Run, flow: &Flow, step: usize, by: &str) -> Result<Vec<Event>, Refusal> {
    if step >= run.steps.len() || !run.has_begun(flow, step) {
        return Err(Refusal::Step(format!("there is no step {step} that could be skipped")));
    }
    let state = run.steps[step].state;
    let skipped = |step: usize| {
        [
            Event::SkipAsked { step, by: by.to_owned() },
            Event::StepsSkipped { steps: vec![step], reason: SkipReason::Asked },
        ]
    };
    match state {
        StepState::Running | StepState::Looping | StepState::Nesting => {
            let path = run.path(flow, step);
            Err(Refusal::Step(format!("`{path}` is under way; cancel the execution, then skip it")))
        }
        StepState::Failed | StepState::Cancelled if run.state.is_finished() => {
            let steps = reopen_from(run, flow, &[step]);
            let reopened = Event::Reopened { steps, by: by.to_owned() };
            Ok(std::iter::once(reopened).chain(skipped(step)).collect())
        }
        state if state.is_settled() || run.state.is_finished() => {
            let (path, status) = (run.path(flow, step), state.status());
            Err(Refusal::Step(format!("`{path}` is {status} and cannot be skipped")))
        }
        _ if matches!(run.state, RunState::Cancelling { .. }) => Err(refused("skipping", run.state, "not over")),
        _ => Ok(skipped(step).into_iter().chain(awake(run)).collect()),
    }
}

/// The step that is held: this one, or the first.
pub(super) fn held(run: &Run, step: Option<usize>) -> Option<usize> {
    let is_held = |step: &usize| run.steps.get(*step).is_some_and(|step| step.state == StepState::Held);
    match step {
        Some(step) => Some(step).filter(is_held),
        None => run.asleep.range((Timestamp::NEVER, 0)..).map(|(_, step)| *step).find(is_held),
    }
}

/// A held step is tried again, with other inputs if there are some.
pub(super) fn release(run: &Run, step: usize, inputs: Map<String, Value>, by: String) -> Vec<Event> {
    let answered = (!inputs.is_empty()).then(|| Event::Answered { inputs: Box::new(inputs), by: by.clone() });
    answered.into_iter().chain([Event::StepReleased { step, by }]).chain(awake(run)).collect()
}

/// A wait that was not ended in time.
pub(super) fn expired(run: &Run, step: usize) -> Event {
    let Some(Wait::Approval(approval)) = run.waits.get(&step) else {
        return Event::failed(step, unheard());
    };
    match approval.spec.on_expire {
        OnExpire::Approve => {
            let warnings = vec!["nobody decided in time, which counts as approval".to_owned()];
            Event::StepSucceeded { step, warnings }
        }
        OnExpire::Reject if approval.spec.rejection_continues => {
            let warnings = vec!["nobody decided in time, which counts as rejection".to_owned()];
            Event::StepSucceeded { step, warnings }
        }
        OnExpire::Reject => {
            let message = "not approved: nobody decided in time";
            Event::failed(step, Fault::permanent(code::WF4011, message))
        }
        OnExpire::Fail => Event::failed(step, unanswered()),
    }
}

fn unheard() -> Fault {
    Fault::permanent(code::WF4012, "the event did not come in time")
}

fn rejected(by: &str, comment: Option<&str>) -> Fault {
    let why = comment.map(|comment| format!(": {comment}")).unwrap_or_default();
    Fault::permanent(code::WF4011, format!("rejected by {by}{why}"))
}

/// Moves a run by one of these events.
pub(super) fn moved(run: &mut Run, flow: &Flow, at: Timestamp, event: &Event) {
    match event {
        Event::StepNested { step, child } => {
            run.waits.insert(*step, Wait::Child(*child));
            set(run, flow, *step, StepState::Nesting, at);
        }
        Event::InnerRested { step, rested, resting } => {
            let known = run.inner_rest.insert(*step, InnerRest { micros: *rested, resting: *resting });
            let more = Span::from_micros(rested.saturating_sub(known.unwrap_or_default().micros));
            let own = run.people_since.take().map_or(more, |since| at.since(since).max(more));
            run.rested = run.rested.plus(own);
            // Of several that rested at the same time each has told its own: no more than all of the time counts.
            let latest = flow.plan.timeout.map(|timeout| at.plus(timeout));
            run.deadline = run.deadline.map(|until| until.plus(own).min(latest.unwrap_or(until).max(until)));
        }
        Event::ApprovalAsked { step, spec, until } => {
            let approval = Approval { spec: (**spec).clone(), since: at, until: *until, votes: Vec::new() };
            run.waits.insert(*step, Wait::Approval(approval));
            set(run, flow, *step, StepState::Deciding { until: *until }, at);
        }
        Event::Decided { step, vote } => {
            if let Some(Wait::Approval(approval)) = run.waits.get_mut(step) {
                approval.votes.push((**vote).clone());
            }
        }
        Event::StepListening { step, event, until } => {
            let payload = run.signals.iter().find(|(name, _)| name == event).map(|(_, payload)| payload.clone());
            run.waits.insert(*step, Wait::Event { name: event.clone(), payload });
            set(run, flow, *step, StepState::Listening { until: *until }, at);
        }
        Event::Signalled { event, payload, .. } => {
            for wait in run.waits.values_mut() {
                if let Wait::Event { name, payload: got @ None } = wait
                    && name == event
                {
                    *got = Some((**payload).clone());
                }
            }
            run.signals.retain(|(name, _)| name != event); // the newest counts
            run.signals.push((event.clone(), (**payload).clone()));
        }
        Event::StepHeld { step, fault } => {
            run.steps[*step].fault = Some(fault.clone());
            set(run, flow, *step, StepState::Held, at);
        }
        Event::StepReleased { step, .. } => {
            run.steps[*step].attempts = 0;
            set(run, flow, *step, StepState::Pending, at);
        }
        _ => {} // who asked for a skip is for the history alone; `apply` has the others
    }
}
