//! Random walks over random plans: crashes, refolds, controls at any moment; then a friendly world to the end.

use proptest::prelude::*;
use serde_json::json;

mod clocks;
mod plans;
mod sim;
mod world;

use plans::{Shape, StepSeed, plan_of};
use world::World;

use super::*;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::plan::{InputType, OnItemError};
use crate::domain::question::Question;
use crate::domain::run::{Outcome, RunState, SkipReason, StepState};
use crate::domain::time::Span;

pub(super) fn question(key: &str) -> Question {
    Question { key: key.to_owned(), label: key.to_owned(), kind: InputType::String, options: Vec::new() }
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        6 => Just(Shape::Plain),
        1 => Just(Shape::Each(OnItemError::Stop)),
        1 => Just(Shape::Each(OnItemError::Collect)),
        1 => Just(Shape::Around(OnItemError::Stop)),
        1 => Just(Shape::Around(OnItemError::Collect)),
        3 => Just(Shape::Inside),
        1 => Just(Shape::InsideEach),
        1 => Just(Shape::Handler),
        1 => Just(Shape::Cleaner),
        1 => Just(Shape::Asks),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6_000, ..ProptestConfig::default() })]

    #[test]
    fn every_walk_keeps_the_invariants_and_ends_in_a_friendly_world(
        seeds in prop::collection::vec((any::<u8>(), 0u32..3, any::<bool>(), any::<bool>(), 0u8..6, shape()), 1..8),
        timeout in prop::option::weighted(0.2, 5u64..60),
        acts in prop::collection::vec((0u8..120, any::<u8>()), 0..160),
        asks_first in prop::bool::weighted(0.1),
    ) {
        let mut world = World::new(plan_of(&seeds, timeout.map(Span::from_secs)));
        if asks_first {
            world.ask_first();
        }
        for act in acts {
            world.random_act(act);
        }
        world.crash_and_refold();
        world.friendly_to_the_end();
        let expected = if world.run.is_failing() { Outcome::Failed } else { Outcome::Completed };
        let ended_by_will = matches!(world.run.state, RunState::Finished(Outcome::Cancelled | Outcome::TimedOut));
        prop_assert!(ended_by_will || world.run.state == RunState::Finished(expected));
    }
}

fn sequence(count: usize, retries: u32) -> World {
    let seeds: Vec<StepSeed> = (0..count)
        .map(|index| (if index == 0 { 0 } else { 1 << (index - 1) }, retries, false, false, 1, Shape::Plain))
        .collect();
    World::new(plan_of(&seeds, None))
}

fn begin(world: &mut World, step: usize) -> u32 {
    world.act(Command::Begin { step }).expect("the step is offered");
    world.run.steps[step].attempts
}

fn succeed(world: &mut World, step: usize) {
    let attempt = begin(world, step);
    world.act(Command::Succeed { step, attempt, warnings: Vec::new() }).expect("the attempt counts");
}

fn fail(world: &mut World, step: usize) {
    let attempt = begin(world, step);
    let fault = Fault::transient(code::WF4001, "broke");
    world.act(Command::Fail { step, attempt, fault }).expect("the attempt counts");
}

#[test]
fn three_retries_are_four_attempts_five_seconds_apart() {
    let mut world = sequence(1, 3);
    for attempt in 1..=4 {
        world.act(Command::Claim).expect("queued or due");
        fail(&mut world, 0);
        assert_eq!(world.run.steps[0].attempts, attempt);
        if attempt < 4 {
            assert_eq!(world.run.state, RunState::Waiting { until: world.now.plus(Span::from_secs(5)) });
            world.now = world.now.plus(Span::from_secs(5));
        }
    }
    assert_eq!(world.run.state, RunState::Finished(Outcome::Failed));
}

#[test]
fn siblings_of_a_failed_step_finish_and_nothing_further_starts() {
    let seeds = [
        (0, 0, false, false, 1, Shape::Plain),
        (0, 0, false, false, 1, Shape::Plain),
        (0b11, 0, false, false, 1, Shape::Plain),
    ];
    let mut world = World::new(plan_of(&seeds, None));
    world.act(Command::Claim).expect("queued");
    let sibling = begin(&mut world, 1);
    fail(&mut world, 0);
    assert_eq!(world.run.state, RunState::Running);
    world.act(Command::Succeed { step: 1, attempt: sibling, warnings: Vec::new() }).expect("the sibling counts");
    assert_eq!(world.run.steps[1].state, StepState::Succeeded);
    assert_eq!(world.run.steps[2].state, StepState::Skipped(SkipReason::RunFailed));
    assert_eq!(world.run.state, RunState::Finished(Outcome::Failed));
}

#[test]
fn a_retry_keeps_what_stands_before_and_repeats_what_stands_behind() {
    let mut world = sequence(4, 0);
    world.act(Command::Claim).expect("queued");
    succeed(&mut world, 0);
    succeed(&mut world, 1);
    fail(&mut world, 2);
    world
        .act(Command::Retry { step: Some(1), inputs: Default::default(), by: "ana".to_owned() })
        .expect("a failed run can be retried");
    let states: Vec<_> = world.run.steps.iter().map(|step| (step.state, step.generation)).collect();
    assert_eq!(states[0], (StepState::Succeeded, 0));
    assert!(states[1..].iter().all(|&state| state == (StepState::Pending, 1)), "{states:?}");
    world.friendly_to_the_end();
    assert_eq!(world.run.state, RunState::Finished(Outcome::Completed));
}

#[test]
fn a_pause_stops_at_the_step_boundary_and_a_finished_run_wins_over_it() {
    let mut world = sequence(2, 0);
    world.act(Command::Claim).expect("queued");
    let first = begin(&mut world, 0);
    world.act(Command::Pause { by: "ana".to_owned() }).expect("running");
    assert_eq!(world.run.state, RunState::Pausing);
    world.act(Command::Succeed { step: 0, attempt: first, warnings: Vec::new() }).expect("counts");
    assert_eq!(world.run.state, RunState::Paused);
    world.act(Command::Resume { by: "ana".to_owned() }).expect("paused");
    world.act(Command::Claim).expect("queued");
    let last = begin(&mut world, 1);
    world.act(Command::Pause { by: "ana".to_owned() }).expect("running");
    world.act(Command::Succeed { step: 1, attempt: last, warnings: Vec::new() }).expect("counts");
    assert_eq!(world.run.state, RunState::Finished(Outcome::Completed));
}

#[test]
fn a_cancelled_run_waits_for_its_attempts_and_a_late_success_is_kept() {
    let mut world = sequence(2, 3);
    world.act(Command::Claim).expect("queued");
    let attempt = begin(&mut world, 0);
    world.act(Command::Cancel { by: "ana".to_owned() }).expect("running");
    assert_eq!(due(&world.run, &world.flow, world.now), [Due::Stop { step: 0 }]);
    world.act(Command::Succeed { step: 0, attempt, warnings: Vec::new() }).expect("a late success is a fact");
    assert_eq!(world.run.steps[0].state, StepState::Succeeded);
    assert_eq!(world.run.state, RunState::Finished(Outcome::Cancelled));
    assert!(world.act(Command::Cancel { by: "bob".to_owned() }).is_ok(), "cancelling twice changes nothing");
}

#[test]
fn a_step_that_crashes_again_and_again_is_suspected_and_then_named() {
    let mut world = sequence(1, 0);
    for suspect in [false, false, true] {
        assert_eq!(world.run.is_suspect(), suspect);
        world.act(Command::Claim).expect("queued");
        assert_eq!(begin(&mut world, 0), 1, "a lost attempt is no attempt");
        world.act(Command::Interrupt { lost: true }).expect("always");
    }
    assert_eq!(world.run.steps[0].fault.as_ref().map(|fault| fault.code), Some(code::WF4002));
    assert_eq!(world.run.state, RunState::Finished(Outcome::Failed));
    world.act(Command::Retry { step: None, inputs: Default::default(), by: "ana".to_owned() }).expect("failed");
    assert!(!world.run.is_suspect(), "whoever retries it wants it tried as if it were new");
}

#[test]
fn a_step_that_must_not_be_repeated_fails_with_the_first_crash() {
    let mut once = World::new(plan_of(&[(0, 3, false, false, 0, Shape::Plain)], None));
    once.act(Command::Claim).expect("queued");
    begin(&mut once, 0);
    once.act(Command::Interrupt { lost: true }).expect("always");
    assert_eq!(once.run.steps[0].fault.as_ref().map(|fault| fault.code), Some(code::WF4003));
}

#[test]
fn an_interruption_is_no_attempt() {
    let mut world = sequence(1, 0);
    world.act(Command::Claim).expect("queued");
    begin(&mut world, 0);
    world.act(Command::Interrupt { lost: true }).expect("always");
    world.act(Command::Claim).expect("queued again");
    assert_eq!(begin(&mut world, 0), 1);
}

#[test]
fn a_clean_up_step_runs_in_a_failing_run() {
    let mut world = World::new(plan_of(
        &[
            (0, 0, false, false, 1, Shape::Plain),
            (1, 0, false, false, 1, Shape::Plain),
            (0b10, 0, false, true, 1, Shape::Plain),
        ],
        None,
    ));
    world.act(Command::Claim).expect("queued");
    fail(&mut world, 0);
    assert_eq!(due(&world.run, &world.flow, world.now), [Due::Offer { step: 2 }]);
    succeed(&mut world, 2);
    assert_eq!(world.run.state, RunState::Finished(Outcome::Failed));
}

#[test]
fn a_run_past_its_deadline_times_out() {
    let mut world = World::new(plan_of(&[(0, 0, false, false, 1, Shape::Plain)], Some(Span::from_secs(10))));
    world.act(Command::Claim).expect("queued");
    let attempt = begin(&mut world, 0);
    world.now = world.now.plus(Span::from_secs(10));
    world.act(Command::Wake).expect("always");
    assert_eq!(due(&world.run, &world.flow, world.now), [Due::Stop { step: 0 }]);
    world.act(Command::Fail { step: 0, attempt, fault: Fault::transient(code::WF2004, "stopped") }).expect("counts");
    assert_eq!(world.run.state, RunState::Finished(Outcome::TimedOut));
}

#[test]
fn a_step_that_asks_goes_on_with_the_answer_and_has_used_no_attempt() {
    let mut world = sequence(2, 0);
    world.act(Command::Claim).expect("queued");
    let attempt = begin(&mut world, 0);
    let until = world.now.plus(Span::from_secs(60));
    world.act(Command::Ask { step: 0, attempt, questions: vec![question("file_path")], until }).expect("in flight");
    assert_eq!(world.run.state, RunState::Waiting { until });
    let wrong = world.act(Command::Answer { inputs: answer("other"), by: "ana".to_owned() });
    assert_eq!(
        wrong,
        Err(Refusal::Step("nobody asked for that; what is asked for: file_path".to_owned())),
        "an answer to another question is no answer"
    );
    world.act(Command::Answer { inputs: answer("file_path"), by: "ana".to_owned() }).expect("asked for");
    assert_eq!(world.run.state, RunState::Queued);
    world.act(Command::Claim).expect("queued");
    assert_eq!(begin(&mut world, 0), 1, "the attempt that asked does not count");
}

#[test]
fn a_question_that_nobody_answers_fails_its_step_and_a_retry_asks_again() {
    let mut world = sequence(1, 3);
    world.act(Command::Claim).expect("queued");
    let attempt = begin(&mut world, 0);
    let until = world.now.plus(Span::from_secs(60));
    world.act(Command::Ask { step: 0, attempt, questions: vec![question("file_path")], until }).expect("in flight");
    world.now = until;
    world.act(Command::Claim).expect("due");
    assert_eq!(world.run.state, RunState::Finished(Outcome::Failed));
    assert_eq!(world.run.steps[0].fault.as_ref().map(|fault| fault.code), Some(code::WF4008));
    world.act(Command::Retry { step: None, inputs: Default::default(), by: "ana".to_owned() }).expect("failed");
    assert!(world.run.asking.is_empty() && world.run.state == RunState::Queued);
}

#[test]
fn a_run_that_asks_first_begins_with_the_answer_and_asks_again_when_it_is_retried() {
    let mut world = sequence(1, 0);
    world.ask_first();
    let until = world.run.held_back_until().expect("it asks");
    world.act(Command::Pause { by: "ana".to_owned() }).expect("waiting");
    world.act(Command::Resume { by: "ana".to_owned() }).expect("paused");
    assert_eq!(world.run.state, RunState::Waiting { until }, "going on is no answer");
    world.now = until;
    world.act(Command::Claim).expect("due");
    assert_eq!(world.run.state, RunState::Finished(Outcome::TimedOut));
    world.act(Command::Retry { step: None, inputs: Default::default(), by: "ana".to_owned() }).expect("timed out");
    assert_eq!(world.run.state, RunState::Waiting { until: world.now.plus(Span::from_secs(30)) });
    world.act(Command::Answer { inputs: answer("start"), by: "ana".to_owned() }).expect("asked for");
    world.act(Command::Claim).expect("queued");
    succeed(&mut world, 0);
    assert_eq!(world.run.state, RunState::Finished(Outcome::Completed));
}

fn answer(key: &str) -> serde_json::Map<String, serde_json::Value> {
    [(key.to_owned(), json!("file_1"))].into_iter().collect()
}
