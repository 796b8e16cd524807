//! Reading schedules: each part on its own, and what is wrong with the whole.

use chrono::{DateTime, NaiveDateTime, NaiveTime};

use super::super::{near, source::short};
use crate::domain::schedule::{Cron, CronError, Timing, Zone};
use crate::domain::time::{Span, Timestamp};
use crate::domain::trigger::{Rhythm, ScheduleSpec};

/// Fires nearer to each other than this are refused where a schedule is kept.
const NEAREST: Span = Span::from_secs(1);
/// How many fires are looked at for that.
const LOOKED_AT: usize = 30;

/// Why a text is no schedule, and what may have been meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub fix: String,
}

impl Wrong {
    /// A day that is none.
    pub(in crate::language) fn day(text: &str) -> Self {
        Self::new(format!("`{}` is no day", short(text)), "write it as `2027-12-24`")
    }

    /// An interval of less than a second.
    pub(in crate::language) fn too_short() -> Self {
        Self::new("an interval is at least a second long", "write `every: 15m`")
    }

    pub(super) fn new(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { message: message.into(), fix: fix.into() }
    }
}

/// The zone of this name.
///
/// # Errors
/// There is none, with the nearest.
pub fn zone(name: &str) -> Result<Zone, Wrong> {
    Zone::named(name.trim()).ok_or_else(|| {
        let last = |zone: &&str| zone.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(name.trim()));
        let near = Zone::names().find(last).or_else(|| near::near(name.trim(), Zone::names()));
        let fix =
            near.map_or_else(|| "write it as `Europe/Berlin`".to_owned(), |near| format!("did you mean `{near}`?"));
        Wrong::new(format!("there is no time zone `{}`", short(name)), fix)
    })
}

/// A cron expression that happens at all.
///
/// # Errors
/// It cannot be read, or never happens.
pub fn cron(text: &str) -> Result<Cron, Wrong> {
    Cron::read(text).map_err(|error| {
        let message = match &error {
            CronError::Wrong(why) => format!("`{}` is no cron expression: {why}", short(text)),
            CronError::Never => format!("`{}`: {error}", short(text)),
        };
        Wrong::new(message, "write `minute hour day month weekday`, as in `0 2 * * *` for every day at 02:00")
    })
}

/// Plain words, as `weekdays 9am Europe/Berlin`: a rhythm, and the zone if one is named.
///
/// # Errors
/// A word is not understood, with the nearest.
pub fn words(text: &str) -> Result<(Rhythm, Option<Zone>), Wrong> {
    super::words::read(text)
}

/// An expression or plain words: whoever types does not say which.
///
/// # Errors
/// It is neither.
pub fn either(text: &str) -> Result<(Rhythm, Option<Zone>), Wrong> {
    let trimmed = text.trim();
    if let Ok(cron) = Cron::read(trimmed) {
        return Ok((Rhythm::Cron(cron.text().to_owned()), None));
    }
    let first = trimmed.chars().next();
    let looks_like_cron = first.is_none_or(|c| c.is_ascii_digit() || matches!(c, '*' | '@' | '?'))
        && !trimmed
            .split_whitespace()
            .next()
            .is_some_and(|word| super::words::time(word).is_some() && !word.chars().all(|c| c.is_ascii_digit()));
    if looks_like_cron {
        return cron(trimmed).map(|cron| (Rhythm::Cron(cron.text().to_owned()), None));
    }
    words(trimmed)
}

/// An instant: RFC 3339, or a local time of this zone.
///
/// # Errors
/// It is neither, or that time is not there on that day.
pub fn instant(text: &str, zone: Zone) -> Result<Timestamp, Wrong> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(Timestamp::from_micros(time.timestamp_micros()));
    }
    let forms = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"];
    let local = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let day = || chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|day| day.and_time(NaiveTime::MIN));
    let Some(local) = local.or_else(day) else {
        let message = format!("`{}` is no time", short(text));
        return Err(Wrong::new(message, "write it as `2027-03-28 09:00` or `2027-03-28T09:00:00Z`"));
    };
    let wanted = local.and_utc().timestamp();
    // The first instant whose clock shows this time, or the first after it that there is.
    let guess = wanted - zone.offset(wanted - zone.offset(wanted));
    let (early, late) = (guess - 25 * 3_600, guess + 25 * 3_600);
    let mut from = early;
    let mut edges: Vec<_> = zone.changes(early, late).iter().map(|change| change.at).collect();
    edges.push(late);
    for edge in edges {
        let offset = zone.offset(from);
        let at = (wanted - offset).max(from);
        if at < edge && (wanted - offset) < edge {
            return Ok(Timestamp::from_micros(at * 1_000_000));
        }
        from = edge;
    }
    Ok(Timestamp::from_micros(guess * 1_000_000))
}

/// A schedule that never happens.
#[must_use]
pub fn never() -> Wrong {
    Wrong::new("it never happens within five years", "name a day that there is")
}

/// What is wrong with a schedule as a whole, seen from `now` on.
///
/// # Errors
/// It never happens, or too often, or its parts contradict each other.
pub fn check(spec: &ScheduleSpec, now: Timestamp) -> Result<Timing, Wrong> {
    let timing = spec.timing().map_err(|error| Wrong::new(error.to_string(), "correct the expression or the zone"))?;
    let one_off = matches!(spec.rhythm, Rhythm::At(_));
    if timing.next(now).is_none() && !one_off {
        return Err(never());
    }
    let Some(shortest) = timing.shortest(now, LOOKED_AT) else { return Ok(timing) };
    if shortest < NEAREST {
        return Err(Wrong::new("it happens more often than once a second", "leave a second between two times"));
    }
    if spec.jitter.micros() > shortest.micros() / 2 {
        let message = format!("`jitter` of {} is more than half of the {shortest} between two times", spec.jitter);
        return Err(Wrong::new(message, "make it shorter, so that no start overtakes the next"));
    }
    Ok(timing)
}

/// Why a schedule happens too often for whoever runs this instance; `None`: it does not. Single instants may be close.
#[must_use]
pub fn too_often(spec: &ScheduleSpec, now: Timestamp, shortest: Span) -> Option<Wrong> {
    if matches!(spec.rhythm, Rhythm::At(_)) {
        return None;
    }
    let least = spec.timing().ok()?.shortest(now, LOOKED_AT).filter(|least| *least < shortest)?;
    let message = format!("it happens every {least}, and `schedule_min_interval` wants {shortest} at the least");
    let fix = "leave more time between two times, or lower `schedule_min_interval` (WORKFLOW_SCHEDULE_MIN_INTERVAL)";
    Some(Wrong::new(message, fix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_become_expressions() {
        for (text, expression, zone) in [
            ("weekdays 9am Europe/Berlin", "0 9 * * 1-5", Some("Europe/Berlin")),
            ("weekdays at 7:00", "0 7 * * 1-5", None),
            ("daily at 02:00", "0 2 * * *", None),
            ("every day at noon", "0 12 * * *", None),
            ("weekends 10:30 pm", "30 22 * * 0,6", None),
            ("monday and friday at 8", "0 8 * * 1,5", None),
            ("every Tuesday 18:15 UTC", "15 18 * * 2", Some("UTC")),
            ("hourly", "0 * * * *", None),
            ("every hour", "0 * * * *", None),
            ("every minute", "* * * * *", None),
            ("every 15 minutes", "*/15 * * * *", None),
            ("every 2 hours", "0 */2 * * *", None),
            ("daily 8am, 6pm", "0 8,18 * * *", None),
            ("monthly on the 1st at 6:00", "0 6 1 * *", None),
            ("monthly on the last day 23:00", "0 23 L * *", None),
            ("first monday 9am", "0 9 * * 1#1", None),
            ("last friday of the month at 17:00", "0 17 * * 5L", None),
            ("12am daily", "0 0 * * *", None),
        ] {
            let (rhythm, named) = words(text).unwrap_or_else(|wrong| panic!("{text}: {}", wrong.message));
            assert_eq!(rhythm, Rhythm::Cron(expression.to_owned()), "{text}");
            assert_eq!(named.map(|zone| zone.name()), zone, "{text}");
        }
        let (rhythm, _) = words("every 45 minutes").expect("it is an interval");
        assert_eq!(rhythm, Rhythm::Every(Span::from_secs(2_700), Timestamp::from_micros(0)));
    }

    #[test]
    fn what_is_not_understood_is_named_with_what_is_near() {
        for (text, part) in [
            ("weekdys 9am", "did you mean `weekdays`?"),
            ("daily", "at which time"),
            ("weekdays 25:00", "25:00"),
            ("", "no words"),
            ("daily 9am Europe/Berlim", "Europe/Berlin"),
            ("daily 8:00 and 9:30", "same minute"),
            ("every 0 minutes", "0"),
        ] {
            let wrong = words(text).expect_err(text);
            assert!(format!("{} {}", wrong.message, wrong.fix).contains(part), "{text}: {wrong:?}");
        }
        assert!(zone("berlin").expect_err("no zone").fix.contains("Europe/Berlin"));
    }

    #[test]
    fn whoever_types_need_not_say_whether_it_is_cron() {
        assert_eq!(either("0 2 * * *").expect("cron").0, Rhythm::Cron("0 2 * * *".to_owned()));
        assert_eq!(either("weekdays 9am").expect("words").0, Rhythm::Cron("0 9 * * 1-5".to_owned()));
        assert_eq!(either("9am daily").expect("words").0, Rhythm::Cron("0 9 * * *".to_owned()));
        assert!(either("0 0 30 2 *").expect_err("never").message.contains("never happens"));
    }

    #[test]
    fn a_local_time_is_an_instant_also_where_the_clocks_are_changed() {
        let berlin = Zone::named("Europe/Berlin").expect("a zone");
        for (text, expected) in [
            ("2027-01-05 09:00", "2027-01-05T08:00:00.000Z"),
            ("2027-03-28 02:30", "2027-03-28T01:00:00.000Z"),
            ("2026-10-25 02:30", "2026-10-25T00:30:00.000Z"),
            ("2027-07-01", "2027-06-30T22:00:00.000Z"),
            ("2027-07-01T00:00:00+05:00", "2027-06-30T19:00:00.000Z"),
        ] {
            assert_eq!(instant(text, berlin).expect(text).to_string(), expected, "{text}");
        }
        assert!(instant("tomorrow", berlin).is_err());
    }
}
