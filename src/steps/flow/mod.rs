//! Steps that steer a run and touch nothing outside it.

mod approve;
mod ask;
mod assert;
mod dynamic;
mod group;
mod noop;
mod switch;
mod test;
mod wait;
mod workflow;

pub use approve::Approve;
pub use ask::Ask;
pub use assert::Assert;
pub use dynamic::Dynamic;
pub use group::Group;
pub use noop::Noop;
pub use switch::Switch;
pub use test::Test;
pub use wait::Wait;
pub use workflow::Workflow;
