//! The terminal: reads a command line, asks the front desk, prints. Exit codes: 0 done or completed, 1 failed,
//! 2 wrong use, 3 cancelled, 4 timed out, 74 the disk failed.

mod ask;
mod check;
mod control;
mod line;
mod print;
mod run;
mod serve;
mod settings;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;
use line::{Command, CommandLine};

use crate::app::telemetry;
use crate::config::Config;
use crate::service::{Caller, ServiceError, verbs::Verb};

/// Everything went well.
const DONE: u8 = 0;
/// It was tried and failed.
const FAILED: u8 = 1;
/// It could not be tried: wrong words, no such thing, a file with errors.
const WRONG_USE: u8 = 2;
/// The disk failed under the store; the next start carries on.
const DISK_FAILED: u8 = 74;

/// What a command ends with: an exit code, or a message for people on standard error.
type Ended = anyhow::Result<u8>;

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    // The only fallible step is that somebody installed another provider before, and that is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let line = CommandLine::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return print::failure(&error.into()),
    };
    let ended = runtime.block_on(dispatch(line));
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(error) => print::failure(&error),
    }
}

async fn dispatch(line: CommandLine) -> Ended {
    let config = settings::load(&line.settings)?;
    telemetry::start(&config, !matches!(line.command, Command::Serve));
    match line.command {
        Command::Serve => serve::serve(&config).await,
        Command::Config(show) => settings::show(&config, &show),
        Command::Health => control::health(&config).await,
        Command::Verb(verb) => say(&config, verb).await,
    }
}

async fn say(config: &Config, verb: Verb) -> Ended {
    match verb {
        Verb::Run(args) => run::run(config, args).await,
        Verb::Resume(args) => control::resume(config, args).await,
        Verb::Pause(args) => control::pause(config, args).await,
        Verb::Cancel(args) => control::cancel(config, args).await,
        Verb::Retry(args) => control::retry(config, args).await,
        Verb::Status(args) => ask::status(config, &args).await,
        Verb::History(args) => ask::history(config, args).await,
        Verb::Logs(args) => ask::logs(config, &args).await,
        Verb::Output(args) => ask::output(config, &args).await,
        Verb::Search(args) => ask::search(config, &args).await,
        Verb::List(args) => check::list(config, args.json).await,
        Verb::Templates(args) => check::templates(config, &args).await,
        Verb::Show(args) => check::show(config, &args.name).await,
        Verb::Plan(args) => check::plan(config, &args).await,
        Verb::Validate(args) => check::validate(config, &args).await,
    }
}

/// Who sits at this terminal.
fn caller() -> Caller {
    Caller { door: crate::service::TERMINAL, name: crate::config::user_name(), channel: None }
}

/// The exit code for an execution's status.
fn exit_code(status: &str) -> u8 {
    match status {
        "completed" => DONE,
        "cancelled" => 3,
        "timed_out" => 4,
        _ => FAILED,
    }
}

/// The exit code for a refusal of the front desk.
fn refusal_code(error: &ServiceError) -> u8 {
    match error {
        ServiceError::NotFound { .. }
        | ServiceError::Ambiguous { .. }
        | ServiceError::Definition(_)
        | ServiceError::Inputs(_)
        | ServiceError::Refused(_) => WRONG_USE,
        ServiceError::Disk(_) => DISK_FAILED,
        ServiceError::Stopping | ServiceError::Internal(_) => FAILED,
    }
}

/// Says so, and gives the exit code for it.
fn disk_failed() -> u8 {
    print::aside("the store failed; nothing that was reported is lost, and the next start carries on");
    DISK_FAILED
}
