//! What went wrong, in a form that people, programs and the journal can all keep.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::code::Code;
use super::time::Span;

/// Whether trying again can help. Decided where the fault is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Again {
    /// Another attempt may succeed; not before `after` where the other side said so.
    Transient {
        /// The wait that the other side asked for (`Retry-After`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Span>,
    },
    /// The same attempt would fail again.
    Permanent,
}

/// A fault: code, public text, place, and private context. Stored with the step that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The stable code; its page explains it.
    pub code: Code,
    /// One sentence without a full stop: what is wrong, with the thing in backticks.
    pub message: String,
    /// Where: `file:line:column`, a step id, or a config key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// For the log and the operator, never for a chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Whether another attempt can help.
    pub again: Again,
}

impl Fault {
    /// A fault that another attempt would meet again.
    #[must_use]
    pub fn permanent(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place: None, fix: None, context: None, again: Again::Permanent }
    }

    /// A fault that another attempt may not meet.
    #[must_use]
    pub fn transient(code: Code, message: impl Into<String>) -> Self {
        Self { again: Again::Transient { after: None }, ..Self::permanent(code, message) }
    }

    /// The same fault, telling what to do about it.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// The same fault, telling where it is.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// The same fault with private context for the log.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.context = Some(context.to_string());
        self
    }

    /// The same fault, not to be tried again before `span` has passed.
    #[must_use]
    pub fn after(mut self, span: Span) -> Self {
        self.again = Again::Transient { after: Some(span) };
        self
    }

    /// What to do: the fault's own advice, else that of its code.
    #[must_use]
    pub fn remedy(&self) -> &str {
        self.fix.as_deref().unwrap_or(self.code.remedy())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.message)?;
        if let Some(place) = &self.place {
            write!(f, " ({place})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}
