//! Contents by digest: on the disk of this machine.

pub mod disk;
