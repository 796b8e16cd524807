//! What can be asked about executions and documents.

use clap::Args;

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
