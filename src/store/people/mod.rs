//! People, what platforms call them, and who did what.

mod register;
mod trail;

pub use register::{Account, Guesses, Link, People, Person};
pub use trail::{Trace, TraceFilter, Trail};
