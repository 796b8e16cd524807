//! The ends of runs, told to whoever waits for them. A feed that loses notices, or a process that dies, loses nothing: a mark
//! in the store says up to when all were told, what came after it is told again, and the key of an end lets it count once.
//! Of files that were taken in, a start tells the newest again.

use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::domain::event::Event;
use crate::domain::id::RunId;
use crate::domain::time::{Span, Timestamp};
use crate::service::{Notice, Service, ServiceError};

/// Files that a start tells of again: one whose telling the death of a process cut short is among the newest.
const LOOK_BACK: u32 = 200;
/// The mark is moved when it is so far behind.
const BEHIND: Span = Span::from_secs(30);
/// What could not be told is tried again after so long.
const AGAIN: Duration = Duration::from_secs(30);

/// Tells of ends until it is stopped.
pub async fn tell_of_ends(service: Service, stop: CancellationToken) {
    let mut news = service.news();
    if let Err(error) = service.tell_stored_again(LOOK_BACK).await {
        tracing::warn!(%error, "that files were stored cannot be told again");
    }
    let mut teller = Teller { marked: service.engine_now(), owes: Some(Instant::now()), service };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep_until(teller.owes.unwrap_or_else(Instant::now)), if teller.owes.is_some() => {
                teller.catch_up().await;
            }
            notice = news.recv() => match notice {
                Ok(Notice::Committed { run, entries, .. }) => {
                    if let Some((end, _)) = entries.iter().find(|(_, event)| matches!(event, Event::Finished { .. })) {
                        teller.tell(run, *end).await;
                    }
                }
                Ok(Notice::Progress { .. }) => {}
                Err(RecvError::Lagged(_)) => teller.owes = Some(Instant::now()),
                Err(RecvError::Closed) => return,
            },
        }
    }
}

struct Teller {
    service: Service,
    /// The last end for which the mark was moved.
    marked: Timestamp,
    /// Something was not told: the mark stays, and all since then is told again at this time.
    owes: Option<Instant>,
}

impl Teller {
    async fn tell(&mut self, run: RunId, end: Timestamp) {
        if let Err(error) = self.service.run_ended(run).await {
            self.later(&error);
        } else if self.owes.is_none() && end.since(self.marked) > BEHIND {
            match self.service.ends_told(end).await {
                Ok(()) => self.marked = end,
                Err(error) => self.later(&error),
            }
        }
    }

    async fn catch_up(&mut self) {
        match self.service.ends_since_mark().await {
            Ok(()) => self.owes = None,
            Err(error) => self.later(&error),
        }
    }

    fn later(&mut self, error: &ServiceError) {
        tracing::warn!(%error, "the end of an execution could not be told to triggers; it is tried again");
        self.owes = Some(Instant::now() + AGAIN);
    }
}
