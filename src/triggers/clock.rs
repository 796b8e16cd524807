//! The clock: looks at what is due when it is due, and once a second anyway.
//!
//! tokio-cron-scheduler ticks; a tick only wakes. What is due, what was started and what went by stands in the store, so a
//! tick that is lost, or comes twice, changes nothing. Between two ticks the next due time is slept to, so that a start is
//! milliseconds late and not a second. Sleeping goes by elapsed time and due times by the wall clock: the tick is what
//! notices that the clock of the machine was set.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tokio_util::sync::CancellationToken;

use crate::domain::time::Timestamp;
use crate::service::{Service, ServiceError};

/// Every second.
const TICK: &str = "* * * * * *";
/// Longer than this nothing is slept, whatever is due.
const LONGEST: Duration = Duration::from_secs(30);
/// After a failure it is tried again.
const AGAIN: Duration = Duration::from_secs(2);
/// How often the texts of templates are looked at.
const TEXTS: Duration = Duration::from_secs(60);
/// A clock that was moved by more is worth a line.
const JUMP: i64 = 60_000_000;

/// Keeps time until it is stopped.
pub async fn keep_time(service: Service, stop: CancellationToken) {
    let ticked = Arc::new(Notify::new());
    let ticker = match start_ticker(Arc::clone(&ticked)).await {
        Ok(ticker) => Some(ticker),
        Err(error) => {
            tracing::error!(%error, "the ticker does not tick; what is due is slept to");
            None
        }
    };
    let mut watch = Watch::new(&service);
    let mut read_at: Option<Instant> = None;
    loop {
        if read_at.is_none_or(|at| at.elapsed() > TEXTS) {
            read_at = Some(Instant::now());
            note(service.arm_all().await, "the triggers of workflows could not be read");
            note(service.forget_firings().await, "what came of old occurrences could not be forgotten");
        }
        watch.look(&service);
        let wait = match service.tick().await {
            Ok(due) => due.map_or(LONGEST, |due| due.since(service.engine_now()).duration().min(LONGEST)),
            Err(ServiceError::Stopping) => return,
            Err(error) => {
                note(Err(error), "what is due could not be started; it is tried again");
                AGAIN
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = ticked.notified() => {}
            () = service.wake().notified() => {}
            () = stop.cancelled() => break,
        }
    }
    if let Some(mut ticker) = ticker {
        let _ = ticker.shutdown().await; // nobody listens to it any more
    }
}

async fn start_ticker(ticked: Arc<Notify>) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    scheduler.add(Job::new(TICK, move |_, _| ticked.notify_one())?).await?;
    scheduler.start().await?;
    Ok(scheduler)
}

fn note(done: Result<(), ServiceError>, what: &str) {
    if let Err(error) = done {
        tracing::warn!(%error, "{what}");
    }
}

/// Compares the clock of the machine with elapsed time.
struct Watch {
    began: Instant,
    wall: Timestamp,
}

impl Watch {
    fn new(service: &Service) -> Self {
        Self { began: Instant::now(), wall: service.engine_now() }
    }

    fn look(&mut self, service: &Service) {
        let now = service.engine_now();
        let elapsed = i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX);
        let moved = now.micros() - self.wall.micros() - elapsed;
        if moved.abs() > JUMP {
            let seconds = moved / 1_000_000;
            tracing::warn!(
                seconds,
                "the clock of this machine was set; what went by counts as missed, nothing starts twice"
            );
        }
        *self = Self { began: Instant::now(), wall: now };
    }
}
