//! A run, its journal and its clock; every act is followed by all checks.

use serde_json::json;

use super::super::*;
use super::question;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::id::RunId;
use crate::domain::plan::{OnError, Phase};
use crate::domain::run::{RunState, SkipReason, StepState};
use crate::domain::time::Span;
use crate::domain::wait::{ApprovalSpec, OnExpire, Vote};

fn child_of(step: usize) -> RunId {
    RunId::from_bits(1_000 + step as u128)
}

fn spec(which: u8) -> ApprovalSpec {
    ApprovalSpec {
        title: "May it?".to_owned(),
        approvers: Vec::new(),
        required: 1 + u32::from(which % 2),
        requester: "ana".to_owned(),
        allow_requester: which.is_multiple_of(7),
        on_expire: [OnExpire::Reject, OnExpire::Approve, OnExpire::Fail][usize::from(which % 3)],
        rejection_continues: which.is_multiple_of(11),
        show: Default::default(),
    }
}

/// A run, the journal that a store would hold, and the clock.
pub struct World {
    pub flow: Flow,
    pub run: Run,
    journal: Vec<Entry>,
    pub now: Timestamp,
}

impl World {
    pub fn new(flow: Flow) -> Self {
        let now = Timestamp::from_micros(1_000_000);
        let mut world = Self { run: Run::new(RunId::from_bits(7), &flow, now), flow, journal: Vec::new(), now };
        let event = Event::Queued;
        apply(&mut world.run, &world.flow, now, &event);
        world.journal.push((now, event));
        world
    }

    /// The run does not begin without an answer.
    pub fn ask_first(&mut self) {
        let until = self.now.plus(Span::from_secs(30));
        let event = Event::Asked { step: None, questions: vec![question("start")], until };
        apply(&mut self.run, &self.flow, self.now, &event);
        self.journal.push((self.now, event));
    }

    #[expect(clippy::needless_pass_by_value, reason = "every caller makes its command on the spot")]
    pub fn act(&mut self, command: Command) -> Result<(), Refusal> {
        let before = self.run.clone();
        let known = self.journal.len();
        let result = step(&mut self.run, &self.flow, command.clone(), self.now, &mut self.journal);
        self.check_settled_once(&before, known);
        if result.is_err() {
            assert_eq!(before, self.run, "a refused command changes nothing: {command:?}");
        }
        self.check(&before, &command);
        result
    }

    fn check(&self, before: &Run, command: &Command) {
        let may_reopen = matches!(command, Command::Retry { .. } | Command::SkipStep { .. });
        if before.state.is_finished() && !may_reopen {
            assert_eq!(*before, self.run, "a finished run moved on {command:?}");
        }
        for index in 0..self.run.steps.len() {
            self.check_step(before, index);
        }
        assert!(self.run.held_back_until().is_none() || self.run.state != RunState::Running, "it began unanswered");
        self.check_counters();
        self.check_loops();
        assert!(settle(&self.run, &self.flow, self.now).is_none(), "not quiet after {command:?}: {:?}", self.run);
        self.check_nobody_is_forgotten();
    }

    /// Each step is settled by one event of its own, so that its row is written once; the end of a run settles nobody.
    fn check_settled_once(&self, before: &Run, known: usize) {
        let mut run = before.clone();
        for (at, event) in &self.journal[known..] {
            let settled = |run: &Run| -> Vec<bool> { run.steps.iter().map(|step| step.state.is_settled()).collect() };
            let was = settled(&run);
            apply(&mut run, &self.flow, *at, event);
            let named: &[usize] = match event {
                Event::StepSucceeded { step, .. } | Event::StepReused { step, .. } | Event::StepFailed { step, .. } => {
                    std::slice::from_ref(step)
                }
                Event::StepsSkipped { steps, .. } | Event::StepsCancelled { steps } => steps,
                Event::Reopened { .. } | Event::ItemsListed { .. } => continue,
                _ => &[],
            };
            for (step, now) in settled(&run).into_iter().enumerate() {
                let (was, named) = (was.get(step).is_some_and(|was| *was), named.contains(&step));
                assert_eq!((was && named, !was && now), (false, named), "step {step} by {event:?}");
            }
        }
    }

    fn check_step(&self, before: &Run, index: usize) {
        let (run, flow, step) = (&self.run, &self.flow, &self.run.steps[index]);
        let plan = flow.step(run, index);
        if run.instance(index).is_none() && plan.in_loop.is_some() {
            return assert_eq!(step.state, StepState::Pending, "place {index} of a loop's body moved by itself");
        }
        // The steps of items that wait for their turn, or that were replaced, are looked at when they take part.
        if run.instance(index).is_some() && !run.has_begun(flow, index) {
            return assert!(
                !matches!(step.state, StepState::Running | StepState::Nesting),
                "step {index} works unasked"
            );
        }
        let item_of_itself = run.instance(index).is_some() && plan.foreach.is_some() && !run.is_loop(flow, index);
        let seen = |need: &usize| run.seen_from(flow, Some(index), *need).expect("needs stand in the same loop");
        let needs_settled = item_of_itself || plan.needs.iter().all(|need| run.steps[seen(need)].state.is_settled());
        let was = before.steps.get(index);
        let busy = |state| matches!(state, StepState::Running | StepState::Looping);
        let began = busy(step.state) && was.is_none_or(|was| !busy(was.state));
        let reopened = was.is_some_and(|was| was.generation != step.generation);
        if began && !reopened {
            assert!(needs_settled, "step {index} began before its needs were settled");
            let closing = matches!(before.state, RunState::Cancelling { .. }) && plan.phase != Phase::Main;
            assert!(before.state == RunState::Running || closing, "step {index} began while {:?}", before.state);
        }
        assert!(step.attempts <= plan.retry.max_attempts(), "step {index}: too many attempts");
        if let Some(was) = was
            && was.state.is_settled()
            && !reopened
        {
            assert_eq!(was, step, "settled step {index} moved");
        }
        let under_way = run.items_around(index).all(|(at, _)| run.steps[at].state == StepState::Looping);
        if (step.state, needs_settled, under_way) == (StepState::Pending, true, true) && run.has_begun(flow, index) {
            assert!(run.ready.contains(&index), "step {index} is free but not ready: {run:?}");
        }
    }

    fn check_counters(&self) {
        let run = &self.run;
        let count = |wanted: fn(StepState) -> bool| run.steps.iter().filter(|step| wanted(step.state)).count();
        assert_eq!(run.in_flight, count(|state| state == StepState::Running));
        let own = (0..run.planned()).filter(|&step| self.flow.plan.steps[step].in_loop.is_none());
        assert_eq!(run.unsettled, own.filter(|&step| !run.steps[step].state.is_settled()).count());
        assert_eq!(run.nesting, count(|state| state == StepState::Nesting));
        let asleep = run.steps.iter().enumerate();
        let asleep = asleep.filter_map(|(index, step)| Some((step.state.waits_until()?, index)));
        assert_eq!(run.asleep, asleep.collect());
    }

    /// What a loop counts is what its items say.
    fn check_loops(&self) {
        let run = &self.run;
        for (&at, known) in &run.loops {
            if run.steps[at].state != StepState::Looping {
                continue;
            }
            let terms = self.flow.step(run, at).foreach.as_ref().expect("it loops");
            let settled = |item: u32| known.steps(item).all(|step| run.steps[step].state.is_settled());
            let begun = |item: &u32| known.has_begun(*item);
            let (over, open): (Vec<u32>, Vec<u32>) = (0..known.count).filter(begun).partition(|&item| settled(item));
            let (done, failed, running) = known.tally();
            assert_eq!((done as usize, running as usize), (over.len(), open.len()), "loop {at}: {known:?}");
            assert!(running <= terms.max_parallel, "loop {at} runs {running} items");
            let breaks = |item: &u32| {
                known.steps(*item).any(|step| {
                    run.steps[step].state == StepState::Failed
                        && self.flow.step(run, step).on_error != OnError::Continue
                })
            };
            assert_eq!(failed, (0..known.count).filter(begun).filter(breaks).count(), "loop {at}");
        }
    }

    /// Every open run has something due, something in flight, or is paused.
    fn check_nobody_is_forgotten(&self) {
        let resting = self.run.state.is_finished() || self.run.state == RunState::Paused;
        let cared_for = !due(&self.run, &self.flow, self.now).is_empty() || self.run.has_attempts_in_flight();
        assert!(resting || cared_for, "forgotten: {:?}", self.run);
    }

    /// What a store gives back after a crash is what the memory held.
    pub fn crash_and_refold(&mut self) {
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

    pub fn random_act(&mut self, (choice, which): (u8, u8)) {
        let step = usize::from(which) % self.run.steps.len();
        let attempt = self.run.steps[step].attempts;
        let by = || "somebody".to_owned();
        let _ = match choice {
            0..=9 => self.act(Command::Claim),
            10..=29 => self.begin(step),
            30..=39 => self.begin_what_is_offered(which),
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
            104..=105 => self.act(Command::Nest { step, attempt, child: child_of(step) }),
            106..=107 => self.end_child(step, which % 3 == 0),
            108..=109 => {
                let until = self.now.plus(Span::from_secs(4));
                self.act(Command::AskApproval { step, attempt, spec: spec(which), until })
            }
            110..=112 => {
                let by = ["ana", "bob", "cleo"][usize::from(which % 3)].to_owned();
                let vote = Vote { approves: which % 5 != 0, by, name: None, comment: None };
                self.act(Command::Decide { step: None, vote })
            }
            113 => {
                let until = self.now.plus(Span::from_secs(4));
                self.act(Command::Listen { step, attempt, event: "e".to_owned(), until })
            }
            114 => self.act(Command::Signal { event: "e".to_owned(), payload: json!(which), by: by() }),
            115..=116 => self.act(Command::SkipStep { step, by: by() }),
            117 => self.act(Command::Reuse { step, attempt, from: child_of(step) }),
            _ => {
                self.crash_and_refold();
                Ok(())
            }
        };
    }

    /// Everything that is due is done, every attempt succeeds, time passes.
    pub fn friendly_to_the_end(&mut self) {
        let _ = self.act(Command::Resume { by: "friend".to_owned() });
        for _ in 0..1_000 {
            if self.run.state.is_finished() {
                return;
            }
            for due in due(&self.run, &self.flow, self.now) {
                let _ = match due {
                    Due::Claim => self.act(Command::Claim),
                    Due::Offer { step } => self.begin(step),
                    Due::Stop { step } if self.run.steps[step].state == StepState::Nesting => {
                        self.end_child(step, true)
                    }
                    Due::Stop { step } => self.fail_softly(step),
                    Due::WakeAt { at: Timestamp::NEVER } => self.help_those_who_wait(),
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

    fn end_child(&mut self, step: usize, failed: bool) -> Result<(), Refusal> {
        let fault = failed.then(|| Fault::permanent(code::WF2006, "the child failed"));
        self.act(Command::ChildEnded { child: child_of(step), fault, warnings: Vec::new() })
    }

    /// Other runs end well, and somebody looks at what is held.
    fn help_those_who_wait(&mut self) -> Result<(), Refusal> {
        for step in 0..self.run.steps.len() {
            match self.run.steps[step].state {
                StepState::Nesting => self.end_child(step, false)?,
                StepState::Held => self.act(Command::SkipStep { step, by: "friend".to_owned() })?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Begins a step, or a loop with as many items as its place says.
    fn begin(&mut self, step: usize) -> Result<(), Refusal> {
        if self.run.is_loop(&self.flow, step) {
            let count = u32::try_from(step % 5).expect("small");
            return self.act(Command::List { step, count, digest: "list".to_owned() });
        }
        self.act(Command::Begin { step })
    }

    fn begin_what_is_offered(&mut self, which: u8) -> Result<(), Refusal> {
        let offers: Vec<usize> = due(&self.run, &self.flow, self.now)
            .into_iter()
            .filter_map(|due| if let Due::Offer { step } = due { Some(step) } else { None })
            .collect();
        match offers.get(usize::from(which) % offers.len().max(1)) {
            Some(&step) => self.begin(step),
            None => Ok(()),
        }
    }

    fn fail_softly(&mut self, step: usize) -> Result<(), Refusal> {
        let attempt = self.run.steps[step].attempts;
        self.act(Command::Fail { step, attempt, fault: Fault::transient(code::WF2004, "stopped") })
    }
}
