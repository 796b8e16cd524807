//! Why the front desk says no, by what the caller can do about it.

use crate::domain::command::Refusal;
use crate::domain::fault::Fault;
use crate::domain::role::Denial;
use crate::engine::{EngineError, RevisionError};
use crate::language::Report;
use crate::store::StoreError;

/// A refusal or failure of a verb.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// There is no such thing.
    #[error("there is no {noun} `{name}`{}", near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    NotFound {
        /// What was looked for: workflow, execution, file.
        noun: &'static str,
        /// Its name or id, as it was given.
        name: String,
        /// The nearest that there is.
        near: Option<String>,
    },
    /// More than one thing has this short name.
    #[error("`{short}` could be any of {}", candidates.join(", "))]
    Ambiguous {
        /// The short id.
        short: String,
        /// What it could be.
        candidates: Vec<String>,
    },
    /// A workflow file has problems.
    #[error("the workflow cannot be run\n{}", .0.text(false).trim_end())]
    Definition(Report),
    /// Inputs or a file were refused.
    #[error("{}", list(.0))]
    Inputs(Vec<Fault>),
    /// Not in this state.
    #[error(transparent)]
    Refused(Refusal),
    /// Not for this caller.
    #[error("{0}")]
    Denied(Denial),
    /// Its concurrency group has no room for it.
    #[error("{0}; {fix}", fix = crate::domain::code::WF5124.remedy())]
    Full(String),
    /// The disk is nearly full: nothing new is taken in.
    #[error("the disk has {free} left of the {wanted} that must stay free; {fix}", free = mib(*free), wanted = mib(*wanted),
        fix = crate::domain::code::WF5133.remedy())]
    NoDisk {
        /// Bytes that are left.
        free: u64,
        /// Bytes that must be left.
        wanted: u64,
    },
    /// The service is shutting down.
    #[error("the service is shutting down; try again when it is back")]
    Stopping,
    /// The database or the disk failed. What was acknowledged is kept; the next start carries on.
    #[error("{0}")]
    Disk(StoreError),
    /// This program failed, or what it kept cannot be read.
    #[error("{0}")]
    Internal(String),
}

/// Bytes for people.
fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

fn list(faults: &[Fault]) -> String {
    let lines = faults.iter().map(|fault| format!("{fault}; {}", fault.remedy()));
    lines.collect::<Vec<_>>().join("\n")
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Failed { .. } | StoreError::Closed => Self::Disk(error),
            _ => Self::Internal(error.to_string()),
        }
    }
}

impl From<RevisionError> for ServiceError {
    fn from(error: RevisionError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<EngineError> for ServiceError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::NotFound(run) => Self::NotFound { noun: "execution", name: run.to_string(), near: None },
            EngineError::Refused(refusal) => Self::Refused(refusal),
            EngineError::Full(why) => Self::Full(why),
            EngineError::Group(fault) => Self::Inputs(vec![fault]),
            EngineError::Stopping => Self::Stopping,
            EngineError::Store(error) => error.into(),
            EngineError::Value(_) | EngineError::Revision(_) => Self::Internal(error.to_string()),
        }
    }
}
