//! `doctor`: does this store keep what the house promises? Reads only, so it may be asked beside a running service.

use serde::Serialize;

use super::archive::{Archive, fold};
use super::error::ServiceError;
use super::outbox::{LetterView, OutboxView};
use crate::contract::blob::BlobStore as _;
use crate::domain::machine;
use crate::domain::run::RunState;
use crate::domain::time::{Span, Timestamp};

/// Executions that are not over are each read and counted again; beyond so many, the oldest.
const MOST_OPEN: usize = 10_000;

/// Messages that are told one by one.
const SHOWN: usize = 20;
/// A message that waits longer does not wait for a slow platform.
const LATE: Span = Span::from_secs(10 * 60);

/// A promise and where it is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What is promised.
    pub promise: String,
    /// Whether it holds.
    pub holds: bool,
    /// Where it does not; twenty places at the most.
    pub broken: Vec<String>,
}

impl Check {
    fn new(promise: impl Into<String>, mut broken: Vec<String>) -> Self {
        let holds = broken.is_empty();
        broken.truncate(20);
        Self { promise: promise.into(), holds, broken }
    }
}

/// What the doctor found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// What was looked at, in words.
    pub looked_at: String,
    /// The promises.
    pub checks: Vec<Check>,
    /// What is kept as promised, and needs somebody all the same: messages that do not arrive.
    pub attention: Vec<String>,
}

impl Health {
    /// Whether every promise holds.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }
}

impl Archive {
    /// Looks whether the store keeps what is promised.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn health(&self, now: Timestamp) -> Result<Health, ServiceError> {
        let audit = self.store().audit();
        let counts = audit.counts().await?;
        let said: Vec<String> = audit.database().await?.into_iter().filter(|line| line != "ok").collect();
        let mut checks = vec![Check::new("the database file is sound", said)];
        for finding in audit.findings().await? {
            checks.push(Check::new(finding.promise, finding.broken));
        }
        checks.push(self.missing_contents().await?);
        checks.extend(self.open_runs(now).await?);
        let outbox = self.outbox(now).await?;
        let attention = self.letters_late(outbox).await?;
        let mut looked_at = format!(
            "{} executions ({} open), {} steps, {} commits, {} files",
            counts.runs, counts.open, counts.steps, counts.commits, counts.files
        );
        if outbox.queued > 0 {
            let oldest = Span::from_secs(outbox.oldest_seconds);
            looked_at.push_str(&format!(", {} messages that wait (the oldest for {oldest})", outbox.queued));
        }
        Ok(Health { looked_at, checks, attention })
    }

    /// Messages that were given up, and those that wait for longer than a slow platform explains.
    async fn letters_late(&self, outbox: OutboxView) -> Result<Vec<String>, ServiceError> {
        let mut late = Vec::new();
        if outbox.dead > 0 {
            let dead = self.letters(Some("dead")).await?.into_iter().take(SHOWN);
            let told = |letter: LetterView| {
                let why = letter.error.map(|error| error.message).unwrap_or_default();
                format!("the message {} to {}:{} was given up: {why}", letter.id, letter.platform, letter.channel)
            };
            late.extend(dead.map(told));
        }
        let oldest = Span::from_secs(outbox.oldest_seconds);
        if oldest > LATE {
            let hint = "is `workflow serve` running, and connected?";
            late.push(format!("{} messages wait, the oldest for {oldest}: {hint}", outbox.queued));
        }
        Ok(late)
    }

    async fn missing_contents(&self) -> Result<Check, ServiceError> {
        let blobs = self.store().blobs();
        let mut broken = Vec::new();
        for (digest, size) in self.store().audit().contents().await? {
            match blobs.get(&digest).await {
                Ok(bytes) if bytes.len() as u64 == size => {}
                Ok(bytes) => broken.push(format!("{digest} has {} bytes, and {size} were written", bytes.len())),
                Err(error) => broken.push(format!("{digest}: {error}")),
            }
        }
        Ok(Check::new("every file that is named is there, whole", broken))
    }

    /// Every open execution, folded anew: its row says what its history says, and somebody or something is due to
    /// move it on.
    async fn open_runs(&self, now: Timestamp) -> Result<[Check; 2], ServiceError> {
        let (mut differing, mut forgotten) = (Vec::new(), Vec::new());
        for run in self.open().await?.into_iter().take(MOST_OPEN) {
            let (history, flow) = self.history(run).await?;
            let folded = fold(&history, &flow);
            // A row follows its history within the same commit; a service that runs beside us may be in between.
            if folded.state.status() != history.row.status && !folded.state.is_finished() {
                differing.push(format!(
                    "{run}: the row says {}, its history {}",
                    history.row.status,
                    folded.state.status()
                ));
            }
            let moves = !machine::due(&folded, &flow, now).is_empty() || folded.has_attempts_in_flight();
            let rests = folded.state == RunState::Paused || folded.state.is_finished();
            if !moves && !rests {
                forgotten.push(run.to_string());
            }
        }
        Ok([
            Check::new("every open execution stands as its history says", differing),
            Check::new("no open execution is forgotten", forgotten),
        ])
    }
}
