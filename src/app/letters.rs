//! What workflows tell people: where a process carries executions and has no conversations, and before it has them.

use std::sync::{Arc, PoisonError};

use super::{App, assembly};
use crate::chat;
use crate::chat::adapter::ChatAdapter;
use crate::chat::outbox::Posting;
use crate::chat::web::WebChat;
use crate::config::Config;

impl App {
    /// The same for a process that will have conversations: a step that tells people something waits for them.
    ///
    /// # Errors
    /// As [`App::open`].
    pub async fn open_to_serve(config: &Config) -> anyhow::Result<Self> {
        Self::begin(config, true, Some(assembly::connected(config))).await
    }

    /// Those who carry letters are there, or will not be.
    pub(super) fn carriers_came(&self) {
        drop(self.announced.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Posts letters until what this gives is closed. A platform that cannot be used leaves
    /// its messages to the next one that can.
    ///
    /// # Errors
    /// The store fails.
    pub async fn post_letters(&self, config: &Config) -> anyhow::Result<Posting> {
        let mut adapters: Vec<Arc<dyn ChatAdapter>> = vec![WebChat::open(self.service.clone()).await?];
        match chat::configured(&self.service, &config.platforms()) {
            Ok(platforms) => adapters.extend(platforms.into_iter().map(|platform| platform as Arc<dyn ChatAdapter>)),
            Err(why) => tracing::warn!(why, "messages for other platforms wait"),
        }
        Ok(Posting::start(self.service.clone(), adapters).await?)
    }
}
