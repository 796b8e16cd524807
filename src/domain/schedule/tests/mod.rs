//! What the next times are: the published cases, the rules on the days when clocks are changed, and a comparison with a
//! second reading that goes minute by minute and knows nothing of the first.

mod oracle;

use chrono::DateTime;
use serde_json::Value;

use super::*;
use crate::domain::time::{Span, Timestamp};

const CASES: &str = include_str!("../../../../tests/fixtures/schedules/cron-cases.json");

fn instant(text: &str) -> Timestamp {
    let time = DateTime::parse_from_rfc3339(text).expect("the cases hold RFC 3339");
    Timestamp::from_micros(time.timestamp_micros())
}

fn seconds(at: Timestamp) -> String {
    at.to_string().replace(".000Z", "Z")
}

fn cron_in(expression: &str, zone: &str, rules: Rules) -> Timing {
    let cron = Cron::read(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
    Timing::Cron { cron: Box::new(cron), zone: Zone::named(zone).expect("a zone of the database"), rules }
}

fn next(timing: &Timing, after: &str, count: usize) -> Vec<String> {
    timing.fires(instant(after), count).map(|fire| seconds(fire.at)).collect()
}

#[test]
fn every_published_case_gives_the_expected_instants() {
    let cases: Value = serde_json::from_str(CASES).expect("JSON");
    let (mut counted, mut ours) = (0, 0);
    for list in ["cases", "dst_policy_cases", "extension_cases"] {
        for case in cases[list].as_array().expect("a list of cases") {
            let text = |key: &str| case[key].as_str().expect("a text");
            let expected: Vec<_> =
                case["next_utc"].as_array().expect("instants").iter().map(|at| at.as_str().expect("text")).collect();
            let timing = cron_in(text("expr"), text("tz"), Rules::default());
            let found = next(&timing, text("start"), expected.len());
            counted += 1;
            // Lord Howe's clocks go from 02:00 to 02:30, and at that instant they show half past: it is named, so it
            // counts. One of the two libraries behind the table leaves it out, the other has it as we do.
            if (text("expr"), text("start")) == ("30 * * * *", "2025-10-05T00:15:00+10:30") {
                let other: Vec<_> = case["croniter_utc"].as_array().expect("instants").iter().collect();
                assert_eq!(found, other.iter().map(|at| at.as_str().expect("text")).collect::<Vec<_>>());
                ours += 1;
                continue;
            }
            assert_eq!(found, expected, "{case}");
        }
    }
    assert_eq!((counted, ours), (158 + 11 + 3, 1));
    for case in cases["invalid"].as_array().expect("a list of cases") {
        let expression = case["expr"].as_str().expect("a text");
        assert!(Cron::read(expression).is_err(), "{case}");
    }
}

#[test]
fn a_fixed_hour_that_is_left_out_happens_right_after_the_gap() {
    let daily = cron_in("0 2 * * *", "Europe/Berlin", Rules::default());
    let expected = ["2027-03-27T01:00:00Z", "2027-03-28T01:00:00Z", "2027-03-29T00:00:00Z"];
    assert_eq!(next(&daily, "2027-03-26T12:00:00Z", 3), expected);
    let fires: Vec<_> = daily.fires(instant("2027-03-27T12:00:00Z"), 2).collect();
    assert!(fires[0].is_moved && !fires[1].is_moved);
    // Whatever falls into the gap falls on one instant, and that instant counts once.
    let both = cron_in("0,30 2,3 * * *", "Europe/Berlin", Rules::default());
    let expected = ["2027-03-28T01:00:00Z", "2027-03-28T01:30:00Z", "2027-03-29T00:00:00Z"];
    assert_eq!(next(&both, "2027-03-27T12:00:00Z", 3), expected);
    let skips = Rules { gap: Gap::Skip, ..Rules::default() };
    let skipping = cron_in("0 2 * * *", "Europe/Berlin", skips);
    assert_eq!(next(&skipping, "2027-03-27T12:00:00Z", 1), ["2027-03-29T00:00:00Z"]);
}

#[test]
fn a_schedule_that_names_its_hour_does_not_lose_the_day() {
    let twice = cron_in("*/30 2 * * *", "Europe/Berlin", Rules::default());
    assert_eq!(next(&twice, "2027-03-27T12:00:00Z", 2), ["2027-03-28T01:00:00Z", "2027-03-29T00:00:00Z"]);
    let autumn = ["2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z"];
    assert_eq!(next(&twice, "2026-10-24T12:00:00Z", 4), autumn, "within the hour it goes by elapsed time");
}

#[test]
fn an_hour_that_comes_twice_counts_as_the_rules_say() {
    for (overlap, expected) in [
        (Overlap::First, vec!["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]),
        (Overlap::Last, vec!["2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"]),
        (Overlap::Both, vec!["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]),
    ] {
        let timing = cron_in("30 2 * * *", "Europe/Berlin", Rules { overlap, ..Rules::default() });
        assert_eq!(next(&timing, "2026-10-24T12:00:00Z", 2), expected, "{overlap:?}");
    }
    // Asked between the two passes, the second one does not count either.
    let first = cron_in("30 2 * * *", "Europe/Berlin", Rules::default());
    assert_eq!(next(&first, "2026-10-25T00:45:00Z", 1), ["2026-10-26T01:30:00Z"]);
}

#[test]
fn half_an_hour_is_a_change_too() {
    let daily = cron_in("15 2 * * *", "Australia/Lord_Howe", Rules::default());
    assert_eq!(next(&daily, "2026-10-03T00:00:00Z", 1), ["2026-10-03T15:30:00Z"], "02:15 is not there, 02:30 is");
}

#[test]
fn what_never_happens_is_said_and_does_not_take_long() {
    let never = cron_in(
        "0 0 30 1 *",
        "UTC",
        Rules {
            exclude: (2026..2033).filter_map(|year| chrono::NaiveDate::from_ymd_opt(year, 1, 30)).collect(),
            ..Rules::default()
        },
    );
    assert_eq!(never.next(instant("2026-06-01T00:00:00Z")), None);
    assert_eq!(Cron::read("0 0 30 2 *"), Err(CronError::Never));
}

#[test]
fn intervals_are_counted_from_their_beginning() {
    let every = Every { span: Span::from_secs(900), from: Timestamp::from_micros(0) };
    let timing = Timing::Every(every, Zone::UTC);
    assert_eq!(next(&timing, "2026-01-01T00:00:00Z", 2), ["2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z"]);
    let later = Every { from: instant("2026-01-01T12:34:56Z"), ..every };
    assert_eq!(next(&Timing::Every(later, Zone::UTC), "2026-01-01T00:00:00Z", 1), ["2026-01-01T12:34:56Z"]);
}

#[test]
fn changes_of_all_zones_are_found_to_the_second() {
    let (from, until) = (instant("2026-01-01T00:00:00Z"), instant("2028-01-01T00:00:00Z"));
    let (from, until) = (from.micros() / 1_000_000, until.micros() / 1_000_000);
    let berlin = Zone::named("europe/berlin").expect("in whatever case").changes(from, until);
    let instants: Vec<_> = berlin.iter().map(|change| seconds(Timestamp::from_micros(change.at * 1_000_000))).collect();
    let expected = ["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", "2027-03-28T01:00:00Z", "2027-10-31T01:00:00Z"];
    assert_eq!(instants, expected);
}
