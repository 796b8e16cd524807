//! How much of us a platform takes: so many changes a minute for all cards together, so many new messages in a channel,
//! and silence after it asked for it or could not be reached.
//!
//! A change that nobody waits for (a tick) leaves a reserve to those that somebody does (a turn: it ended, stands still,
//! asks). In an outage one card at a time knocks; once one is taken, the others follow, the oldest execution first.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::super::adapter::{SendError, Traits};

/// Of the changes of a minute, the part that may be used at once; the rest comes evenly.
const AT_ONCE: f64 = 0.2;
/// Of what may be used at once, the part that ticks leave to turns.
const RESERVE: f64 = 0.5;
/// The longest silence of our own making.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);
/// Channels whose last message is remembered.
const CHANNELS: usize = 10_000;

/// What somebody wishes to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish<'w> {
    /// A new message in this channel.
    Post(&'w str),
    /// A change that the next one replaces.
    Tick,
    /// A change that people wait for.
    Turn,
}

/// The pace of one platform.
pub struct Pace {
    /// Changes a minute, and how many of them are left now; `None`: without limit.
    changes: Option<(f64, f64)>,
    /// Up to when `changes` is reckoned.
    reckoned: Instant,
    silent_until: Instant,
    /// Sends that failed since the last one that did not.
    failures: u32,
    /// When each channel may get its next message.
    posts: HashMap<String, Instant>,
    post_interval: Duration,
    edit_interval: Duration,
}

impl Pace {
    pub fn new(traits: &Traits, now: Instant) -> Self {
        let changes = traits.edits_per_minute.map(f64::from).map(|minute| (minute, minute * AT_ONCE));
        Self {
            changes,
            reckoned: now,
            silent_until: now,
            failures: 0,
            posts: HashMap::new(),
            post_interval: traits.post_interval,
            edit_interval: traits.edit_interval,
        }
    }

    /// How long a card rests between two ticks, when so many share the budget.
    pub fn interval(&self, cards: usize) -> Duration {
        let share = self.changes.map_or(Duration::ZERO, |(minute, _)| {
            Duration::from_secs_f64(60.0 * f64::from(u32::try_from(cards).unwrap_or(u32::MAX)) / minute)
        });
        self.edit_interval.max(share)
    }

    /// Whether only one send may be under way: nobody knows whether the platform is there.
    pub const fn is_knocking(&self) -> bool {
        self.failures > 0
    }

    /// Takes what a send uses up.
    ///
    /// # Errors
    /// Not before this time.
    pub fn take(&mut self, wish: Wish<'_>, now: Instant) -> Result<(), Instant> {
        if self.silent_until > now {
            return Err(self.silent_until);
        }
        match wish {
            Wish::Post(channel) => self.take_post(channel, now),
            Wish::Tick => self.take_change(RESERVE, now),
            Wish::Turn => self.take_change(0.0, now),
        }
    }

    fn take_post(&mut self, channel: &str, now: Instant) -> Result<(), Instant> {
        if self.post_interval.is_zero() {
            return Ok(());
        }
        if let Some(at) = self.posts.get(channel).filter(|at| **at > now) {
            return Err(*at);
        }
        if self.posts.len() >= CHANNELS {
            self.posts.retain(|_, at| *at > now);
        }
        self.posts.insert(channel.to_owned(), now + self.post_interval);
        Ok(())
    }

    fn take_change(&mut self, reserve: f64, now: Instant) -> Result<(), Instant> {
        let Some((minute, left)) = &mut self.changes else { return Ok(()) };
        let at_once = *minute * AT_ONCE;
        let a_second = *minute * (1.0 - AT_ONCE) / 60.0;
        *left = (*left + now.duration_since(self.reckoned).as_secs_f64() * a_second).min(at_once);
        self.reckoned = now;
        let needed = 1.0 + at_once * reserve;
        if *left >= needed {
            *left -= 1.0;
            return Ok(());
        }
        Err(now + Duration::from_secs_f64((needed - *left) / a_second))
    }

    /// Something was taken; whether that ends an outage.
    pub const fn reached(&mut self) -> bool {
        let was_out = self.failures > 0;
        self.failures = 0;
        was_out
    }

    /// Something was not taken.
    pub fn missed(&mut self, error: &SendError, now: Instant) {
        let silence = match error {
            SendError::Busy(wait) => *wait,
            SendError::Later(_) => {
                self.failures = self.failures.saturating_add(1);
                Duration::from_secs(1 << self.failures.min(6)).min(LONGEST_SILENCE)
            }
            SendError::Gone | SendError::Refused(_) | SendError::Barred(_) => return,
        };
        self.silent_until = self.silent_until.max(now + silence);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::adapter::{Drops, Forms};
    use super::*;

    const fn traits(edits_per_minute: Option<u32>) -> Traits {
        Traits {
            platform: "test",
            names: &[],
            private: true,
            edits: true,
            forms: Forms::Modal,
            drops: Drops::Ask,
            edit_interval: Duration::from_millis(1_500),
            edits_per_minute,
            silent_edits: true,
            post_interval: Duration::from_secs(1),
            longest_text: 1_000,
            in_flight: 4,
        }
    }

    #[test]
    fn no_minute_sees_more_changes_than_the_platform_takes_and_turns_go_before_ticks() {
        let start = Instant::now();
        let mut pace = Pace::new(&traits(Some(50)), start);
        let mut taken: Vec<u64> = Vec::new();
        for millis in (0..180_000).step_by(10) {
            let now = start + Duration::from_millis(millis);
            let wish = if millis % 20 == 0 { Wish::Tick } else { Wish::Turn };
            if pace.take(wish, now).is_ok() {
                taken.push(millis);
            }
        }
        let most = taken.iter().map(|from| taken.iter().filter(|at| (*from..from + 60_000).contains(at)).count()).max();
        assert!(most.is_some_and(|most| (40..=50).contains(&most)), "{most:?}");
        let mut pace = Pace::new(&traits(Some(50)), start);
        while pace.take(Wish::Tick, start).is_ok() {}
        assert_eq!(pace.take(Wish::Turn, start), Ok(()), "a reserve is left to those that somebody waits for");
        assert_eq!(pace.interval(100), Duration::from_secs(120));
        assert_eq!(pace.interval(1), Duration::from_millis(1_500));
    }

    #[test]
    fn a_channel_gets_a_message_a_second_and_silence_is_kept() {
        let start = Instant::now();
        let mut pace = Pace::new(&traits(None), start);
        assert_eq!(pace.take(Wish::Post("a"), start), Ok(()));
        assert_eq!(pace.take(Wish::Post("a"), start), Err(start + Duration::from_secs(1)));
        assert_eq!(pace.take(Wish::Post("b"), start), Ok(()), "another channel has its own");
        pace.missed(&SendError::Busy(Duration::from_secs(30)), start);
        assert_eq!(pace.take(Wish::Turn, start), Err(start + Duration::from_secs(30)));
        assert!(!pace.is_knocking(), "it is there, and wants silence");
        let later = start + Duration::from_secs(30);
        for _ in 0..20 {
            pace.missed(&SendError::Later("cut".to_owned()), later);
        }
        assert!(pace.is_knocking());
        assert_eq!(pace.take(Wish::Turn, later), Err(later + LONGEST_SILENCE));
        assert!(pace.reached(), "the outage is over");
        assert!(!pace.is_knocking() && !pace.reached());
    }
}
