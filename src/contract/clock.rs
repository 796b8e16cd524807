//! Time and chance as parameters. The only place that asks the machine for either.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::time::Timestamp;

/// Where the present time and chance come from.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;

    /// 128 bits: the present millisecond in the upper 48, chance below. What ids are made of.
    fn id_bits(&self) -> u128;
}

/// The machine's own clock and chance.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn id_bits(&self) -> u128 {
        ulid::Ulid::new().0
    }
}
