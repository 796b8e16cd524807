//! The language, from text to plan and from plan to values.

mod configs;
mod flows;
mod giving;
mod hostile;
mod order;
mod reports;
mod running;
mod seed;
mod stock;
mod suite;
