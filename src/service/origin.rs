//! Where a run came from: kept with the run as JSON, which only grows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::people::Caller;
use crate::domain::id::RunId;
use crate::engine::Pin;

/// The door of a machine's own terminal. Only it may name files of the machine.
pub const TERMINAL: &str = "terminal";
/// The door behind which somebody sits who can be asked for what is missing.
pub const CHAT: &str = "chat";

/// Where a run came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Origin {
    /// The door.
    pub door: String,
    /// What who started it is called, for show.
    pub name: String,
    /// Who started it, as nobody else is called; absent where an earlier version wrote it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub identity: String,
    /// What the platform calls them, where they have a name here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// In which channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The workspace or server from which they came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
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
    /// What the trigger made of it, as `file letter.pdf`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occasion: Option<String>,
    /// Who did what the trigger waited for, where it was started in somebody else's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brought_by: Option<String>,
    /// It was started by something that is easily done by mistake: for a moment it can be undone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub undoable: bool,
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
        let Caller { door, name, channel, .. } = caller.clone();
        let subject = caller.subject();
        let (identity, account) = (subject.identity.clone(), subject.alias.clone());
        let home = subject.home.clone();
        Self { door: door.to_owned(), name, channel, identity, account, home, ..Self::default() }
    }

    /// Whether this is who started it. Whoever was given a name meanwhile, or lost it, is still the same.
    #[must_use]
    pub fn is_of(&self, caller: &Caller) -> bool {
        let subject = caller.subject();
        let identity = if self.identity.is_empty() { &self.name } else { &self.identity };
        subject.is(identity) || self.account.as_deref().is_some_and(|account| subject.is(account))
    }
}
