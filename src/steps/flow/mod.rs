//! Steps that steer a run and touch nothing outside it.

mod assert;
mod group;
mod noop;
mod switch;
mod test;
mod wait;

pub use assert::Assert;
pub use group::Group;
pub use noop::Noop;
pub use switch::Switch;
pub use test::Test;
pub use wait::Wait;
