//! The courier: *send the newest, remember what was sent, repeat*. `round` decides when, `delivery` sends one.

mod delivery;
mod round;

pub use round::Courier;
