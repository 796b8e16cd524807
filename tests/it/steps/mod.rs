//! The steps as a workflow meets them: real tools, real servers on loopback.

mod analysis;
