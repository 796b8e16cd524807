//! What follows the acknowledgement of a command or a press: its answers, and the end of "is thinking", also where an
//! earlier life of the process had made it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::interactions::Desk;
use super::replies::Handle;
use super::rest::Call;
use crate::chat::adapter::Inbound;

/// The first answer, and what is to be done once it is out.
pub struct First {
    /// The answer.
    pub answer: Value,
    pub(super) after: After,
}

/// What follows it.
pub struct After {
    /// By what further answers are sent.
    pub handle: Option<Handle>,
    /// Resolves when it was answered.
    pub answered: Option<oneshot::Receiver<()>>,
    /// What we are not allowed there, if anything.
    pub lacks: Option<String>,
}

impl First {
    /// An answer after which nothing follows.
    pub fn only(answer: Value) -> Self {
        Self { answer, after: After { handle: None, answered: None, lacks: None } }
    }
}

impl Desk {
    /// Once the first answer is out: further ones may follow, and "is thinking" ends.
    pub async fn after(&self, first: First) {
        let After { handle, answered, lacks } = first.after;
        let Some(handle) = handle else { return };
        self.discord.replies.acknowledged(&handle.token);
        let was_answered = match answered {
            Some(answered) => answered.await.is_ok(),
            None => true,
        };
        let place_taken = self.discord.replies.close(&handle.token);
        if handle.is_thinking && !place_taken && was_answered {
            self.end_thinking(&handle, lacks).await;
        }
    }

    /// What an earlier life of the process acknowledged with "is thinking" and did not answer: this one answers it now,
    /// and ends that. `answered` resolves when it is; `None`: it was.
    pub async fn take_up(&self, inbound: Inbound, answered: Option<oneshot::Receiver<()>>) {
        let handle = inbound.handle.as_deref().and_then(|handle| Handle::read(handle, self.discord.now()));
        let Some(handle) = handle.filter(|handle| handle.is_thinking) else { return };
        let was_answered = match answered {
            Some(answered) => answered.await.is_ok(),
            None => true,
        };
        if was_answered && !self.discord.replies.was_taken(&handle.token) {
            self.end_thinking(&handle, None).await;
        }
    }

    /// Takes "is thinking" away, or says in its place what we lack there.
    async fn end_thinking(&self, handle: &Handle, lacks: Option<String>) {
        let path = format!("/webhooks/{}/{}/messages/@original", handle.application, handle.token);
        let ended = match lacks {
            // The card says the rest.
            None => {
                let call = Call::new("DELETE /webhooks/messages", &handle.token, path).of_interaction();
                self.discord.rest.send(call.patient(Duration::from_secs(30))).await
            }
            Some(lacks) => {
                let text = format!(
                    "It is under way, but I may not show it here: I lack {lacks}. Ask somebody who runs this server to \
                     allow it; `/workflow status` tells how it stands."
                );
                let body = json!({ "content": text, "allowed_mentions": { "parse": [] } });
                let call = Call::new("PATCH /webhooks/messages", &handle.token, path).of_interaction().body(&body);
                self.discord.rest.send(call.patient(Duration::from_secs(30))).await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "\"is thinking\" stays until Discord takes it away");
        }
    }
}
