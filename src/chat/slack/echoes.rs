//! Our own messages as Slack brings them back. An answer can be lost after the message was posted, and Slack knows no key
//! that would make a second try harmless: the message itself, coming back by its mark, says that it is there. What a life
//! of the process posted and did not live to note, the next one finds in the conversation, by the same mark.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use super::Slack;
use super::calls::CallError;
use super::workspace::Workspace;
use crate::domain::id::RunId;
use crate::domain::time::Timestamp;

/// Marks that are remembered; of more, the half that came first is forgotten.
const MOST: usize = 20_000;
/// How long an echo is waited for when the answer was lost.
const WAIT: Duration = Duration::from_secs(2);

/// The mark of a message: the id of its first block.
#[must_use]
pub fn mark(nonce: &str) -> String {
    let digest = Sha256::digest(nonce.as_bytes());
    format!("wf.{}", BASE64_URL_SAFE_NO_PAD.encode(&digest[..15]))
}

/// Messages by their marks, each with its number among all that came back.
#[derive(Default)]
struct Heard {
    count: u64,
    messages: HashMap<String, (u64, String)>,
}

/// What came back.
#[derive(Default)]
pub struct Echoes {
    heard: Mutex<Heard>,
    news: Notify,
}

impl Echoes {
    /// A message with this mark is there.
    pub fn heard(&self, mark: &str, ts: &str) {
        if !mark.starts_with("wf.") {
            return;
        }
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.messages.len() >= MOST {
            let middle = heard.count - (MOST as u64) / 2;
            heard.messages.retain(|_, (number, _)| *number > middle);
        }
        heard.count += 1;
        let number = heard.count;
        heard.messages.insert(mark.to_owned(), (number, ts.to_owned()));
        drop(heard);
        self.news.notify_waiters();
    }

    /// The message with this mark.
    pub fn find(&self, mark: &str) -> Option<String> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.messages.get(mark).map(|(_, ts)| ts.clone())
    }

    /// The message with this mark, if it comes back soon.
    pub async fn wait(&self, mark: &str) -> Option<String> {
        let came = async {
            loop {
                let news = self.news.notified();
                if let Some(ts) = self.find(mark) {
                    return ts;
                }
                news.await;
            }
        };
        tokio::time::timeout(WAIT, came).await.ok()
    }

    /// The message was deleted: another one may take its mark.
    pub fn forget(&self, ts: &str) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.messages.retain(|_, (_, known)| known != ts);
    }
}

/// The run whose card has this nonce.
pub fn run_of(nonce: &str) -> Option<RunId> {
    nonce.strip_prefix("run:")?.parse().ok()
}

impl Slack {
    /// The message of this nonce, where an earlier try has posted it.
    ///
    /// # Errors
    /// Slack cannot be asked now, and it may be there.
    pub(super) async fn known(
        &self,
        workspace: &Workspace,
        place: (&str, Option<&str>),
        nonce: &str,
        mark: &str,
    ) -> Result<Option<String>, CallError> {
        if let Some(ts) = self.echoes.find(mark) {
            return Ok(Some(ts));
        }
        let Some((since, about)) = self.may_be_there(place, nonce).await else { return Ok(None) };
        match recall(workspace, place, since, mark).await {
            Ok(found) => {
                if let Some(ts) = &found {
                    self.echoes.heard(mark, ts);
                }
                Ok(found)
            }
            // We may not read there, so there is nothing to find.
            Err(CallError::No { .. }) => Ok(None),
            Err(error) => {
                self.looks_again(&about);
                Err(error)
            }
        }
    }

    /// Since when a message can be there that an earlier life posted, and what was looked for; `None`: it cannot, or it
    /// was looked for.
    async fn may_be_there(&self, (channel, thread): (&str, Option<&str>), nonce: &str) -> Option<(Timestamp, String)> {
        let (since, about) = match (run_of(nonce), nonce.strip_prefix("flood:")) {
            (Some(run), _) => (self.service.conversations().card(run).await.ok()??.created_at, nonce.to_owned()),
            (None, Some(flood)) => (self.service.find_flood(flood).await.ok()??.opened_at, nonce.to_owned()),
            // Letters of a conversation go one after the other, so only the first one can have been under way.
            (None, None) => {
                let written = self.service.outbox().written(nonce).await.ok()??;
                (written, format!("letters:{channel}/{}", thread.unwrap_or_default()))
            }
        };
        (since < self.began && self.looks_back(&about)).then_some((since, about))
    }
}

/// The message with this mark in a conversation, where one was posted there since then.
async fn recall(
    workspace: &Workspace,
    (channel, thread): (&str, Option<&str>),
    since: Timestamp,
    mark: &str,
) -> Result<Option<String>, CallError> {
    let since = format!("{}.000000", since.micros() / 1_000_000 - 5);
    let mut asked = json!({ "channel": channel, "oldest": since, "limit": "100" });
    let method = match thread {
        Some(thread) => {
            asked["ts"] = json!(thread);
            "conversations.replies"
        }
        None => "conversations.history",
    };
    let answer = workspace.call(method, &asked).await?;
    let is_it =
        |message: &&Value| message["blocks"].as_array().into_iter().flatten().any(|block| block["block_id"] == mark);
    let found = answer["messages"].as_array().into_iter().flatten().find(is_it);
    Ok(found.and_then(|found| found["ts"].as_str()).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_message_that_came_back_is_found_and_one_that_did_not_is_not() {
        let echoes = Echoes::default();
        let mark = mark("run:exec_1");
        assert_eq!(echoes.wait(&mark).await, None);
        echoes.heard("b1", "0.1");
        echoes.heard(&mark, "1.5");
        assert_eq!(echoes.wait(&mark).await.as_deref(), Some("1.5"));
        for n in 0..MOST {
            echoes.heard(&super::mark(&n.to_string()), "2.5");
        }
        assert_eq!(echoes.find(&mark), None);
        assert!(echoes.find(&super::mark(&(MOST - 1).to_string())).is_some());
    }
}
