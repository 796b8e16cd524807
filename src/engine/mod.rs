//! Carries runs: takes what is due, starts attempts, commits what follows. Holds no rules: the machine decides.
//!
//! One task carries one run at a time (`carrier`), so a run's commits are in order without a lock; `turns`
//! knows who carries what, who waits for a place, and what is due later. There is no recovery code beside this
//! path: a start reads which runs are open and carries on.

mod attempt;
mod cached;
mod carried;
mod carrier;
mod ending;
mod facts;
mod feed;
mod keeping;
mod ledger;
mod local;
mod looped;
mod nested;
mod offers;
mod plans;
mod reception;
mod suspects;
mod tidy;
mod turns;
mod values;

use serde_json::value::RawValue;

pub use feed::{Feed, Notice};
pub use ledger::{Deed, How, deeds};
pub use local::{Engine, EngineError, Line, Settings};
pub use nested::{Kin, Parent, Pin};
pub use plans::{Plans, RevisionError};
pub use tidy::Retention;
pub use turns::queue::Standing;
pub use values::{DEEPEST, deeper_than, take_up, unpack};

use local::Inner;

/// JSON that is written as it is.
///
/// # Panics
/// Never for JSON values and plain structs: their keys are strings.
#[must_use]
pub fn raw(value: &impl serde::Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("JSON values have string keys and serialise always")
}
