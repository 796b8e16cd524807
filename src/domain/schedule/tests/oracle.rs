//! The second reading: goes through every minute and asks of each whether something happens in it. It reads
//! expressions itself, knows no croner and no stretches, and is as slow as it looks.

use std::collections::VecDeque;

use super::*;

/// The schedules that are compared: 200, made of what people write and of what is nasty on the days of change.
const MINUTES: [&str; 8] = ["0", "30", "59", "15,45", "*/15", "*/20", "5-55/10", "*"];
const HOURS: [&str; 7] = ["2", "1,2", "0", "*", "*/2", "1-3", "23"];
const DAYS: [&str; 5] = ["* * *", "* * 0", "28-31 * *", "* 3,10 *", "1,15 * 6,0"];

/// Zones whose clocks are changed: by hours and by halves, at midnight, on the south of the globe, once for good.
const ZONES: [&str; 12] = [
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Asia/Beirut",
    "Pacific/Auckland",
    "America/Santiago",
    "Africa/Casablanca",
    "Asia/Tehran",
    "America/Asuncion",
    "Europe/London",
];

/// The expression as sets, read by the plainest means.
struct Fields {
    minutes: Vec<bool>,
    hours: Vec<bool>,
    days: Vec<bool>,
    months: Vec<bool>,
    weekdays: Vec<bool>,
    any_day: bool,
    any_weekday: bool,
}

fn set(field: &str, (low, high): (usize, usize)) -> Vec<bool> {
    let mut set = vec![false; high + 1];
    for part in field.split(',') {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let (from, to) = match (range, range.split_once('-')) {
            ("*", _) => (low, high),
            (_, Some((from, to))) => (from.parse().expect("number"), to.parse().expect("number")),
            (one, None) => (one.parse().expect("number"), one.parse().expect("number")),
        };
        for value in (from..=to).step_by(step.parse().expect("number")) {
            set[value] = true;
        }
    }
    set
}

impl Fields {
    fn read(expression: &str) -> Self {
        let fields: Vec<_> = expression.split(' ').collect();
        Self {
            minutes: set(fields[0], (0, 59)),
            hours: set(fields[1], (0, 23)),
            days: set(fields[2], (1, 31)),
            months: set(fields[3], (1, 12)),
            weekdays: set(fields[4], (0, 6)),
            any_day: fields[2] == "*",
            any_weekday: fields[4] == "*",
        }
    }

    fn names(&self, local_minute: i64) -> bool {
        let minute_of_day = usize::try_from(local_minute.rem_euclid(1_440)).expect("below 1440");
        if !self.minutes[minute_of_day % 60] || !self.hours[minute_of_day / 60] {
            return false;
        }
        let day = local_minute.div_euclid(1_440);
        let (_, month, date) = crate::domain::schedule::cron::day_of(day * 86_400);
        let weekday = usize::try_from((day + 4).rem_euclid(7)).expect("below 7");
        let of_month = self.days[date as usize];
        let of_week = self.weekdays[weekday];
        self.months[month as usize]
            && match (self.any_day, self.any_weekday) {
                (true, _) => of_week,
                (_, true) => of_month,
                _ => of_month || of_week,
            }
    }
}

/// Every instant (in minutes) from `from` until before `until`, found by looking at each.
fn by_the_minute(expression: &str, zone: Zone, (from, until): (i64, i64)) -> Vec<i64> {
    let fields = Fields::read(expression);
    let parts: Vec<_> = expression.split(' ').collect();
    let elapsed = parts[1].starts_with('*');
    let once = !elapsed && !parts[0].starts_with('*');
    let mut fires = Vec::new();
    let mut shown: VecDeque<i64> = VecDeque::new(); // what the wall clock has shown in the last two hours
    let mut before = from - 121 + zone.offset((from - 121) * 60).div_euclid(60);
    for minute in from - 120..until {
        let local = minute + zone.offset(minute * 60).div_euclid(60);
        let was_shown = shown.contains(&local);
        let left_out = before + 1..local;
        let falls_here = !elapsed && left_out.into_iter().any(|missing| fields.names(missing));
        let is_named = fields.names(local) && !(once && was_shown);
        if minute >= from && (falls_here || is_named) {
            fires.push(minute);
        }
        shown.push_back(local);
        if shown.len() > 120 {
            shown.pop_front();
        }
        before = local;
    }
    fires
}

fn by_search(expression: &str, zone: Zone, (from, until): (i64, i64)) -> Vec<i64> {
    let cron = Cron::read(expression).expect("the schedules can be read");
    let timing = Timing::Cron { cron: Box::new(cron), zone, rules: Rules::default() };
    let mut after = Timestamp::from_micros((from * 60 - 1) * 1_000_000);
    let mut fires = Vec::new();
    while let Some(next) = timing.next(after) {
        assert!(next > after, "{expression} in {zone}: {next} is not later than {after}");
        let minute = next.micros() / 60_000_000;
        if minute >= until {
            break;
        }
        fires.push(minute);
        after = next;
    }
    fires
}

/// 200 schedules, each in one of the zones.
fn schedules() -> Vec<(String, Zone)> {
    let mut all = Vec::new();
    for minute in MINUTES {
        for hour in HOURS {
            for days in DAYS {
                all.push(format!("{minute} {hour} {days}"));
            }
        }
    }
    let zone = |place: usize| Zone::named(ZONES[place % ZONES.len()]).expect("a zone");
    // Every seventh out of 280 goes, for 200 that are spread over all kinds; 280 and 12 share no rhythm with 7.
    let kept = all.into_iter().enumerate().filter(|(place, _)| place % 7 != 3 && place % 7 != 5).map(|(_, text)| text);
    kept.take(200).enumerate().map(|(place, text)| (text, zone(place))).collect()
}

fn compare(expression: &str, zone: Zone, stretch: (i64, i64)) -> usize {
    let (found, expected) = (by_search(expression, zone, stretch), by_the_minute(expression, zone, stretch));
    if let Some(place) = (0..found.len().max(expected.len())).find(|place| found.get(*place) != expected.get(*place)) {
        let told = |minute: Option<&i64>| minute.map(|minute| zone.local(minute * 60));
        let (found, expected) = (told(found.get(place)), told(expected.get(place)));
        panic!("`{expression}` in {zone}: found {found:?}, by the minute it is {expected:?}");
    }
    found.len()
}

fn years(from: &str, until: &str) -> (i64, i64) {
    (instant(from).micros() / 60_000_000, instant(until).micros() / 60_000_000)
}

#[test]
fn two_hundred_schedules_agree_with_a_reading_by_the_minute_round_all_changes_of_ten_years() {
    let (from, until) = years("2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z");
    let schedules = schedules();
    assert_eq!(schedules.len(), 200);
    let (mut fires, mut changes) = (0, 0);
    for (expression, zone) in &schedules {
        for change in zone.changes(from * 60, until * 60) {
            let middle = change.at / 60;
            fires += compare(expression, *zone, (middle - 1_500, middle + 300));
            changes += 1;
        }
    }
    assert!(changes > 2_000 && fires > 5_000, "{changes} changes, {fires} fires");
}

/// Compiled with `SCHEDULE_YEARS=10` it goes through all minutes of all schedules, some five million each; without it one year of some.
#[test]
fn all_minutes_of_a_year_agree() {
    let years_wanted: Option<u32> = option_env!("SCHEDULE_YEARS").and_then(|years| years.parse().ok());
    let stretch = years("2026-01-01T00:00:00Z", &format!("{}-01-01T00:00:00Z", 2026 + years_wanted.unwrap_or(1)));
    let every = if years_wanted.is_some() { 1 } else { 40 };
    let fires: usize = schedules().iter().step_by(every).map(|(text, zone)| compare(text, *zone, stretch)).sum();
    assert!(fires > 1_000, "{fires}");
    println!("{fires} fires agree");
}

#[test]
fn every_zone_of_the_database_agrees_round_its_changes() {
    let (from, until) = years("2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z");
    for name in Zone::names() {
        let zone = Zone::named(name).expect("a name of the database");
        for change in zone.changes(from * 60, until * 60) {
            let middle = change.at / 60;
            for expression in ["30 2 * * *", "0 0 * * *", "*/20 1-3 * * *", "15 * * * *"] {
                compare(expression, zone, (middle - 200, middle + 200));
            }
        }
    }
}
