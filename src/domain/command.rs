//! What somebody wants of a run: a person, a clock, or the process that carries it.

use serde_json::{Map, Value};

use super::fault::Fault;
use super::id::RunId;
use super::question::Question;
use super::run::SkipReason;
use super::time::{Span, Timestamp};
use super::wait::{ApprovalSpec, Vote};

/// A wish. [`super::machine::decide`] says what comes of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A process takes the run.
    Claim,
    /// Start the next attempt of a step.
    Begin {
        /// Its place in the plan.
        step: usize,
    },
    /// Do not run a step.
    Skip {
        /// Its place in the plan.
        step: usize,
        /// Why.
        reason: SkipReason,
    },
    /// Begin with the items of a step with `foreach`.
    List {
        /// Its place.
        step: usize,
        /// How many items there are.
        count: u32,
        /// What the list is.
        digest: String,
    },
    /// An attempt succeeded.
    Succeed {
        /// Its step.
        step: usize,
        /// Its number.
        attempt: u32,
        /// What people should know.
        warnings: Vec<String>,
    },
    /// An earlier result is as good as what the attempt would give.
    Reuse {
        /// Its step.
        step: usize,
        /// Its number.
        attempt: u32,
        /// The run that made it.
        from: RunId,
    },
    /// An earlier run is as good as this one would be.
    Recall {
        /// That run.
        from: RunId,
    },
    /// An attempt failed.
    Fail {
        /// Its step.
        step: usize,
        /// Its number.
        attempt: u32,
        /// Why.
        fault: Fault,
    },
    /// An attempt did its part; the step succeeds at a time.
    Sleep {
        /// Its step.
        step: usize,
        /// Its number.
        attempt: u32,
        /// When the step succeeds.
        until: Timestamp,
    },
    /// An attempt needs something of people before it can do its work; the step runs again with the answer.
    Ask {
        /// Its step.
        step: usize,
        /// Its number.
        attempt: u32,
        /// What it needs.
        questions: Vec<Question>,
        /// How long it waits for it.
        until: Timestamp,
    },
    /// An attempt began another run; the step waits for its end.
    Nest {
        /// Its step.
        step: usize,
        /// Its number.
        attempt: u32,
        /// The other run.
        child: RunId,
    },
    /// A run that a step waits for is over.
    ChildEnded {
        /// The run.
        child: RunId,
        /// Why it did not go well, if so.
        fault: Option<Fault>,
        /// What people should know.
        warnings: Vec<String>,
    },
    /// How long a run that a step waits for has rested while people were to decide, and whether it does.
    InnerRested {
        /// The run.
        child: RunId,
        /// How long, in all.
        rested: Span,
        /// It rests.
        resting: bool,
    },
    /// An attempt asks people to decide.
    AskApproval {
        /// Its step.
        step: usize,
        /// Its number.
        attempt: u32,
        /// What it asks.
        spec: ApprovalSpec,
        /// How long it waits.
        until: Timestamp,
    },
    /// Somebody decides.
    Decide {
        /// The step that asks; `None`: the only one that does.
        step: Option<usize>,
        /// Who, what, and why.
        vote: Vote,
    },
    /// An attempt waits for an event.
    Listen {
        /// Its step.
        step: usize,
        /// Its number.
        attempt: u32,
        /// The event's name.
        event: String,
        /// How long it waits.
        until: Timestamp,
    },
    /// An event came.
    Signal {
        /// Its name.
        event: String,
        /// What came with it.
        payload: Value,
        /// Who sent it.
        by: String,
    },
    /// Do not run a step, because somebody says so.
    SkipStep {
        /// Its place.
        step: usize,
        /// Who.
        by: String,
    },
    /// Somebody answers.
    Answer {
        /// Inputs of the run.
        inputs: Map<String, Value>,
        /// Who.
        by: String,
    },
    /// Time has passed.
    Wake,
    /// The process gives the run back. `lost`: it died; otherwise it stops in good order.
    Interrupt {
        /// Whether the attempts in flight count as lost.
        lost: bool,
    },
    /// Stop at the next step boundary.
    Pause {
        /// Who asks.
        by: String,
    },
    /// Go on.
    Resume {
        /// Who asks.
        by: String,
    },
    /// End it.
    Cancel {
        /// Who asks.
        by: String,
    },
    /// Run a settled step again, and all that depends on it.
    Retry {
        /// Its place in the plan; `None`: every failed or cancelled step.
        step: Option<usize>,
        /// Inputs that replace those of the run.
        inputs: Map<String, Value>,
        /// Who asks.
        by: String,
    },
}

/// Why a command is not possible now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The run is not in a state for it.
    #[error("the execution is {status}; {action} is possible while it is {possible}")]
    State {
        /// What was asked, as a noun phrase.
        action: &'static str,
        /// The present state.
        status: &'static str,
        /// When it would be possible.
        possible: &'static str,
    },
    /// Such a step is not in the plan, or there is nothing to retry.
    #[error("{0}")]
    Step(String),
    /// It is not for this person to say.
    #[error("{0}")]
    Forbidden(String),
    /// An outcome came from an attempt that no longer counts.
    #[error("attempt {attempt} of step {step} no longer counts")]
    Stale {
        /// The step.
        step: usize,
        /// The attempt that reported.
        attempt: u32,
    },
}
