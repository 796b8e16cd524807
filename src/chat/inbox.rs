//! Words that are meant for us and are no command: the answer to the one question that is open, else a hint.

use super::adapter::Forms;
use super::files;
use super::talk::{No, Reply, Talk};
use super::verbs;
use crate::domain::plan::InputType;
use crate::service::{FileRecord, RunView};

/// Words and files without a verb.
pub async fn told(talk: &Talk<'_>, words: &str, files: Vec<FileRecord>) -> Result<Reply, No> {
    if !files.is_empty() {
        return files::dropped(talk, files).await;
    }
    if words.is_empty() {
        return Ok(Reply::Quiet);
    }
    let asking = talk.asking().await?;
    match asking.as_slice() {
        [view] => answer(talk, view, words).await,
        [] if talk.run.is_some() && !talk.inbound.is_direct => Ok(Reply::Quiet), // people talk beneath a card
        [] => Err(No::because("I did not understand that", "`help` tells what can be said here")),
        several => {
            let ids: Vec<_> = several.iter().map(|view| view.execution_id.as_str()).collect();
            let fix = format!("say `answer ID key=value`, for one of {}", ids.join(", "));
            Err(No::because("several executions here ask for something", fix))
        }
    }
}

/// Takes words for the answer to the open question: the only one, or the first where they are asked one by one.
async fn answer(talk: &Talk<'_>, view: &RunView, words: &str) -> Result<Reply, No> {
    let one_by_one = talk.adapter.traits().forms == Forms::Questions;
    let question = match view.questions.as_slice() {
        [only] => only,
        [first, ..] if one_by_one => first,
        several => {
            let keys: Vec<_> = several.iter().map(|question| format!("{}=...", question.key)).collect();
            return Err(No::because("several values are asked for", format!("say `answer {}`", keys.join(" "))));
        }
    };
    if question.kind == InputType::File && words.parse::<crate::domain::id::FileId>().is_err() {
        return Err(No::because(format!("`{}` is a file", super::grammar::inert(&question.label, 60)), "drop it here"));
    }
    let pairs = [(question.key.clone(), words.to_owned())];
    verbs::give(talk, view, &pairs, &[]).await
}
