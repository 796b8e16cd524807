//! The lines to the outside world: what leaves this machine leaves through here.
//!
//! Start reading at [`egress`] (which address may be reached) and [`http`] (how it is asked).

pub mod egress;
pub mod http;
