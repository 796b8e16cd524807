//! The clocks of a whole run: how long it may take, and how long it may wait for its turn.

use super::plans::{Shape, plan_of};
use super::world::World;
use super::{answer, begin, question};
use crate::domain::command::Command;
use crate::domain::event::Event;
use crate::domain::id::RunId;
use crate::domain::machine::{Due, due, next_wake};
use crate::domain::plan::Plan;
use crate::domain::run::{Flow, Outcome, RunState};
use crate::domain::time::{Span, Timestamp};

fn world(change: impl FnOnce(&mut Plan)) -> World {
    let flow = plan_of(&[(0, 0, false, false, 1, Shape::Plain)], Some(Span::from_secs(10)));
    let mut plan = flow.plan.clone();
    change(&mut plan);
    World::new(Flow::new(plan))
}

fn by() -> String {
    "ana".to_owned()
}

/// Asks after six of ten seconds; gives how long it may ask.
fn asks_after_six_seconds(world: &mut World) -> Timestamp {
    world.act(Command::Claim).expect("queued");
    let attempt = begin(world, 0);
    world.now = world.now.plus(Span::from_secs(6));
    let until = world.now.plus(Span::from_secs(1_000));
    world.act(Command::Ask { step: 0, attempt, questions: vec![question("a")], until }).expect("in flight");
    until
}

#[test]
fn the_clock_stands_still_while_people_are_to_decide() {
    let mut world = world(|_| {});
    let until = asks_after_six_seconds(&mut world);
    assert_eq!(world.run.state, RunState::Waiting { until }, "not only until its deadline");
    world.now = world.now.plus(Span::from_secs(100));
    world.act(Command::Wake).expect("always");
    assert_eq!(world.run.state, RunState::Waiting { until });
    world.crash_and_refold();
    world.act(Command::Answer { inputs: answer("a"), by: by() }).expect("asked for");
    world.act(Command::Claim).expect("queued");
    assert_eq!(next_wake(&world.run), Some(world.now.plus(Span::from_secs(4))), "four of ten seconds are left");
    begin(&mut world, 0);
    world.now = world.now.plus(Span::from_secs(4));
    world.act(Command::Wake).expect("always");
    assert_eq!(due(&world.run, &world.flow, world.now), [Due::Stop { step: 0 }]);
}

#[test]
fn what_another_run_rests_for_people_is_not_the_time_of_who_waits_for_it() {
    let mut world = world(|_| {});
    let child = RunId::from_bits(9);
    world.act(Command::Claim).expect("queued");
    let attempt = begin(&mut world, 0);
    world.act(Command::Nest { step: 0, attempt, child }).expect("in flight");
    let rests = |world: &mut World, rested: u64, resting: bool| {
        let rested = Span::from_secs(rested);
        world.act(Command::InnerRested { child, rested, resting }).expect("it waits for it");
    };
    world.now = world.now.plus(Span::from_secs(6));
    rests(&mut world, 5, true);
    assert_eq!(world.run.state, RunState::Waiting { until: Timestamp::NEVER }, "not only until its deadline");
    world.now = world.now.plus(Span::from_secs(100));
    world.act(Command::Wake).expect("always");
    world.crash_and_refold();
    rests(&mut world, 105, false);
    let left = world.now.plus(Span::from_secs(9));
    assert_eq!(world.run.state, RunState::Waiting { until: left }, "one of ten seconds was its own");
    rests(&mut world, 105, false);
    world.now = left;
    world.act(Command::Claim).expect("its time has come");
    assert!(matches!(world.run.state, RunState::Cancelling { .. }), "{:?}", world.run.state);
}

#[test]
fn a_pause_and_a_question_are_not_counted_twice() {
    let mut world = world(|_| {});
    asks_after_six_seconds(&mut world);
    world.now = world.now.plus(Span::from_secs(50));
    world.act(Command::Pause { by: by() }).expect("waiting");
    world.now = world.now.plus(Span::from_secs(50));
    world.act(Command::Resume { by: by() }).expect("paused");
    world.act(Command::Claim).expect("queued");
    world.now = world.now.plus(Span::from_secs(50));
    world.act(Command::Answer { inputs: answer("a"), by: by() }).expect("asked for");
    world.act(Command::Claim).expect("queued");
    assert_eq!(next_wake(&world.run), Some(world.now.plus(Span::from_secs(4))));
}

#[test]
fn with_include_waits_people_have_no_longer_than_the_run() {
    let mut world = world(|plan| plan.includes_waits = true);
    asks_after_six_seconds(&mut world);
    let deadline = world.now.plus(Span::from_secs(4));
    assert_eq!(world.run.state, RunState::Waiting { until: deadline });
    world.now = deadline;
    world.act(Command::Wake).expect("always");
    assert_eq!(world.run.state, RunState::Finished(Outcome::TimedOut));
}

#[test]
fn who_waits_too_long_for_its_first_turn_never_begins() {
    let queue = |plan: &mut Plan| plan.queue = Some(Span::from_secs(30));
    let mut late = world(queue);
    late.now = late.now.plus(Span::from_secs(30));
    late.act(Command::Claim).expect("queued");
    assert_eq!((late.run.state, late.run.started_at), (RunState::Finished(Outcome::TimedOut), None));
    // Whoever has begun waits for later turns as long as it takes.
    let mut begun = world(|plan| (plan.queue, plan.timeout) = (Some(Span::from_secs(30)), None));
    begun.act(Command::Claim).expect("queued");
    begun.act(Command::Interrupt { lost: false }).expect("always");
    begun.now = begun.now.plus(Span::from_secs(60));
    begun.act(Command::Wake).expect("always");
    assert_ne!(begun.run.state, RunState::Finished(Outcome::TimedOut));
}

#[test]
fn who_is_asked_for_inputs_first_lines_up_with_the_answer() {
    let mut world = world(|plan| plan.queue = Some(Span::from_secs(30)));
    world.ask_first();
    world.now = world.now.plus(Span::from_secs(20));
    let key = world.run.asking[0].questions[0].key.clone();
    world.act(Command::Answer { inputs: answer(&key), by: by() }).expect("asked for");
    assert_eq!(world.run.turn_until, Some(world.now.plus(Span::from_secs(30))));
    let claimed = crate::domain::machine::decide(&world.run, &world.flow, Command::Claim, world.now);
    assert_eq!(claimed, Ok(vec![Event::Claimed]));
}
