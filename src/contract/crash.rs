//! Places at which a test build dies when it is told to: what is on the disk then is what a kill at the worst moment leaves.
//!
//! A release build has none of this. The test goes through all places by name, so one that is never reached is found.

/// Every place, in the order in which a run meets them.
pub const POINTS: &[&str] = &[
    "start: the schema is up to date",
    "start: the log is folded back",
    "start: open runs are known",
    "writer: before a transaction",
    "writer: before its end",
    "writer: after its end",
    "content: written",
    "content: synced",
    "content: has its name",
    "content: kept",
    "upload: kept, without its row",
    "upload: kept, not told",
    "request: its id is promised",
    "request: done, without its answer",
    "run: accepted",
    "run: before the intent",
    "run: after the intent",
    "run: before an outcome",
    "run: after an outcome",
    "run: a command is taken",
    "run: its time has come",
    "inner run: before its beginning",
    "inner run: begun",
    "inner run: over",
    "load: before its end",
    "load: after its end",
    "document: before it is found",
    "rollback: taken back, not noted",
    "letter: kept",
    "letter: before it is posted",
    "letter: posted, not noted",
    "letter: noted",
    "message: accepted",
    "message: answered",
    "card: before it is sent",
    "card: sent, not noted",
    "forgetting: rows are gone",
    "stop: drained",
    "stop: the log is folded back",
];

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    static ARMED: OnceLock<(String, u32)> = OnceLock::new();
    static HITS: AtomicU32 = AtomicU32::new(0);

    /// Has the process die when it comes to this place for the `nth` time.
    pub fn arm(point: &str, nth: u32) {
        assert!(super::POINTS.contains(&point), "there is no place `{point}`");
        ARMED.get_or_init(|| (point.to_owned(), nth));
    }

    /// The process has come to this place.
    pub fn crash_point(point: &str) {
        debug_assert!(super::POINTS.contains(&point), "`{point}` is not listed");
        let armed = ARMED.get().filter(|(name, _)| name == point);
        if let Some((_, nth)) = armed
            && HITS.fetch_add(1, Ordering::Relaxed) + 1 == *nth
        {
            let _ = kill_process(getpid(), Signal::KILL); // nobody is there to hear that it failed
        }
    }
}

#[cfg(debug_assertions)]
pub use armed::{arm, crash_point};

/// Nothing.
#[cfg(not(debug_assertions))]
pub const fn crash_point(_: &str) {}
