//! The ends of runs, told to whoever waits for them. A feed that loses notices, or a process that dies, loses nothing: what
//! ended lately is told again, and the key of the end lets it count once.

use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::domain::event::Event;
use crate::domain::id::RunId;
use crate::service::{ListFilter, Notice, Service};

/// Runs that a start looks back at.
const LOOK_BACK: u32 = 200;

/// Tells of ends until it is stopped.
pub async fn tell_of_ends(service: Service, stop: CancellationToken) {
    let mut news = service.news();
    catch_up(&service).await;
    loop {
        let notice = tokio::select! {
            notice = news.recv() => notice,
            () = stop.cancelled() => return,
        };
        match notice {
            Ok(Notice::Committed { run, entries, .. }) => {
                if entries.iter().any(|(_, event)| matches!(event, Event::Finished { .. })) {
                    tell(&service, run).await;
                }
            }
            Ok(Notice::Progress { .. }) => {}
            Err(RecvError::Lagged(_)) => catch_up(&service).await,
            Err(RecvError::Closed) => return,
        }
    }
}

async fn catch_up(service: &Service) {
    let lately = ListFilter { limit: LOOK_BACK, ..ListFilter::default() };
    match service.archive().list(&lately).await {
        Ok(runs) => {
            for run in runs.iter().filter(|run| run.finished_at.is_some()) {
                tell(service, run.id).await;
            }
        }
        Err(error) => tracing::warn!(%error, "the ends of executions cannot be read"),
    }
}

async fn tell(service: &Service, run: RunId) {
    if let Err(error) = service.run_ended(run).await {
        tracing::warn!(%run, %error, "the end of an execution could not be told to triggers");
    }
}
