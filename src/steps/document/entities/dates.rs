//! Days: `05.03.2013`, `5. März 2013`, `March 5, 2013`, `2013-03-05`, `05/03/2013`.
//!
//! `05/03/2013` says nothing about its order. The other dates of the text decide; else the language, and the
//! finding says by its confidence that it is a guess.

use std::sync::LazyLock;

use chrono::NaiveDate;
use regex::{Captures, Regex};

use super::entity::{EntityType, Found};
use super::pattern::{goes_on, pattern, stands_alone};

/// Month names in German, English and French, in lower case.
const MONTHS: &[(&str, u32)] = &[
    ("januar", 1),
    ("jänner", 1),
    ("january", 1),
    ("janvier", 1),
    ("jan", 1),
    ("februar", 2),
    ("feber", 2),
    ("february", 2),
    ("février", 2),
    ("fevrier", 2),
    ("feb", 2),
    ("märz", 3),
    ("maerz", 3),
    ("marz", 3),
    ("march", 3),
    ("mars", 3),
    ("mär", 3),
    ("mrz", 3),
    ("mar", 3),
    ("april", 4),
    ("avril", 4),
    ("apr", 4),
    ("mai", 5),
    ("may", 5),
    ("juni", 6),
    ("june", 6),
    ("juin", 6),
    ("jun", 6),
    ("juli", 7),
    ("july", 7),
    ("juillet", 7),
    ("jul", 7),
    ("august", 8),
    ("août", 8),
    ("aout", 8),
    ("aug", 8),
    ("september", 9),
    ("septembre", 9),
    ("sept", 9),
    ("sep", 9),
    ("oktober", 10),
    ("october", 10),
    ("octobre", 10),
    ("okt", 10),
    ("oct", 10),
    ("november", 11),
    ("novembre", 11),
    ("nov", 11),
    ("dezember", 12),
    ("december", 12),
    ("décembre", 12),
    ("decembre", 12),
    ("dez", 12),
    ("dec", 12),
];
/// Years that are taken for years.
const YEARS: std::ops::RangeInclusive<i32> = 1500..=2199;

pattern!(YEAR_FIRST, r"\d{4}([-/.])(\d{1,2})([-/.])(\d{1,2})");
pattern!(YEAR_LAST, r"(\d{1,2})([./-]) ?(\d{1,2})([./-]) ?(\d{4}|\d{2})");

static DAY_MONTH: LazyLock<Regex> = LazyLock::new(|| {
    named(
        r"(?i)(\d{1,2})(?:\.|st|nd|rd|th|er)?[ \t\x{a0}]{0,4}(?:of[ \t]{1,4})?(MONTHS)\b\.?[ \t\x{a0}]{0,4},?[ \t\x{a0}]{0,4}(\d{4})",
    )
});
static MONTH_DAY: LazyLock<Regex> = LazyLock::new(|| {
    named(r"(?i)(MONTHS)\b\.?[ \t\x{a0}]{1,4}(\d{1,2})(?:st|nd|rd|th)?[ \t\x{a0}]{0,4},?[ \t\x{a0}]{1,4}(\d{4})")
});

fn named(pattern: &str) -> Regex {
    let mut names: Vec<&str> = MONTHS.iter().map(|&(name, _)| name).collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    Regex::new(&pattern.replace("MONTHS", &names.join("|"))).expect("the pattern is constant, and a test uses it")
}

/// All days of a text in this language. English text that counts in anything but dollars is not American.
pub fn find(text: &str, language: &str, currency: Option<&str>) -> Vec<Found> {
    let mut found = Vec::new();
    scan(&YEAR_FIRST, text, |captures| found.extend(year_first(text, captures)));
    for captures in DAY_MONTH.captures_iter(text) {
        found.extend(written_out(text, &captures, 1, 2));
    }
    for captures in MONTH_DAY.captures_iter(text) {
        found.extend(written_out(text, &captures, 2, 1));
    }
    let mut unsure = Vec::new();
    scan(&YEAR_LAST, text, |captures| match year_last(text, captures) {
        Some(Numeric::Sure(date)) => found.push(date),
        Some(Numeric::Either(either)) => unsure.push(either),
        None => {}
    });
    let day_first = DayFirst::of(&unsure, language == "eng" && currency.is_none_or(|code| code == "USD"));
    found.extend(unsure.into_iter().filter_map(|either| either.decide(&day_first)));
    found
}

/// Offers every match; after each the scan goes on at its second character, so that a wrong start hides nothing.
/// Matches are short, so this stays linear.
fn scan(pattern: &Regex, text: &str, mut offer: impl FnMut(&Captures<'_>)) {
    let mut at = 0;
    while let Some(captures) = pattern.captures_at(text, at) {
        let whole = captures.get_match();
        // A time may follow, as in `2013-03-05T10:00`.
        let has_time = whole.len() == 10 && text[whole.end()..].starts_with('T');
        let starts_alone = !text[..whole.start()].ends_with(char::is_alphanumeric);
        if stands_alone(text, whole.start(), whole.end()) || (has_time && starts_alone) {
            offer(&captures);
            at = whole.end();
        } else {
            at = whole.start() + 1; // a match begins with an ASCII digit
        }
    }
}

fn year_first(text: &str, captures: &Captures<'_>) -> Option<Found> {
    let whole = captures.get_match();
    let (separator, same) = (&captures[1], &captures[3]);
    if separator != same || goes_on(text, whole.start(), whole.end(), "-/.") {
        return None;
    }
    let date = day(whole.as_str()[..4].parse().ok()?, captures[2].parse().ok()?, captures[4].parse().ok()?)?;
    Some(finding(whole.range(), date, if separator == "-" { 0.99 } else { 0.9 }))
}

fn written_out(text: &str, captures: &Captures<'_>, day_group: usize, month_group: usize) -> Option<Found> {
    let whole = captures.get_match();
    if !stands_alone(text, whole.start(), whole.end()) {
        return None;
    }
    let name = captures[month_group].to_lowercase();
    let &(_, month) = MONTHS.iter().find(|(known, _)| *known == name)?;
    let date = day(captures[3].parse().ok()?, month, captures[day_group].parse().ok()?)?;
    Some(finding(whole.range(), date, 0.97))
}

enum Numeric {
    Sure(Found),
    Either(Either),
}

/// A date whose first two numbers may be day and month or month and day.
struct Either {
    span: std::ops::Range<usize>,
    year: i32,
    first: u32,
    second: u32,
    has_full_year: bool,
}

fn year_last(text: &str, captures: &Captures<'_>) -> Option<Numeric> {
    let whole = captures.get_match();
    let separator = &captures[2];
    let is_spaced = whole.as_str().contains(' ');
    if separator != &captures[4] || (is_spaced && separator != ".") {
        return None;
    }
    if goes_on(text, whole.start(), whole.end(), separator) {
        return None;
    }
    let (first, second, written_year) = (captures[1].parse().ok()?, captures[3].parse().ok()?, &captures[5]);
    let has_full_year = written_year.len() == 4;
    let year: i32 = written_year.parse().ok()?;
    let year = match (has_full_year, year) {
        (true, year) => year,
        (false, 0..70) => 2000 + year,
        (false, _) => 1900 + year,
    };
    if separator == "." {
        let is_padded = captures[1].len() == 2 && captures[3].len() == 2;
        let confidence = match (has_full_year, is_padded) {
            (true, _) => 0.98,
            (false, true) => 0.85,
            (false, false) => 0.6,
        };
        return Some(Numeric::Sure(finding(whole.range(), day(year, second, first)?, confidence)));
    }
    Some(Numeric::Either(Either { span: whole.range(), year, first, second, has_full_year }))
}

/// In which order a text writes day and month.
struct DayFirst {
    is_day_first: bool,
    confidence: f64,
}

impl DayFirst {
    fn of(dates: &[Either], is_american: bool) -> Self {
        let day_first = dates.iter().filter(|date| date.first > 12 && date.second <= 12).count();
        let month_first = dates.iter().filter(|date| date.second > 12 && date.first <= 12).count();
        match (day_first, month_first) {
            (1.., 0) => Self { is_day_first: true, confidence: 0.85 },
            (0, 1..) => Self { is_day_first: false, confidence: 0.85 },
            _ if is_american => Self { is_day_first: false, confidence: 0.5 },
            _ => Self { is_day_first: true, confidence: 0.6 },
        }
    }
}

impl Either {
    fn decide(self, order: &DayFirst) -> Option<Found> {
        let as_day_first = day(self.year, self.second, self.first);
        let as_month_first = day(self.year, self.first, self.second);
        let (date, confidence) = match (as_day_first, as_month_first) {
            (Some(date), None) | (None, Some(date)) => (date, 0.92),
            (Some(same), Some(other)) if same == other => (same, 0.92),
            (Some(date), Some(_)) if order.is_day_first => (date, order.confidence),
            (Some(_), Some(date)) => (date, order.confidence),
            (None, None) => return None,
        };
        let confidence = if self.has_full_year { confidence } else { f64::min(confidence, 0.7) };
        Some(finding(self.span, date, confidence))
    }
}

fn day(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    YEARS.contains(&year).then(|| NaiveDate::from_ymd_opt(year, month, day)).flatten()
}

fn finding(span: std::ops::Range<usize>, date: NaiveDate, confidence: f64) -> Found {
    Found::new(EntityType::Date, (span.start, span.end), date.to_string(), confidence)
}
