//! Posts what workflows tell people: `round` decides when, `letter` posts one, `card` is what it looks like.

mod card;
mod letter;
mod round;

pub use card::card;
pub use round::start;
