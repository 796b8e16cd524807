//! The front desk as its doors use it, with the real engine, store and steps behind it.

mod asking;
mod events;
mod people;
mod workflows;
