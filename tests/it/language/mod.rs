//! The language, from text to plan and from plan to values.

mod seed;
mod stock;
