//! What can be done to executions.

use clap::Args;

use super::super::BulkAct;
use super::workflows::pair;

/// Verbs about one execution.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Execution {
    /// The execution's id, a unique beginning of it, or `last`
    #[arg(default_value = "last")]
    pub execution: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `status` and `resume`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct MaybeExecution {
    /// The execution's id, a unique beginning of it, or `last`
    pub execution: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Cancel {
    /// The execution's id, a unique beginning of it, or `last`
    #[arg(default_value = "last")]
    pub execution: String,
    /// Why; kept with the name of who asks
    #[arg(long)]
    pub reason: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rerun`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Rerun {
    /// The execution's id, a unique beginning of it, or `last`
    #[arg(default_value = "last")]
    pub execution: String,
    /// Inputs that differ, as `key=value`
    #[arg(value_name = "KEY=VALUE", value_parser = pair)]
    pub inputs: Vec<(String, String)>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `answer`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Answer {
    /// The execution's id, a unique beginning of it, or `last`
    #[arg(default_value = "last")]
    pub execution: String,
    /// What it asks, as `key=value`
    #[arg(value_name = "KEY=VALUE", value_parser = pair)]
    pub inputs: Vec<(String, String)>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `approve` and `reject`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Decide {
    /// The execution's id, a unique beginning of it, or `last`
    #[arg(default_value = "last")]
    pub execution: String,
    /// The step that asks, where several do
    #[arg(long)]
    pub step: Option<String>,
    /// Why; kept with your name
    #[arg(long)]
    pub comment: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `skip`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Skip {
    /// The execution's id, a unique beginning of it, or `last`
    #[arg(default_value = "last")]
    pub execution: String,
    /// The step, by its id or its place from 0
    #[arg(long)]
    pub step: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `signal`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Signal {
    /// The execution's id, a unique beginning of it, or `last`
    pub execution: String,
    /// The event's name
    pub event: String,
    /// What comes with it, as `key=value`
    #[arg(value_name = "KEY=VALUE", value_parser = pair)]
    pub payload: Vec<(String, String)>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl Signal {
    /// What comes with the event: texts, unless they are JSON.
    #[must_use]
    pub fn payload(&self) -> serde_json::Value {
        let read =
            |text: &String| -> serde_json::Value { serde_json::from_str(text).unwrap_or_else(|_| text.clone().into()) };
        self.payload.iter().map(|(key, text)| (key.clone(), read(text))).collect()
    }
}

/// `retry`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Retry {
    /// The execution's id, a unique beginning of it, or `last`
    #[arg(default_value = "last")]
    pub execution: String,
    /// The step to run again, by its id or its place from 0; without it, every failed one
    #[arg(long)]
    pub step: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `bulk`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Bulk {
    /// What to do
    #[arg(value_enum)]
    pub act: BulkAct,
    /// Only executions of this workflow
    #[arg(long)]
    pub workflow: Option<String>,
    /// Only executions in this state
    #[arg(long)]
    pub status: Option<String>,
    /// Do it; without this the executions are only counted
    #[arg(long)]
    pub yes: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `rollback`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Rollback {
    /// The execution's id, a unique beginning of it, or `last`
    pub execution: String,
    /// Only what was done after this step
    #[arg(long, value_name = "STEP")]
    pub to: Option<String>,
    /// Show what was done and what of it can be taken back; do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask first, where that is done
    #[arg(long)]
    pub yes: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
