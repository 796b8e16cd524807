//! Schedules as people write them: cron, intervals, instants and plain words, each with what is wrong with it.

mod reading;
mod words;

pub use reading::{Wrong, check, cron, either, instant, never, too_often, words, zone};
