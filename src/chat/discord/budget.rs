//! How often a session is begun: Discord takes a token back that identifies more than 1,000 times in a day, so we stop
//! well before. Counted across restarts: a service that crashes at its start must not spend its token.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::adapter::Discord;
use crate::domain::time::{Span, Timestamp};

/// The name under which it is remembered.
const NOTE: &str = "discord:identifies";
/// Sessions of a day.
const A_DAY: u32 = 800;
const DAY: Span = Span::from_secs(24 * 3_600);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Count {
    /// The first one of this day, in microseconds.
    since: i64,
    times: u32,
}

impl Count {
    /// One more; how long to wait where there are too many.
    fn next(self, now: Timestamp) -> Result<Self, Duration> {
        let passed = now.micros().saturating_sub(self.since);
        if self.times == 0 || passed < 0 || passed >= DAY.micros() {
            return Ok(Self { since: now.micros(), times: 1 });
        }
        if self.times >= A_DAY {
            return Err(Duration::from_micros(u64::try_from(DAY.micros() - passed).unwrap_or_default()));
        }
        Ok(Self { times: self.times + 1, ..self })
    }
}

/// The budget.
pub struct Budget<'d> {
    discord: &'d Discord,
}

impl<'d> Budget<'d> {
    /// The budget of this token.
    pub const fn of(discord: &'d Discord) -> Self {
        Self { discord }
    }

    /// Takes one session.
    ///
    /// # Errors
    /// There is none left, or it cannot be counted: why, and how long to wait.
    pub async fn take(&self) -> Result<(), (String, Duration)> {
        let keeper = self.discord.service.conversations();
        let uncounted = |error: &dyn std::fmt::Display| {
            (format!("the sessions of the day cannot be counted: {error}"), Duration::from_secs(10))
        };
        let noted = keeper.noted(NOTE).await.map_err(|error| uncounted(&error))?;
        let count: Count = noted.and_then(|noted| serde_json::from_str(&noted).ok()).unwrap_or_default();
        let next = count.next(self.discord.now()).map_err(|wait| {
            let why = format!("{A_DAY} sessions were begun within a day; Discord takes back a token that begins 1000");
            (why, wait)
        })?;
        let noted = serde_json::to_string(&next).map_err(|error| uncounted(&error))?;
        keeper.note(NOTE, &noted).await.map_err(|error| uncounted(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_so_many_sessions_and_then_none() {
        let start = Timestamp::from_micros(1_764_929_100_000_000);
        let mut count = Count::default();
        for _ in 0..A_DAY {
            count = count.next(start).expect("one more");
        }
        let later = start.plus(Span::from_secs(3_600));
        assert_eq!(count.next(later), Err(Duration::from_secs(23 * 3_600)));
        let tomorrow = start.plus(DAY);
        assert_eq!(count.next(tomorrow), Ok(Count { since: tomorrow.micros(), times: 1 }));
        let clock_was_set_back = Timestamp::from_micros(start.micros() - 1);
        assert!(count.next(clock_was_set_back).is_ok());
    }
}
