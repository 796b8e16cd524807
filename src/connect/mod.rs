//! The lines to the outside world: what leaves this machine leaves through here.
//!
//! Start reading at [`egress`]: which address may be reached.

pub mod egress;
