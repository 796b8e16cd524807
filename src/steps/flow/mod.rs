//! Steps that steer a run and touch nothing outside it.

mod approve;
mod ask;
mod assert;
mod checkpoint;
mod dynamic;
mod group;
mod noop;
mod rollback;
mod switch;
mod test;
mod undo;
mod wait;
mod workflow;

pub use approve::Approve;
pub use ask::Ask;
pub use assert::Assert;
pub use checkpoint::Checkpoint;
pub use dynamic::Dynamic;
pub use group::Group;
pub use noop::Noop;
pub use rollback::Rollback;
pub use switch::Switch;
pub use test::Test;
pub use undo::UndoStep;
pub use wait::Wait;
pub use workflow::Workflow;
