//! Steps that ask or run something of the author's choosing.

mod fetch;

pub use fetch::{Fetch, FetchSettings};
