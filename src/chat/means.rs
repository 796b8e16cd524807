//! What everything in this room works with.

use std::collections::HashMap;
use std::sync::Arc;

use super::actions::{Action, Signer};
use super::adapter::{Address, ChatAdapter, SendError};
use super::rules::Floods;
use super::who::ChannelNames;
use crate::domain::time::{Span, Timestamp};
use crate::service::Service;
use crate::service::conversations::Conversations;

/// What becomes of documents that are dropped without a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FileMode {
    /// As it is usual at the place: they start their workflow in a direct conversation and in the web chat, elsewhere
    /// their bringer is asked.
    #[default]
    ByPlace,
    /// They start their workflow everywhere.
    Auto,
    /// Their bringer is asked everywhere.
    Ask,
    /// Nothing.
    Off,
}

/// Things that wait for their answer, usually. Each is a message of a person: so many are a flood, and the last of them
/// would be answered after minutes.
const WAITING: usize = 10_000;

/// How the chat behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// What becomes of dropped documents.
    pub file_mode: FileMode,
    /// Things that wait for their answer at the most; whoever brings another one waits, or is told that nothing was begun.
    pub waiting: usize,
    /// How long what a rule started on a file or a reaction can be undone by a press; zero: it cannot.
    pub undo_window: Span,
}

impl Default for Settings {
    fn default() -> Self {
        Self { file_mode: FileMode::default(), waiting: WAITING, undo_window: Span::ZERO }
    }
}

/// The means.
pub struct Means {
    pub service: Service,
    pub keeper: Conversations,
    pub signer: Signer,
    pub settings: Settings,
    pub adapters: HashMap<&'static str, Arc<dyn ChatAdapter>>,
    /// Which channels the names of rules mean.
    pub channels: ChannelNames,
    /// The messages about many files.
    pub floods: Floods,
}

impl Means {
    /// The adapter of an address.
    pub fn adapter(&self, address: &Address) -> Result<&Arc<dyn ChatAdapter>, SendError> {
        let missing = || SendError::Refused(format!("nothing here speaks `{}`", address.platform));
        self.adapters.get(address.platform.as_str()).ok_or_else(missing)
    }

    pub fn now(&self) -> Timestamp {
        self.service.now()
    }

    /// The action as a button carries it.
    pub fn sign(&self, action: &Action) -> String {
        self.signer.sign(action, self.now())
    }
}
