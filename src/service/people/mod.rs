//! Who asks, and what they may do: people and what platforms call them, and the gate that every verb passes.
//!
//! A [`Caller`] is made here alone, so that no door can make somebody up: the owner of this instance, or whoever
//! [`Service::recognise`](super::Service::recognise) finds behind what a platform says.

mod caller;
mod eyes;
mod gate;
mod lend;
mod mask;
mod register;
mod trail;

pub use caller::{Caller, ChannelRole, Rules, Visitor};
pub use lend::Undone;
pub use register::{AccountView, Code, PersonView};
pub use trail::{TraceFilter, TraceView};

pub(super) use eyes::Eyes;
pub(super) use gate::{Access, Target};
pub(super) use lend::{undone_by, user_of};
