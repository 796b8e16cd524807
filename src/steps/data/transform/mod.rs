//! `transform` and `process`: rows in, better rows out.
//!
//! ```yaml
//! - type: transform
//!   config: { operations: [normalize, deduplicate, enrich], key: [sku], types: { price: number } }
//! ```
//! Gives `records`, `rejects` (what was dropped, each with its reason), `rows`, `dropped` and `counts` for each
//! operation.

mod convert;
mod deduplicate;
mod engine;
mod normalize;
mod step;

pub use step::{Process, Transform};
