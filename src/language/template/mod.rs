//! Tree to typed template: every key known by name, every value of its kind, every mark kept.

mod cache;
mod concurrency;
mod fields;
mod foreach;
mod inputs;
mod keys;
mod nested;
mod permissions;
mod policy;
mod said;
mod step;
mod top;
mod tree;
mod triggers;

pub use cache::Cache;
pub use concurrency::{Concurrency, Room};
pub use foreach::Foreach;
pub use nested::Compound;
pub(super) use top::read;
pub use tree::{Branch, Inside, Marked, Named, Policy, Retry, Rollback, RunTimeout, Step, Template};
pub use triggers::{REFERENCE, Trigger};
