//! Cron expressions: five fields, six with seconds in front, or a name as `@daily`. Which local times they name is
//! croner's knowledge; what happens to those times when clocks are changed is ours (`timing`).

use std::fmt;

use chrono::{DateTime, Datelike as _, Utc};
use croner::parser::{CronParser, Seconds, Year};

/// Names that stand for an expression.
const NAMES: [(&str, &str); 8] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
    ("@minutely", "* * * * *"),
];

/// The longest expression.
const LONGEST: usize = 256;

/// What the fields are called, from minutes on.
const FIELDS: [&str; 5] = ["minute", "hour", "day of the month", "month", "day of the week"];

/// A cron expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    matcher: croner::Cron,
    pace: Pace,
}

/// What an expression goes by when clocks are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// The wall clock: it names hours and minutes.
    Fixed,
    /// The wall clock for the hours that it names, elapsed time within them: `*/30 2 * * *`.
    Within,
    /// Elapsed time: it happens in every hour, or every so many.
    Elapsed,
}

/// Why a text is no cron expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CronError {
    /// It cannot be read.
    Wrong(String),
    /// It can be read, and names no time that there is.
    Never,
}

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(why) => f.write_str(why),
            Self::Never => f.write_str("it never happens: no day of the next five years fits"),
        }
    }
}

impl Cron {
    /// Reads an expression.
    ///
    /// # Errors
    /// It is not one, or names a day that no month has.
    pub fn read(text: &str) -> Result<Self, CronError> {
        let text = text.trim();
        if text.chars().count() > LONGEST {
            return Err(CronError::Wrong(format!("it is longer than {LONGEST} characters")));
        }
        let expanded = expand(text)?;
        let fields: Vec<&str> = expanded.split_whitespace().collect();
        if !matches!(fields.len(), 5 | 6) {
            let count = fields.len();
            let why = format!(
                "a cron expression has 5 fields (minute hour day month weekday), or 6 with seconds in front; this has {count}"
            );
            return Err(CronError::Wrong(why));
        }
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        let matcher = parser.parse(&fields.join(" ")).map_err(|error| wrong(&fields, &error))?;
        let minute = fields.len() - 5;
        let pace = if fields[minute + 1].starts_with(['*', '?']) {
            Pace::Elapsed
        } else if fields[..=minute].iter().any(|field| field.starts_with(['*', '?'])) {
            Pace::Within
        } else {
            Pace::Fixed
        };
        let cron = Self { text: text.to_owned(), matcher, pace };
        if cron.has_a_day() { Ok(cron) } else { Err(CronError::Never) }
    }

    /// The expression as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it goes by when clocks are changed.
    #[must_use]
    pub const fn pace(&self) -> Pace {
        self.pace
    }

    /// The first local time from `from` on that it names: seconds as a clock that knows no changes counts them.
    #[must_use]
    pub fn next_local(&self, from: i64) -> Option<i64> {
        let from: DateTime<Utc> = DateTime::from_timestamp(from, 0)?;
        let next = self.matcher.find_next_occurrence(&from, true).ok()?;
        Some(next.timestamp())
    }

    /// Whether any month has one of its days. The 30th of February is looked for by nobody for thousands of years.
    fn has_a_day(&self) -> bool {
        let pattern = &self.matcher.pattern;
        if !pattern.is_dow_wildcard() || pattern.days.has_modifiers() {
            return true; // any week has the weekday; `L` and `W` fit themselves to the month
        }
        let longest = |month: u16| match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let first = pattern.days.values().into_iter().min().unwrap_or(u16::MAX);
        pattern.months.values().into_iter().any(|month| first <= longest(month))
    }
}

/// The expression that a name stands for, or the text itself.
fn expand(text: &str) -> Result<&str, CronError> {
    if !text.starts_with('@') {
        return Ok(text);
    }
    let known = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    known.map(|(_, expression)| *expression).ok_or_else(|| {
        let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
        CronError::Wrong(format!("`{text}` is no name of a schedule; there are {}", names.join(", ")))
    })
}

/// Names the field that is wrong: each is tried alone, among fields that are right.
fn wrong(fields: &[&str], error: &croner::errors::CronError) -> CronError {
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    for (place, field) in fields.iter().enumerate() {
        let mut alone = vec!["*"; fields.len()];
        alone[place] = field;
        if parser.parse(&alone.join(" ")).is_err() {
            let name = match (fields.len(), place) {
                (6, 0) => "second",
                (6, place) => FIELDS[place - 1],
                (_, place) => FIELDS[place],
            };
            return CronError::Wrong(format!("the {name} `{field}` is not one"));
        }
    }
    CronError::Wrong(error.to_string())
}

/// The day of a local time, as `2027-03-28`.
#[must_use]
pub fn day_of(local: i64) -> (i32, u32, u32) {
    let date = super::zone::naive(local).date();
    (date.year(), date.month(), date.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named_by_its_field() {
        for (text, part) in [
            ("", "has 5 fields"),
            ("60 * * * *", "the minute `60`"),
            ("0 25 * * *", "the hour `25`"),
            ("* * 0 * *", "the day of the month `0`"),
            ("* * * 13 *", "the month `13`"),
            ("* * * * 8", "the day of the week `8`"),
            ("5-1/2 a * * *", "the minute `5-1/2`"),
            ("5/ * * * *", "the minute `5/`"),
            ("1-60 * * * *", "the minute `1-60`"),
            ("* * * * * * * *", "this has 8"),
            ("0 0 1 1 * 2027 *", "this has 7"),
            ("@fortnightly", "@daily"),
            ("61 0 0 * * *", "the second `61`"),
        ] {
            let error = Cron::read(text).expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_day_that_no_month_has_never_happens() {
        for text in ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"] {
            assert_eq!(Cron::read(text), Err(CronError::Never), "{text}");
        }
        for text in ["0 0 29 2 *", "0 0 31 2 1", "0 0 L 2 *", "0 0 30 2,3 *"] {
            assert!(Cron::read(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn an_expression_goes_by_what_it_names() {
        for (text, pace) in [
            ("0 2 * * *", Pace::Fixed),
            ("23 0-20/2 * * *", Pace::Fixed),
            ("*/30 2 * * *", Pace::Within),
            ("*/10 0 2 * * *", Pace::Within),
            ("0 */2 * * *", Pace::Elapsed),
            ("@hourly", Pace::Elapsed),
            ("@daily", Pace::Fixed),
        ] {
            assert_eq!(Cron::read(text).expect(text).pace(), pace, "{text}");
        }
    }
}
