//! The outbound guard: which address of the world this process may open a connection to.
//!
//! An author of a workflow chooses addresses, but the process stands inside the operator's network: without a guard
//! every `fetch` could read cloud metadata, databases and admin pages. Every connection therefore starts with
//! [`Egress::admit`], which answers with the checked addresses; whoever connects uses those and never asks a name
//! server again. Unless the operator allowed an exact range and port, only global unicast addresses pass.

mod address;
mod allow;
mod gate;
mod refusal;
mod resolve;

pub use address::{Objection, judge};
pub use allow::{AllowError, AllowRule, PortRange};
pub use gate::{Admitted, Egress, Settings};
pub use refusal::Refusal;
pub use resolve::{Resolver, SystemResolver};
