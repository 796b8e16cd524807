//! The lines to the outside world: other programs, servers, mail.
//!
//! What leaves this process leaves it here, with its limits on. Knows nothing of runs, steps or workflows. Start
//! reading at [`process`] (other programs), [`egress`] (which address may be reached) and [`http`] (how it is asked).

pub mod egress;
pub mod http;
pub mod process;
