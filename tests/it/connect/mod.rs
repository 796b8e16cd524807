//! The lines to the outside world, against real programs.

mod process;
