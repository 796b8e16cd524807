//! A message for which nothing is connected becomes a file, so that somebody can read what would have been said.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::address::Destination;
use crate::contract::step::Attempt;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::message::Message;

/// Characters of the step's key in the name of its file: enough to tell the items of a loop apart.
const KEY: usize = 8;

/// Writes the message into the folder, whole or not at all. A repeat of the step writes the same file.
pub async fn write(
    folder: &Path,
    attempt: &Attempt,
    to: Option<&Destination>,
    message: &Message,
) -> Result<PathBuf, Fault> {
    let Attempt { run, step, step_key, .. } = attempt;
    let platform = to.map_or("nobody", |to| &to.platform);
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '-' };
    let step_name: String = step.chars().map(plain).collect();
    let path = folder.join(format!("{run}.{step_name}.{platform}.{}.json", &step_key[..KEY.min(step_key.len())]));
    let content = json!({
        "simulated": true,
        "platform": platform,
        "channel": to.map(|to| &to.channel),
        "thread": to.map(|to| &to.thread).filter(|thread| !thread.is_empty()),
        "message": message,
        "execution_id": run,
        "workflow": attempt.workflow,
        "step": step,
        "key": step_key,
        "written_at": attempt.now.to_string(),
    });
    let kept = async {
        tokio::fs::create_dir_all(folder).await?;
        let part = path.with_extension("json.part");
        tokio::fs::write(&part, format!("{content:#}\n")).await?;
        tokio::fs::rename(&part, &path).await
    };
    kept.await.map_err(|error| {
        Fault::transient(code::WF2156, "the message could not be written into `outbox/`").context(error)
    })?;
    Ok(path)
}
