//! What starts by itself: schedules whose clock the test owns, events, requests to addresses, files; each once.

mod clock;
mod drops;
mod events;
mod kills;
mod listening;
mod rules;
pub mod stage;
mod worked;
