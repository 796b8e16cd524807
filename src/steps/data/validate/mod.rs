//! `validate`: holds rows against a JSON Schema.
//!
//! ```yaml
//! - { type: validate, config: { schema: { required: [id], properties: { id: { type: integer } } }, strict: false } }
//! ```
//! Gives `records` (the rows that are as they should be), `rejects`, `report` and `schema`. With `strict`, as it is
//! unless told otherwise, one bad row fails the step. Nothing is ever converted to fit.

mod report;
mod schema;
mod step;

pub use step::Validate;
