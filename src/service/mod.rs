//! The front desk: what the product can do, in its own verbs. Every door asks here; rules stand here once.
//!
//! [`Archive`] answers questions and needs only a readable store; [`Service`] also acts, and owns the engine.

mod archive;
pub mod conversations;
mod doctor;
mod error;
mod expectation;
mod explain;
mod files;
mod library;
mod links;
mod origin;
pub mod outbox;
mod people;
mod pins;
mod repeats;
mod runs;
mod shelf;
mod standing;
mod steering;
pub mod triggers;
pub mod verbs;
mod versions;
mod view;
mod words;
mod workflows;

pub use archive::{Archive, ListFilter};
pub use doctor::{Check, Health};
pub use error::ServiceError;
pub use expectation::{Expectation, Processed};
pub use library::{Library, TemplateInfo};
pub use links::{Count, LinkState, LinkView, Links};
pub use origin::{CHAT, Origin, TERMINAL};
pub use people::{AccountView, Caller, ChannelRole, Code, PersonView, Rules, TraceFilter, TraceView, Undone, Visitor};
pub use repeats::{Claim, Repeats, Ticket};
pub use runs::{Admission, Service, Started, Terms};
pub use shelf::Shelf;
pub use steering::bulk::{BulkAct, BulkFilter, BulkView};
pub use steering::decisions::ApprovalView;
pub use steering::rollbacks::EffectView;
pub use versions::{ChangeView, ChangedSince, VersionView};
pub use view::detail::{InputView, WorkflowDetail, read_pairs};
pub use view::events::EventView;
pub use view::history::LogLine;
pub use view::preview::{PlanStepView, PlanView};
pub use view::progress::{FaultView, ItemsView, RunView, StepView, WorkflowView};
pub use workflows::{NewWorkflow, Saved, WorkflowMatch};

pub use crate::engine::Notice;
pub use crate::store::documents::archive::DocumentLine;
pub use crate::store::documents::search::Hit;
pub use crate::store::files::FileRecord;
pub use crate::store::runs::StoredRun;
