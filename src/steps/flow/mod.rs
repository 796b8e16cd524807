//! Steps that steer a run and touch nothing outside it.

mod assert;
mod noop;
mod test;
mod wait;

pub use assert::Assert;
pub use noop::Noop;
pub use test::Test;
pub use wait::Wait;
