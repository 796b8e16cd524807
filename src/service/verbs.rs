//! The verbs as people type them: one definition for the terminal and, with another prefix, for a chat.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What can be typed.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Verb {
    /// Run a workflow and watch it to its end
    Run(Run),
    /// Show an execution: its steps, how far it is, why it failed
    Status(MaybeExecution),
    /// List executions, newest first
    History(History),
    /// Show what happened in an execution, in order
    Logs(Logs),
    /// Say why an execution started, waits, failed, or left something out
    Explain(Execution),
    /// Show the outputs of an execution, or of one of its steps
    Output(Output),
    /// Stop an execution at the next step boundary
    Pause(Execution),
    /// Let a paused execution go on; without an id, carry on everything that a crash interrupted
    Resume(MaybeExecution),
    /// End an execution; what is in flight is stopped within ten seconds
    Cancel(Cancel),
    /// Run failed steps again, or one step and all that depends on it
    Retry(Retry),
    /// Start a new execution with the inputs of an earlier one, some of them changed
    Rerun(Rerun),
    /// Answer what a waiting execution asks
    Answer(Answer),
    /// Approve what a waiting execution asks for
    Approve(Decide),
    /// Reject what a waiting execution asks for
    Reject(Decide),
    /// Take back what an execution has done, newest first, as far as it can be taken back
    Rollback(Rollback),
    /// Leave a step out and go on without it
    Skip(Skip),
    /// Send an event to an execution that waits for it, or will
    Signal(Signal),
    /// List what waits for somebody: questions, approvals, and executions that failed
    Inbox(Inbox),
    /// Say who asks, and through which door
    Whoami(Whoami),
    /// Search the documents that workflows have stored
    Search(Search),
    /// List the workflows that can be run
    List(Listing),
    /// List templates, or step types with `--types`
    Templates(Templates),
    /// Show a workflow's file, or what a step type takes and gives
    Show(Name),
    /// Show what a run would do, step by step; runs nothing
    Plan(PlanArgs),
    /// Check workflow files and report every problem
    Validate(Validate),
}

/// `run`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Run {
    /// The workflow's name, or the path of a workflow file
    pub workflow: String,
    /// Inputs, as `key=value`
    #[arg(value_name = "KEY=VALUE", value_parser = pair)]
    pub inputs: Vec<(String, String)>,
    /// Files to work on: one execution for each. They stand last, after the inputs
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub file: Vec<PathBuf>,
    /// Take no earlier result, whatever the `cache` of a step says
    #[arg(long)]
    pub fresh: bool,
    /// Print one JSON object for each execution and nothing else
    #[arg(long)]
    pub json: bool,
}

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

/// `logs`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Logs {
    /// The execution's id, a unique beginning of it, or `last`
    #[arg(default_value = "last")]
    pub execution: String,
    /// Only what concerns this step, by its id or its place from 0
    #[arg(long)]
    pub step: Option<String>,
    /// Only the last lines, this many
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub tail: Option<u32>,
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

/// `inbox`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Inbox {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `whoami`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Whoami {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `history`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct History {
    /// Only executions of this workflow
    pub workflow: Option<String>,
    /// Only executions with this status
    #[arg(long, value_parser = ["queued", "running", "waiting", "pausing", "paused", "cancelling", "completed", "failed", "cancelled", "timed_out"])]
    pub status: Option<String>,
    /// How many at the most
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `output`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Output {
    /// The execution's id, a unique beginning of it, or `last`
    #[arg(default_value = "last")]
    pub execution: String,
    /// One output of the execution, printed bare when it is a text
    #[arg(conflicts_with = "step")]
    pub wanted: Option<String>,
    /// A step, by its id
    #[arg(long)]
    pub step: Option<String>,
    /// One output of it, printed bare when it is a text
    #[arg(long, requires = "step")]
    pub name: Option<String>,
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

/// `search`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Search {
    /// Words to look for
    #[arg(required = true)]
    pub words: Vec<String>,
    /// How many documents at the most
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub limit: u32,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `list`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Listing {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `templates`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Templates {
    /// List step types instead
    #[arg(long)]
    pub types: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `show`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Name {
    /// A workflow or a step type
    pub name: String,
}

/// `plan`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct PlanArgs {
    /// The workflow's name, or the path of a workflow file
    pub workflow: String,
    /// Inputs, as `key=value`
    #[arg(value_name = "KEY=VALUE", value_parser = pair)]
    pub inputs: Vec<(String, String)>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `validate`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Validate {
    /// Workflow files
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Hold warnings to be errors
    #[arg(long)]
    pub strict: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `key=value`, the key a name and the value anything.
fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write inputs as key=value, and files as --file PATH")?;
    let name = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if name { Ok((key.to_owned(), value.to_owned())) } else { Err(format!("`{key}` is not the name of an input")) }
}
