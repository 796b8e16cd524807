//! Loops in the fold: which items are under way, and what becomes of the loop when they are over.

use std::collections::BTreeSet;

use super::apply::{count_open, set};
use super::settle::is_ended;
use crate::domain::items::{Instance, Loop};
use crate::domain::plan::{Foreach, OnError, OnItemError};
use crate::domain::run::{Flow, Run, StepRun, StepState};
use crate::domain::time::Timestamp;

/// A loop learns its items: steps for all of them are added, and the first begin. A loop that goes on keeps what its
/// items have done.
pub(super) fn listed(
    run: &mut Run,
    flow: &Flow,
    step: usize,
    (count, digest, resumed): (u32, &str, bool),
    at: Timestamp,
) {
    run.steps[step].started_at.get_or_insert(at);
    run.steps[step].attempts = 1;
    set(run, flow, step, StepState::Looping, at);
    let plan = run.plan_index(step);
    if resumed {
        redo_what_is_missing(run, flow, step);
    } else {
        let body = flow.body(plan);
        let first = run.steps.len();
        let more = count as usize * body.len();
        run.steps.reserve_exact(more);
        run.blockers.reserve_exact(more);
        run.instances.reserve_exact(more);
        for item in 0..count {
            for &member in body {
                run.steps.push(StepRun::new(0));
                // The blockers of a loop's own item were settled before the loop began.
                let needs = if member == plan { 0 } else { flow.plan.steps[member].needs.len() };
                run.blockers.push(needs);
                let (plan, at) = (small(member), small(step));
                run.instances.push(Instance { plan, at, item });
            }
        }
        run.loops.insert(step, Loop::new((plan, first), (count, body.len()), digest));
    }
    release(run, flow, step);
    note_over(run, flow, step);
}

/// A step of an item has settled.
pub(super) fn settled(run: &mut Run, flow: &Flow, instance: Instance, stops: bool) {
    let step = instance.at as usize;
    let Some(known) = run.loops.get_mut(&step) else { return };
    if stops {
        known.broken.insert(instance.item);
        run.broken_items = true;
    }
    let left = &mut known.left[instance.item as usize];
    *left = left.saturating_sub(1);
    if *left == 0 {
        // One that waits to begin once more, and is skipped meanwhile, was not under way and need not begin.
        if !known.redo.remove(&instance.item) {
            known.open = known.open.saturating_sub(1);
        }
        known.done += 1;
        release(run, flow, step);
        note_over(run, flow, step);
    }
}

/// A loop is to begin once more. After a success all of it runs again; else what its items have done stays done.
pub(super) fn halted(run: &mut Run, step: usize, before: StepState) {
    let Some(known) = run.loops.get(&step) else { return };
    let steps = known.steps(0).start..known.step(known.count, 0);
    run.loops_over.remove(&step);
    for of in steps {
        let state = run.steps[of].state;
        if !state.is_settled() {
            count_open(run, of, state, false);
            run.steps[of].state = StepState::Pending;
            run.asking.retain(|asking| asking.step != Some(of));
            run.waits.remove(&of);
        }
        halted(run, of, before);
    }
    if before == StepState::Succeeded {
        run.loops.remove(&step);
    }
}

/// Steps of items that were settled are to run again: their items are under way again, and so are the loops around
/// them.
pub(super) fn reopened(run: &mut Run, flow: &Flow, settled: &[usize], through: &BTreeSet<usize>) {
    for &step in settled {
        let Some(instance) = run.instance(step) else { continue };
        let at = instance.at as usize;
        let Some(known) = run.loops.get_mut(&at) else { continue };
        let left = &mut known.left[instance.item as usize];
        if *left == 0 {
            known.done = known.done.saturating_sub(1);
            known.redo.insert(instance.item); // begins once more when there is room
        }
        *left += 1;
        let range = known.steps(instance.item);
        if !range.into_iter().any(|of| is_breaking(run, flow, of))
            && let Some(known) = run.loops.get_mut(&at)
        {
            known.broken.remove(&instance.item);
        }
    }
    note_broken(run);
    for &at in through {
        run.loops_over.remove(&at);
        run.ready.remove(&at);
        run.steps[at].state = StepState::Looping;
        run.steps[at].attempts = 1;
        release(run, flow, at);
        note_over(run, flow, at);
    }
}

fn note_broken(run: &mut Run) {
    run.broken_items = run.loops.values().any(|known| known.failed().next().is_some());
}

fn is_breaking(run: &Run, flow: &Flow, step: usize) -> bool {
    run.steps[step].state == StepState::Failed && flow.step(run, step).on_error != OnError::Continue
}

/// Items that failed or were cut off begin once more, with fresh steps; the others stay as they are.
fn redo_what_is_missing(run: &mut Run, flow: &Flow, step: usize) {
    let Some(mut known) = run.loops.remove(&step) else { return };
    known.open = 0;
    known.done = 0;
    known.broken.clear();
    known.redo.clear();
    for item in 0..known.next {
        let whole = known.steps(item).all(|of| run.steps[of].state.is_settled() && !is_lost(run, flow, of));
        if whole {
            known.done += 1;
            continue;
        }
        known.redo.insert(item);
        known.left[item as usize] = u16::try_from(known.width).unwrap_or(u16::MAX);
        for of in known.steps(item) {
            run.steps[of] = StepRun::new(run.steps[of].generation + 1);
            run.loops.remove(&of);
            let member = run.plan_index(of);
            run.blockers[of] = if member == known.plan { 0 } else { flow.plan.steps[member].needs.len() };
        }
    }
    run.loops.insert(step, known);
    note_broken(run);
}

/// Whether what a step should have done is missing.
fn is_lost(run: &Run, flow: &Flow, step: usize) -> bool {
    run.steps[step].state == StepState::Cancelled || is_breaking(run, flow, step)
}

/// Lets items begin as far as the loop allows.
fn release(run: &mut Run, flow: &Flow, step: usize) {
    if is_ended(run, flow, step) || run.steps[step].state != StepState::Looping {
        return;
    }
    let (max_parallel, on_error) = terms(flow, run.plan_index(step));
    while let Some(known) = run.loops.get_mut(&step)
        && let Some(item) = known.take(max_parallel, on_error)
    {
        for of in known.steps(item) {
            if run.blockers[of] == 0 && run.steps[of].state == StepState::Pending {
                run.ready.insert(of);
            }
        }
    }
}

fn note_over(run: &mut Run, flow: &Flow, step: usize) {
    let (_, on_error) = terms(flow, run.plan_index(step));
    if run.steps[step].state == StepState::Looping && run.loops.get(&step).is_some_and(|known| known.is_over(on_error))
    {
        run.loops_over.insert(step);
    }
}

fn terms(flow: &Flow, plan: usize) -> (u32, OnItemError) {
    let foreach: Option<&Foreach> = flow.plan.steps[plan].foreach.as_ref();
    foreach.map_or((1, OnItemError::Stop), |foreach| (foreach.max_parallel, foreach.on_item_error))
}

fn small(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX) // a run has at most a few million steps
}
