//! The lines to the outside world: other programs, servers, mail.
//!
//! What leaves this process leaves it here, with its limits on. Knows nothing of runs, steps or workflows.
//! Start reading at [`process`].

pub mod process;
