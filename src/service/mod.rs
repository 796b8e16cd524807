//! The front desk: what the product can do, in its own verbs. Every door asks here; rules stand here once.
//!
//! [`Archive`] answers questions and needs only a readable store; [`Service`] also acts, and owns the engine.

mod archive;
pub mod conversations;
mod detail;
mod error;
mod events;
mod expectation;
mod files;
mod library;
mod origin;
mod preview;
mod progress;
mod repeats;
mod runs;
mod standing;
pub mod verbs;
mod words;
mod workflows;

pub use archive::{Archive, ListFilter};
pub use detail::{InputView, WorkflowDetail, read_pairs};
pub use error::ServiceError;
pub use events::EventView;
pub use expectation::{Expectation, Processed};
pub use library::{Library, TemplateInfo};
pub use origin::{CHAT, Caller, Origin, TERMINAL};
pub use preview::{PlanStepView, PlanView};
pub use progress::{FaultView, LogLine, RunView, StepView, WorkflowView};
pub use repeats::{Claim, Repeats, Ticket};
pub use runs::{Service, Started};
pub use workflows::{NewWorkflow, Saved, WorkflowMatch};

pub use crate::engine::Notice;
pub use crate::store::documents::archive::DocumentLine;
pub use crate::store::documents::search::Hit;
pub use crate::store::files::FileRecord;
pub use crate::store::runs::StoredRun;
