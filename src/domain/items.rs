//! Items: a step with `foreach` runs once for each item of a list.
//!
//! A run has a step for each place of its plan. When a loop learns its items, further steps are added behind those:
//! for each item one for each step of the loop's body. They move as every other step does: attempts, retries, waits.
//! The body's own places in the plan never move; they only say what such a step is.

use std::collections::BTreeSet;

use super::plan::OnItemError;
use super::run::{Flow, Run, StepState};

/// What a step beyond the plan is: a step of the body of a loop, for one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instance {
    /// Its place in the plan.
    pub plan: u32,
    /// The step that loops.
    pub at: u32,
    /// Which item, from 0.
    pub item: u32,
}

/// A loop whose items are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loop {
    /// Its place in the plan.
    pub plan: usize,
    /// The first step of its first item.
    pub first: usize,
    /// How many items there are.
    pub count: u32,
    /// How many steps an item has.
    pub width: usize,
    /// What the list was.
    pub digest: String,
    /// The first item that has never begun.
    pub(super) next: u32,
    /// Items that begin once more before new ones do.
    pub(super) redo: BTreeSet<u32>,
    /// Items under way.
    pub(super) open: u32,
    /// Items that are over.
    pub(super) done: u32,
    /// For each item the steps that are not settled.
    pub(super) left: Vec<u16>,
    /// Items with a failure that is not tolerated.
    pub(super) broken: BTreeSet<u32>,
}

impl Loop {
    pub(super) fn new((plan, first): (usize, usize), (count, width): (u32, usize), digest: &str) -> Self {
        let each = u16::try_from(width).unwrap_or(u16::MAX); // a plan has 200 steps at the most
        Self {
            plan,
            first,
            count,
            width,
            digest: digest.to_owned(),
            next: 0,
            redo: BTreeSet::new(),
            open: 0,
            done: 0,
            left: vec![each; count as usize],
            broken: BTreeSet::new(),
        }
    }

    /// The step for this item and this place in the body.
    #[must_use]
    pub const fn step(&self, item: u32, place: usize) -> usize {
        self.first + item as usize * self.width + place
    }

    /// The steps of an item.
    #[must_use]
    pub const fn steps(&self, item: u32) -> std::ops::Range<usize> {
        self.step(item, 0)..self.step(item, 0) + self.width
    }

    /// Items that are over, how many of these have failed, and how many are under way.
    #[must_use]
    pub fn tally(&self) -> (u32, usize, u32) {
        (self.done, self.broken.len(), self.open)
    }

    /// The items that failed, in order.
    pub fn failed(&self) -> impl Iterator<Item = u32> + '_ {
        self.broken.iter().copied()
    }

    /// Whether an item has begun, in this generation or an earlier one.
    #[must_use]
    pub fn has_begun(&self, item: u32) -> bool {
        item < self.next && !self.redo.contains(&item)
    }

    /// Whether all steps of an item are settled.
    #[must_use]
    pub fn is_over_with(&self, item: u32) -> bool {
        self.left[item as usize] == 0
    }

    /// The next item, if one may begin now.
    pub(super) fn take(&mut self, max_parallel: u32, on_error: OnItemError) -> Option<u32> {
        if self.open >= max_parallel.max(1) || self.is_stopped(on_error) {
            return None;
        }
        let item = match self.redo.pop_first() {
            Some(item) => item,
            None if self.next < self.count => {
                self.next += 1;
                self.next - 1
            }
            None => return None,
        };
        self.open += 1;
        Some(item)
    }

    /// Nothing further comes of it.
    pub(super) fn is_over(&self, on_error: OnItemError) -> bool {
        self.done == self.count || (self.is_stopped(on_error) && self.open == 0)
    }

    fn is_stopped(&self, on_error: OnItemError) -> bool {
        on_error == OnItemError::Stop && !self.broken.is_empty()
    }
}

impl Run {
    /// The place in the plan that says what this step is.
    #[must_use]
    pub fn plan_index(&self, step: usize) -> usize {
        self.instance(step).map_or(step, |instance| instance.plan as usize)
    }

    /// The item that a step is for; `None` for a step of the plan itself.
    #[must_use]
    pub fn instance(&self, step: usize) -> Option<Instance> {
        self.instances.get(step.checked_sub(self.planned())?).copied()
    }

    /// How many steps the plan has; those from here on are for items.
    #[must_use]
    pub fn planned(&self) -> usize {
        self.steps.len() - self.instances.len()
    }

    /// The loop at this step, once its items are known.
    #[must_use]
    pub fn loop_at(&self, step: usize) -> Option<&Loop> {
        self.loops.get(&step)
    }

    /// Whether this step is a loop itself, and not what a loop runs.
    #[must_use]
    pub fn is_loop(&self, flow: &Flow, step: usize) -> bool {
        let plan = self.plan_index(step);
        let item_of_itself = self.instance(step).is_some_and(|instance| self.plan_index(instance.at as usize) == plan);
        flow.plan.steps[plan].foreach.is_some() && !item_of_itself
    }

    /// Whether a step takes part in the run: not the places of a plan that only say what items do, nor steps of items
    /// whose turn has not come.
    #[must_use]
    pub fn has_begun(&self, flow: &Flow, step: usize) -> bool {
        match self.instance(step) {
            // When a loop began anew, the steps of its items before that stay behind and mean nothing any more; while
            // it waits to begin again, those of its items wait with it.
            Some(instance) => {
                let at = instance.at as usize;
                let begun = |known: &Loop| known.has_begun(instance.item) && known.steps(instance.item).contains(&step);
                self.steps[at].state != StepState::Pending
                    && self.loops.get(&at).is_some_and(begun)
                    && self.has_begun(flow, at)
            }
            None => flow.plan.steps[step].in_loop.is_none(),
        }
    }

    /// The step that stands for a place of the plan, as seen from `step`: for a body's place that is the one of the
    /// same item.
    #[must_use]
    pub fn seen_from(&self, flow: &Flow, step: Option<usize>, plan: usize) -> Option<usize> {
        let Some(wanted) = flow.plan.steps[plan].in_loop else { return Some(plan) };
        let mut here = step?;
        loop {
            let instance = self.instance(here)?;
            let at = instance.at as usize;
            let known = self.loops.get(&at)?;
            if known.plan == wanted {
                return Some(known.step(instance.item, flow.place(known.plan, plan)));
            }
            here = at;
        }
    }

    /// What tells a step apart in its run: its id, and which item it is for, as `load[17]`.
    #[must_use]
    pub fn path(&self, flow: &Flow, step: usize) -> String {
        let mut path = flow.step(self, step).id.clone();
        let around: Vec<u32> = self.items_around(step).map(|(_, item)| item).collect();
        for item in around.into_iter().rev() {
            path.push_str(&format!("[{item}]"));
        }
        path
    }

    /// The loops around a step with the item of each, from the inside out.
    pub fn items_around(&self, step: usize) -> impl Iterator<Item = (usize, u32)> + '_ {
        let mut here = step;
        std::iter::from_fn(move || {
            let instance = self.instance(here)?;
            here = instance.at as usize;
            Some((here, instance.item))
        })
    }

    /// Whether a failure has decided that the item that this step is for has failed.
    pub(super) fn is_item_failing(&self, step: usize) -> bool {
        self.instance(step).is_some_and(|instance| {
            self.loops.get(&(instance.at as usize)).is_some_and(|known| known.broken.contains(&instance.item))
        })
    }

    /// The steps that wait for this one.
    pub(super) fn dependants<'r>(&'r self, flow: &'r Flow, step: usize) -> impl Iterator<Item = usize> + 'r {
        let instance = self.instance(step);
        let around = instance.and_then(|instance| Some((self.loops.get(&(instance.at as usize))?, instance.item)));
        // What runs for an item of itself has nobody behind it: the loop has.
        let alone = around.is_some_and(|(known, _)| known.plan == self.plan_index(step));
        let waiting = if alone { &[] } else { flow.dependants[self.plan_index(step)].as_slice() };
        waiting.iter().map(move |&plan| match around {
            Some((known, item)) => known.step(item, flow.place(known.plan, plan)),
            None => plan,
        })
    }
}
