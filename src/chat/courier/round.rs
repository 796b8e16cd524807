//! Keeps the one card of each execution up to date: *send the newest, remember what was sent, repeat*.
//!
//! What a card should show is the execution's newest event, which the journal keeps; what it does show is kept beside
//! it. So nothing can be lost: a missed notice, a slow platform and a crash all end in the same comparison. One send
//! at a time for each card; what happens meanwhile is one further send. The engine never waits for any of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::adapter::{Address, SendError};
use super::super::means::Means;
use crate::domain::id::RunId;
use crate::service::ServiceError;
use crate::service::conversations::{Change, RunMessage, Watch};

use super::delivery::{Delivered, Delivery};
use super::pace::{Pace, Wish};
use super::survey::{Live, Survey};

/// Orders that wait at the most before whoever orders waits.
const ORDERS: usize = 256;
/// The first wait after a send that failed, doubled each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest such wait.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// The wait where somebody has to mend something first.
const BARRED_WAIT: Duration = Duration::from_secs(60);
/// How long a card is tried that its platform does not take, before somebody else has to look at it.
const GIVEN_UP: Duration = Duration::from_secs(24 * 3_600);
/// With many cards, all that is due within this time is looked at in one go.
const IN_ONE_GO: Duration = Duration::from_millis(20);
/// So many cards are many.
const MANY: usize = 100;
/// How long a stop waits for what is being sent.
const LAST_SENDS: Duration = Duration::from_secs(2);

enum Order {
    Track(RunMessage),
    Refresh(RunId),
}

/// The way to the courier. Cheap to clone.
#[derive(Clone)]
pub struct Courier {
    means: Arc<Means>,
    orders: mpsc::Sender<Order>,
    /// How many sends have ended.
    sends: watch::Receiver<u64>,
}

impl Courier {
    /// Starts the courier, with every card that does not show an end yet.
    ///
    /// # Errors
    /// The store fails.
    pub async fn start(means: Arc<Means>, stop: CancellationToken) -> Result<(Self, JoinHandle<()>), ServiceError> {
        // Listening before looking: what happens in between is heard.
        let watch = means.service.watch();
        let open = means.keeper.open_cards().await?;
        let (orders, waiting) = mpsc::channel(ORDERS);
        let (count, ended) = watch::channel(0);
        let mut round = Round {
            means: Arc::clone(&means),
            live: HashMap::new(),
            paces: HashMap::new(),
            looked: Instant::now(),
            sends: JoinSet::new(),
            count,
        };
        for card in open {
            round.track(card);
        }
        let task = tokio::spawn(round.run(watch, waiting, stop));
        Ok((Self { means, orders, sends: ended }, task))
    }

    /// Resolves when every card of a platform shows its end, or stands still and shows that.
    ///
    /// # Errors
    /// The store fails.
    pub async fn settled(&self, platform: &str) -> Result<(), ServiceError> {
        let mut sends = self.sends.clone();
        let mut watch = self.means.service.watch();
        loop {
            sends.mark_unchanged();
            if self.is_settled(platform).await? {
                return Ok(());
            }
            tokio::select! {
                changed = sends.changed() => if changed.is_err() { return Ok(()) },
                change = watch.next() => if change.is_none() { return Ok(()) },
            }
        }
    }

    async fn is_settled(&self, platform: &str) -> Result<bool, ServiceError> {
        for card in self.means.keeper.open_cards().await? {
            if card.platform != platform {
                continue;
            }
            let view = self.means.service.archive().view(card.run, false).await?;
            let rests = view.status == "paused" || view.waits_for_somebody() || view.is_finished();
            if !rests || view.seq != card.sent {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Gives an execution its card, at this address. It has one ever after.
    ///
    /// # Errors
    /// The store fails.
    pub async fn open(&self, run: RunId, at: &Address, requester: &str) -> Result<(), ServiceError> {
        let wanted = RunMessage {
            run,
            platform: at.platform.clone(),
            channel: at.channel.clone(),
            thread: at.thread.clone(),
            requester: requester.to_owned(),
            message: None,
            sent: 0,
            is_final: false,
            told: String::new(),
            created_at: self.means.now(),
        };
        let card = self.means.keeper.want_card(wanted).await?;
        let _ = self.orders.send(Order::Track(card)).await; // a courier that has stopped finds it at the next start
        Ok(())
    }

    /// Brings a card up to date although nothing happened, be it final or not.
    pub async fn refresh(&self, run: RunId) {
        let _ = self.orders.send(Order::Refresh(run)).await; // as above
    }
}

struct Round {
    means: Arc<Means>,
    live: HashMap<RunId, Live>,
    paces: HashMap<String, Pace>,
    /// When all cards were last looked at.
    looked: Instant,
    sends: JoinSet<(RunId, Result<Delivered, SendError>)>,
    count: watch::Sender<u64>,
}

impl Round {
    async fn run(mut self, mut watch: Watch, mut orders: mpsc::Receiver<Order>, stop: CancellationToken) {
        loop {
            let due = self.send_due();
            tokio::select! {
                () = stop.cancelled() => break,
                change = watch.next() => match change {
                    Some(change) => self.heard(change).await,
                    None => break,
                },
                Some(order) = orders.recv() => match order {
                    Order::Track(card) => self.track(card),
                    Order::Refresh(run) => self.look_up(run).await,
                },
                Some(sent) = self.sends.join_next() => match sent {
                    Ok((run, result)) => self.sent(run, result),
                    Err(error) => tracing::error!(%error, "a card was given up"),
                },
                () = tokio::time::sleep_until(due) => {}
            }
        }
        // What is being sent may end; everything else is found at the next start.
        let _ = tokio::time::timeout(LAST_SENDS, async { while self.sends.join_next().await.is_some() {} }).await;
    }

    fn track(&mut self, card: RunMessage) {
        let run = card.run;
        let now = Instant::now();
        let delivery = Delivery::new(card);
        let fresh = Live {
            delivery,
            dirty: true,
            turned: true,
            sending: false,
            next: now,
            passing: None,
            failures: 0,
            behind: None,
        };
        let live = self.live.entry(run).or_insert(fresh);
        (live.dirty, live.turned) = (true, true);
        live.next = now;
    }

    async fn look_up(&mut self, run: RunId) {
        match self.means.keeper.card(run).await {
            Ok(Some(card)) => self.track(card),
            Ok(None) => {} // nobody asked for it in a conversation
            Err(error) => tracing::warn!(%run, %error, "its card cannot be read"),
        }
    }

    async fn heard(&mut self, change: Change) {
        match change {
            Change::Moved { run, turned } => {
                if let Some(live) = self.live.get_mut(&run) {
                    live.dirty = true;
                    live.turned |= turned;
                    if turned && live.failures == 0 {
                        live.next = Instant::now();
                    }
                } else if turned {
                    // Its card may have been wanted by something that started it later than it was said.
                    self.look_up(run).await;
                }
            }
            Change::Says { run, step, text } => {
                if let Some(live) = self.live.get_mut(&run) {
                    live.dirty = true;
                    live.delivery.says(step, text);
                }
            }
            Change::Reopened(run) => self.look_up(run).await,
            // It may have been anything.
            Change::Missed => self.live.values_mut().for_each(|live| (live.dirty, live.turned) = (true, true)),
        }
    }

    /// Starts what is due; when the next one is.
    fn send_due(&mut self) -> Instant {
        let now = Instant::now();
        if self.live.len() > MANY && now < self.looked + IN_ONE_GO {
            return self.looked + IN_ONE_GO;
        }
        self.looked = now;
        let mut survey = Survey::of(&self.live, now, LONGEST_WAIT);
        for (_, run) in std::mem::take(&mut survey.due) {
            let Some(live) = self.live.get_mut(&run) else { continue };
            let address = live.delivery.address();
            let Ok(adapter) = self.means.adapter(&address) else {
                live.next = now + LONGEST_WAIT; // its platform is not connected in this life of the process
                continue;
            };
            let traits = adapter.traits();
            let pace = self.paces.entry(address.platform.clone()).or_insert_with(|| Pace::new(traits, now));
            let seats = survey.in_flight.entry(address.platform.clone()).or_default();
            if *seats >= if pace.is_knocking() { 1 } else { traits.in_flight } {
                continue; // the end of one that is being sent brings us back here
            }
            // New messages of a channel go one by one: only so do they stand in the order of their executions.
            let place = (address.platform.clone(), address.channel.clone());
            let is_new = live.delivery.card.message.is_none();
            if is_new && survey.posting.contains(&place) {
                continue;
            }
            let wish = match (is_new, live.turned) {
                (true, _) => Wish::Post(&address.channel),
                (false, true) => Wish::Turn,
                (false, false) => Wish::Tick,
            };
            if let Err(at) = pace.take(wish, now) {
                survey.next = survey.next.min(at);
                continue;
            }
            *seats += 1;
            if is_new {
                survey.posting.insert(place);
            }
            (live.dirty, live.turned, live.passing) = (false, false, None);
            live.sending = true;
            live.next = now + pace.interval(survey.cards.get(&address.platform).copied().unwrap_or(1));
            let (means, delivery) = (Arc::clone(&self.means), live.delivery.clone());
            self.sends.spawn(async move { (run, delivery.send(&means).await) });
        }
        survey.next
    }

    /// A platform is there again: what waited for it to come back waits no longer.
    fn catch_up(&mut self, platform: &str) {
        let now = Instant::now();
        let waiting =
            self.live.values_mut().filter(|live| live.failures > 0 && live.delivery.card.platform == platform);
        for live in waiting {
            live.next = live.next.min(now);
        }
    }

    fn sent(&mut self, run: RunId, result: Result<Delivered, SendError>) {
        let Some(live) = self.live.get_mut(&run) else { return };
        live.sending = false;
        self.count.send_modify(|count| *count += 1);
        let pace = self.paces.get_mut(&live.delivery.card.platform);
        match result {
            Ok(delivered) => {
                (live.failures, live.behind) = (0, None);
                live.passing = delivered.passing.map(|length| Instant::now() + length);
                live.delivery.learn(delivered);
                let platform = live.delivery.card.platform.clone();
                let is_back = pace.is_some_and(Pace::reached);
                if live.delivery.card.is_final && !live.dirty {
                    self.live.remove(&run);
                }
                if is_back {
                    self.catch_up(&platform);
                }
            }
            Err(SendError::Refused(why)) => {
                tracing::warn!(%run, %why, "its card is not shown");
                self.live.remove(&run);
            }
            Err(error) => {
                let now = Instant::now();
                if let Some(pace) = pace {
                    pace.missed(&error, now);
                }
                let behind = *live.behind.get_or_insert(now);
                (live.dirty, live.turned) = (true, true);
                match &error {
                    SendError::Busy(_) => {}
                    // What is to be mended was said once; that each card waits for it need not be.
                    SendError::Barred(_) => live.next = now + BARRED_WAIT,
                    _ => {
                        live.failures += 1;
                        live.next = now + FIRST_WAIT.saturating_mul(1 << live.failures.min(10)).min(LONGEST_WAIT);
                    }
                }
                if now.duration_since(behind) > GIVEN_UP {
                    tracing::error!(%run, %error, "its card is given up after a day; the next start tries again");
                    self.live.remove(&run);
                    return;
                }
                if !matches!(error, SendError::Barred(_)) {
                    tracing::warn!(%run, %error, failures = live.failures, "its card is behind");
                }
            }
        }
    }
}
