//! A run and its steps: what the machine moves. A fold of the journal, kept in memory while the run is carried.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fault::Fault;
pub use super::flow::Flow;
use super::id::RunId;
use super::items::{Instance, Loop};
use super::plan::{OnError, Plan};
use super::question::Asking;
use super::time::{Span, Timestamp};
use super::wait::{InnerRest, Wait};

/// Why a run is being cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelCause {
    /// Somebody asked.
    Asked,
    /// Its deadline passed.
    TimedOut,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All steps settled, none with a failure that stops.
    Completed,
    /// A step failed for good.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
    /// Its deadline passed.
    TimedOut,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Accepted; waits for a free place.
    Queued,
    /// Carried by a process.
    Running,
    /// Nothing to do before this time; holds no place and no memory.
    Waiting {
        /// When the next step is due.
        until: Timestamp,
    },
    /// Asked to pause; attempts in flight finish first.
    Pausing,
    /// Stands still until somebody resumes it.
    Paused,
    /// No new attempts; those in flight are being stopped.
    Cancelling {
        /// Why.
        cause: CancelCause,
    },
    /// Over.
    Finished(Outcome),
}

impl RunState {
    /// The word that people and programs see.
    #[must_use]
    pub const fn status(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting { .. } => "waiting",
            Self::Pausing => "pausing",
            Self::Paused => "paused",
            Self::Cancelling { .. } => "cancelling",
            Self::Finished(Outcome::Completed) => "completed",
            Self::Finished(Outcome::Failed) => "failed",
            Self::Finished(Outcome::Cancelled) => "cancelled",
            Self::Finished(Outcome::TimedOut) => "timed_out",
        }
    }

    /// Whether the run is over.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Finished(_))
    }
}

/// Why a step was not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Its `when` was false.
    Condition,
    /// The run, or the item that it is for, had failed before it.
    RunFailed,
    /// It stands in a branch that was not taken.
    Branch,
    /// Somebody said so.
    Asked,
    /// An earlier run has done it.
    Recalled,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Not begun.
    Pending,
    /// An attempt is in flight.
    Running,
    /// The next attempt is due at this time.
    Backoff {
        /// When.
        until: Timestamp,
    },
    /// Succeeds at this time.
    Sleeping {
        /// When.
        until: Timestamp,
    },
    /// Runs once somebody has answered; fails at this time if nobody does.
    Asking {
        /// When.
        until: Timestamp,
    },
    /// Its items are under way.
    Looping,
    /// Another run is under way for it.
    Nesting,
    /// People decide; at this time it is too late.
    Deciding {
        /// When.
        until: Timestamp,
    },
    /// Waits for an event; at this time it is too late.
    Listening {
        /// When.
        until: Timestamp,
    },
    /// Failed, and somebody says what then.
    Held,
    /// Done.
    Succeeded,
    /// Failed for good.
    Failed,
    /// Not run.
    Skipped(SkipReason),
    /// The run ended before it did.
    Cancelled,
}

impl StepState {
    /// The word that expressions, people and rows see.
    #[must_use]
    pub const fn status(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running | Self::Looping | Self::Nesting => "running",
            Self::Backoff { .. } => "retrying",
            Self::Sleeping { .. }
            | Self::Asking { .. }
            | Self::Deciding { .. }
            | Self::Listening { .. }
            | Self::Held => "waiting",
            Self::Succeeded => "completed",
            Self::Failed => "failed",
            Self::Skipped(_) => "skipped",
            Self::Cancelled => "cancelled",
        }
    }

    /// Until when it waits, if it does: [`Timestamp::NEVER`] for something that has no time of its own.
    #[must_use]
    pub const fn waits_until(self) -> Option<Timestamp> {
        match self {
            Self::Backoff { until }
            | Self::Sleeping { until }
            | Self::Asking { until }
            | Self::Deciding { until }
            | Self::Listening { until } => Some(until),
            Self::Nesting | Self::Held => Some(Timestamp::NEVER),
            _ => None,
        }
    }

    /// Whether nothing further happens to the step in this generation.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Skipped(_) | Self::Cancelled)
    }
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRun {
    /// Where it stands.
    pub state: StepState,
    /// Attempts begun in this generation, interrupted ones not counted.
    pub attempts: u32,
    /// Attempts in a row that a crash interrupted.
    pub lost: u32,
    /// Grows when the step is retried after it had settled.
    pub generation: u32,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it settled.
    pub finished_at: Option<Timestamp>,
    /// The fault of its last failed attempt.
    pub fault: Option<Box<Fault>>,
    /// What people should know although it went well.
    pub warnings: Vec<String>,
}

/// Crashes in a row after which a step may be their cause.
const SUSPECT_AFTER: u32 = 2;

impl StepRun {
    /// Whether it may be the cause of the last crashes.
    #[must_use]
    pub const fn is_suspect(&self) -> bool {
        self.lost >= SUSPECT_AFTER
    }

    pub(super) const fn new(generation: u32) -> Self {
        Self {
            state: StepState::Pending,
            attempts: 0,
            lost: 0,
            generation,
            started_at: None,
            finished_at: None,
            fault: None,
            warnings: Vec::new(),
        }
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// Where it stands.
    pub state: RunState,
    /// Its steps, in the order of the plan; behind them those for the items of loops.
    pub steps: Vec<StepRun>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it was first carried.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When it is over whatever it does.
    pub deadline: Option<Timestamp>,
    /// When it has waited too long for its first turn.
    pub turn_until: Option<Timestamp>,
    /// Questions that nobody has answered yet.
    pub asking: Vec<Asking>,
    /// What steps wait for, or waited for until they went on.
    pub waits: BTreeMap<usize, Wait>,
    /// Steps that took an earlier result, and the runs that made these.
    pub reused: BTreeMap<usize, RunId>,
    /// The earlier run that did what this one was to do.
    pub recalled: Option<RunId>,
    /// Events that came, and what came with them.
    pub signals: Vec<(String, Value)>,
    /// When it was first carried since it was last opened.
    pub(super) opened_at: Option<Timestamp>,
    /// How often it was opened again.
    pub reopened: u32,
    /// What the steps behind those of the plan are.
    pub(super) instances: Vec<Instance>,
    /// Loops whose items are known, by the step that loops.
    pub(super) loops: BTreeMap<usize, Loop>,
    /// Loops of which nothing further comes.
    pub(super) loops_over: BTreeSet<usize>,
    /// Whether any item has failed.
    pub(super) broken_items: bool,
    /// Since when it stands still.
    pub(super) paused_at: Option<Timestamp>,
    /// Since when it rests while people are to decide, which is not its time.
    pub(super) people_since: Option<Timestamp>,
    /// How long it has rested so in all.
    pub rested: Span,
    /// For steps that wait for another run: how long that one has rested so, and whether it does.
    pub(super) inner_rest: BTreeMap<usize, InnerRest>,
    /// For each step: how many of its needs are not settled.
    pub(super) blockers: Vec<usize>,
    /// Pending steps without blockers.
    pub(super) ready: BTreeSet<usize>,
    /// Steps with an attempt in flight.
    pub(super) in_flight: usize,
    /// Steps for which another run is under way.
    pub(super) nesting: usize,
    /// Steps that wait for a time, by that time.
    pub(super) asleep: BTreeSet<(Timestamp, usize)>,
    /// Steps of the plan that are not settled.
    pub(super) unsettled: usize,
    /// The time for `on_error` and `finally` is over.
    pub(super) closing_over: bool,
    /// Failed steps that fail the run.
    pub(super) stoppers: usize,
}

impl Run {
    /// A run as it is before its first event.
    #[must_use]
    pub fn new(id: RunId, flow: &Flow, created_at: Timestamp) -> Self {
        let steps = &flow.plan.steps;
        let count = steps.len();
        let blockers: Vec<usize> = steps.iter().map(|step| step.needs.len()).collect();
        let own = |step: &usize| steps[*step].in_loop.is_none();
        let ready = (0..count).filter(own).filter(|&step| blockers[step] == 0).collect();
        Self {
            id,
            state: RunState::Queued,
            steps: vec![StepRun::new(0); count],
            created_at,
            started_at: None,
            finished_at: None,
            deadline: None,
            turn_until: None,
            asking: Vec::new(),
            waits: BTreeMap::new(),
            reused: BTreeMap::new(),
            recalled: None,
            signals: Vec::new(),
            opened_at: None,
            reopened: 0,
            instances: Vec::new(),
            loops: BTreeMap::new(),
            loops_over: BTreeSet::new(),
            broken_items: false,
            paused_at: None,
            people_since: None,
            rested: Span::from_micros(0),
            inner_rest: BTreeMap::new(),
            blockers,
            ready,
            in_flight: 0,
            nesting: 0,
            asleep: BTreeSet::new(),
            unsettled: (0..count).filter(own).count(),
            closing_over: false,
            stoppers: 0,
        }
    }

    /// Whether one of its open steps was under way in so many crashes in a row that it may be what causes them. Such a
    /// run is carried alone, so that the next crash, if there is one, names its cause.
    #[must_use]
    pub fn is_suspect(&self) -> bool {
        self.steps.iter().any(|step| step.is_suspect() && !step.state.is_settled())
    }

    /// Whether a failure has decided that the run will fail.
    #[must_use]
    pub const fn is_failing(&self) -> bool {
        self.stoppers > 0
    }

    /// Since when nothing but room has kept a step that is offered from its next attempt.
    #[must_use]
    pub fn ready_since(&self, flow: &Flow, step: usize) -> Timestamp {
        if let StepState::Backoff { until } = self.steps[step].state {
            return until;
        }
        let needs = flow.step(self, step).needs.iter().filter_map(|&need| self.seen_from(flow, Some(step), need));
        let loop_began = self.instance(step).and_then(|instance| self.steps[instance.at as usize].started_at);
        let settled = needs.filter_map(|need| self.steps[need].finished_at);
        settled.chain(loop_began).chain(self.opened_at).max().unwrap_or(self.created_at)
    }

    /// Whether any attempt is in flight.
    #[must_use]
    pub const fn has_attempts_in_flight(&self) -> bool {
        self.in_flight > 0
    }

    /// The first fault that failed the run: the failed step with the earliest end.
    #[must_use]
    pub fn fault<'r>(&'r self, plan: &Plan) -> Option<(usize, &'r Fault)> {
        let failed = self
            .steps
            .iter()
            .zip(&plan.steps)
            .enumerate()
            .filter(|(_, (run, step))| run.state == StepState::Failed && step.on_error != OnError::Continue)
            .map(|(step, (run, _))| (step, run));
        let first = failed.min_by_key(|(_, run)| run.finished_at)?;
        first.1.fault.as_deref().map(|fault| (first.0, fault))
    }
}
