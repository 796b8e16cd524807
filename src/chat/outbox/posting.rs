//! Posts letters in a process that has no conversations: nothing is heard, and no card is kept up to date.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::round;
use crate::chat::actions::Signer;
use crate::chat::adapter::ChatAdapter;
use crate::chat::means::{Means, Settings};
use crate::chat::rules::Floods;
use crate::chat::who::ChannelNames;
use crate::service::{Service, ServiceError};

/// The posting of letters; [`Posting::close`] ends it in good order.
pub struct Posting {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Posting {
    /// Posts letters to these platforms from now on.
    ///
    /// # Errors
    /// The store fails.
    pub async fn start(service: Service, adapters: Vec<Arc<dyn ChatAdapter>>) -> Result<Self, ServiceError> {
        let keeper = service.conversations();
        let signer = Signer::new(&service.fresh_id()); // a letter has no buttons
        let adapters = adapters.into_iter().map(|adapter| (adapter.traits().platform, adapter)).collect();
        let means = Means {
            service,
            keeper,
            signer,
            settings: Settings::default(),
            adapters,
            channels: ChannelNames::default(),
            floods: Floods::default(),
        };
        let stop = CancellationToken::new();
        let task = round::start(Arc::new(means), stop.clone()).await?;
        Ok(Self { stop, task })
    }

    /// Lets what is being posted end; the rest waits for the next process.
    pub async fn close(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the posting of letters ended badly");
        }
    }
}
