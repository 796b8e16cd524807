//! The front desk: what the product can do, in its own verbs. Every door asks here; rules stand here once.
//!
//! [`Archive`] answers questions and needs only a readable store; [`Service`] also acts, and owns the engine.

mod archive;
mod error;
mod files;
mod library;
mod preview;
mod progress;
mod runs;
mod standing;
pub mod verbs;

pub use archive::{Archive, ListFilter};
pub use error::ServiceError;
pub use library::{Library, TemplateInfo};
pub use preview::{PlanStepView, PlanView};
pub use progress::{FaultView, LogLine, RunView, StepView, WorkflowView};
pub use runs::{Service, Started};

pub use crate::store::documents::search::Hit;

/// Who asks, and through which door.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Caller {
    /// The door: `terminal`, `service`.
    pub door: &'static str,
    /// The name by which history calls them.
    pub name: String,
}

impl Caller {
    /// The same caller, with why they ask: history keeps it beside the name.
    #[must_use]
    pub fn because(mut self, reason: Option<&str>) -> Self {
        if let Some(reason) = reason {
            let reason: String = reason.chars().take(200).collect();
            self.name = format!("{} (\"{reason}\")", self.name);
        }
        self
    }
}
