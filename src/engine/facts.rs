//! What the expressions of a run see: made for one step at a time, of what its carrier holds.

use super::carried::Carried;
use super::looped;
use crate::domain::fault::Fault;
use crate::domain::run::{CancelCause, RunState, SkipReason};
use crate::language::{ItemFacts, Outputs, RunFacts, Scope, StepFacts, render};

impl Carried {
    /// What the expressions of a step may read.
    pub fn scope(&self, step: usize) -> Facts<'_> {
        self.facts(Some(step), self.reads_steps(step), None)
    }

    /// Why a step cannot read what it may need: it was kept, and is gone.
    pub fn loss(&self, step: usize) -> Option<Fault> {
        let lost = self.lost.values().next().filter(|_| self.reads_steps(step));
        lost.cloned()
            .map(|fault| fault.fix("put the file back from a copy, then retry; or retry the step that made it"))
    }

    fn reads_steps(&self, step: usize) -> bool {
        let plan_step = self.flow.step(&self.run, step);
        plan_step.config_has_expressions
            || plan_step.condition.expression.is_some()
            || !plan_step.condition.gates.is_empty()
            || plan_step.foreach.is_some()
            || plan_step.room.is_some()
            || !plan_step.outputs.is_empty()
            || !plan_step.ports.is_empty()
    }

    /// The same, with the step's own outputs in it.
    pub fn scope_with(&self, step: usize, own: Outputs) -> Facts<'_> {
        self.facts(Some(step), true, Some(own))
    }

    /// Why a step is not to run, if it is not.
    pub fn left_out(&self, step: usize) -> Result<Option<SkipReason>, Fault> {
        let condition = &self.flow.step(&self.run, step).condition;
        // What a loop runs of itself was asked about before the loop began.
        let own_item = self.run.instance(step).is_some()
            && self.flow.step(&self.run, step).foreach.is_some()
            && !self.run.is_loop(&self.flow, step);
        if own_item || (condition.gates.is_empty() && condition.expression.is_none()) {
            return Ok(None);
        }
        let scope = self.scope(step);
        for gate in &condition.gates {
            if !render::condition(gate, &scope.view())? {
                return Ok(Some(SkipReason::Branch));
            }
        }
        match &condition.expression {
            Some(expression) if !render::condition(expression, &scope.view())? => Ok(Some(SkipReason::Condition)),
            _ => Ok(None),
        }
    }

    pub(super) fn facts(&self, index: Option<usize>, reads_steps: bool, own: Option<Outputs>) -> Facts<'_> {
        let mut steps = Vec::new();
        if reads_steps {
            let plan = &self.flow.plan.steps;
            steps.extend(plan.iter().enumerate().map(|(place, plan)| self.step_facts(index, place, &plan.id)));
            if let (Some(index), Some(own)) = (index, own) {
                steps[self.run.plan_index(index)].outputs = Some(own);
            }
        }
        let items = index.map(|index| looped::items_around(self, index)).unwrap_or_default();
        Facts { carried: self, steps, index: index.map(|index| self.run.plan_index(index)), items }
    }

    /// What is known of a place of the plan, as seen from a step.
    fn step_facts<'c>(&'c self, from: Option<usize>, place: usize, id: &'c str) -> StepFacts<'c> {
        let seen = self.run.seen_from(&self.flow, from, place).unwrap_or(place);
        let step = &self.run.steps[seen];
        StepFacts {
            id,
            status: step.state.status(),
            outputs: self.outputs[seen].clone(),
            error: step.fault.as_deref(),
            attempts: step.attempts,
            started_at: step.started_at,
        }
    }
}

/// A view of a run for expressions; owns what the view borrows.
pub struct Facts<'c> {
    carried: &'c Carried,
    steps: Vec<StepFacts<'c>>,
    index: Option<usize>,
    items: Vec<ItemFacts<'c>>,
}

impl Facts<'_> {
    pub fn view(&self) -> Scope<'_> {
        let run = &self.carried.run;
        Scope {
            inputs: &self.carried.inputs,
            vars: &self.carried.vars,
            run: RunFacts {
                id: run.id,
                workflow: &self.carried.flow.plan.slug,
                version: self.carried.flow.plan.version.as_deref(),
                origin: &self.carried.origin.door,
                requester: Some(self.carried.origin.requester()),
                started_at: run.started_at.unwrap_or(run.created_at),
                attempt: run.reopened + 1,
                failing: run.is_failing() || matches!(run.state, RunState::Cancelling { cause: CancelCause::TimedOut }),
                cancelling: matches!(run.state, RunState::Cancelling { cause: CancelCause::Asked }),
            },
            steps: &self.steps,
            current: self.index,
            items: &self.items,
        }
    }
}
