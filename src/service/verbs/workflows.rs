//! What can be done with workflows.

use std::path::PathBuf;

use clap::Args;

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

/// A workflow.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Named {
    /// The workflow's name
    pub workflow: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `diff`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Diff {
    /// The workflow's name
    pub workflow: String,
    /// The older version, by its number
    pub from: u32,
    /// The newer version; without it the one in use
    pub to: Option<u32>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `revert`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Revert {
    /// The workflow's name
    pub workflow: String,
    /// The version, by its number
    pub rev: u32,
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
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write inputs as key=value, and files as --file PATH")?;
    let name = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if name { Ok((key.to_owned(), value.to_owned())) } else { Err(format!("`{key}` is not the name of an input")) }
}
