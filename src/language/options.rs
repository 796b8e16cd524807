//! What the configuration says about compiling.

use super::report::Report;
use crate::domain::plan::Plan;
use crate::domain::retry::RetryPolicy;
use crate::domain::time::Span;

/// What holds where neither a step nor the file says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// What happens after a failed attempt (`WORKFLOW_RETRY_COUNT`, `WORKFLOW_RETRY_DELAY`).
    pub retry: RetryPolicy,
    /// How long one attempt may take (`WORKFLOW_STEP_TIMEOUT`).
    pub timeout: Span,
}

impl Default for Defaults {
    /// Three retries, five seconds apart; five minutes for an attempt.
    fn default() -> Self {
        Self { retry: RetryPolicy::default(), timeout: Span::from_secs(300) }
    }
}

/// How to compile.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// What holds where the file says nothing.
    pub defaults: Defaults,
    /// An unknown step type is an error, not a warning.
    pub strict: bool,
    /// The least time between two instants of a schedule (`WORKFLOW_SCHEDULE_MIN_INTERVAL`); zero: as little as any.
    pub shortest: Span,
}

/// What compiling gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    /// The plan; `None` when the report has errors.
    pub plan: Option<Plan>,
    /// Everything that is wrong with the file, or worth knowing.
    pub report: Report,
}
