//! The steps, with the real tools.

mod document;
