//! The one rule: a room uses only rooms on lower floors, never a neighbour. A second table narrows it where
//! floors alone are too generous: a door may not reach past `service`.

use super::source::{Path, Problem, Source, paths, tokens};

struct Room {
    name: &'static str,
    floor: u8,
    /// What the floors would allow and the house does not.
    not: &'static [&'static str],
}

const fn room(name: &'static str, floor: u8) -> Room {
    Room { name, floor, not: &[] }
}

const DOOR: &[&str] = &["engine", "steps", "store", "connect"];

/// Lowest first. The roof is one floor to people and four here, because its rooms stand in an order.
const ROOMS: &[Room] = &[
    room("domain", 0),
    room("language", 1),
    room("contract", 2),
    room("store", 3),
    room("connect", 3),
    Room { name: "engine", floor: 4, not: &["connect"] },
    room("steps", 4),
    Room { name: "service", floor: 5, not: &["steps", "connect"] },
    Room { name: "http", floor: 6, not: DOOR },
    Room { name: "api", floor: 7, not: DOOR },
    Room { name: "chat", floor: 7, not: DOOR },
    Room { name: "triggers", floor: 7, not: DOOR },
    room("config", 8),
    room("app", 9),
    Room { name: "cli", floor: 10, not: DOOR },
    Room { name: "main", floor: 11, not: &["config", "app"] },
];

fn find(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

impl Room {
    fn may(&self, other: &Room) -> bool {
        other.floor < self.floor && !self.not.contains(&other.name)
    }

    /// What a problem says of this room's place in the house.
    fn allowed(&self) -> String {
        let who = match self.floor {
            7 => "a door".to_owned(),
            _ => format!("`{}`", self.name),
        };
        let may: Vec<_> = ROOMS.iter().rev().filter(|other| self.may(other)).map(|other| other.name).collect();
        if may.is_empty() {
            format!("{who} may use no other room")
        } else {
            format!("{who} may use {}", may.join(", "))
        }
    }
}

/// Every use of a room that the floors forbid.
pub fn check(source: &Source) -> Vec<Problem> {
    let here = source.path.strip_prefix("src/").unwrap_or(&source.path);
    if here == "lib.rs" {
        return Vec::new();
    }
    let name = here.split('/').next().unwrap_or_default().trim_end_matches(".rs");
    let Some(room) = find(name) else {
        return vec![
            source.problem(1, format!("`{name}` has no floor: give it a line in tests/it/architecture/floors.rs")),
        ];
    };
    let tokens = tokens(&source.text);
    let mut problems = Vec::new();
    for path in paths(&tokens) {
        let Some(target) = target(source, &path) else { continue };
        problems.extend(judge(room, target).map(|sentence| source.problem(path.line, sentence)));
    }
    problems
}

/// The room that a path leads to, if it leaves this one.
fn target<'a>(source: &Source, path: &Path<'a>) -> Option<&'a str> {
    let segments = &path.segments;
    match segments[0] {
        "crate" if segments.len() > 1 => Some(segments[1]),
        // The library as the binary and our own macros see it.
        "workflow" if segments.len() > 1 && source.path == "src/main.rs" => Some(segments[1]),
        "super" => {
            let up = segments.iter().take_while(|segment| **segment == "super").count();
            (up >= source.module().len() + path.nesting).then(|| segments.get(up).copied().unwrap_or("*"))
        }
        _ => None,
    }
}

fn judge(room: &Room, target: &str) -> Option<String> {
    if target == room.name {
        return None;
    }
    match find(target) {
        Some(other) if room.may(other) => None,
        Some(other) => Some(format!("uses `{}`: {}", other.name, room.allowed())),
        None => Some(format!("uses `crate::{target}`, which is no room: {}", room.allowed())),
    }
}

mod proofs {
    use super::*;

    fn sentences(path: &str, text: &str) -> Vec<String> {
        check(&Source::new(path, text)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_door_that_reaches_past_the_front_desk_is_told_what_it_may_use() {
        assert_eq!(
            sentences("src/chat/slack/render.rs", "use crate::store::Store;"),
            ["src/chat/slack/render.rs:1 uses `store`: a door may use http, service, contract, language, domain"]
        );
    }

    #[test]
    fn every_forbidden_direction_is_found() {
        for (path, text) in [
            ("src/domain/run.rs", "use crate::language::catalog;"),
            ("src/store/mod.rs", "use crate::connect::http;"),
            ("src/engine/mod.rs", "fn f() { crate::steps::all() }"),
            ("src/engine/attempt.rs", "use crate::connect::process;"),
            ("src/api/runs.rs", "use crate::{domain::id, chat};"),
            ("src/service/runs.rs", "use crate::{contract::{step, clock}, app::App};"),
            ("src/config/mod.rs", "use crate::app;"),
            ("src/app/mod.rs", "use crate::cli;"),
            ("src/cli/run.rs", "use crate::engine::Engine;"),
            ("src/main.rs", "fn main() { workflow::app::build() }"),
            ("src/language/mod.rs", "macro_rules! m { () => { $crate::store::x } }"),
            ("src/language/check.rs", "use super::super::store::Store;"),
            ("src/language/mod.rs", "mod tests { use super::super::engine; }"),
            ("src/language/mod.rs", "use crate::*;"),
            ("src/plugins/mod.rs", ""),
        ] {
            assert_eq!(sentences(path, text).len(), 1, "{path}: {text}");
        }
    }

    #[test]
    fn what_the_floors_allow_is_left_alone() {
        for (path, text) in [
            ("src/steps/document/ocr.rs", "use crate::{connect::process, contract::step, domain::fault::Fault};"),
            ("src/store/db/sqlite.rs", "use super::super::files; use crate::store::db;"),
            ("src/language/mod.rs", "mod tests { use super::*; use super::catalog; }"),
            ("src/cli/mod.rs", "pub(crate) fn f() { crate::app::build(crate::config::load()) }"),
            ("src/domain/run.rs", "// crate::store\nconst S: &str = \"crate::store\";"),
            ("src/main.rs", "fn main() -> std::process::ExitCode { workflow::cli::run() }"),
        ] {
            assert_eq!(sentences(path, text), [""; 0], "{path}: {text}");
        }
    }

    #[test]
    fn what_is_narrowed_would_else_be_allowed() {
        for room in ROOMS {
            for name in room.not {
                let other = find(name).expect("a room of the table");
                assert!(other.floor < room.floor, "{} already may not use {name}", room.name);
            }
        }
    }
}
