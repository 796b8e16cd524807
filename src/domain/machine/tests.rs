//! Random walks over random plans: crashes, refolds, controls at any moment; then a friendly world to the end.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::id::RunId;
use crate::domain::plan::{Condition, EffectClass, InputType, OnError, Plan, PlanStep};
use crate::domain::question::Question;
use crate::domain::retry::RetryPolicy;
use crate::domain::run::{Outcome, RunState, StepState};
use crate::domain::time::Span;

/// What a random step looks like: needs as a bit set over the steps before it, and its settings.
type StepSeed = (u8, u32, bool, bool, u8);

fn plan_of(seeds: &[StepSeed], timeout: Option<Span>) -> Flow {
    let steps = seeds.iter().enumerate().map(|(index, &(needs, retries, carries_on, survives, effect))| PlanStep {
        id: format!("s{index}"),
        name: format!("Step {index}"),
        kind: "noop".to_owned(),
        config: json!({}),
        config_has_expressions: false,
        needs: (0..index).filter(|need| needs & (1 << need) != 0).collect(),
        stage: index,
        condition: Condition { expression: survives.then(|| "always()".to_owned()), survives_failure: survives },
        retry: RetryPolicy { count: retries, ..RetryPolicy::default() },
        timeout: Span::from_secs(300),
        on_error: if carries_on { OnError::Continue } else { OnError::Stop },
        ports: Vec::new(),
        outputs: Vec::new(),
        effect: if effect == 0 { EffectClass::AtMostOnce } else { EffectClass::AtLeastOnce },
        overridable: Vec::new(),
        line: index + 1,
    });
    Flow::new(Plan {
        slug: "walk".to_owned(),
        name: "Walk".to_owned(),
        description: String::new(),
        hash: "0".to_owned(),
        version: None,
        inputs: None,
        vars: json!({}),
        steps: steps.collect(),
        outputs: Vec::new(),
        timeout,
    })
}

fn question(key: &str) -> Question {
    Question { key: key.to_owned(), label: key.to_owned(), kind: InputType::String, options: Vec::new() }
}

/// A run, the journal that a store would hold, and the clock.
struct World {
    flow: Flow,
    run: Run,
    journal: Vec<Entry>,
    now: Timestamp,
}

impl World {
    fn new(flow: Flow) -> Self {
        let now = Timestamp::from_micros(1_000_000);
        let mut world = Self { run: Run::new(RunId::from_bits(7), &flow, now), flow, journal: Vec::new(), now };
        let event = Event::Queued;
        apply(&mut world.run, &world.flow, now, &event);
        world.journal.push((now, event));
        world
    }

    /// The run does not begin without an answer.
    fn ask_first(&mut self) {
        let until = self.now.plus(Span::from_secs(30));
        let event = Event::Asked { step: None, questions: vec![question("start")], until };
        apply(&mut self.run, &self.flow, self.now, &event);
        self.journal.push((self.now, event));
    }

    #[expect(clippy::needless_pass_by_value, reason = "every caller makes its command on the spot")]
    fn act(&mut self, command: Command) -> Result<(), Refusal> {
        let before = self.run.clone();
        let result = step(&mut self.run, &self.flow, command.clone(), self.now, &mut self.journal);
        if result.is_err() {
            assert_eq!(before, self.run, "a refused command changes nothing: {command:?}");
        }
        self.check(&before, &command);
        result
    }

    fn check(&self, before: &Run, command: &Command) {
        let plan = &self.flow.plan;
        let may_reopen = matches!(command, Command::Retry { .. });
        if before.state.is_finished() && !may_reopen {
            assert_eq!(*before, self.run, "a finished run moved on {command:?}");
        }
        for (index, step) in self.run.steps.iter().enumerate() {
            let needs_settled = plan.steps[index].needs.iter().all(|&need| self.run.steps[need].state.is_settled());
            let began = step.state == StepState::Running && before.steps[index].state != StepState::Running;
            if began {
                assert!(needs_settled, "step {index} began before its needs were settled");
                assert_eq!(before.state, RunState::Running, "step {index} began while the run was not running");
            }
            assert!(step.attempts <= plan.steps[index].retry.max_attempts(), "step {index}: too many attempts");
            let same_generation = step.generation == before.steps[index].generation;
            if before.steps[index].state.is_settled() && same_generation {
                assert_eq!(before.steps[index], *step, "settled step {index} moved");
            }
            if let (StepState::Pending, true) = (step.state, needs_settled) {
                assert!(self.run.ready.contains(&index), "step {index} is free but not ready");
            }
        }
        assert!(self.run.held_back_until().is_none() || self.run.state != RunState::Running, "it began unanswered");
        self.check_counters();
        assert!(settle(&self.run, &self.flow, self.now).is_none(), "not quiet after {command:?}");
        self.check_nobody_is_forgotten();
    }

    fn check_counters(&self) {
        let count = |wanted: fn(StepState) -> bool| self.run.steps.iter().filter(|step| wanted(step.state)).count();
        assert_eq!(self.run.in_flight, count(|state| state == StepState::Running));
        assert_eq!(self.run.unsettled, count(|state| !state.is_settled()));
        let asleep =
            |state| matches!(state, StepState::Backoff { .. } | StepState::Sleeping { .. } | StepState::Asking { .. });
        assert_eq!(self.run.asleep, count(asleep));
    }

    /// Every open run has something due, something in flight, or is paused.
    fn check_nobody_is_forgotten(&self) {
        let resting = self.run.state.is_finished() || self.run.state == RunState::Paused;
        let cared_for = !due(&self.run, &self.flow, self.now).is_empty() || self.run.has_attempts_in_flight();
        assert!(resting || cared_for, "forgotten: {:?}", self.run);
    }

    /// What a store gives back after a crash is what the memory held.
    fn crash_and_refold(&mut self) {
        let (first, _) = self.journal[0];
        let mut folded = Run::new(self.run.id, &self.flow, first);
        for (at, event) in &self.journal {
            let text = serde_json::to_string(event).expect("events are plain data");
            let event: Event = serde_json::from_str(&text).expect("what was written can be read");
            apply(&mut folded, &self.flow, *at, &event);
        }
        assert_eq!(folded, self.run, "the fold of the journal is the run");
        self.act(Command::Interrupt { lost: true }).expect("an interruption is never refused");
    }

    fn random_act(&mut self, (choice, which): (u8, u8)) {
        let step = usize::from(which) % self.flow.plan.steps.len();
        let attempt = self.run.steps[step].attempts;
        let by = || "somebody".to_owned();
        let _ = match choice {
            0..=9 => self.act(Command::Claim),
            10..=39 => self.act(Command::Begin { step }),
            40..=59 => self.act(Command::Succeed { step, attempt, warnings: Vec::new() }),
            60..=74 => self.act(Command::Fail { step, attempt, fault: Fault::transient(code::WF4001, "broke") }),
            75..=77 => self.act(Command::Fail { step, attempt, fault: Fault::permanent(code::WF2006, "no") }),
            78..=80 => {
                let until = self.now.plus(Span::from_secs(3));
                self.act(Command::Sleep { step, attempt, until })
            }
            81..=86 => {
                self.now = self.now.plus(Span::from_secs(2));
                self.act(Command::Wake)
            }
            87..=88 => self.act(Command::Pause { by: by() }),
            89..=91 => self.act(Command::Resume { by: by() }),
            92 => self.act(Command::Cancel { by: by() }),
            93..=95 => {
                self.act(Command::Retry { step: (which > 99).then_some(step), inputs: Default::default(), by: by() })
            }
            96 => self.act(Command::Interrupt { lost: false }),
            98 => {
                let until = self.now.plus(Span::from_secs(5));
                self.act(Command::Ask { step, attempt, questions: vec![question(&format!("q{step}"))], until })
            }
            99..=101 => {
                let key = if which > 200 { "start".to_owned() } else { format!("q{step}") };
                self.act(Command::Answer { inputs: [(key, json!(1))].into_iter().collect(), by: by() })
            }
            97 => self.act(Command::Skip { step, reason: SkipReason::Condition }),
            _ => {
                self.crash_and_refold();
                Ok(())
            }
        };
    }

    /// Everything that is due is done, every attempt succeeds, time passes.
    fn friendly_to_the_end(&mut self) {
        let _ = self.act(Command::Resume { by: "friend".to_owned() });
        for _ in 0..1_000 {
            if self.run.state.is_finished() {
                return;
            }
            for due in due(&self.run, &self.flow, self.now) {
                let _ = match due {
                    Due::Claim => self.act(Command::Claim),
                    Due::Offer { step } => self.act(Command::Begin { step }),
                    Due::Stop { step } => self.fail_softly(step),
                    Due::WakeAt { at } => {
                        self.now = self.now.max(at);
                        self.act(Command::Wake)
                    }
                };
            }
            for step in 0..self.run.steps.len() {
                let attempt = self.run.steps[step].attempts;
                let _ = self.act(Command::Succeed { step, attempt, warnings: Vec::new() });
            }
        }
        panic!("a friendly world did not end it: {:?}", self.run);
    }

    fn fail_softly(&mut self, step: usize) -> Result<(), Refusal> {
        let attempt = self.run.steps[step].attempts;
        self.act(Command::Fail { step, attempt, fault: Fault::transient(code::WF2004, "stopped") })
    }
}

use crate::domain::run::SkipReason;

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn every_walk_keeps_the_invariants_and_ends_in_a_friendly_world(
        seeds in prop::collection::vec((any::<u8>(), 0u32..3, any::<bool>(), any::<bool>(), 0u8..6), 1..8),
        timeout in prop::option::weighted(0.2, 5u64..60),
        acts in prop::collection::vec((0u8..104, any::<u8>()), 0..120),
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
    let seeds: Vec<StepSeed> =
        (0..count).map(|index| (if index == 0 { 0 } else { 1 << (index - 1) }, retries, false, false, 1)).collect();
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
    let seeds = [(0, 0, false, false, 1), (0, 0, false, false, 1), (0b11, 0, false, false, 1)];
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
fn a_step_that_crashes_again_and_again_waits_longer_each_time_and_is_named_in_the_end() {
    let mut world = sequence(1, 0);
    let mut waits = Vec::new();
    while world.run.state == RunState::Queued {
        world.act(Command::Claim).expect("queued");
        if let RunState::Waiting { until } = world.run.state {
            waits.push(until.since(world.now).micros());
            world.now = until;
            world.act(Command::Claim).expect("it is due");
        }
        assert_eq!(begin(&mut world, 0), 1, "a lost attempt is no attempt");
        world.act(Command::Interrupt { lost: true }).expect("always");
    }
    assert_eq!(waits.len(), 9, "not after the first two of twelve crashes: {waits:?}");
    assert!(waits.is_sorted() && waits[0] >= 800_000, "{waits:?}");
    assert!(waits.iter().sum::<i64>() > 360_000_000, "no burst of kills is over so late: {waits:?}");
    assert_eq!(world.run.steps[0].fault.as_ref().map(|fault| fault.code), Some(code::WF4002));
    assert_eq!(world.run.state, RunState::Finished(Outcome::Failed));
}

#[test]
fn a_step_that_must_not_be_repeated_fails_with_the_first_crash() {
    let mut once = World::new(plan_of(&[(0, 3, false, false, 0)], None));
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
    let mut world =
        World::new(plan_of(&[(0, 0, false, false, 1), (1, 0, false, false, 1), (0b10, 0, false, true, 1)], None));
    world.act(Command::Claim).expect("queued");
    fail(&mut world, 0);
    assert_eq!(due(&world.run, &world.flow, world.now), [Due::Offer { step: 2 }]);
    succeed(&mut world, 2);
    assert_eq!(world.run.state, RunState::Finished(Outcome::Failed));
}

#[test]
fn a_run_past_its_deadline_times_out() {
    let mut world = World::new(plan_of(&[(0, 0, false, false, 1)], Some(Span::from_secs(10))));
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
