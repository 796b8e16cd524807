//! Our own messages as Slack brings them back. An answer can be lost after the message was posted, and Slack knows no key
//! that would make a second try harmless: the message itself, coming back by its mark, says that it is there.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

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
