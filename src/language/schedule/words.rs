//! Plain words of a schedule: days, times, and a zone, in any order. `every 15 minutes` is an interval.

use super::super::{near, source::short};
use super::reading::{self, Wrong};
use crate::domain::schedule::Zone;
use crate::domain::time::{Span, Timestamp};
use crate::domain::trigger::Rhythm;

const DAYS: [(&str, &str); 21] = [
    ("sunday", "0"),
    ("sundays", "0"),
    ("sun", "0"),
    ("monday", "1"),
    ("mondays", "1"),
    ("mon", "1"),
    ("tuesday", "2"),
    ("tuesdays", "2"),
    ("tue", "2"),
    ("wednesday", "3"),
    ("wednesdays", "3"),
    ("wed", "3"),
    ("thursday", "4"),
    ("thursdays", "4"),
    ("thu", "4"),
    ("friday", "5"),
    ("fridays", "5"),
    ("fri", "5"),
    ("saturday", "6"),
    ("saturdays", "6"),
    ("sat", "6"),
];

const PLACES: [(&str, &str); 5] = [("first", "#1"), ("second", "#2"), ("third", "#3"), ("fourth", "#4"), ("last", "L")];

const OTHERS: [&str; 22] = [
    "weekdays", "workdays", "weekends", "daily", "hourly", "monthly", "every", "each", "at", "on", "and", "the", "of",
    "day", "month", "noon", "midnight", "minutes", "hours", "seconds", "days", "in",
];

/// Units of an interval, with the seconds of one.
const UNITS: [(&str, u64); 9] = [
    ("second", 1),
    ("seconds", 1),
    ("minute", 60),
    ("minutes", 60),
    ("min", 60),
    ("hour", 3_600),
    ("hours", 3_600),
    ("day", 86_400),
    ("days", 86_400),
];

#[derive(Default)]
struct Said {
    weekdays: Vec<&'static str>,
    days: Vec<String>,
    place: Option<&'static str>,
    times: Vec<(u32, u32)>,
    zone: Option<Zone>,
    monthly: bool,
    any_day: bool,
    rhythm: Option<Rhythm>,
}

pub(super) fn read(text: &str) -> Result<(Rhythm, Option<Zone>), Wrong> {
    let lower = text.to_lowercase();
    let words: Vec<(&str, &str)> = lower
        .split([' ', ',', '\t', '\n'])
        .zip(text.split([' ', ',', '\t', '\n']))
        .filter(|(word, _)| !word.is_empty())
        .collect();
    let mut said = Said::default();
    let mut at = 0;
    while at < words.len() {
        at += said.take(&words[at..])?;
    }
    said.finish(words.is_empty())
}

impl Said {
    /// Takes what the next words say; how many they were.
    fn take(&mut self, words: &[(&str, &str)]) -> Result<usize, Wrong> {
        let (word, written) = words[0];
        let next = words.get(1).map(|(word, _)| *word);
        if matches!(word, "every" | "each") {
            return self.every(words);
        }
        if let Some((_, place)) = PLACES.iter().find(|(name, _)| *name == word) {
            self.place = Some(place);
            if next == Some("day") && word == "last" {
                (self.place, self.monthly) = (None, true);
                self.days.push("L".to_owned());
                return Ok(2);
            }
            return Ok(1);
        }
        if let Some((_, day)) = DAYS.iter().find(|(name, _)| *name == word) {
            self.weekdays.push(day);
            return Ok(1);
        }
        match word {
            "weekdays" | "workdays" => self.weekdays.push("1-5"),
            "weekends" => self.weekdays.push("0,6"),
            "daily" => self.any_day = true,
            "monthly" => self.monthly = true,
            "hourly" => self.rhythm = Some(Rhythm::Cron("0 * * * *".to_owned())),
            "noon" => self.times.push((12, 0)),
            "midnight" => self.times.push((0, 0)),
            "at" | "on" | "and" | "the" | "of" | "in" | "month" | "day" => {}
            _ => return self.other(word, written, next),
        }
        Ok(1)
    }

    /// `every …`: an interval, or only a word before a day.
    fn every(&mut self, words: &[(&str, &str)]) -> Result<usize, Wrong> {
        let next = words.get(1).map(|(word, _)| *word).unwrap_or_default();
        let unit = |word: &str| UNITS.iter().find(|(name, _)| *name == word).map(|(_, seconds)| *seconds);
        if let Ok(count) = next.parse::<u64>() {
            let Some(seconds) = words.get(2).and_then(|(word, _)| unit(word)) else {
                let named = words.get(2).map(|(word, _)| *word).unwrap_or_default();
                let fix = near::near(named, UNITS.iter().map(|(name, _)| *name));
                let fix =
                    fix.map_or_else(|| "say `every 15 minutes`".to_owned(), |near| format!("did you mean `{near}`?"));
                return Err(Wrong::new(format!("`every {count}` of what?"), fix));
            };
            self.rhythm = Some(interval(count, seconds)?);
            return Ok(3);
        }
        match next {
            "day" => self.any_day = true,
            "month" => self.monthly = true,
            "minute" => self.rhythm = Some(Rhythm::Cron("* * * * *".to_owned())),
            "hour" => self.rhythm = Some(Rhythm::Cron("0 * * * *".to_owned())),
            "second" => self.rhythm = Some(Rhythm::Cron("* * * * * *".to_owned())),
            "weekday" | "workday" => self.weekdays.push("1-5"),
            "weekend" => self.weekdays.push("0,6"),
            _ => return Ok(1),
        }
        Ok(2)
    }

    /// A time, a day of the month, a zone; or a word that nobody knows.
    fn other(&mut self, word: &str, written: &str, next: Option<&str>) -> Result<usize, Wrong> {
        let day = ["st", "nd", "rd", "th"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or_default();
        if let Some(day) = day.parse::<u32>().ok().filter(|day| (1..=31).contains(day)) {
            self.monthly = true;
            self.days.push(day.to_string());
            return Ok(1);
        }
        if let Some(half) = next.filter(|next| matches!(*next, "am" | "pm"))
            && let Some(time) = time(&format!("{word}{half}"))
        {
            self.times.push(time);
            return Ok(2);
        }
        if let Some(time) = time(word) {
            self.times.push(time);
            return Ok(1);
        }
        if let Some(zone) = Zone::named(written) {
            self.zone = Some(zone);
            return Ok(1);
        }
        if word.contains('/') {
            return Err(reading::zone(written).err().unwrap_or_else(|| unknown(written)));
        }
        Err(unknown(written))
    }

    fn finish(self, is_empty: bool) -> Result<(Rhythm, Option<Zone>), Wrong> {
        let example = "say `weekdays 9am Europe/Berlin`, `every 15 minutes`, or write a cron expression";
        if is_empty {
            return Err(Wrong::new("there are no words in it", example));
        }
        if let Some(rhythm) = self.rhythm {
            return Ok((rhythm, self.zone));
        }
        let Some((_, minute)) = self.times.first().copied() else {
            return Err(Wrong::new("it does not say at which time", example));
        };
        if self.times.iter().any(|(_, other)| *other != minute) {
            let fix = "write one schedule for each time";
            return Err(Wrong::new("several times in one schedule must have the same minute", fix));
        }
        if self.weekdays.is_empty() && self.days.is_empty() && !self.any_day && !self.monthly {
            return Err(Wrong::new("it does not say on which days", example));
        }
        let hours: Vec<_> = self.times.iter().map(|(hour, _)| hour.to_string()).collect();
        let place = self.place.unwrap_or_default();
        let weekdays: Vec<_> = self.weekdays.iter().map(|day| format!("{day}{place}")).collect();
        let weekdays = if weekdays.is_empty() { "*".to_owned() } else { weekdays.join(",") };
        let days = match (self.days.is_empty(), self.monthly && self.weekdays.is_empty()) {
            (false, _) => self.days.join(","),
            (true, true) => "1".to_owned(),
            (true, false) => "*".to_owned(),
        };
        let text = format!("{minute} {} {days} * {weekdays}", hours.join(","));
        reading::cron(&text)?;
        Ok((Rhythm::Cron(text), self.zone))
    }
}

/// An interval that fits into hours and days is an expression, so that it is told by the clock; another is counted.
fn interval(count: u64, seconds: u64) -> Result<Rhythm, Wrong> {
    let cron = match (count, seconds) {
        (0, _) => return Err(Wrong::new("an interval of 0 is none", "say `every 15 minutes`")),
        (1, 60) => Some("* * * * *".to_owned()),
        (1, 3_600) => Some("0 * * * *".to_owned()),
        (count, 60) if 60 % count == 0 => Some(format!("*/{count} * * * *")),
        (count, 3_600) if 24 % count == 0 => Some(format!("0 */{count} * * *")),
        _ => None,
    };
    let long = Span::from_secs(count.saturating_mul(seconds));
    Ok(cron.map_or(Rhythm::Every(long, Timestamp::from_micros(0)), Rhythm::Cron))
}

/// A time of the day: `9`, `9am`, `9:30`, `21.15`, `9:30pm`.
pub(super) fn time(word: &str) -> Option<(u32, u32)> {
    let (clock, half) = match word.strip_suffix("am").map(|clock| (clock, Some(0))) {
        Some(found) => found,
        None => word.strip_suffix("pm").map_or((word, None), |clock| (clock, Some(12))),
    };
    let (hour, minute) = clock.split_once([':', '.']).unwrap_or((clock, "0"));
    let digits = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    (hour < 24 && minute < 60).then_some((hour, minute))
}

fn unknown(word: &str) -> Wrong {
    let names = DAYS.iter().map(|(name, _)| *name).chain(PLACES.iter().map(|(name, _)| *name)).chain(OTHERS);
    let near = near::near(&word.to_lowercase(), names);
    let fix = near.map_or_else(
        || "say `weekdays 9am Europe/Berlin`, `every 15 minutes`, or write a cron expression".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Wrong::new(format!("`{}` is not understood", short(word)), fix)
}
