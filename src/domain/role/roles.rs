//! Roles, standings, and the actions that they are for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What somebody may do where no rule of a workflow says otherwise. Each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Nothing, but what a workflow allows by name.
    #[default]
    None,
    /// Reads.
    Viewer,
    /// Starts workflows, answers, and steers what they started.
    Runner,
    /// Steers what anybody started, approves and rejects.
    Operator,
    /// Changes workflows.
    Editor,
    /// Everything, people included.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 6] = [Self::None, Self::Viewer, Self::Runner, Self::Operator, Self::Editor, Self::Admin];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Viewer => "viewer",
            Self::Runner => "runner",
            Self::Operator => "operator",
            Self::Editor => "editor",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|role| role.word() == text);
        found.ok_or_else(|| format!("`{text}` is no role: they are {}", Self::ALL.map(Self::word).join(", ")))
    }
}

/// How somebody belongs to the place in which they speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is theirs: the terminal and the page of this instance.
    Owner,
    /// A full member of a workspace whose owner installed the bot.
    Member,
    /// Somebody whom that workspace lets in with restrictions.
    #[default]
    Guest,
    /// Somebody of another workspace.
    Foreign,
}

impl Standing {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Member => "member",
            Self::Guest => "guest",
            Self::Foreign => "foreign",
        }
    }
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Ask for help, ask who one is, say a code.
    Help,
    /// Read.
    View,
    /// Start a workflow, anew or with the inputs of an earlier run.
    Start,
    /// Give a run what it asks for.
    Answer,
    /// Stop a run at the next step.
    Pause,
    /// Let it go on.
    Resume,
    /// End it.
    Cancel,
    /// Run again what failed.
    Retry,
    /// Leave a step out.
    Skip,
    /// Leave a step out that waits for a decision, or would.
    SkipApproval,
    /// Send an event.
    Signal,
    /// Take back what was done.
    RollBack,
    /// Do the same to many runs.
    Bulk,
    /// Say when a workflow starts by itself.
    Schedule,
    /// Approve what a run asks for.
    Approve,
    /// Reject it.
    Reject,
    /// Change a workflow.
    Edit,
    /// Look into the instance itself: its health, and who did what.
    Examine,
    /// Say who is who.
    People,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Help,
        Self::View,
        Self::Start,
        Self::Answer,
        Self::Pause,
        Self::Resume,
        Self::Cancel,
        Self::Retry,
        Self::Skip,
        Self::SkipApproval,
        Self::Signal,
        Self::RollBack,
        Self::Bulk,
        Self::Schedule,
        Self::Approve,
        Self::Reject,
        Self::Edit,
        Self::Examine,
        Self::People,
    ];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Help => "help",
            Self::View => "show",
            Self::Start => "run",
            Self::Answer => "answer",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::SkipApproval => "skip of an approval",
            Self::Signal => "signal",
            Self::RollBack => "rollback",
            Self::Bulk => "bulk",
            Self::Schedule => "schedule",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Edit => "edit",
            Self::Examine => "audit",
            Self::People => "people",
        }
    }

    /// The least role that may do it to what somebody else started, where no rule says otherwise.
    #[must_use]
    pub const fn needs(self) -> Role {
        match self {
            Self::Help => Role::None,
            Self::View => Role::Viewer,
            Self::Start | Self::Answer => Role::Runner,
            Self::Pause
            | Self::Resume
            | Self::Cancel
            | Self::Retry
            | Self::Skip
            | Self::Signal
            | Self::RollBack
            | Self::Bulk
            | Self::Schedule
            | Self::Approve
            | Self::Reject => Role::Operator,
            // Whoever may leave an approval out may as well take it out of the file.
            Self::SkipApproval | Self::Edit => Role::Editor,
            Self::Examine | Self::People => Role::Admin,
        }
    }

    /// Whether who started a run may do it to that run.
    pub(super) const fn is_steering(self) -> bool {
        matches!(
            self,
            Self::Pause | Self::Resume | Self::Cancel | Self::Retry | Self::Skip | Self::Signal | Self::RollBack
        )
    }
}
