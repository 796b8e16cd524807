//! Steps that tell people something. They write letters into the outbox; who posts them is a matter of another room.
//!
//! `prepare` makes the message (`template`, `variables`); `slack`, `discord` and `notify` find out where it goes
//! ([`address`]) and hand it over (`post`). Where nothing is connected, it becomes a file (`simulated`).

pub mod address;
mod post;
mod prepare;
mod simulated;
mod template;
mod variables;

pub use address::{Alias, Settings};
pub use post::{Kind, Post};
pub use prepare::Prepare;
