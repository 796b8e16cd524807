//! The events of an execution as a topic: numbered by the journal, so a reader can come back after any interruption.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::broadcast;

use crate::domain::id::RunId;
use crate::http::problem::Problem;
use crate::http::topics::{Frame, Topic};
use crate::service::{Archive, Caller};

/// The topic's name.
pub const EXECUTION: &str = "execution";

/// The executions of this instance.
pub struct Executions {
    archive: Archive,
    /// The hub hears the engine itself; nobody ever sends here.
    news: broadcast::Sender<Arc<str>>,
}

impl Executions {
    pub fn new(archive: Archive) -> Self {
        Self { archive, news: broadcast::Sender::new(1) }
    }
}

/// The id that a key means.
fn id(key: &str) -> Result<RunId, Problem> {
    key.parse().map_err(|_| Problem::absent("execution", key, None))
}

impl Topic for Executions {
    fn name(&self) -> &'static str {
        EXECUTION
    }

    fn key_field(&self) -> &'static str {
        "id"
    }

    fn admit<'a>(&'a self, _caller: &'a Caller, key: &'a str) -> BoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move { self.archive.resolve(&id(key)?.to_string()).await.map(drop).map_err(Problem::from) })
    }

    fn newest<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<u64, Problem>> {
        Box::pin(async move { Ok(self.archive.view(id(key)?, false).await?.seq) })
    }

    fn since<'a>(&'a self, key: &'a str, after: u64, limit: usize) -> BoxFuture<'a, Result<Vec<Frame>, Problem>> {
        Box::pin(async move {
            let events = self.archive.some_events(id(key)?, after, limit).await?;
            Ok(events.iter().map(|event| Frame::new(event.seq, event)).collect())
        })
    }

    fn news(&self) -> broadcast::Receiver<Arc<str>> {
        self.news.subscribe()
    }
}
