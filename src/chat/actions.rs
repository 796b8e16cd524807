//! What a press of a button means: signed, so that nobody can press a button that was never shown, and bound to the
//! state in which it was shown, so that an old one does nothing by surprise.

use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::rules::{How, What};
use crate::domain::hex;
use crate::domain::id::{FileId, RunId};
use crate::domain::time::{Span, Timestamp};

/// How long a button can be pressed, at the least.
const LIFE: Span = Span::from_secs(30 * 24 * 3_600);
/// Its end falls on a whole day: the same action has the same text all day, so that platforms whose buttons carry only a
/// short text need to keep it once.
const DAY: i64 = 24 * 3_600 * 1_000_000;
/// A longer action is no action of ours.
const LONGEST: usize = 64 * 1024;

/// What can be done to an execution by a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Stop at the next step boundary.
    Pause,
    /// Go on.
    Resume,
    /// End it; asks first when something reached outside.
    Cancel,
    /// End it, asked and confirmed.
    CancelAnyway,
    /// Run what failed again; asks first when the workflow has changed since.
    Retry,
    /// Run what failed again as it ran, asked and confirmed.
    RetryAsItRan,
    /// The same again as a new execution.
    Rerun,
    /// Show it.
    Details,
    /// Show its outputs.
    Outputs,
    /// Show what happened.
    Logs,
}

/// What a button does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Something to an execution.
    On {
        /// What.
        act: Act,
        /// Which.
        run: RunId,
        /// The end of the execution that the card showed; empty before its end. A button of an earlier end is stale.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        end: String,
    },
    /// Answers what an execution asks with the values of the form.
    Submit {
        /// The execution.
        run: RunId,
    },
    /// Starts the same again with what the form says; without a form, shows it.
    Again {
        /// The execution.
        run: RunId,
    },
    /// A line as if it were typed by whoever presses.
    Line(String),
    /// Starts a workflow on dropped files, one execution for each.
    Take {
        /// The workflow.
        workflow: String,
        /// The files.
        files: Vec<FileId>,
    },
    /// Answers what a rule asked about files.
    Rule {
        /// The rule; empty where several asked.
        trigger: String,
        /// What came of the files at first.
        firings: Vec<String>,
        /// The answer.
        how: How,
        /// What makes this question another one than the next about the same files.
        salt: String,
    },
    /// Answers the one question about many files.
    Flood {
        /// The question.
        flood: String,
        /// The answer.
        what: What,
    },
    /// Undoes what a rule has just started.
    Undo {
        /// The execution.
        run: RunId,
    },
    /// Answers a line for everybody, which was answered to one person before.
    Share(String),
    /// Puts an offer away.
    Ignore,
}

/// Why a press counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stale {
    /// It is none of our buttons.
    Foreign,
    /// It is one of ours, too old; what it would have done.
    Old(Action),
}

/// Signs actions with a key that this instance keeps. Cheap to clone.
#[derive(Clone)]
pub struct Signer {
    key: std::sync::Arc<str>,
}

impl Signer {
    /// A signer with this key.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self { key: key.into() }
    }

    /// The action as a button carries it.
    ///
    /// # Panics
    /// Never: actions are plain values.
    #[must_use]
    pub fn sign(&self, action: &Action, now: Timestamp) -> String {
        let until = now.plus(LIFE).micros() / DAY * DAY + DAY;
        let text = serde_json::to_string(action).expect("an action is made of texts and ids");
        format!("{}.{until}.{text}", self.seal(until, &text))
    }

    /// What a button does that is pressed now.
    ///
    /// # Errors
    /// It was never ours, or is too old.
    pub fn open(&self, signed: &str, now: Timestamp) -> Result<Action, Stale> {
        if signed.len() > LONGEST {
            return Err(Stale::Foreign);
        }
        let mut parts = signed.splitn(3, '.');
        let (seal, until, text) = (parts.next(), parts.next(), parts.next());
        let until = until.and_then(|until| until.parse::<i64>().ok()).ok_or(Stale::Foreign)?;
        let (seal, text) = seal.zip(text).ok_or(Stale::Foreign)?;
        if !bool::from(subtle::ConstantTimeEq::ct_eq(seal.as_bytes(), self.seal(until, text).as_bytes())) {
            return Err(Stale::Foreign);
        }
        let action = serde_json::from_str(text).map_err(|_| Stale::Foreign)?;
        if now.micros() > until { Err(Stale::Old(action)) } else { Ok(action) }
    }

    fn seal(&self, until: i64, text: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(until.to_string().as_bytes());
        mac.update(b".");
        mac.update(text.as_bytes());
        let bytes = mac.finalize().into_bytes();
        hex::of(&bytes[..16])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_764_929_100_000_000);

    #[test]
    fn only_a_button_that_was_shown_can_be_pressed_and_not_for_ever() {
        let signer = Signer::new("key");
        let action = Action::On { act: Act::Retry, run: RunId::from_bits(7), end: "2026".to_owned() };
        let signed = signer.sign(&action, NOW);
        assert_eq!(signer.open(&signed, NOW), Ok(action.clone()));
        assert_eq!(signer.sign(&action, NOW.plus(Span::from_secs(60))), signed, "the same for a while");
        assert_eq!(signer.open(&signed.replace("retry", "pause"), NOW), Err(Stale::Foreign));
        assert_eq!(Signer::new("other").open(&signed, NOW), Err(Stale::Foreign));
        for forged in ["", ".", "..", "0.0.{}", "\u{0}", &"x".repeat(100_000)] {
            assert_eq!(signer.open(forged, NOW), Err(Stale::Foreign), "{forged}");
        }
        let later = NOW.plus(Span::from_secs(32 * 24 * 3_600));
        assert_eq!(signer.open(&signed, later), Err(Stale::Old(action)));
    }
}
