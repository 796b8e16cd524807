//! Numbers, times and values as people read them.

use serde_json::Value;

/// A length of time.
#[must_use]
pub fn seconds(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and no run takes so long")]
    let whole = seconds.round() as u64;
    match whole {
        0..10 if seconds < 9.95 => format!("{seconds:.1} s"),
        0..60 => format!("{whole} s"),
        60..3_600 => match (whole / 60, whole % 60) {
            (minutes, 0) => format!("{minutes} min"),
            (minutes, rest) => format!("{minutes} min {rest} s"),
        },
        _ => format!("{} h {} min", whole / 3_600, whole % 3_600 / 60),
    }
}

/// The time of day of an RFC 3339 time in UTC; a time of another day comes with its date when it is shown alone.
#[must_use]
pub fn clock(time: &str) -> String {
    format!("{} UTC", time.get(11..19).unwrap_or(time))
}

/// Day and time of an RFC 3339 time in UTC.
#[must_use]
pub fn moment(time: &str) -> String {
    match (time.get(..10), time.get(11..16)) {
        (Some(day), Some(clock)) => format!("{day} {clock} UTC"),
        _ => time.to_owned(),
    }
}

/// A number of bytes.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// A value: a text as it is, everything else as JSON.
#[must_use]
pub fn value(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `1 page`, `2 pages`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_read_as_people_say_them() {
        for (number, text) in
            [(0.04, "0.0 s"), (0.44, "0.4 s"), (9.96, "10 s"), (59.4, "59 s"), (60.0, "1 min"), (95.2, "1 min 35 s")]
        {
            assert_eq!(seconds(number), text);
        }
        assert_eq!(seconds(7_260.0), "2 h 1 min");
        assert_eq!((bytes(999), bytes(1_250_000)), ("999 B".to_owned(), "1.2 MB".to_owned()));
        assert_eq!(clock("2026-11-23T05:30:09.123Z"), "05:30:09 UTC");
        assert_eq!(moment("2026-11-23T05:30:09.123Z"), "2026-11-23 05:30 UTC");
    }
}
