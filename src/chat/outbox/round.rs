//! Posts letters as they fall due: within one conversation one after the other and in the order in which they were
//! written, conversations side by side. All that is known between two lives of the process stands in the outbox.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::letter::{self, Next, Trouble};
use crate::chat::adapter::SendError;
use crate::chat::courier::pace::{Pace, Wish};
use crate::chat::means::Means;
use crate::contract::crash::crash_point;
use crate::domain::message::{Letter, Receipt};
use crate::service::ServiceError;
use crate::service::outbox::Outbox;

/// When nothing is due, the outbox is looked at again after this: clocks may jump.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// How often what was settled long ago is forgotten.
const FORGETTING: Duration = Duration::from_secs(6 * 3_600);
/// Failures in a row that are an outage of the platform rather than a matter of one letter.
const OUTAGE: u32 = 3;
/// The wait after the store has failed.
const AFTER_TROUBLE: Duration = Duration::from_secs(1);
/// How long a stop waits for what is being posted.
const LAST_POSTS: Duration = Duration::from_secs(2);

/// Starts posting the letters for the platforms that are there.
///
/// # Errors
/// The store fails.
pub async fn start(means: Arc<Means>, stop: CancellationToken) -> Result<JoinHandle<()>, ServiceError> {
    let outbox = means.service.outbox();
    outbox.forget().await?;
    // Listening before looking: what is written in between is heard.
    let changes = outbox.changes();
    let carrying = outbox.carry(means.adapters.keys().map(|platform| (*platform).to_owned()).collect());
    // Whatever an earlier life waited for, a new token perhaps, may be there now.
    for platform in means.adapters.keys() {
        outbox.hurry(platform).await?;
    }
    let round = Round {
        means,
        outbox,
        posts: JoinSet::new(),
        posting: HashMap::new(),
        paces: HashMap::new(),
        missed: HashMap::new(),
        rest: None,
        forgets: Instant::now() + FORGETTING,
    };
    Ok(tokio::spawn(async move {
        round.run(changes, stop).await;
        drop(carrying);
    }))
}

struct Round {
    means: Arc<Means>,
    outbox: Outbox,
    posts: JoinSet<(Letter, Result<Receipt, Trouble>)>,
    /// What is being posted, by key, with its platform.
    posting: HashMap<String, &'static str>,
    /// How much each platform takes.
    paces: HashMap<&'static str, Pace>,
    /// Posts that failed on each platform since the last one that was taken.
    missed: HashMap<&'static str, u32>,
    /// Nothing is begun before this: the store has failed.
    rest: Option<Instant>,
    /// When what was settled long ago is forgotten the next time.
    forgets: Instant,
}

impl Round {
    async fn run(mut self, mut changes: watch::Receiver<u64>, stop: CancellationToken) {
        loop {
            changes.mark_unchanged();
            let next = self.post_due().await.unwrap_or_else(|error| self.failed(&error));
            tokio::select! {
                () = stop.cancelled() => break,
                changed = changes.changed() => if changed.is_err() { break },
                Some(posted) = self.posts.join_next() => match posted {
                    Ok((letter, result)) => self.posted(letter, result).await,
                    Err(error) => tracing::error!(%error, "the post of a letter broke"),
                },
                () = tokio::time::sleep_until(next) => {}
            }
        }
        // What is being posted may end and be noted; the rest is found at the next start.
        let last = async {
            while let Some(posted) = self.posts.join_next().await {
                if let Ok((letter, result)) = posted {
                    self.posted(letter, result).await;
                }
            }
        };
        let _ = tokio::time::timeout(LAST_POSTS, last).await;
    }

    /// Begins what is due; when the next one is.
    async fn post_due(&mut self) -> Result<Instant, ServiceError> {
        let now = Instant::now();
        if let Some(rest) = self.rest.filter(|rest| *rest > now) {
            return Ok(rest);
        }
        if now >= self.forgets {
            self.forgets = now + FORGETTING;
            self.outbox.forget().await?;
        }
        let mut next = now + LOOK_AGAIN;
        let means = Arc::clone(&self.means);
        for (platform, adapter) in &means.adapters {
            for letter in self.outbox.heads(platform).await? {
                if self.posting.contains_key(&letter.key) {
                    continue;
                }
                let wait = letter.next_at.since(means.now()).duration();
                if wait > Duration::ZERO {
                    next = next.min(now + wait);
                    break; // they come in the order in which they fall due
                }
                let pace = self.paces.entry(platform).or_insert_with(|| Pace::new(adapter.traits(), now));
                let most = if pace.is_knocking() { 1 } else { adapter.traits().in_flight };
                if self.posting.values().filter(|on| *on == platform).count() >= most {
                    break; // the end of one that is being posted brings us back here
                }
                if let Err(at) = pace.take(Wish::Post(&letter.channel), now) {
                    next = next.min(at);
                    continue;
                }
                self.posting.insert(letter.key.clone(), platform);
                let means = Arc::clone(&means);
                self.posts.spawn(async move {
                    let result = letter::post(&means, &letter).await;
                    (letter, result)
                });
            }
        }
        Ok(next)
    }

    /// Notes how a post went. What cannot be noted is posted again, under the same key.
    async fn posted(&mut self, letter: Letter, result: Result<Receipt, Trouble>) {
        let Letter { key, run, platform, channel, .. } = &letter;
        self.reckon(platform, &result).await;
        let noted = match result {
            Ok(receipt) => self.outbox.sent(key, &receipt).await,
            Err(trouble) => match letter::judge(&letter, &trouble, self.means.now()) {
                Next::Again(attempts, at, fault) => {
                    tracing::warn!(%run, platform, channel, attempts, %fault, "a message is late");
                    self.outbox.later(key, (attempts, at), &fault).await
                }
                Next::GiveUp(fault) => {
                    tracing::error!(%run, platform, channel, %fault, "a message was given up");
                    self.outbox.give_up(key, letter.attempts + 1, &fault).await
                }
            },
        };
        crash_point("letter: noted");
        self.posting.remove(key);
        if let Err(error) = noted {
            self.failed(&error);
        }
    }

    /// What a post tells of its platform. When an outage is over, everything that waits for its next attempt is due.
    async fn reckon(&mut self, platform: &str, result: &Result<Receipt, Trouble>) {
        let Some((&platform, _)) = self.means.adapters.get_key_value(platform) else { return };
        let Some(pace) = self.paces.get_mut(platform) else { return };
        let missed = self.missed.entry(platform).or_default();
        match result {
            Ok(_) => {
                pace.reached();
                if std::mem::take(missed) >= OUTAGE
                    && let Err(error) = self.outbox.hurry(platform).await
                {
                    self.failed(&error);
                }
            }
            Err(Trouble::Send(error)) => {
                pace.missed(error, Instant::now());
                *missed += u32::from(matches!(error, SendError::Later(_)));
            }
            Err(Trouble::NoChannel | Trouble::NoCard) => {}
        }
    }

    fn failed(&mut self, error: &ServiceError) -> Instant {
        tracing::warn!(%error, "the outbox cannot be read or written");
        let rest = Instant::now() + AFTER_TROUBLE;
        self.rest = Some(rest);
        rest
    }
}
