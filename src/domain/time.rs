//! Points and lengths of time. Arithmetic and text only: nobody here asks what time it is.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};

/// A point in time: microseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The point this many microseconds after 1970-01-01 UTC.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// No point in time: what waits until then waits for something else. (The last moment of the year 9999.)
    pub const NEVER: Self = Self(253_402_300_799_000_000);

    /// Microseconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// This point moved forward by `span`; the far end of time where that would overflow.
    #[must_use]
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.micros()))
    }

    /// How long after `earlier` this point lies; zero when it lies before.
    #[must_use]
    pub fn since(self, earlier: Self) -> Span {
        let micros = u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0);
        Span::from_micros(micros)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds, as `2026-11-23T05:30:00.000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp_micros(self.0) {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => write!(f, "{}us", self.0),
        }
    }
}

/// A length of time, in whole microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(u64);

/// Why a text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a duration: write seconds as a number (300, 2.5) or with a unit (500ms, 90s, 30m, 2h, 1d)")]
pub struct SpanError(String);

impl Span {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of whole microseconds.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// A span of whole milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// A span of whole seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// A span of seconds with a fraction; `None` when negative, not finite, or above 1,000 years.
    #[must_use]
    pub fn from_secs_f64(secs: f64) -> Option<Self> {
        let micros = secs * 1e6;
        // The bound keeps the cast exact in range; it is checked on the line itself.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "range checked here")]
        (0.0..=3.2e16).contains(&micros).then(|| Self(micros.round() as u64))
    }

    /// Whole microseconds, at most `i64::MAX`.
    #[must_use]
    pub const fn micros(self) -> i64 {
        if self.0 > i64::MAX as u64 { i64::MAX } else { self.0 as i64 }
    }

    /// Seconds with their fraction.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.duration().as_secs_f64()
    }

    /// The same length as the standard library's type.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_micros(self.0)
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let error = || SpanError(text.chars().take(40).collect());
        let text = text.trim();
        let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
        let number: f64 = text[..split].trim_end().parse().map_err(|_| error())?;
        let factor = match &text[split..] {
            "" | "s" => 1.0,
            "ms" => 0.001,
            "m" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return Err(error()),
        };
        Self::from_secs_f64(number * factor).ok_or_else(error)
    }
}

impl fmt::Display for Span {
    /// The largest unit that keeps the number short: `250ms`, `2.5s`, `3m 20s`, `2h 5m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0 / 1_000;
        match millis {
            0..1_000 => write!(f, "{millis}ms"),
            1_000..60_000 => write!(f, "{}.{}s", millis / 1_000, millis % 1_000 / 100),
            60_000..3_600_000 => write!(f, "{}m {}s", millis / 60_000, millis % 60_000 / 1_000),
            _ => write!(f, "{}h {}m", millis / 3_600_000, millis % 3_600_000 / 60_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_with_and_without_units() {
        for (text, micros) in [
            ("300", 300_000_000),
            ("2.5", 2_500_000),
            ("500ms", 500_000),
            ("30m", 1_800_000_000),
            ("1d", 86_400_000_000),
        ] {
            assert_eq!(text.parse::<Span>().map(Span::micros), Ok(micros), "{text}");
        }
        for text in ["", "s", "-1s", "1w", "1e400", "NaN", "5 parsecs"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_timestamp_prints_as_utc() {
        assert_eq!(Timestamp::from_micros(1_764_929_100_000_000).to_string(), "2025-12-05T10:05:00.000Z");
    }
}
