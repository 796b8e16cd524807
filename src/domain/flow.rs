//! A plan, ready to be walked: made once, shared by all its runs.

use super::plan::{Phase, Plan, PlanStep};
use super::run::Run;

/// A plan with what the machine reads off it once: who waits for whom, and what loops run.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// The plan.
    pub plan: Plan,
    pub(super) dependants: Vec<Vec<usize>>,
    /// For each step with `foreach` the steps that run for an item.
    bodies: Vec<Vec<usize>>,
    /// For each step its place in the body that it stands in.
    places: Vec<usize>,
    /// Steps under `on_error` and `finally`.
    pub(super) closing: u64,
}

impl Flow {
    /// The flow of a plan.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let dependants = plan.dependants();
        let mut bodies = vec![Vec::new(); plan.steps.len()];
        let mut places = vec![0; plan.steps.len()];
        for (index, step) in plan.steps.iter().enumerate() {
            if let Some(around) = step.in_loop {
                places[index] = bodies[around].len();
                bodies[around].push(index);
            }
        }
        for (index, step) in plan.steps.iter().enumerate() {
            if step.foreach.is_some() && bodies[index].is_empty() {
                bodies[index].push(index);
            }
        }
        let closing = plan.steps.iter().filter(|step| step.phase != Phase::Main).count() as u64;
        Self { plan, dependants, bodies, places, closing }
    }

    /// What the steps of this loop run for each item.
    #[must_use]
    pub fn body(&self, step: usize) -> &[usize] {
        &self.bodies[step]
    }

    /// The place of a step in the body of a loop.
    pub(super) fn place(&self, around: usize, step: usize) -> usize {
        if around == step { 0 } else { self.places[step] }
    }

    /// What a step of a run is.
    #[must_use]
    pub fn step(&self, run: &Run, step: usize) -> &PlanStep {
        &self.plan.steps[run.plan_index(step)]
    }
}
