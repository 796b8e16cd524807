//! The command line: the shared verbs, what only a terminal has, and settings above the environment.

use clap::{Args, Parser, Subcommand};

use super::platforms::{Discord, Slack};
use super::{outbox, settings};
use crate::service::verbs::Verb;

/// Durable workflow automation that lives in the chat
#[derive(Debug, Parser)]
#[command(name = "workflow", version, max_term_width = 100, propagate_version = true)]
pub struct CommandLine {
    #[command(flatten)]
    pub settings: Overrides,
    #[command(flatten)]
    pub server: Server,
    #[command(subcommand)]
    pub command: Command,
}

/// Settings above those of the environment and the file.
#[derive(Debug, Clone, Default, Args)]
pub struct Overrides {
    /// Where everything is kept [WORKFLOW_STORAGE_PATH]
    #[arg(long, global = true, value_name = "FOLDER", help_heading = "Settings")]
    pub storage: Option<String>,
    /// The configuration file [WORKFLOW_CONFIG]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    pub config: Option<String>,
    /// Any setting, as in the configuration file; may be given several times
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", help_heading = "Settings")]
    pub set: Vec<String>,
}

/// Where the command is carried out.
#[derive(Debug, Clone, Default, Args)]
pub struct Server {
    /// Ask the running service at this address, as http://127.0.0.1:8080, instead of this machine's storage path; its
    /// token is WORKFLOW_API_TOKEN
    #[arg(long, global = true, value_name = "URL", help_heading = "Settings")]
    pub server: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    #[command(flatten)]
    Verb(Verb),
    /// Run the service: carry on what is open, and keep running until SIGTERM or Ctrl-C
    Serve,
    /// Chat with the workflows at this terminal, without a server
    Chat,
    /// Print the settings in force, and where each comes from
    Config(settings::Show),
    /// What Discord needs to be set up
    #[command(subcommand)]
    Discord(Discord),
    /// Say whether a `workflow` process owns the storage path and answers
    Health,
    /// List messages to people that are on their way or were given up; `retry` and `drop` deal with one
    Outbox(outbox::Outbox),
    /// Look whether the storage path keeps what is promised: histories without gaps, nothing forgotten, every file whole;
    /// and whether the chat platforms that are set up allow what is needed
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// What Slack needs to know of the app
    #[command(subcommand)]
    Slack(Slack),
}
