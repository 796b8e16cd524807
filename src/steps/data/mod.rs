//! Data: rows from somewhere, made better, checked, and put into a table.
//!
//! Rows are lists of JSON objects on the port `records`. Nothing in them is guessed: a text stays text until the
//! author says otherwise, and a number that cannot be held exactly stays the text that it was.

pub mod extract;
mod formats;
mod load;
mod merge;
mod rows;
mod transform;
mod validate;

pub use extract::Extract;
pub use load::Load;
pub use merge::Merge;
pub use transform::{Process, Transform};
pub use validate::Validate;
