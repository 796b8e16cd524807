//! What this program writes to the terminal, all of it. Text from outside is written inert: no control characters.

use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use super::{DISK_FAILED, FAILED, WRONG_USE, refusal_code};
use crate::app::{self, remote::Refusal};
use crate::service::{RunView, StepView};

/// A line for people who asked a question.
pub fn line(text: impl AsRef<str>) {
    out(&format!("{}\n", inert(text.as_ref())));
}

/// A text exactly as it is: the user asked for this very output.
pub fn bare(text: &str) {
    out(text);
}

/// A line beside the answer: progress, hints, warnings.
pub fn aside(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr(), "{}", inert(text.as_ref())); // nobody listens: nothing to do about it
}

/// JSON on one line.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    out(&format!("{}\n", serde_json::to_string(value)?));
    Ok(())
}

/// JSON for people to read.
pub fn pretty(value: &impl Serialize) -> anyhow::Result<()> {
    out(&format!("{}\n", serde_json::to_string_pretty(value)?));
    Ok(())
}

/// Why a command failed, and the exit code for it.
pub fn failure(error: &anyhow::Error) -> ExitCode {
    aside(format!("error: {error:#}"));
    let other = match error.downcast_ref::<Refusal>() {
        Some(refusal) if refusal.is_wrong_use() => WRONG_USE,
        _ if app::is_disk_failure(error) => DISK_FAILED,
        _ => FAILED,
    };
    ExitCode::from(error.downcast_ref().map_or(other, refusal_code))
}

/// Ends the process without a word more: the reader has gone, or a second signal came. The store takes it as it
/// takes a crash: nothing that was reported is lost.
#[expect(clippy::disallowed_methods, reason = "meant to skip what an orderly end would wait for")]
pub fn end_now(code: i32) -> ! {
    std::process::exit(code)
}

/// To standard output. A reader that has gone (`| head`) has seen what it wanted: the process ends quietly.
fn out(text: &str) {
    let mut stdout = std::io::stdout().lock();
    if stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_err() {
        end_now(0);
    }
}

/// Control characters made visible, so that a file name cannot steer the terminal.
pub fn inert(text: &str) -> String {
    let hidden = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(hidden) {
        return text.to_owned();
    }
    text.chars().map(|c| if hidden(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// The sign of a step's state; the word stands beside it, so nothing hangs on colour or shape.
pub fn sign(status: &str) -> &'static str {
    match status {
        "completed" => "✔",
        "failed" | "timed_out" => "✘",
        "skipped" => "–",
        "cancelled" => "■",
        "running" => "▸",
        "waiting" | "retrying" | "paused" | "pausing" => "…",
        _ => "·",
    }
}

/// One step on one line.
pub fn step(step: &StepView) -> String {
    let mut text = format!("{} {:<28} {:<10}", sign(step.status), step.name, step.status);
    if let Some(seconds) = step.duration {
        text.push_str(&format!(" {seconds:>7.2} s"));
    }
    if step.attempts > 1 {
        text.push_str(&format!("  attempt {} of {}", step.attempts, step.max_attempts));
    }
    if let Some(due) = step.due_at.as_ref().filter(|_| matches!(step.status, "retrying" | "waiting")) {
        text.push_str(&format!("  until {due}"));
    }
    if let Some(why) = &step.skipped {
        text.push_str(&format!("  {why}"));
    }
    if let Some(from) = &step.cached_from {
        text.push_str(&format!("  taken from {from}"));
    }
    text.trim_end().to_owned()
}

/// What an ended or standing execution has to say besides its steps.
pub fn ending(view: &RunView) -> Vec<String> {
    let mut lines = Vec::new();
    for warning in &view.warnings {
        lines.push(format!("! {warning}"));
    }
    if let Some(from) = &view.cached_from {
        lines.push(format!("  taken from {from}; --fresh does the work again"));
    }
    if let Some(error) = &view.error {
        lines.push(format!("✘ {} {}", error.code, error.message));
        lines.push(format!("  {}", error.fix));
        if view.status == "failed" {
            lines.push(format!("  then: workflow retry {}", view.execution_id));
        }
        if view.version_changed && view.status == "failed" {
            let id = &view.execution_id;
            lines.push(format!(
                "  the workflow has changed since: retry keeps what ran, workflow rerun {id} takes the new version"
            ));
        }
    }
    if view.status == "paused" {
        lines.push(format!("  go on with: workflow resume {}", view.execution_id));
    }
    if !view.is_finished() {
        lines.extend(wishes(view));
    }
    lines
}

/// What an execution wants of people, and the words with which they give it.
fn wishes(view: &RunView) -> Vec<String> {
    let id = &view.execution_id;
    let mut lines = Vec::new();
    for asked in &view.questions {
        lines.push(format!("? {}", asked.label));
        lines.push(format!("  answer with: workflow answer {id} {}=...", asked.key));
    }
    for approval in &view.approvals {
        let (step, have) = (&approval.step, approval.approved_by.len());
        lines.push(format!("? {} ({have} of {} have approved)", approval.title, approval.required));
        lines
            .push(format!("  decide with: workflow approve {id} --step {step}, or workflow reject {id} --step {step}"));
    }
    for held in view.steps.iter().filter(|step| step.status == "waiting") {
        let (Some(error), step) = (&held.error, &held.id) else { continue };
        lines.push(format!("? {} failed: {} {}", held.name, error.code, error.message));
        lines.push(format!("  go on with: workflow retry {id} --step {step}, or workflow skip {id} --step {step}"));
    }
    lines
}
