//! Forgets what has been kept for long enough: beside everything else, a slice at a time, never in a hurry.

use std::sync::Arc;
use std::time::Duration;

use super::Inner;
use crate::domain::time::{Span, Timestamp};
use crate::store::StoreError;
use crate::store::retention::{Forgotten, Outlived};

/// Between two looks when there is nothing to forget.
const LOOK_AGAIN: Duration = Duration::from_secs(600);
/// Between two slices, so that other writers have their turn.
const BREATH: Duration = Duration::from_millis(50);

/// For how long runs are kept after their end; `None`: for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Those that completed.
    pub completed: Option<Span>,
    /// Those that failed, were cancelled or took too long.
    pub other: Option<Span>,
}

impl Retention {
    fn outlived(self, now: Timestamp) -> Outlived {
        let before = |kept: Option<Span>| kept.map_or(i64::MIN, |kept| now.micros().saturating_sub(kept.micros()));
        let [completed, other] = [self.completed, self.other].map(|kept| Timestamp::from_micros(before(kept)));
        Outlived { completed, other }
    }
}

/// Forgets until the engine drains.
pub async fn keep_tidy(inner: Arc<Inner>) {
    let kept = inner.settings.retention;
    if kept == Retention::default() {
        return;
    }
    let shortest = kept.completed.into_iter().chain(kept.other).min().unwrap_or_default();
    let look_again = LOOK_AGAIN.min(shortest.duration().max(BREATH));
    loop {
        let wait = match slice(&inner, kept).await {
            Ok(forgotten) if forgotten.runs > 0 => {
                tracing::debug!(runs = forgotten.runs, blobs = forgotten.blobs, "forgot executions kept long enough");
                BREATH
            }
            Ok(_) => look_again,
            Err(error) => {
                tracing::warn!(%error, "old executions could not be forgotten; tried again later");
                LOOK_AGAIN
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = inner.draining.cancelled() => return,
        }
    }
}

async fn slice(inner: &Inner, kept: Retention) -> Result<Forgotten, StoreError> {
    inner.store.retention().forget(kept.outlived(inner.clock.now())).await
}
