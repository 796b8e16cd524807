//! The one door to expressions: `${{ ... }}` in a scalar, compiled once, evaluated within bounds.
//!
//! minijinja evaluates; what it may use is listed here name by name. Text that arrives at run time is data: nothing
//! outside a workflow file is ever searched for `${{`.

mod bounds;
mod context;
mod engine;
mod items;
mod outputs;
mod scan;
mod variables;
mod vocabulary;
mod words;

pub use context::{RunFacts, Scope, StepFacts};
pub(super) use engine::{Evaluated, MAX_SOURCE, Trouble, compile, evaluate, evaluate_with};
pub use items::{ItemFacts, Items};
pub use outputs::Outputs;
pub(super) use scan::{Part, has_marker, inside, parts, whole};
pub use variables::Variables;
pub(super) use vocabulary::{FILTERS, ROOTS, STATUS, TESTS};
pub(super) use words::{Reference, Words, words};
