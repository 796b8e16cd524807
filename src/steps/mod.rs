//! The steps: what a workflow can do. They work; the engine runs them, and neither knows the other.
//!
//! A step type is one file, always in the same order: doc, config struct, declaration, run, tests.

pub mod document;
pub mod duration;
pub mod flow;
pub mod script;
pub mod size;
