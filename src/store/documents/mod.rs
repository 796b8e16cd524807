//! Stored documents and how they are found again: by their words, and by likeness.
//!
//! The archive makes its own index when it keeps a document, so that keeping and finding always agree: a full-text
//! index (kept by the schema itself) and, where wanted, vectors of overlapping chunks. Start reading at [`archive`],
//! then [`search`].

pub mod archive;
pub mod chunks;
pub mod embedding;
mod query;
mod rank;
pub mod search;
