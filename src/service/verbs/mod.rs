//! The verbs as people type them: one definition for the terminal and, with another prefix, for a chat.

mod asking;
mod people;
mod steering;
mod triggers;
mod workflows;

use clap::Subcommand;

use crate::domain::role::Action;

pub use asking::{History, Inbox, Logs, Output, Search, Whoami};
pub use people::{Audit, Link, People, PeopleAct, PeopleWish};
pub use steering::{Answer, Bulk, Cancel, Decide, Execution, MaybeExecution, Rerun, Retry, Rollback, Signal, Skip};
pub use triggers::{Explain, Schedule, ScheduleDo, Trigger, TriggerDo};
pub use workflows::{Diff, Listing, Name, Named, PlanArgs, Revert, Run, Templates, Validate};

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
    /// Say why an execution started, waits or failed, or why a trigger started something or did not
    Explain(Explain),
    /// Show the outputs of an execution, or of one of its steps
    Output(Output),
    /// Stop an execution at the next step boundary
    Pause(Execution),
    /// Let a paused execution go on; without an id, carry on everything that a crash interrupted
    Resume(MaybeExecution),
    /// End an execution; what is in flight is stopped within ten seconds
    Cancel(Cancel),
    /// Cancel or retry many executions; without `--yes` it only counts them
    Bulk(Bulk),
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
    /// Say who you are on this platform, with a code that an admin gave you
    Link(Link),
    /// Say who is who: list, add, role, code, unlink, remove
    People(People),
    /// List who did what through a chat, or was not let to, newest first
    Audit(Audit),
    /// Search the documents that workflows have stored
    Search(Search),
    /// List the workflows that can be run
    List(Listing),
    /// Tell the times of a schedule; list, add, pause and make up for schedules
    Schedule(Schedule),
    /// List what starts workflows by itself, switch it, fire it, say why it did or did not
    Trigger(Trigger),
    /// List templates, or step types with `--types`
    Templates(Templates),
    /// Show a workflow's file, or what a step type takes and gives
    Show(Name),
    /// List the versions of a workflow, newest first
    Versions(Named),
    /// Say what two versions of a workflow do differently, by steps and keys
    Diff(Diff),
    /// Put an earlier version of a workflow in use again; what runs keeps the one that it has
    Revert(Revert),
    /// Show what a run would do, step by step; runs nothing
    Plan(PlanArgs),
    /// Check workflow files and report every problem
    Validate(Validate),
}

/// What somebody does who says this verb. One that is not told here is for admins.
#[must_use]
pub fn action_of(verb: &str) -> Action {
    match verb {
        "help" | "whoami" | "link" => Action::Help,
        "run" | "rerun" => Action::Start,
        "answer" => Action::Answer,
        "pause" => Action::Pause,
        "resume" => Action::Resume,
        "cancel" => Action::Cancel,
        "retry" => Action::Retry,
        "skip" => Action::Skip,
        "signal" => Action::Signal,
        "rollback" => Action::RollBack,
        "bulk" => Action::Bulk,
        "approve" => Action::Approve,
        "reject" => Action::Reject,
        "revert" => Action::Edit,
        "people" => Action::People,
        // What somebody does to a trigger is judged by the workflow that it starts.
        "schedule" | "trigger" | "status" | "history" | "logs" | "explain" | "output" | "inbox" | "search" | "list"
        | "templates" | "show" | "versions" | "diff" | "plan" | "validate" => Action::View,
        _ => Action::Examine,
    }
}
