//! Rules in conversations: files, words and reactions that start workflows, because a trigger of a workflow waits for them.
//!
//! `drops`, `words` and `reactions` bring what people do to the front desk, which decides; `asks` is for the questions of a rule,
//! `undo` for the moment after. `flood` keeps the one message about many files up to date, `digest` draws it.

mod asks;
mod digest;
mod drops;
mod flood;
mod reactions;
mod undo;
mod words;

pub use asks::{How, pressed};
pub use digest::What;
pub use drops::dropped;
pub use flood::{Floods, keep, pressed as decided, settled};
pub use reactions::reacted;
pub use undo::{undo, until as undo_until};
pub use words::heard;
