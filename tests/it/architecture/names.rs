//! Names that may stand in few places only: each with its places and the reason.

use super::source::{Kind, Problem, Source, Token, paths, tokens};

/// A name, where it may stand, and what its user should do instead.
struct Name {
    path: &'static [&'static str],
    places: &'static [&'static str],
    why: &'static str,
}

const fn name(path: &'static [&'static str], places: &'static [&'static str], why: &'static str) -> Name {
    Name { path, places, why }
}

const CLOCK: &[&str] = &["src/contract/clock.rs"];
/// Doors that somebody passes who can read the storage folder, or knows the token.
const OWNED: &[&str] = &[
    "src/service/people/",
    "src/http/caller.rs",
    "src/app/control.rs",
    "src/cli/people.rs",
    "src/api/live/line.rs", // its tests
];
const OURS: &[&str] = &[
    "src/domain/role/",
    "src/service/people/",
    "src/chat/web/",
    "src/chat/terminal/",
    "src/chat/who.rs",
    "src/chat/verbs/run.rs",
];
const ROOF: &[&str] = &["src/app/", "src/cli/", "src/main.rs"];
const ABOVE_PURE: &[&str] = &[
    "src/contract/",
    "src/store/",
    "src/connect/",
    "src/engine/",
    "src/steps/",
    "src/service/",
    "src/http/",
    "src/api/",
    "src/chat/",
    "src/triggers/",
    "src/config/",
    "src/app/",
    "src/cli/",
    "src/main.rs",
];

/// Paths of the sources in `src/`; a path of one segment is a crate, and counts as the first segment only.
const NAMES: &[Name] = &[
    name(&["sqlx"], &["src/store/db/", "src/connect/sql.rs"], "only the seam knows the database library"),
    name(
        &["axum"],
        &["src/http/", "src/api/", "src/chat/", "src/triggers/", "src/config/", "src/app/", "src/cli/"],
        "HTTP begins on floor 6",
    ),
    name(&["serenity"], &["src/chat/discord/"], "a platform's library stays with its adapter"),
    name(&["slack_morphism"], &["src/chat/slack/"], "a platform's library stays with its adapter"),
    name(&["reqwest"], &["src/connect/"], "connections leave through the address guard"),
    name(&["Caller", "owner"], OWNED, "only a door that has made sure of the owner may bring them"),
    name(&["Standing", "Owner"], OURS, "only the platforms of this instance bring its owner"),
    name(&["anyhow"], ROOF, "below the roof, errors have a type"),
    name(&["SystemTime", "now"], CLOCK, "take the time from `Clock`"),
    name(&["Utc", "now"], CLOCK, "take the time from `Clock`"),
    name(&["Local", "now"], CLOCK, "take the time from `Clock`"),
    name(&["Ulid", "new"], CLOCK, "take ids from `Clock::id_bits`"),
    name(&["rand"], CLOCK, "take chance from `Clock::id_bits`"),
    name(&["env", "var"], &["src/config/", "src/app/"], "the environment is read once, by `config`"),
    name(&["env", "var_os"], &["src/config/", "src/app/"], "the environment is read once, by `config`"),
    name(&["env", "vars"], &["src/config/", "src/app/"], "the environment is read once, by `config`"),
    name(&["env", "vars_os"], &["src/config/", "src/app/"], "the environment is read once, by `config`"),
    name(&["process", "Command"], &["src/connect/"], "child processes are started, limited and killed by `connect`"),
    name(&["thread", "sleep"], &[], "it blocks a worker of the runtime: wait with tokio"),
    name(&["mpsc", "unbounded_channel"], &[], "a queue has a bound"),
    name(&["tokio"], ABOVE_PURE, "domain and language are pure"),
    name(&["std", "fs"], ABOVE_PURE, "domain and language are pure"),
    name(&["std", "net"], ABOVE_PURE, "domain and language are pure"),
    name(&["std", "process"], ABOVE_PURE, "domain and language are pure"),
    name(&["std", "thread"], ABOVE_PURE, "domain and language are pure"),
];

/// What may stand nowhere, tests included: how it looks, and what to do instead.
const NOWHERE: &[(&[&str], &str)] = &[
    (&["todo", "!", "("], "says `todo!`: finish it, or refuse by name what is not built yet"),
    (&["unimplemented", "!", "("], "says `unimplemented!`: finish it, or refuse by name what is not built yet"),
    (&["#", "[", "ignore"], "ignores a test: make it quick and sure, or remove it"),
    (&["[", "allow", "("], "says `allow`: write `#[expect(lint, reason = \"…\")]`, which tells when it is outdated"),
];

/// Every name of this source that stands where it does not belong.
pub fn check(source: &Source) -> Vec<Problem> {
    let tokens = tokens(&source.text);
    let mut problems = nowhere(source, &tokens);
    if !source.path.starts_with("src/") {
        problems.extend(sleeping(source, &tokens));
        return problems;
    }
    for path in paths(&tokens) {
        for name in NAMES.iter().filter(|name| stands_in(&path.segments, name.path)) {
            if !name.places.iter().any(|place| source.path.starts_with(place)) {
                let text = name.path.join("::");
                let places = if name.places.is_empty() { "nowhere".to_owned() } else { name.places.join(", ") };
                problems.push(source.problem(path.line, format!("names `{text}`: {} (allowed: {places})", name.why)));
            }
        }
    }
    problems
}

fn stands_in(segments: &[&str], path: &[&str]) -> bool {
    match path {
        [krate] => segments[0] == *krate && segments.len() > 1,
        _ => segments.windows(path.len()).any(|window| window == path),
    }
}

fn nowhere(source: &Source, tokens: &[Token<'_>]) -> Vec<Problem> {
    let at = |start: usize, marks: &[&str]| {
        marks.iter().enumerate().all(|(at, mark)| tokens.get(start + at).is_some_and(|token| token.is(mark)))
    };
    let mut problems = Vec::new();
    for (start, token) in tokens.iter().enumerate() {
        let found = NOWHERE.iter().filter(|(marks, _)| at(start, marks));
        problems.extend(found.map(|(_, why)| source.problem(token.line, *why)));
    }
    problems
}

/// A test that sleeps is slow on a good day and wrong on a bad one.
fn sleeping(source: &Source, tokens: &[Token<'_>]) -> Vec<Problem> {
    let called = |at: usize| {
        tokens[at].kind == Kind::Word && tokens[at].text == "sleep" && at > 1 && tokens[at - 2].is("thread")
    };
    let found = (0..tokens.len()).filter(|at| called(*at));
    found.map(|at| source.problem(tokens[at].line, "sleeps: wait for the thing itself, or move the clock")).collect()
}

mod proofs {
    use super::*;

    #[test]
    fn every_name_is_found_outside_its_places_and_left_alone_inside() {
        for name in NAMES {
            let text = match name.path {
                [krate] => format!("use {krate}::Thing;"),
                path => format!("fn f() {{ let x = {}(); }}", path.join("::")),
            };
            let inside =
                |path: &str| check(&Source::new(path, &text)).iter().filter(|p| p.sentence.contains(name.why)).count();
            let elsewhere = if name.places.contains(&"src/store/") { "src/domain/run.rs" } else { "src/store/runs.rs" };
            assert_eq!(inside(elsewhere), 1, "{text}");
            for place in name.places {
                let path = if place.ends_with('/') { format!("{place}x.rs") } else { (*place).to_owned() };
                assert_eq!(inside(&path), 0, "{path}: {text}");
            }
        }
    }

    #[test]
    fn a_name_inside_braces_is_found() {
        let source = Source::new("src/store/runs.rs", "use tokio::{sync::Mutex, process::{Child, Command}};");
        assert_eq!(check(&source).len(), 1);
    }

    #[test]
    fn what_may_stand_nowhere_is_found_in_tests_too() {
        for text in [
            "fn f() { todo!() }",
            "fn f() { unimplemented!(\"later\") }",
            "#[test]\n#[ignore = \"slow\"]\nfn f() {}",
            "#![allow(dead_code)]",
            "fn f() { std::thread::sleep(x) }",
        ] {
            assert_eq!(check(&Source::new("tests/it/engine/limits.rs", text)).len(), 1, "{text}");
        }
    }
}
