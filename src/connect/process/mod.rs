//! Child processes: the one door to other programs. Entry: [`Toolbox::run`].
//!
//! Invariants: a child gets an argument array, an absolute program, an empty environment, and either bytes or
//! nothing on stdin; it lives in its own process group, and the whole group, with whoever left it, dies when its leader
//! ends, when the work is cancelled, takes too long or says too much, and when the future is dropped; the leader dies with
//! this process.
//! Never more children at once than there are slots.
//!
//! Limits are set by `prlimit`, `nice`, `setpriv` (util-linux, coreutils) and `sh`, because setting them between
//! fork and exec would need unsafe code. Where they are missing the children run with wall time, output caps
//! and group kill only; [`Toolbox::missing_guards`] says so.

mod group;
mod job;
mod strays;
mod toolbox;

pub use job::{Ending, Job, Limits, Output, ProcessError, Program};
pub use toolbox::Toolbox;
