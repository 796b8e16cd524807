//! The moment after: what a rule started on a file or a reaction can be undone by a press, for as long as `undo_window` says.

use super::super::talk::{No, Reply, Talk};
use super::asks::said;
use crate::domain::id::RunId;
use crate::domain::time::{Span, Timestamp};
use crate::service::{RunView, Undone};

/// Until when an execution can be undone; `None`: it cannot, or no longer.
pub fn until(view: &RunView, window: Span, now: Timestamp) -> Option<Timestamp> {
    if !view.origin.undoable || view.undone_by.is_some() {
        return None;
    }
    let began = chrono::DateTime::parse_from_rfc3339(&view.created_at).ok()?;
    Some(Timestamp::from_micros(began.timestamp_micros()).plus(window)).filter(|until| now < *until)
}

/// Undoes an execution that a rule has just started.
pub async fn undo(talk: &Talk<'_>, run: RunId) -> Result<Reply, No> {
    let view = talk.means.service.archive().view(run, false).await?;
    let window = talk.means.settings.undo_window;
    if until(&view, window, talk.means.now()).is_none() {
        talk.courier.refresh(run).await;
        let message = match &view.undone_by {
            Some(who) => format!("It is undone already, by {who}"),
            None => format!("It is too late to undo it: {window} are over"),
        };
        return Err(No::because(message, format!("`cancel {run}` ends it, `rollback {run}` takes back what it did")));
    }
    match talk.means.service.undo(&talk.caller, run).await? {
        Undone::Cancelled => {
            talk.show(run).await?;
            let effects = talk.means.service.archive().effects_of(run).await?;
            if effects.is_empty() {
                return Ok(Reply::Quiet);
            }
            let card = said(format!("Undone: {run} is cancelled")).verdict("It had reached outside already.");
            let line = talk.line(format!("rollback {run}"));
            Ok(Reply::Private(card.button("What it did", line, crate::domain::card::Style::Plain)))
        }
        Undone::TakenBack(begun) => {
            talk.show(begun).await?;
            Ok(Reply::Quiet)
        }
        Undone::Nothing => {
            let fix = format!("`output {run}` shows what came of it");
            Err(No::because("It was over already, and did nothing that could be taken back", fix))
        }
    }
}
