use serde_json::json;
use workflow::contract::step::Attempt;
use workflow::domain::code;
use workflow::steps::notify::address::{Destination, Place};
use workflow::steps::notify::{Alias, Settings};

use crate::support::attempt::attempt;

fn settings(connected: &[&'static str], aliases: &[&str]) -> Settings {
    let channels = aliases.iter().map(|alias| alias.parse::<Alias>().expect("an alias")).collect();
    Settings { connected: connected.to_vec(), channels, ..Settings::default() }
}

fn place(settings: &Settings, word: &str, began: Option<&str>) -> String {
    let mut attempt: Attempt = attempt(json!({}));
    attempt.began.channel = began.map(str::to_owned);
    match settings.meant(word, &attempt) {
        Ok(Place::Channel(Destination { platform, channel, thread })) => format!("{platform}:{channel}/{thread}"),
        Ok(Place::Nobody) => "nobody".to_owned(),
        Err(fault) => {
            assert_eq!(fault.code, code::WF2150);
            format!("{}; {}", fault.message, fault.remedy())
        }
    }
}

#[test]
fn a_word_means_one_channel_or_none() {
    let both =
        settings(&["slack", "discord"], &["notifications=slack:#ops", "notifications=discord:#ops", "hr=slack:C1"]);
    let slack = settings(&["slack"], &["notifications=slack:#ops", "notifications=discord:#ops"]);
    let none = settings(&[], &[]);
    for (settings, word, meant) in [
        (&both, "slack", "slack:ops/"),
        (&both, "discord", "discord:ops/"),
        (&none, "slack", "slack:notifications/"),
        (&both, "web", "web:general/"),
        (&none, "web:#general", "web:general/"),
        (&both, "slack:#alerts", "slack:alerts/"),
        (&both, "slack:notifications", "slack:ops/"),
        (&both, "hr", "slack:C1/"),
        (&both, "#hr", "slack:C1/"),
        (&slack, "notifications", "slack:ops/"),
        (&slack, "anything", "slack:anything/"),
        (&both, "origin", "web:general/msg_1"),
        (
            &both,
            "notifications",
            "`notifications` could be `slack:notifications` or `discord:notifications`; write `slack:notifications` or `discord:notifications`",
        ),
        (
            &none,
            "alerts",
            "`alerts` is a channel of no platform; write `slack:alerts`, `discord:alerts` or `web:alerts`; or make an alias: WORKFLOW_CHANNELS=alerts=slack:#alerts",
        ),
        (&both, "email", "`notify` does not write to `email`; use a step of type `email`"),
    ] {
        assert_eq!(place(settings, word, Some("web:general/msg_1")), meant, "{word}");
    }
    assert_eq!(place(&both, "origin", None), "nobody");
}

#[test]
fn an_alias_reads_back_as_it_was_written() {
    for (text, is) in [
        ("ops=slack:#a", "ops=slack:#a"),
        (" #ops = Discord: 12 ", "ops=discord:#12"),
        ("o=web:general", "o=web:#general"),
    ] {
        assert_eq!(text.parse::<Alias>().expect("an alias").to_string(), is);
    }
    for (text, words) in [
        ("ops", "NAME=PLATFORM:CHANNEL"),
        ("ops=#a", "NAME=PLATFORM:CHANNEL"),
        ("ops=slak:#a", "did you mean `slack`?"),
        ("=slack:#a", "names nothing"),
        ("ops=slack:#", "names nothing"),
    ] {
        let why = text.parse::<Alias>().expect_err("no alias");
        assert!(why.contains(words), "{text}: {why}");
    }
}
