//! What people do to executions beyond the plain commands of [`super::Service`]: decide, take back, many at once.

pub mod bulk;
mod commands;
pub mod decisions;
pub mod rollbacks;
