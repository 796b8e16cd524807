//! Who asks, and where a run came from: kept with the run as JSON, which only grows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::id::RunId;
use crate::engine::Pin;

/// The door of a machine's own terminal. Only it may name files of the machine.
pub const TERMINAL: &str = "terminal";
/// The door behind which somebody sits who can be asked for what is missing.
pub const CHAT: &str = "chat";

/// Who asks, and through which door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Caller {
    /// The door: `terminal`, `chat`, `api`, `page`.
    pub door: &'static str,
    /// The name by which history calls them.
    pub name: String,
    /// The channel in which they asked, if they did so in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

impl Caller {
    /// The same caller, with why they ask: history keeps it beside the name.
    #[must_use]
    pub fn because(mut self, reason: Option<&str>) -> Self {
        if let Some(reason) = reason {
            let reason: String = reason.chars().take(200).collect();
            self.name = format!("{} (\"{reason}\")", self.name);
        }
        self
    }
}

/// Where a run came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Origin {
    /// The door.
    pub door: String,
    /// Who started it.
    pub name: String,
    /// In which channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The run that this one repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub rerun_of: Option<RunId>,
    /// The execution whose effects it takes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub rolls_back: Option<RunId>,
    /// The execution that began it, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub began_by: Option<RunId>,
    /// The trigger that started it, as `workflow/name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// How many executions stand behind it that were started by the end or an event of the one before.
    #[serde(skip_serializing_if = "is_none")]
    pub depth: u32,
    /// No step takes an earlier result.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fresh: bool,
    /// The versions of the workflows that its steps begin, as they were when it was started.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object)]
    pub pins: BTreeMap<String, Pin>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
const fn is_none(depth: &u32) -> bool {
    *depth == 0
}

impl Origin {
    pub(super) fn of(caller: &Caller) -> Self {
        let Caller { door, name, channel } = caller.clone();
        Self { door: door.to_owned(), name, channel, ..Self::default() }
    }
}
