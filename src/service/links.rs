//! Connections to the outside that stay open: whether each is there, since when, and what went through it. Doors write
//! it, operators read it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::domain::time::Timestamp;

/// How a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// It is being made.
    Connecting,
    /// It is there.
    Up,
    /// It is not, and is tried again.
    Down,
    /// It is not, and will not be before somebody does something.
    Refused,
}

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LinkView {
    /// What it leads to: `slack T01ACMETEAM`, `discord`.
    pub name: String,
    /// How it stands.
    pub state: LinkState,
    /// Since when; RFC 3339.
    pub since: String,
    /// Why it is not there, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is missing that would make it better: a scope, an intent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Things that came in.
    pub received: u64,
    /// Things that were sent.
    pub sent: u64,
    /// Sends that failed.
    pub failed: u64,
}

/// What is counted on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Something came in.
    Received,
    /// Something was sent.
    Sent,
    /// A send failed.
    Failed,
}

/// The connections of this process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Links {
    links: Arc<Mutex<BTreeMap<String, LinkView>>>,
}

impl Links {
    /// Notes how a connection stands; one that is not known yet is known from now on.
    pub fn set(&self, name: &str, state: LinkState, reason: Option<&str>, now: Timestamp) {
        let mut links = self.links();
        let link = links.entry(name.to_owned()).or_insert_with(|| fresh(name, now));
        if link.state != state {
            link.state = state;
            link.since = now.to_string();
        }
        link.reason = reason.map(str::to_owned);
    }

    /// Notes what is missing that would make a connection better; what was missing before and is not named is there now.
    pub fn missing(&self, name: &str, missing: Vec<String>) {
        if let Some(link) = self.links().get_mut(name) {
            link.missing = missing;
        }
    }

    /// A connection is none any more.
    pub fn forget(&self, name: &str) {
        self.links().remove(name);
    }

    /// Counts something that went through, or did not.
    pub fn count(&self, name: &str, what: Count) {
        if let Some(link) = self.links().get_mut(name) {
            match what {
                Count::Received => link.received += 1,
                Count::Sent => link.sent += 1,
                Count::Failed => link.failed += 1,
            }
        }
    }

    /// All of them, by name.
    #[must_use]
    pub fn all(&self) -> Vec<LinkView> {
        self.links().values().cloned().collect()
    }

    fn links(&self) -> MutexGuard<'_, BTreeMap<String, LinkView>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fresh(name: &str, now: Timestamp) -> LinkView {
    LinkView {
        name: name.to_owned(),
        state: LinkState::Connecting,
        since: now.to_string(),
        reason: None,
        missing: Vec::new(),
        received: 0,
        sent: 0,
        failed: 0,
    }
}
