//! Steps that ask or run something of the author's choosing.

pub(in crate::steps) mod fetch;

pub use fetch::{Fetch, FetchSettings};
