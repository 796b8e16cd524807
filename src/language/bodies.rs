//! Lists of steps in steps: who stands where, what a step waits for because of it, and under which conditions.

use super::graph::Graph;
use super::near;
use super::report::Findings;
use super::source::short;
use super::template::{Branch, Compound, Step};
use crate::domain::code;
use crate::domain::plan::Phase;

/// Where every step stands.
pub(super) struct Bodies<'s> {
    steps: &'s [Step],
}

impl<'s> Bodies<'s> {
    pub(super) const fn of(steps: &'s [Step]) -> Self {
        Self { steps }
    }

    /// The lists of the file, each with its steps in order.
    pub(super) fn lists(&self) -> Vec<Vec<usize>> {
        let mut lists: Vec<Vec<usize>> = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            match lists.iter_mut().find(|list| self.steps[list[0]].inside == step.inside) {
                Some(list) => list.push(index),
                None => lists.push(vec![index]),
            }
        }
        lists
    }

    /// The steps that a step stands in, from the inside out.
    pub(super) fn around(&self, step: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.steps[step].inside.parent, |&step| self.steps[step].inside.parent)
    }

    /// The innermost group with `foreach` around a step.
    pub(super) fn in_loop(&self, step: usize) -> Option<usize> {
        // What handles a failure of the loop stands beside its items.
        let mut here = step;
        for around in self.around(step) {
            if self.steps[around].foreach.is_some() && self.steps[here].inside.branch != Branch::OnError {
                return Some(around);
            }
            here = around;
        }
        None
    }

    /// All loops around a step whose item it may read; its own first, where `own` says so.
    pub(super) fn loops(&self, step: usize, own: bool) -> Vec<usize> {
        let own = Some(step).filter(|step| own && self.steps[*step].foreach.is_some());
        own.into_iter().chain(std::iter::successors(self.in_loop(step), |&around| self.in_loop(around))).collect()
    }

    /// In which part of the run a step stands.
    pub(super) fn phase(&self, step: usize) -> Phase {
        let root = self.around(step).last().unwrap_or(step);
        match self.steps[root].inside.branch {
            Branch::OnError => Phase::OnError,
            Branch::Finally => Phase::Finally,
            _ => Phase::Main,
        }
    }

    /// A step and everything that it holds, as far as others may wait for it: the items of a loop are its own affair.
    pub(super) fn whole(&self, step: usize) -> impl Iterator<Item = usize> + '_ {
        let around = self.in_loop(step);
        (0..self.steps.len()).filter(move |&other| {
            other == step || (self.around(other).any(|parent| parent == step) && self.in_loop(other) == around)
        })
    }

    /// Whether the steps of the list that this one stands in run side by side.
    pub(super) fn is_side_by_side(&self, step: usize) -> bool {
        let inside = &self.steps[step].inside;
        inside.branch == Branch::Body
            && inside
                .parent
                .is_some_and(|parent| self.steps[parent].compound == Some(Compound::Group { parallel: true }))
    }

    /// Whether a step runs although the run fails, because of where it stands.
    pub(super) fn survives(&self, step: usize) -> bool {
        let handles = |step: usize| matches!(self.steps[step].inside.branch, Branch::OnError | Branch::Finally);
        handles(step) || self.around(step).any(handles)
    }

    /// What must hold for the branch that a step stands in; bare expressions.
    pub(super) fn gates(&self, step: usize, ids: &[String]) -> Vec<String> {
        let inside = &self.steps[step].inside;
        let mut gates = Vec::new();
        match (inside.parent.map(|parent| (parent, &ids[parent])), &inside.branch) {
            (None, Branch::OnError) => gates.push("failed()".to_owned()),
            (Some((_, id)), Branch::OnError) => gates.push(format!("steps.{id}.status == \"failed\"")),
            (Some((_, id)), Branch::Case(_, label)) => {
                let label = serde_json::Value::String(label.clone());
                gates.push(format!("(steps.{id}.outputs.case | default(none)) == {label}"));
            }
            (Some((_, id)), Branch::Else) => {
                gates.push(format!("steps.{id}.status == \"completed\" and steps.{id}.outputs.case is none"));
            }
            (Some((parent, id)), Branch::Body) if self.steps[parent].foreach.is_none() => {
                gates.push(format!("steps.{id}.status == \"completed\""));
            }
            _ => {}
        }
        gates.extend(self.jumps_over(step, ids).map(|id| format!("steps.{id}.status != \"failed\"")));
        gates
    }

    /// The steps whose `goto` leads over this one.
    fn jumps_over<'i>(&'i self, step: usize, ids: &'i [String]) -> impl Iterator<Item = &'i str> {
        let over = move |&from: &usize| {
            let Some(goto) = &self.steps[from].policy.goto else { return false };
            let same_list = self.steps[from].inside == self.steps[step].inside;
            same_list && ids.iter().position(|id| *id == goto.value).is_some_and(|target| from < step && step < target)
        };
        (0..step).filter(over).map(|from| ids[from].as_str())
    }

    /// Every `goto` must name a step further down in its own list.
    pub(super) fn check_jumps(&self, ids: &[String], findings: &mut Findings) {
        for (from, step) in self.steps.iter().enumerate() {
            let Some(goto) = &step.policy.goto else { continue };
            let below = |other: &usize| *other > from && self.steps[*other].inside == step.inside;
            let names = || (0..ids.len()).filter(below).map(|other| ids[other].as_str());
            if names().any(|name| name == goto.value) {
                continue;
            }
            let message = match ids.contains(&goto.value) {
                true => {
                    format!("`goto` may only lead to a step further down in the same list, not to `{}`", goto.value)
                }
                false => format!("`goto` names `{}`, but there is no such step", short(&goto.value)),
            };
            let problem = findings.error(code::WF1023, goto.mark, message).near(near::near(&goto.value, names()));
            problem.fix(match names().next() {
                Some(_) => format!("steps below: {}", near::list(names(), 20)),
                None => "no step stands below it in its list".to_owned(),
            });
        }
    }

    /// What a step of a loop waits for must stand in the loop, or be what the loop itself waits for.
    pub(super) fn check_loops(&self, graph: &Graph, direct: &[Vec<usize>], findings: &mut Findings) {
        for (index, step) in self.steps.iter().enumerate() {
            let (Some(around), Some(needs)) = (self.in_loop(index), &step.needs) else { continue };
            let outside = direct[index]
                .iter()
                .find(|&&need| self.in_loop(need) != Some(around) && need != around && !graph.before[around][need]);
            if let Some(&need) = outside {
                let (id, need) = (&graph.ids[around], &graph.ids[need]);
                let message = format!("this step runs for each item of `{id}`, which does not wait for `{need}`");
                findings.error(code::WF1023, needs.mark, message).fix(format!("add `{need}` to the `needs` of `{id}`"));
            }
        }
    }
}
