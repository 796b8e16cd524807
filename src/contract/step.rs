//! What a step type must be able to do, and what it is given for one attempt.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::directory::Wanted;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::id::RunId;
use crate::domain::question::Question;
use crate::domain::time::{Span, Timestamp};
use crate::domain::wait::ApprovalSpec;
use crate::language::catalog::StepType;

/// A step type: says what it is, checks a config, does the work.
pub trait StepHandler: Send + Sync {
    /// What the step type is: name, config, ports, effect class.
    fn declare(&self) -> StepType;

    /// Does the work once. Cancellation: return as soon as convenient after `attempt.cancel` fires; ten seconds
    /// later the future is dropped, and whatever it started must die with it (child processes are killed on drop).
    fn run<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, StepResult>;

    /// Takes back what a step of this type did. Asked once or more for the same effect; what is gone is gone well.
    fn undo<'a>(&'a self, _effect: &'a Effect) -> BoxFuture<'a, Result<Undone, Fault>> {
        Box::pin(async { Ok(Undone::Lasting("steps of this type cannot be undone".to_owned())) })
    }
}

/// What a step did.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// Its run.
    pub run: RunId,
    /// Its path in the run.
    pub step: String,
    /// The key that it had, as [`Attempt::step_key`].
    pub step_key: String,
    /// What it gave.
    pub outputs: Arc<Map<String, Value>>,
}

/// What became of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undone {
    /// It is gone; what that was, in a few words.
    Gone(String),
    /// It stays, for this reason.
    Lasting(String),
}

/// How an attempt ended.
pub type StepResult = Result<StepOutcome, Fault>;

/// What a successful attempt brought.
#[derive(Debug, Clone, PartialEq)]
pub enum StepOutcome {
    /// The step is done.
    Done(Done),
    /// The step is done once this time has come; nothing is held meanwhile.
    WaitUntil(Timestamp),
    /// People must give this first. The step runs again with their answer among the run's inputs, or fails when
    /// the time is over.
    Ask {
        /// What they must give.
        questions: Vec<Question>,
        /// How long to wait for it.
        until: Timestamp,
    },
    /// Another run does the work.
    Nest(Nest),
    /// People decide; the step then gives what they decided.
    Approve {
        /// What they decide about. Who asked is filled in by the engine.
        spec: ApprovalSpec,
        /// How long to wait for it.
        until: Timestamp,
    },
    /// What a step of some run did is to be taken back.
    Undo {
        /// The run.
        run: RunId,
        /// The step, by its place.
        step: usize,
    },
    /// What this run has done so far is to be taken back, newest first.
    RollBack {
        /// Only what was done after this step; `None`: everything.
        to: Option<String>,
    },
    /// The step is done once this event has come, and gives what came with it.
    Listen {
        /// Its name.
        event: String,
        /// How long to wait for it.
        until: Timestamp,
    },
}

/// Another run that a step wants to begin.
#[derive(Debug, Clone, PartialEq)]
pub struct Nest {
    /// What is to be run.
    pub wanted: Wanted,
    /// Its inputs.
    pub inputs: Map<String, Value>,
    /// The step is done when that run is, and gives what it gives; otherwise as soon as it has begun.
    pub wait: bool,
}

/// The result of a finished step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Done {
    /// Named outputs; those named like a produced port feed it.
    pub outputs: Map<String, Value>,
    /// What people should know although it went well.
    pub warnings: Vec<String>,
}

impl Done {
    /// Done with these outputs. `outputs` must be a JSON object (anything else becomes the output `value`).
    #[must_use]
    pub fn with(outputs: Value) -> Self {
        let outputs = match outputs {
            Value::Object(map) => map,
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        Self { outputs, warnings: Vec::new() }
    }

    /// The same result with a warning.
    #[must_use]
    pub fn warn(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }
}

impl From<Done> for StepResult {
    fn from(done: Done) -> Self {
        Ok(StepOutcome::Done(done))
    }
}

/// A value bound to a port, shared with the step that made it.
#[derive(Debug, Clone)]
pub enum Bound {
    /// An output of an earlier step; no copy is made.
    Output(Arc<Map<String, Value>>, String),
    /// Any other value.
    Value(Value),
}

impl Bound {
    /// The value.
    #[must_use]
    pub fn value(&self) -> &Value {
        match self {
            Self::Output(outputs, name) => outputs.get(name).unwrap_or(&Value::Null),
            Self::Value(value) => value,
        }
    }

    /// Another output of the step that gave this value.
    #[must_use]
    pub fn beside(&self, output: &str) -> Option<&Value> {
        match self {
            Self::Output(outputs, _) => outputs.get(output),
            Self::Value(_) => None,
        }
    }
}

/// Where a running step says how far it is. Never blocks; what nobody reads is dropped.
pub type Progress = Arc<dyn Fn(&str) + Send + Sync>;

/// How a run began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Began {
    /// Through which door.
    pub door: String,
    /// Who asked for it.
    pub by: String,
    /// The channel in which they did, as its platform and the chat write it: `web:general`, `slack:C123/1712.5`. A run that
    /// another one began has that of the other.
    pub channel: Option<String>,
    /// When it was first carried.
    pub at: Timestamp,
}

/// One attempt: only what belongs to it. Tools come with the handler's constructor.
pub struct Attempt {
    /// The run.
    pub run: RunId,
    /// The workflow's slug.
    pub workflow: String,
    /// The step's id in its plan.
    pub step: String,
    /// Which attempt this is, from 1.
    pub number: u32,
    /// The config with all expressions rendered; an object.
    pub config: Value,
    /// Values of the bound ports, by port name; a port that nothing feeds is absent.
    pub ports: BTreeMap<String, Bound>,
    /// The run's inputs; an object.
    pub inputs: Arc<Value>,
    /// Stable over retries and re-runs after a crash: what the outside world gets as idempotency key.
    pub step_key: String,
    /// Somebody who started the run in a chat can be asked for what is missing.
    pub attended: bool,
    /// Names of the inputs that nobody is to be shown.
    pub sensitive: Vec<String>,
    /// How the run began.
    pub began: Began,
    /// When the attempt began.
    pub now: Timestamp,
    /// How long it may take.
    pub timeout: Span,
    /// Fires when the work is no longer wanted.
    pub cancel: CancellationToken,
    /// Says how far the work is ("page 3 of 12").
    pub progress: Progress,
}

impl Attempt {
    /// The config as the step type's own struct.
    ///
    /// # Errors
    /// `WF2001` naming the key that does not fit.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_path_to_error::deserialize(&self.config).map_err(|error| {
            let path = error.path().to_string();
            let key = if path == "." { "config".to_owned() } else { format!("config.{path}") };
            Fault::permanent(code::WF2001, format!("`{key}`: {}", error.inner())).at(format!("{}.{key}", self.step))
        })
    }

    /// The value bound to this port, unless absent or null.
    #[must_use]
    pub fn port(&self, name: &str) -> Option<&Value> {
        self.ports.get(name).map(Bound::value).filter(|value| !value.is_null())
    }
}
