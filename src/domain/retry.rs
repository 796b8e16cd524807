//! Retry policy and the delay before the next attempt.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::time::Span;

/// How the delay grows from attempt to attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backoff {
    /// The same delay each time.
    #[default]
    Constant,
    /// `delay * n`.
    Linear,
    /// `delay * factor^(n-1)`.
    Exponential,
}

/// What happens after a failed attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Retries after the first attempt: 3 means four attempts.
    pub count: u32,
    /// The first delay.
    pub delay: Span,
    /// How the delay grows.
    pub backoff: Backoff,
    /// By how much an exponential delay grows, in thousandths: 2000 doubles it.
    #[serde(default = "doubling", skip_serializing_if = "is_doubling")]
    pub factor: u32,
    /// No delay is longer than this.
    pub max_delay: Span,
    /// Spread delays by up to a fifth, so that many runs do not come back at the same moment.
    pub jitter: bool,
    /// Codes that are retried although they are permanent.
    pub on: Vec<String>,
    /// Codes that are never retried.
    pub not_on: Vec<String>,
}

impl RetryPolicy {
    /// Attempts in all: the first one and its retries.
    #[must_use]
    pub const fn max_attempts(&self) -> u32 {
        self.count.saturating_add(1)
    }

    /// The wait after the `attempt`-th failed attempt (from 1). `chance` in 0..=u32::MAX spreads it; the same
    /// chance gives the same delay, so a replay decides alike.
    #[must_use]
    pub fn delay_after(&self, attempt: u32, chance: u32) -> Span {
        let base = self.delay.duration();
        let grown = match self.backoff {
            Backoff::Constant => base,
            Backoff::Linear => base.saturating_mul(attempt.max(1)),
            Backoff::Exponential => {
                let times = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
                let seconds = base.as_secs_f64() * (f64::from(self.factor) / 1_000.0).powi(times);
                Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
            }
        };
        let mut delay = grown.min(self.max_delay.duration());
        if self.jitter {
            delay = delay.mul_f64(0.8 + 0.4 * f64::from(chance) / f64::from(u32::MAX));
        }
        Span::from_micros(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX))
    }
}

const fn doubling() -> u32 {
    2_000
}

/// What is written of a policy that names no factor stays as it was before there was one, and so does its hash.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
const fn is_doubling(factor: &u32) -> bool {
    *factor == doubling()
}

impl Default for RetryPolicy {
    /// Three retries, five seconds apart.
    fn default() -> Self {
        Self {
            count: 3,
            delay: Span::from_secs(5),
            backoff: Backoff::Constant,
            factor: doubling(),
            max_delay: Span::from_secs(900),
            jitter: false,
            on: Vec::new(),
            not_on: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_as_the_policy_says_and_stop_at_the_cap() {
        let policy = |backoff| RetryPolicy {
            backoff,
            delay: Span::from_secs(2),
            max_delay: Span::from_secs(10),
            ..RetryPolicy::default()
        };
        let secs =
            |backoff| (1..=5).map(|n| policy(backoff).delay_after(n, 0).micros() / 1_000_000).collect::<Vec<_>>();
        assert_eq!(secs(Backoff::Constant), [2, 2, 2, 2, 2]);
        assert_eq!(secs(Backoff::Linear), [2, 4, 6, 8, 10]);
        assert_eq!(secs(Backoff::Exponential), [2, 4, 8, 10, 10]);
        let slow = RetryPolicy { factor: 1_500, ..policy(Backoff::Exponential) };
        let millis = |attempt| slow.delay_after(attempt, 0).micros() / 1_000;
        assert_eq!([1, 2, 3, 5, u32::MAX].map(millis), [2_000, 3_000, 4_500, 10_000, 10_000]);
    }

    #[test]
    fn jitter_stays_within_a_fifth() {
        let policy = RetryPolicy { jitter: true, ..RetryPolicy::default() };
        assert_eq!(policy.delay_after(1, 0).micros(), 4_000_000);
        assert_eq!(policy.delay_after(1, u32::MAX).micros(), 6_000_000);
    }
}
