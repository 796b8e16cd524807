//! `explain`: why an execution started, why it waits, failed, or left something out. Read off recorded decisions, so that
//! it says the same at any later time; only who stands before it in a line is of the moment.

use super::archive::{Archive, fold};
use super::error::ServiceError;
use super::origin::Origin;
use super::view::history::name_of;
use crate::domain::event::{Entry, Event};
use crate::domain::id::RunId;
use crate::domain::run::{CancelCause, Flow, Run, RunState, SkipReason, StepState};
use crate::domain::time::Timestamp;
use crate::domain::wait::Wait;

/// Steps of a kind that are told one by one; of more, how many there are.
const TOLD: usize = 12;

impl Archive {
    /// Why an execution stands as it does, one sentence a line.
    ///
    /// # Errors
    /// No such execution, or the store fails.
    pub async fn explain(&self, id: RunId) -> Result<Vec<String>, ServiceError> {
        let (history, flow) = self.history(id).await?;
        let run = fold(&history, &flow);
        let origin: Origin = serde_json::from_str(history.row.origin.get()).unwrap_or_default();
        let mut lines = vec![began(&origin, &history.row.name, run.created_at)];
        if let (Some(trigger), Some(firing)) = (&origin.trigger, self.store().triggers().firing_of_run(id).await?) {
            lines.push(format!("Its trigger `{trigger}` started it: {}.", firing.reason));
        }
        match self.place_in_line(&run) {
            Some(place) => lines.push(format!("It is queued at place {}: {}.", place.position, place.reason)),
            None => lines.extend(stands(&run, &flow, &history.entries)),
        }
        lines.extend(failed(&run, &flow));
        lines.extend(left_out(&run, &flow));
        lines.extend(repeated(&run, &flow, &history.entries));
        Ok(lines.into_iter().map(sentence).collect())
    }
}

/// A line that quotes a question ends with it.
fn sentence(mut line: String) -> String {
    if line.ends_with("?.") {
        line.pop();
    }
    line
}

fn began(origin: &Origin, name: &str, at: Timestamp) -> String {
    let who = if origin.name.is_empty() { "somebody" } else { &origin.name };
    let how = match (origin.began_by, origin.rerun_of, origin.rolls_back) {
        (Some(parent), ..) => format!("a step of {parent} began it"),
        (None, Some(earlier), _) => format!("{who} ran {earlier} again"),
        (None, None, Some(earlier)) => format!("{who} wanted what {earlier} did taken back"),
        (None, None, None) => match (origin.door.as_str(), &origin.channel) {
            ("chat", Some(channel)) => format!("{who} asked for it in {channel}"),
            ("", _) => format!("{who} asked for it"),
            (door, _) => format!("{who} asked for it through the door `{door}`"),
        },
    };
    format!("It runs `{name}` because {how}, at {at}.")
}

/// What it does or waits for now, or how it ended.
fn stands(run: &Run, flow: &Flow, entries: &[Entry]) -> Vec<String> {
    let by = |wanted: fn(&Event) -> Option<&str>| {
        entries.iter().rev().find_map(|(at, event)| Some(format!("{}, at {at}", wanted(event)?)))
    };
    match run.state {
        RunState::Queued => vec![
            "It is queued: every place for executions is taken (`max_concurrent`), or it was just given back."
                .to_owned(),
        ],
        RunState::Running => under_way(run, flow),
        RunState::Waiting { .. } if run.steps.iter().all(|step| step.state == StepState::Pending) => {
            let labels: Vec<_> =
                run.asking.iter().flat_map(|asking| &asking.questions).map(|q| q.label.as_str()).collect();
            vec![format!("It waits before its first step: it needs {}.", labels.join(", "))]
        }
        RunState::Waiting { .. } => waits(run, flow),
        RunState::Pausing | RunState::Paused => {
            let who = by(|event| if let Event::PauseAsked { by } = event { Some(by) } else { None });
            vec![format!("It stands still because of {}.", who.unwrap_or_else(|| "a pause".to_owned()))]
        }
        RunState::Cancelling { cause } => vec![match cause {
            CancelCause::Asked => {
                let who = by(|event| if let Event::CancelAsked { by, .. } = event { Some(by) } else { None });
                format!("It is being cancelled by {}.", who.unwrap_or_default())
            }
            CancelCause::TimedOut => "It is being ended because its time is over.".to_owned(),
        }],
        RunState::Finished(_) => {
            let asked = |(_, event): &Entry| match event {
                Event::CancelAsked { by, .. } => Some(format!(" by {by}")),
                _ => None,
            };
            let at = run.finished_at.map(|at| at.to_string()).unwrap_or_default();
            let is_cancelled = run.state.status() == "cancelled";
            let who = entries.iter().rev().find_map(asked).filter(|_| is_cancelled).unwrap_or_default();
            vec![format!("It is over: {}{who}, at {at}.", run.state.status().replace('_', " "))]
        }
    }
}

fn under_way(run: &Run, flow: &Flow) -> Vec<String> {
    let busy = (0..run.steps.len()).filter(|&step| run.steps[step].state == StepState::Running);
    let line = |step: usize| {
        let since = run.steps[step].started_at.map(|at| format!(" since {at}")).unwrap_or_default();
        format!("{} works{since}, attempt {}.", name_of(run, flow, step), run.steps[step].attempts)
    };
    let mut lines: Vec<String> = busy.take(TOLD).map(line).collect();
    lines.extend(waits(run, flow));
    lines
}

/// What each step waits for.
fn waits(run: &Run, flow: &Flow) -> Vec<String> {
    let waiting = (0..run.steps.len()).filter(|&step| run.steps[step].state.waits_until().is_some());
    waiting.take(TOLD).map(|step| format!("{} {}", name_of(run, flow, step), waits_for(run, step))).collect()
}

fn waits_for(run: &Run, step: usize) -> String {
    let until = |until: Timestamp| if until < Timestamp::NEVER { format!(", until {until}") } else { String::new() };
    match (run.steps[step].state, run.waits.get(&step)) {
        (StepState::Backoff { until }, _) => {
            let fault = run.steps[step].fault.as_ref().map(ToString::to_string).unwrap_or_else(|| "a crash".to_owned());
            format!("tries again at {until}, after {fault}.")
        }
        (StepState::Sleeping { until }, _) => format!("waits for the time {until}."),
        (StepState::Asking { until: at }, _) => {
            let asked =
                run.asking.iter().filter(|asking| asking.step == Some(step)).flat_map(|asking| &asking.questions);
            let labels: Vec<_> = asked.map(|question| question.label.as_str()).collect();
            format!("waits for an answer: {}{}.", labels.join(", "), until(at))
        }
        (StepState::Deciding { until: at }, Some(Wait::Approval(approval))) => {
            let who = match approval.spec.approvers.as_slice() {
                [] => "somebody".to_owned(),
                named => named.join(", "),
            };
            let given = approval.votes.iter().filter(|vote| vote.approves).count();
            format!("waits for {who} to approve: {given} of {} have{}.", approval.spec.required, until(at))
        }
        (StepState::Listening { until: at }, Some(Wait::Event { name, .. })) => {
            format!("waits for the event `{name}`{}.", until(at))
        }
        (StepState::Nesting, Some(Wait::Child(child))) => format!("waits for the end of {child}."),
        (StepState::Held, _) => {
            let fault = run.steps[step].fault.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("failed and waits for somebody to retry or skip it: {fault}.")
        }
        _ => "waits.".to_owned(),
    }
}

fn failed(run: &Run, flow: &Flow) -> Vec<String> {
    let failed = (0..run.steps.len()).filter(|&step| run.steps[step].state == StepState::Failed);
    let line = |step: usize| {
        let state = &run.steps[step];
        let fault = state.fault.as_ref().map(|fault| format!("{fault}; {}", fault.remedy())).unwrap_or_default();
        let times = if state.attempts > 1 { format!(" after {} attempts", state.attempts) } else { String::new() };
        format!("{} failed{times}: {fault}.", name_of(run, flow, step))
    };
    let lines: Vec<String> = failed.clone().take(TOLD).map(line).collect();
    let more = failed.count().saturating_sub(TOLD);
    lines.into_iter().chain((more > 0).then(|| format!("{more} more steps failed."))).collect()
}

fn left_out(run: &Run, flow: &Flow) -> Vec<String> {
    let skipped = (0..run.steps.len()).filter_map(|step| match run.steps[step].state {
        StepState::Skipped(reason) => Some((step, reason)),
        _ => None,
    });
    let line = |(step, reason): (usize, SkipReason)| {
        let condition = &flow.step(run, step).condition;
        let why = match reason {
            SkipReason::Condition => {
                format!("its condition `{}` was false", condition.expression.as_deref().unwrap_or("false"))
            }
            SkipReason::Branch => format!("its branch was not taken: `{}` was false", condition.gates.join(" and ")),
            SkipReason::RunFailed => "something before it had failed".to_owned(),
            SkipReason::Asked => "somebody said so".to_owned(),
            SkipReason::Recalled => "an earlier execution had done it".to_owned(),
        };
        format!("{} was left out: {why}.", name_of(run, flow, step))
    };
    skipped.take(TOLD).map(line).collect()
}

/// What was done again, and who asked for it.
fn repeated(run: &Run, flow: &Flow, entries: &[Entry]) -> Vec<String> {
    let line = |(at, event): &Entry| match event {
        Event::Reopened { steps, by } => {
            let names: Vec<_> = steps.iter().take(TOLD).map(|step| name_of(run, flow, *step)).collect();
            Some(format!("{by} had {} run again, at {at}.", names.join(", ")))
        }
        Event::StepInterrupted { step, lost: true, .. } => {
            Some(format!("{} was interrupted by a crash, at {at}, and ran again.", name_of(run, flow, *step)))
        }
        Event::StepReused { step, from } => Some(format!(
            "{} took what it had given in {from}: `cache` says that this is as good.",
            name_of(run, flow, *step)
        )),
        Event::Recalled { from } => Some(format!("It did nothing, for `cache` says that what {from} gave is as good.")),
        Event::SkipAsked { step, by } => Some(format!("{by} had {} left out, at {at}.", name_of(run, flow, *step))),
        Event::Decided { step, vote } => {
            let what = if vote.approves { "approved" } else { "rejected" };
            Some(format!("{} {what} {}, at {at}.", vote.called(), name_of(run, flow, *step)))
        }
        _ => None,
    };
    entries.iter().filter_map(line).take(2 * TOLD).collect()
}
