//! A zone's clocks: how far they are from UTC, and when they are changed. Seconds since 1970, plain numbers.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Offset as _, TimeZone as _};
use chrono_tz::Tz;

/// No two changes of one zone lie nearer to each other than this (in practice weeks; the tables know of none).
const STRIDE: i64 = 6 * 3_600;

/// A zone of the IANA database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

/// A moment at which a zone's clocks are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The first second with the new offset.
    pub at: i64,
    /// Seconds east of UTC until then.
    pub before: i64,
    /// Seconds east of UTC from then on.
    pub after: i64,
}

impl Change {
    /// Whether the clocks go forward: local times are left out.
    #[must_use]
    pub const fn is_gap(&self) -> bool {
        self.after > self.before
    }

    /// The local times that are left out or come twice: from, and until before.
    #[must_use]
    pub const fn local_range(&self) -> (i64, i64) {
        let (low, high) = if self.is_gap() { (self.before, self.after) } else { (self.after, self.before) };
        (self.at + low, self.at + high)
    }
}

impl Zone {
    /// UTC.
    pub const UTC: Self = Self(Tz::UTC);

    /// The zone of this name, in whatever case it is written.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if let Ok(zone) = name.parse() {
            return Some(Self(zone));
        }
        chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(name)).copied().map(Self)
    }

    /// The names of all zones.
    pub fn names() -> impl Iterator<Item = &'static str> {
        chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())
    }

    /// The version of the database in this binary.
    #[must_use]
    pub const fn database() -> &'static str {
        chrono_tz::IANA_TZDB_VERSION
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// Seconds east of UTC at an instant.
    #[must_use]
    pub fn offset(&self, at: i64) -> i64 {
        let at = naive(at);
        i64::from(self.0.offset_from_utc_datetime(&at).fix().local_minus_utc())
    }

    /// The first change later than `from` and not later than `until`.
    #[must_use]
    pub fn next_change(&self, from: i64, until: i64) -> Option<Change> {
        let mut low = from;
        let before = self.offset(from);
        while low < until {
            let high = (low + STRIDE).min(until);
            let after = self.offset(high);
            if after != before {
                return Some(self.bisect((low, high), before));
            }
            low = high;
        }
        None
    }

    /// The one change between two instants, to the second.
    fn bisect(&self, (mut low, mut high): (i64, i64), before: i64) -> Change {
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.offset(middle) == before { low = middle } else { high = middle }
        }
        Change { at: high, before, after: self.offset(high) }
    }

    /// Every change in a stretch of time.
    #[must_use]
    pub fn changes(&self, from: i64, until: i64) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut at = from;
        while let Some(change) = self.next_change(at, until) {
            at = change.at;
            changes.push(change);
        }
        changes
    }

    /// An instant as people of the zone write it: `2027-03-28T03:00:00+02:00`.
    #[must_use]
    pub fn local(&self, at: i64) -> String {
        let time = self.0.from_utc_datetime(&naive(at));
        time.format("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// An instant for a sentence: `Sun 2027-03-28 03:00 +02:00`.
    #[must_use]
    pub fn spoken(&self, at: i64) -> String {
        let time = self.0.from_utc_datetime(&naive(at));
        let form = if at.rem_euclid(60) == 0 { "%a %Y-%m-%d %H:%M %:z" } else { "%a %Y-%m-%d %H:%M:%S %:z" };
        time.format(form).to_string()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The date and time of these seconds, as a clock that shows them; the far end of time where there is none.
pub(super) fn naive(seconds: i64) -> NaiveDateTime {
    DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::<chrono::Utc>::MAX_UTC).naive_utc()
}
