//! Text to tree: YAML 1.2 (and JSON, which is YAML) with a mark for every key and value.
//!
//! What could make two readers see two different files is refused, not guessed: duplicate keys, merge keys, foreign
//! tags, several documents, a byte order mark. Every size is bounded before memory is spent on it.

mod compose;
mod hint;
mod node;
mod scalar;
mod text;

pub(super) use compose::read;
pub use compose::tree;
pub(crate) use node::short;
pub use node::{Entry, Kind, Node};
pub use text::{MAX_BYTES, Source};
