//! `concurrency` and `priority`: which runs may be under way together, and who comes first.

use super::super::report::{Findings, Mark};
use super::super::source::Kind;
use super::fields::Fields;
use super::{Marked, keys};
use crate::domain::code;
use crate::domain::lane::{Overflow, Priority};

/// Runs of one group at the same time, and waiting, at the most.
const MOST: u32 = 100_000;

/// `concurrency`, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Concurrency {
    /// `group`; the workflow itself when absent.
    pub group: Option<Marked<String>>,
    /// `limit`.
    pub limit: u32,
    /// `overflow`.
    pub overflow: Overflow,
    /// `queue_max`.
    pub queue_max: Option<u32>,
    /// `order: lifo`.
    pub newest_first: bool,
    /// Where it stands.
    pub mark: Mark,
}

/// Reads `concurrency` of the file: a number, or a map that says more.
pub(super) fn read(fields: &Fields, findings: &mut Findings) -> Option<Concurrency> {
    let entry = fields.entry("concurrency")?;
    let plain = |limit: u32| Concurrency {
        group: None,
        limit,
        overflow: Overflow::Queue,
        queue_max: None,
        newest_first: false,
        mark: entry.mark,
    };
    if !matches!(entry.value.kind, Kind::Map(_)) {
        return fields.bounded("concurrency", MOST, findings).map(plain);
    }
    let inner = Fields::of(&entry.value, &keys::CONCURRENCY, "`concurrency`".to_owned(), findings)?;
    let words = [
        ("queue", Overflow::Queue),
        ("skip", Overflow::Skip),
        ("replace", Overflow::Replace),
        ("reject", Overflow::Reject),
    ];
    let overflow = inner.word("overflow", &words, findings).unwrap_or_default();
    let queue_max = inner.bounded("queue_max", MOST, findings);
    if let Some(entry) = inner.entry("queue_max").filter(|_| overflow != Overflow::Queue) {
        let fix = "leave it out, or write `overflow: queue`";
        findings
            .error(code::WF1015, entry.mark, "`queue_max` is for `overflow: queue`; no other lets runs wait")
            .fix(fix);
    }
    let order = [("fifo", false), ("lifo", true)];
    Some(Concurrency {
        group: inner.text("group", findings),
        overflow,
        queue_max,
        newest_first: inner.word("order", &order, findings).unwrap_or_default(),
        ..plain(inner.bounded("limit", MOST, findings).unwrap_or(1))
    })
}

/// `concurrency` of a step, read: what its attempts share with those of other steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Room {
    /// `group`; the step itself when absent.
    pub group: Option<Marked<String>>,
    /// `limit`.
    pub limit: u32,
}

/// Reads `concurrency` of a step: a number, or a map with the group.
pub(super) fn room(fields: &Fields, findings: &mut Findings) -> Option<Room> {
    let entry = fields.entry("concurrency")?;
    if !matches!(entry.value.kind, Kind::Map(_)) {
        return fields.bounded("concurrency", MOST, findings).map(|limit| Room { group: None, limit });
    }
    let inner = Fields::of(&entry.value, &keys::ROOM, "`concurrency`".to_owned(), findings)?;
    Some(Room { group: inner.text("group", findings), limit: inner.bounded("limit", MOST, findings).unwrap_or(1) })
}

/// Reads `priority` of the file.
pub(super) fn priority(fields: &Fields, findings: &mut Findings) -> Priority {
    let words = [("low", Priority::Low), ("normal", Priority::Normal), ("high", Priority::High)];
    fields.word("priority", &words, findings).unwrap_or_default()
}
