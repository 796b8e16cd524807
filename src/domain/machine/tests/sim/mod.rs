//! The engine's core in a simulated world of crashes, lost and late answers, replaced processes and impatient people.
//!
//! One seed is one life. Two thousand fixed seeds run with every test; compiled with `SIM_SECONDS=60` it plays new ones for a minute and
//! prints what was covered. Protections are taken away one at a time, and the world must notice each: a check that
//! cannot fail is decoration.

mod store;
mod tape;
mod trouble;
mod witness;
mod world;

use std::hash::{BuildHasher as _, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};

use witness::Coverage;
use world::{Bug, World};

/// Seeds that are played with every test.
const FIXED: u64 = 2_000;
/// A seeded bug must be found in so many lives.
const PATIENCE: u64 = 10_000;
/// How often each transition is taken in the fixed lives at the least.
const OFTEN: u64 = 5;

/// Where a run or a step may go from where.
type Ways = &'static [(&'static str, &'static [&'static str])];

const RUNS: Ways = &[
    ("cancelled", &["queued"]),
    ("cancelling", &["cancelled", "timed_out"]),
    ("completed", &["queued"]),
    ("failed", &["queued"]),
    ("paused", &["cancelling", "completed", "failed", "queued", "waiting"]),
    ("pausing", &["cancelling", "completed", "failed", "paused", "running"]),
    ("queued", &["cancelling", "completed", "failed", "pausing", "running", "waiting"]),
    ("running", &["cancelling", "completed", "failed", "pausing", "queued", "waiting"]),
    ("timed_out", &["queued"]),
    ("waiting", &["cancelling", "completed", "pausing", "queued", "running"]),
];
/// Out of its end a step comes only with a new generation.
const STEPS: Ways = &[
    ("asking", &["cancelled", "failed", "pending", "skipped"]),
    ("backoff", &["cancelled", "pending", "running", "skipped"]),
    ("cancelled", &["looping", "pending"]),
    ("completed", &["looping", "pending"]),
    ("failed", &["looping", "pending"]),
    ("held", &["cancelled", "pending", "skipped"]),
    ("looping", &["cancelled", "completed", "failed", "pending"]),
    ("pending", &["cancelled", "looping", "running", "skipped"]),
    ("running", &["asking", "backoff", "completed", "failed", "held", "pending", "sleeping"]),
    ("skipped", &["looping", "pending"]),
    ("sleeping", &["cancelled", "completed", "pending", "skipped"]),
];

const BUGS: &[Bug] = &[
    Bug::EffectBeforeCommit,
    Bug::AnswerBeforeCommit,
    Bug::LostTail,
    Bug::QueuedForgotten,
    Bug::TimersInMemory,
    Bug::StaleOutcomes,
    Bug::NoFence,
    Bug::KeyOfAttempt,
    Bug::InFlightIsDone,
    Bug::CrashUnseen,
];

/// Plays one life; what was wrong with it.
fn played(seed: u64, bug: Bug, coverage: &mut Coverage) -> Result<(), String> {
    let world = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(seed, bug);
        world.play();
        world
    }));
    let world = world.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
    })?;
    coverage.add(&world.coverage);
    Ok(())
}

fn check(coverage: &Coverage, often: u64) {
    for (ways, taken) in [(RUNS, &coverage.runs), (STEPS, &coverage.steps)] {
        let known = || ways.iter().flat_map(|(from, to)| to.iter().map(|to| (*from, *to)));
        for way in taken.keys() {
            assert!(known().any(|known| known == *way), "{way:?} is no way to go");
        }
        let rare: Vec<_> = known().filter(|way| taken.get(way).copied().unwrap_or(0) < often).collect();
        assert!(rare.is_empty(), "taken less than {often} times: {rare:?}");
    }
}

#[test]
fn two_thousand_lives_keep_every_promise_and_take_every_way() {
    let mut coverage = Coverage::default();
    for seed in 0..FIXED {
        played(seed, Bug::Nothing, &mut coverage).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    }
    check(&coverage, OFTEN);
}

#[test]
fn the_same_seed_is_the_same_life() {
    for seed in (0..FIXED).step_by(97) {
        let [one, other] = [0, 1].map(|_| {
            let mut world = World::new(seed, Bug::Nothing);
            world.play();
            world.store.runs.values().map(|kept| format!("{:?}", kept.commits)).collect::<String>()
        });
        assert_eq!(one, other, "seed {seed}");
    }
}

#[test]
fn every_protection_that_is_taken_away_is_missed() {
    for &bug in BUGS {
        let found = (0..PATIENCE).find_map(|seed| Some((seed, played(seed, bug, &mut Coverage::default()).err()?)));
        let (seed, wrong) = found.unwrap_or_else(|| panic!("{bug:?} was not noticed in {PATIENCE} lives"));
        println!("{bug:?}: seed {seed}: {wrong}");
    }
}

/// New lives for as long as `SIM_SECONDS` says; none without it.
#[test]
fn new_lives_for_a_while() {
    let Some(seconds) = option_env!("SIM_SECONDS").and_then(|text| text.parse::<u64>().ok()) else { return };
    let begun = std::time::Instant::now();
    let first = RandomState::new().hash_one(0) & !0xffff_ffff;
    let (mut coverage, mut lives) = (Coverage::default(), 0);
    while begun.elapsed().as_secs() < seconds {
        let seed = first + lives;
        played(seed, Bug::Nothing, &mut coverage).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
        lives += 1;
    }
    let rate = |count: u64| count / seconds.max(1);
    println!("{lives} lives, {} a second, {} committed events a second", rate(lives), rate(coverage.events));
    for (from, to) in coverage.runs.iter().chain(&coverage.steps).map(|((from, to), count)| ((from, to), count)) {
        println!("{:>12} -> {:<12} {to}", from.0, from.1);
    }
    if seconds >= 60 {
        check(&coverage, 50);
    }
}

/// Lives in which something was wrong once: a question outlived its step, and the answer began the step's next
/// generation a second time.
const MENDED: &[u64] = &[107_992_657_712_735];

#[test]
fn old_mistakes_stay_mended() {
    for &seed in MENDED {
        played(seed, Bug::Nothing, &mut Coverage::default()).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    }
}
