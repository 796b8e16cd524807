//! Waiting for one's turn: which runs may be under way together, and who comes first.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// Who comes first when there are fewer places than runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// After the others.
    Low,
    /// In the order of arrival.
    #[default]
    Normal,
    /// Before the others.
    High,
}

impl Priority {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_normal(&self) -> bool {
        *self == Self::Normal
    }
}

/// What becomes of a run whose group has no room for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// It waits for its turn.
    #[default]
    Queue,
    /// It is recorded as cancelled and does nothing.
    Skip,
    /// It takes the place of the oldest, which is cancelled.
    Replace,
    /// It is not accepted.
    Reject,
}

/// Which runs of a workflow may be under way together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concurrency {
    /// Template scalar over inputs and vars: runs of one group share its limit, whatever their workflow.
    pub group: String,
    /// How many are under way at the same time.
    pub limit: u32,
    /// What becomes of further ones.
    pub overflow: Overflow,
    /// How many may wait.
    pub queue_max: Option<u32>,
    /// Of those that wait, the newest goes first.
    pub newest_first: bool,
}

/// What attempts of a step share with those of other steps: a rate-limited service, a licence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Template scalar over all that the step sees: attempts of one group share its limit, whatever their workflow.
    pub group: String,
    /// How many are in flight at the same time.
    pub limit: u32,
}

/// A group and how it lets runs through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// How many runs are under way at the same time.
    pub limit: u32,
    /// Of those that wait, the newest goes first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub newest_first: bool,
}

/// Where a run waits for its turn.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lane {
    /// Its group, if its workflow has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// Who comes first.
    #[serde(default, skip_serializing_if = "Priority::is_normal")]
    pub priority: Priority,
    /// When it has waited too long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// For whom a run is, as far as turns go: a house (a workspace of a chat platform, this instance, all triggers) and
/// somebody in it. A hash each: who shares one by chance takes turns as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Claimant {
    /// The house.
    pub house: u64,
    /// Somebody in it.
    pub person: u64,
}

impl Claimant {
    /// What started it by itself; else somebody, as nobody else is called: `ana`, or `slack:T01/U01`.
    #[must_use]
    pub fn of(trigger: Option<&str>, identity: &str) -> Self {
        if let Some(trigger) = trigger {
            return Self { house: hash("triggers/"), person: hash(trigger) };
        }
        let house = identity.rsplit_once('/').map_or("", |(house, _)| house);
        Self { house: hash(house), person: hash(identity) }
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
