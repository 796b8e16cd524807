//! Words of the wire read back: a client of a running service speaks with the same types as the service itself.

use serde::{Deserialize as _, Deserializer};

use crate::domain::code::Code;

/// A word out of a closed set. (Under this name serde does not try to borrow it from what it reads.)
pub type Word = &'static str;

/// Every word that a status can be, of executions, steps and workflows.
const STATUSES: [&str; 16] = [
    "queued",
    "running",
    "waiting",
    "pausing",
    "paused",
    "cancelling",
    "completed",
    "failed",
    "cancelled",
    "timed_out",
    "pending",
    "retrying",
    "skipped",
    "active",
    "archived",
    "created",
];

/// A status. A word that this version does not know (the service may be newer) is `unknown`.
pub(super) fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    let word = String::deserialize(deserializer)?;
    Ok(STATUSES.iter().find(|status| **status == word).copied().unwrap_or("unknown"))
}

/// An error code.
pub(super) fn code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
    Ok(Code::deserialize(deserializer)?.id())
}
