//! The part of JSON Schema that step configs need, checked against the tree, so that every misfit has its place.
//!
//! Understood: `type`, `properties`, `required`, `additionalProperties`, `enum`, `const`, `oneOf`, `anyOf`, `allOf`,
//! `items`, `$ref` into `$defs`, bounds of numbers, lengths and counts, `pattern`. What schemars makes of a config
//! struct needs no more. Other keywords are annotations here. A value with an expression fits anything.

mod choice;
mod walk;

pub(super) use walk::check;
