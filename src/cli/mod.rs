//! The terminal: reads a command line, asks the front desk, prints. Exit codes: 0 done or completed, 1 failed,
//! 2 wrong use, 3 cancelled, 4 timed out, 74 the disk failed.

mod ask;
mod chat;
mod check;
mod control;
mod desk;
mod doctor;
mod exit;
mod inbox;
mod line;
mod outbox;
mod people;
mod platforms;
mod print;
mod run;
mod schedule;
mod serve;
mod settings;
mod there;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;
use desk::Desk;
use exit::{DISK_FAILED, DONE, FAILED, WRONG_USE, disk_failed, exit_code, refusal_code};
use line::{Command, CommandLine};
use people::caller;

use crate::app::{telemetry, trial};
use crate::service::verbs::Verb;

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
    trial::arm();
    telemetry::start(&config, !matches!(line.command, Command::Serve));
    match line.command {
        Command::Serve => serve::serve(&config).await,
        Command::Chat => chat::chat(&config).await,
        Command::Config(show) => settings::show(&config, &show),
        Command::Doctor { json } => doctor::doctor(&config, json).await,
        Command::Slack(asked) => platforms::slack(&asked),
        Command::Discord(asked) => platforms::discord(&config, &asked).await,
        Command::Health => control::health(&Desk::of(&config, &line.server).await?).await,
        Command::Outbox(args) => outbox::outbox(&Desk::of(&config, &line.server).await?, args).await,
        Command::Verb(verb) => Box::pin(say(&Desk::of(&config, &line.server).await?, verb)).await,
    }
}

async fn say(desk: &Desk<'_>, verb: Verb) -> Ended {
    match verb {
        Verb::Run(args) => run::run(desk, args).await,
        Verb::Resume(args) => control::resume(desk, args).await,
        Verb::Pause(args) => control::pause(desk, args).await,
        Verb::Cancel(args) => control::cancel(desk, args).await,
        Verb::Retry(args) => control::retry(desk, args).await,
        Verb::Status(args) => ask::status(desk, &args).await,
        Verb::History(args) => ask::history(desk, &args).await,
        Verb::Logs(args) => ask::logs(desk, &args).await,
        Verb::Explain(args) => ask::explain(desk, &args).await,
        Verb::Output(args) => ask::output(desk, &args).await,
        Verb::Rerun(args) => control::rerun(desk, args).await,
        Verb::Answer(args) => control::answer(desk, args).await,
        Verb::Approve(args) => control::decide(desk, args, true).await,
        Verb::Reject(args) => control::decide(desk, args, false).await,
        Verb::Bulk(args) => control::bulk(desk, args).await,
        Verb::Rollback(args) => control::rollback(desk, args).await,
        Verb::Skip(args) => control::skip(desk, args).await,
        Verb::Signal(args) => control::signal(desk, &args).await,
        Verb::Inbox(args) => inbox::inbox(desk, args.json).await,
        Verb::Link(args) => people::link(&args),
        Verb::People(args) => people::people(desk, args).await,
        Verb::Audit(args) => people::audit(desk, args).await,
        Verb::Whoami(args) => inbox::whoami(desk, args.json),
        Verb::Search(args) => ask::search(desk, &args).await,
        Verb::List(args) => check::list(desk, args.json).await,
        Verb::Templates(args) => check::templates(desk, &args).await,
        Verb::Show(args) => check::show(desk, &args.name).await,
        Verb::Versions(args) => check::versions(desk, &args).await,
        Verb::Diff(args) => check::diff(desk, &args).await,
        Verb::Revert(args) => check::revert(desk, &args).await,
        Verb::Schedule(args) => schedule::schedule(desk, args).await,
        Verb::Trigger(args) => schedule::trigger(desk, args).await,
        Verb::Plan(args) => check::plan(desk, &args).await,
        Verb::Validate(args) => check::validate(desk, &args).await,
    }
}
