//! What happened in an execution, in words.

use serde::{Deserialize, Serialize};

use crate::domain::event::{Entry, Event};
use crate::domain::question::Question;
use crate::domain::run::{Flow, Run, RunState, SkipReason};
use crate::domain::time::{Span, Timestamp};

/// One line of an execution's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When; RFC 3339.
    pub at: String,
    /// What happened, for people.
    pub text: String,
}

impl LogLine {
    pub(in crate::service) fn new((at, event): &Entry, run: &Run, flow: &Flow) -> Self {
        Self { at: at.to_string(), text: say(event, run, flow) }
    }
}

/// A step as people call it: its name, and which item it is for.
pub(in crate::service) fn name_of(run: &Run, flow: &Flow, step: usize) -> String {
    let mut name = flow.step(run, step).name.clone();
    let around: Vec<u32> = run.items_around(step).map(|(_, item)| item).collect();
    for item in around.into_iter().rev() {
        name.push_str(&format!(" #{}", item + 1));
    }
    name
}

/// An event in words; `run` has been moved by it already.
pub(in crate::service) fn say(event: &Event, run: &Run, flow: &Flow) -> String {
    let name = |step: &usize| name_of(run, flow, *step);
    let names = |steps: &[usize]| steps.iter().map(name).collect::<Vec<_>>().join(", ");
    match event {
        Event::Queued => "accepted".to_owned(),
        Event::Claimed => "taken up".to_owned(),
        Event::Requeued => "given back; waits for a place".to_owned(),
        Event::Recalled { from } => format!("takes what {from} gave, as `cache` says"),
        Event::Answered { inputs, by } => {
            let keys: Vec<_> = inputs.keys().map(String::as_str).collect();
            format!("{} answered by {by}", keys.join(", "))
        }
        Event::StepsSkipped { steps, reason } => {
            let why = match reason {
                SkipReason::Condition => "condition is false",
                SkipReason::RunFailed => "the workflow has failed",
                SkipReason::Branch => "another branch was taken",
                SkipReason::Asked => "as asked",
                SkipReason::Recalled => "an earlier execution had done it",
            };
            format!("{}: skipped, {why}", names(steps))
        }
        Event::StepsCancelled { steps } => {
            format!("{}: not done, for the execution is being ended", names(steps))
        }
        Event::ClosingOver => "the time for `on_error` and `finally` is over".to_owned(),
        Event::Signalled { event, by, .. } => format!("event `{event}` sent by {by}"),
        Event::WaitingUntil { until: Timestamp::NEVER } => "waiting for what happens elsewhere".to_owned(),
        Event::WaitingUntil { until } => format!("waiting until {until}"),
        Event::PauseAsked { by } => format!("pause asked by {by}"),
        Event::Paused => "paused".to_owned(),
        Event::Resumed { by } => format!("resumed by {by}"),
        Event::CancelAsked { by, .. } => format!("cancel asked by {by}"),
        Event::Reopened { steps, by } => format!("retry of {} asked by {by}", names(steps)),
        Event::Finished { outcome } => RunState::Finished(*outcome).status().replace('_', " "),
        Event::Asked { step: None, questions, until } => asks(questions, *until),
        Event::Asked { step: Some(step), .. }
        | Event::StepStarted { step, .. }
        | Event::StepSucceeded { step, .. }
        | Event::StepReused { step, .. }
        | Event::StepFailed { step, .. }
        | Event::StepRetrying { step, .. }
        | Event::StepSleeping { step, .. }
        | Event::StepInterrupted { step, .. }
        | Event::ItemsListed { step, .. }
        | Event::StepNested { step, .. }
        | Event::InnerRested { step, .. }
        | Event::ApprovalAsked { step, .. }
        | Event::Decided { step, .. }
        | Event::StepListening { step, .. }
        | Event::StepHeld { step, .. }
        | Event::StepReleased { step, .. }
        | Event::SkipAsked { step, .. } => format!("{}: {}", name(step), say_of_step(event)),
    }
}

/// What happened to one step.
fn say_of_step(event: &Event) -> String {
    match event {
        Event::StepStarted { attempt, .. } => format!("attempt {attempt} started"),
        Event::StepSucceeded { warnings, .. } if warnings.is_empty() => "completed".to_owned(),
        Event::StepSucceeded { warnings, .. } => format!("completed; {}", warnings.join("; ")),
        Event::StepReused { from, .. } => format!("completed: took what it had given in {from}"),
        Event::StepFailed { fault, .. } => format!("failed: {fault}; {}", fault.remedy()),
        Event::StepRetrying { until, fault, .. } => format!("attempt failed: {fault}; next one at {until}"),
        Event::StepSleeping { until, .. } => format!("waits until {until}"),
        Event::Asked { questions, until, .. } => asks(questions, *until),
        Event::StepInterrupted { lost: false, .. } => "stopped".to_owned(),
        Event::StepInterrupted { until: None, .. } => "interrupted by a crash; runs again".to_owned(),
        Event::StepInterrupted { until: Some(until), .. } => {
            format!("interrupted by one crash after another; runs again at {until}")
        }
        Event::ItemsListed { count, resumed: false, .. } => format!("begins with {count} items"),
        Event::ItemsListed { .. } => "goes on with the items that are missing".to_owned(),
        Event::StepNested { child, .. } => format!("began {child} and waits for it"),
        Event::InnerRested { resting: true, .. } => {
            "what it waits for is left to people; the timeout stands still meanwhile".to_owned()
        }
        Event::InnerRested { rested, .. } => {
            format!("what it waits for was left to people for {}, which does not count", Span::from_micros(*rested))
        }
        Event::ApprovalAsked { spec, until, .. } => {
            let who = if spec.approvers.is_empty() { "somebody".to_owned() } else { spec.approvers.join(", ") };
            format!("asks {who} to approve `{}`{}", spec.title, at_most(*until))
        }
        Event::Decided { vote, .. } => {
            let what = if vote.approves { "approved" } else { "rejected" };
            let why = vote.comment.as_ref().map(|comment| format!(": {comment}")).unwrap_or_default();
            format!("{what} by {}{why}", vote.called())
        }
        Event::StepListening { event, until, .. } => format!("waits for the event `{event}`{}", at_most(*until)),
        Event::StepHeld { fault, .. } => format!("failed: {fault}; waits for somebody to retry or skip it"),
        Event::StepReleased { by, .. } => format!("another try asked by {by}"),
        Event::SkipAsked { by, .. } => format!("skip asked by {by}"),
        _ => String::new(), // the others are about the run
    }
}

fn asks(questions: &[Question], until: Timestamp) -> String {
    let labels: Vec<_> = questions.iter().map(|question| question.label.as_str()).collect();
    format!("asks for {}{}", labels.join(", "), at_most(until))
}

fn at_most(until: Timestamp) -> String {
    if until < Timestamp::NEVER { format!(" until {until}") } else { String::new() }
}
