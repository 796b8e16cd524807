//! Posts what workflows tell people: `round` decides when, `letter` posts one, `card` is what it looks like. `posting` is
//! for processes that carry runs and have no conversations.

mod card;
mod letter;
mod posting;
mod round;

pub use card::card;
pub use posting::Posting;
pub use round::start;
