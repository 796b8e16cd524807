//! The courier: *send the newest, remember what was sent, repeat*. `round` decides when, from a `survey` of all; `pace` how
//! much a platform takes, `delivery` sends one, `notice` says what a changed message alone would let go unseen.

mod delivery;
mod notice;
pub(super) mod pace;
mod round;
mod survey;

pub use round::Courier;
