//! Text to checked template to plan; expressions. Pure: reads no file, asks no clock.

pub mod catalog;
