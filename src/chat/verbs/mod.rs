//! The verbs: which function answers which. The words themselves stand in `service::verbs`.

mod ask;
mod control;
mod help;
mod list;
mod people;
mod refuse;
mod run;
mod show;
mod triggers;

use super::talk::{No, Reply, Talk};
use crate::domain::role::Action;
use crate::service::FileRecord;
use crate::service::verbs::Verb;

pub use control::act;
pub use help::help;
pub use refuse::{refused, troubled};
pub use run::{give, rerun_with, start_on_files};

/// Answers a verb.
pub async fn ask(talk: &Talk<'_>, verb: Verb, files: Vec<FileRecord>) -> Result<Reply, No> {
    if !matches!(verb, Verb::Whoami(_) | Verb::Link(_)) {
        talk.means.service.welcome(&talk.caller, Action::View).await?;
    }
    match verb {
        Verb::Run(args) => run::run(talk, args, files).await,
        Verb::Rerun(args) => run::rerun(talk, args, files).await,
        Verb::Answer(args) => run::answer(talk, &args, files).await,
        Verb::Approve(args) => control::decide(talk, args, true).await,
        Verb::Reject(args) => control::decide(talk, args, false).await,
        Verb::Bulk(args) => control::bulk(talk, &args).await,
        Verb::Rollback(args) => control::rollback(talk, &args).await,
        Verb::Skip(args) => control::skip(talk, &args).await,
        Verb::Signal(args) => control::signal(talk, &args).await,
        Verb::Pause(args) => control::pause(talk, &args).await,
        Verb::Resume(args) => control::resume(talk, &args).await,
        Verb::Cancel(args) => control::cancel(talk, args).await,
        Verb::Retry(args) => control::retry(talk, &args).await,
        Verb::Status(args) => ask::status(talk, args.execution.as_deref()).await,
        Verb::Logs(args) => ask::logs(talk, &args).await,
        Verb::Explain(args) => ask::explain(talk, &args).await,
        Verb::Output(args) => ask::output(talk, &args).await,
        Verb::Search(args) => ask::search(talk, &args).await,
        Verb::History(args) => list::history(talk, args).await,
        Verb::List(_) => list::list(talk).await,
        Verb::Templates(args) => list::templates(talk, args.types).await,
        Verb::Inbox(_) => list::inbox(talk).await,
        Verb::Show(args) => show::show(talk, &args.name).await,
        Verb::Versions(args) => show::versions(talk, &args).await,
        Verb::Diff(args) => show::diff(talk, &args).await,
        Verb::Revert(args) => show::revert(talk, &args).await,
        Verb::Schedule(args) => triggers::schedule(talk, args).await,
        Verb::Trigger(args) => triggers::trigger(talk, args).await,
        Verb::Plan(args) => show::plan(talk, &args).await,
        Verb::Validate(args) => show::validate(talk, &args, files).await,
        Verb::Whoami(_) => people::whoami(talk).await,
        Verb::Link(args) => people::link(talk, &args).await,
        Verb::People(args) => people::people(talk, &args).await,
        Verb::Audit(args) => people::audit(talk, &args).await,
    }
}
