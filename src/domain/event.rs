//! What happened: the journal's alphabet. Written for ever, so names and fields only grow.

use serde::{Deserialize, Serialize};

use serde_json::{Map, Value};

use super::fault::Fault;
use super::id::RunId;
use super::question::Question;
use super::run::{CancelCause, Outcome, SkipReason};
use super::time::Timestamp;
use super::wait::{ApprovalSpec, Vote};

/// A fact of a run's history. Steps are named by their place in the plan, which is fixed with the revision.
/// What is large is in a box: a long run has hundreds of thousands of small ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The run was accepted.
    Queued,
    /// A process took it.
    Claimed,
    /// The process that had it gave it back or died.
    Requeued,
    /// An attempt is about to start.
    StepStarted {
        /// Its step.
        step: usize,
        /// Its number, from 1.
        attempt: u32,
    },
    /// A step succeeded.
    StepSucceeded {
        /// The step.
        step: usize,
        /// What people should know.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<String>,
    },
    /// A step took an earlier result.
    StepReused {
        /// The step.
        step: usize,
        /// The run that made it.
        from: RunId,
    },
    /// An earlier run of the same workflow on the same inputs is as good: this one gives what that one gave.
    Recalled {
        /// The earlier run.
        from: RunId,
    },
    /// A step failed for good.
    StepFailed {
        /// The step.
        step: usize,
        /// Why.
        fault: Box<Fault>,
    },
    /// An attempt failed; another one follows.
    StepRetrying {
        /// The step.
        step: usize,
        /// When.
        until: Timestamp,
        /// Why.
        fault: Box<Fault>,
    },
    /// A step succeeds at a later time.
    StepSleeping {
        /// The step.
        step: usize,
        /// When.
        until: Timestamp,
    },
    /// A step, or the run before it begins, needs something of people.
    Asked {
        /// The step; `None`: the run itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<usize>,
        /// What it needs.
        questions: Vec<Question>,
        /// How long it waits for it.
        until: Timestamp,
    },
    /// Somebody answered: these inputs are now the run's, and whoever asked for one of them goes on.
    Answered {
        /// The inputs.
        inputs: Box<Map<String, Value>>,
        /// Who.
        by: String,
    },
    /// An attempt ended without an outcome, because its process did.
    StepInterrupted {
        /// The step.
        step: usize,
        /// By a crash, not by an orderly stop.
        lost: bool,
        /// When it may run again, if not at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// Steps will not run.
    StepsSkipped {
        /// The steps.
        steps: Vec<usize>,
        /// Why.
        reason: SkipReason,
    },
    /// A step with `foreach` knows its items and begins with them.
    ItemsListed {
        /// The step.
        step: usize,
        /// How many items there are.
        count: u32,
        /// What the list was: the same again means that only what is missing runs.
        digest: String,
        /// Goes on with the items of the generation before; what they have done stays done.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        resumed: bool,
    },
    /// A step began another run, and waits for its end.
    StepNested {
        /// The step.
        step: usize,
        /// The other run.
        child: RunId,
    },
    /// The run that a step waits for has rested so long while people were to decide: that is not this run's time either.
    InnerRested {
        /// The step.
        step: usize,
        /// How long, in all; microseconds.
        rested: u64,
        /// It rests, and until it is said that it goes on, so does the clock of this run.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        resting: bool,
    },
    /// A step asks people to decide.
    ApprovalAsked {
        /// The step.
        step: usize,
        /// What it asks.
        spec: Box<ApprovalSpec>,
        /// How long it waits.
        until: Timestamp,
    },
    /// Somebody decided.
    Decided {
        /// The step.
        step: usize,
        /// Who, what, and why.
        #[serde(flatten)]
        vote: Box<Vote>,
    },
    /// A step waits for an event.
    StepListening {
        /// The step.
        step: usize,
        /// The event's name.
        event: String,
        /// How long it waits.
        until: Timestamp,
    },
    /// An event came; who waits for it goes on, and who will wait for it too.
    Signalled {
        /// Its name.
        event: String,
        /// What came with it.
        payload: Box<Value>,
        /// Who sent it.
        by: String,
    },
    /// A step failed for good, and waits for somebody to say what then.
    StepHeld {
        /// The step.
        step: usize,
        /// Why it failed.
        fault: Box<Fault>,
    },
    /// Somebody wants a held step tried again.
    StepReleased {
        /// The step.
        step: usize,
        /// Who.
        by: String,
    },
    /// Somebody wants a step not to be run.
    SkipAsked {
        /// The step.
        step: usize,
        /// Who.
        by: String,
    },
    /// Steps end unfinished, because the run does.
    StepsCancelled {
        /// The steps.
        steps: Vec<usize>,
    },
    /// The time for `on_error` and `finally` of a run that is being ended is over.
    ClosingOver,
    /// Nothing to do before a time.
    WaitingUntil {
        /// When the next step is due.
        until: Timestamp,
    },
    /// Somebody asked to pause.
    PauseAsked {
        /// Who.
        by: String,
    },
    /// It stands still.
    Paused,
    /// Somebody asked to go on.
    Resumed {
        /// Who.
        by: String,
    },
    /// It is to be cancelled.
    CancelAsked {
        /// Who; `deadline` for a time-out.
        by: String,
        /// Why.
        cause: CancelCause,
    },
    /// Settled steps are to run again.
    Reopened {
        /// The steps.
        steps: Vec<usize>,
        /// Who asked.
        by: String,
    },
    /// The run is over.
    Finished {
        /// How it ended.
        outcome: Outcome,
    },
}

impl Event {
    pub(super) fn failed(step: usize, fault: Fault) -> Self {
        Self::StepFailed { step, fault: Box::new(fault) }
    }
}

/// An event and when it happened.
pub type Entry = (Timestamp, Event);
