//! Who waits for whom: ids, stages, `needs`, and what follows from them.

use std::collections::{BTreeMap, HashMap};

use super::bodies::Bodies;
use super::names::{humanise, slug};
use super::near;
use super::report::Findings;
use super::template::{Marked, Step};
use crate::domain::code;

/// The steps' order, by index into the list of the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Graph {
    /// Ids, written or derived; unique.
    pub ids: Vec<String>,
    /// Names, written or made from the type.
    pub names: Vec<String>,
    /// For each step the steps that it waits for directly; none of them waits for another of them.
    pub needs: Vec<Vec<usize>>,
    /// `before[a][b]`: step `a` waits for step `b`, directly or not.
    pub before: Vec<Vec<bool>>,
    /// Steps of one stage run side by side. Counted from 0.
    pub stages: Vec<usize>,
}

impl Graph {
    /// The graph of these steps. In a circle of `needs` (told) nothing waits.
    pub(super) fn of(steps: &[Step], findings: &mut Findings) -> Self {
        let names: Vec<_> = steps.iter().map(name).collect();
        let ids = ids(steps, &names, findings);
        let bodies = Bodies::of(steps);
        bodies.check_jumps(&ids, findings);
        let mut ranks = vec![0; steps.len()];
        for list in bodies.lists() {
            for (step, rank) in list.iter().zip(self::ranks(steps, &list, findings)) {
                ranks[*step] = rank;
            }
        }
        let direct = direct(steps, &ids, &ranks, findings);
        let Some(before) = closure(&direct) else {
            tell_circle(steps, &ids, &direct, findings);
            let count = steps.len();
            return Self {
                ids,
                names,
                needs: vec![Vec::new(); count],
                before: vec![vec![false; count]; count],
                stages: ranks,
            };
        };
        let needs: Vec<Vec<usize>> = direct.iter().map(|needs| minimal(needs, &before)).collect();
        let stages = stages(&needs, &before);
        let graph = Self { ids, names, needs, before, stages };
        bodies.check_loops(&graph, &direct, findings);
        graph
    }

    /// The ids of all steps that step `index` waits for, in the order of the file.
    pub(super) fn ids_before(&self, index: usize) -> impl Iterator<Item = &str> {
        self.before[index].iter().zip(&self.ids).filter(|(before, _)| **before).map(|(_, id)| id.as_str())
    }
}

fn name(step: &Step) -> String {
    let written = step.name.as_ref().map(|name| name.value.trim().to_owned()).filter(|name| !name.is_empty());
    written.unwrap_or_else(|| humanise(&step.kind.value))
}

/// Written ids as they are, others derived from the names; a clash of derived ids gets a number.
fn ids(steps: &[Step], names: &[String], findings: &mut Findings) -> Vec<String> {
    let mut taken: HashMap<String, usize> = HashMap::new();
    for step in steps {
        let Some(id) = &step.id else { continue };
        let line = findings.line_of(id.mark.start);
        if let Some(first) = taken.get(&id.value) {
            let message = format!("the id `{}` is already that of the step on line {first}", id.value);
            findings.error(code::WF1020, id.mark, message).fix("give each step an id of its own");
        } else {
            taken.insert(id.value.clone(), line);
        }
    }
    let derive = |(index, step): (usize, &Step)| {
        if let Some(id) = &step.id {
            return id.value.clone();
        }
        let base = Some(slug(&names[index])).filter(|slug| !slug.is_empty());
        let base = base.unwrap_or_else(|| format!("step_{}", index + 1));
        let mark = step.name.as_ref().map_or(step.kind.mark, |name| name.mark);
        let mut id = base.clone();
        let mut number = 2;
        while taken.contains_key(&id) {
            let suffix = format!("_{number}");
            id = format!("{}{suffix}", &base[..base.len().min(64 - suffix.len())]);
            number += 1;
        }
        if number > 2 {
            let message = format!(
                "`{}` gives the id `{base}`, which is taken by line {}; this step is `{id}`",
                names[index], taken[&base]
            );
            findings.warning(code::WF1021, mark, message).fix("give the step an `id` or a name of its own");
        }
        taken.insert(id.clone(), findings.line_of(step.mark.start));
        id
    };
    steps.iter().enumerate().map(derive).collect()
}

/// The place of each step of a list in its sequence: its own, or that of its group. Groups take the places of groups in
/// ascending number, whatever order they are listed in.
fn ranks(steps: &[Step], list: &[usize], findings: &mut Findings) -> Vec<usize> {
    let mut slots: Vec<Option<i64>> = Vec::new();
    let mut groups: BTreeMap<i64, usize> = BTreeMap::new();
    let mut slot_of = Vec::new();
    for step in list.iter().map(|&step| &steps[step]) {
        let Some(group) = &step.group else {
            slot_of.push(slots.len());
            slots.push(None);
            continue;
        };
        let known = groups.get(&group.value).copied();
        if let Some(slot) = known
            && slot + 1 != slots.len()
        {
            let message =
                format!("group {} began further up; its steps run together, not where this one is listed", group.value);
            findings.warning(code::WF1026, group.mark, message).fix("list the steps of a group one after another");
        }
        let slot = known.unwrap_or(slots.len());
        if known.is_none() {
            if let Some((above, _)) = groups.range(group.value..).next() {
                let message = format!("group {} is listed below group {above}, but runs before it", group.value);
                findings
                    .warning(code::WF1026, group.mark, message)
                    .fix("list the groups in the order of their numbers");
            }
            slots.push(Some(group.value));
            groups.insert(group.value, slot);
        }
        slot_of.push(slot);
    }
    // The places that groups stand at, given to the groups by number.
    let places: Vec<usize> = (0..slots.len()).filter(|slot| slots[*slot].is_some()).collect();
    let ranked: BTreeMap<i64, usize> = groups.keys().copied().zip(places).collect();
    slot_of.into_iter().map(|slot| slots[slot].map_or(slot, |group| ranked[&group])).collect()
}

/// What each step waits for: the step that it stands in, and what it says, else everything above it in its list.
fn direct(steps: &[Step], ids: &[String], ranks: &[usize], findings: &mut Findings) -> Vec<Vec<usize>> {
    let bodies = Bodies::of(steps);
    let of = |(index, step): (usize, &Step)| {
        let mut waits: Vec<usize> = step.inside.parent.into_iter().collect();
        let phase = bodies.phase(index);
        if step.inside.parent.is_none() {
            waits.extend(
                (0..steps.len()).filter(|&other| bodies.phase(other) < phase && bodies.in_loop(other).is_none()),
            );
        }
        let Some(needs) = &step.needs else {
            let above = |other: &usize| steps[*other].inside == step.inside && ranks[*other] < ranks[index];
            if !bodies.is_side_by_side(index) {
                waits.extend((0..steps.len()).filter(above).flat_map(|other| bodies.whole(other)));
            }
            return waits;
        };
        if step.group.is_some() {
            let message = "`needs` and `parallel_group` on one step contradict each other";
            findings.error(code::WF1025, needs.mark, message).fix("keep one of the two");
        }
        for need in &needs.value {
            let Some(found) = found(need, index, ids, findings) else { continue };
            if bodies.around(index).any(|around| around == found) {
                waits.push(found);
            } else if bodies.loops(found, false).iter().all(|around| bodies.loops(index, false).contains(around)) {
                waits.extend(bodies.whole(found));
            } else {
                let message =
                    format!("`{}` runs once for each item of a loop, so nothing outside can wait for it", need.value);
                findings.error(code::WF1023, need.mark, message).fix("wait for the step with `foreach`");
            }
        }
        waits
    };
    steps.iter().enumerate().map(of).collect()
}

fn found(need: &Marked<String>, index: usize, ids: &[String], findings: &mut Findings) -> Option<usize> {
    let position = ids.iter().position(|id| *id == need.value);
    match position {
        Some(position) if position == index => {
            findings.error(code::WF1024, need.mark, format!("step `{}` waits for itself", need.value));
            None
        }
        Some(position) => Some(position),
        None => {
            let others = || ids.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, id)| id.as_str());
            let message = format!("`needs` names `{}`, but there is no such step", super::source::short(&need.value));
            let problem = findings.error(code::WF1023, need.mark, message).near(near::near(&need.value, others()));
            problem.fix(format!("steps: {}", near::list(others(), 20)));
            None
        }
    }
}

/// For each step all steps before it; `None` when some wait for each other.
fn closure(direct: &[Vec<usize>]) -> Option<Vec<Vec<bool>>> {
    let count = direct.len();
    let mut before: Vec<Vec<bool>> = vec![vec![false; count]; count];
    let mut done = vec![false; count];
    loop {
        let ready: Vec<usize> =
            (0..count).filter(|step| !done[*step] && direct[*step].iter().all(|need| done[*need])).collect();
        for &step in &ready {
            for &need in &direct[step] {
                let inherited = before[need].clone();
                for (mine, theirs) in before[step].iter_mut().zip(inherited) {
                    *mine |= theirs;
                }
                before[step][need] = true;
            }
        }
        for step in &ready {
            done[*step] = true;
        }
        if ready.is_empty() {
            return done.iter().all(|done| *done).then_some(before);
        }
    }
}

/// Without those that another of them waits for anyway.
fn minimal(needs: &[usize], before: &[Vec<bool>]) -> Vec<usize> {
    let mut needs: Vec<usize> =
        needs.iter().copied().filter(|need| !needs.iter().any(|other| before[*other][*need])).collect();
    needs.sort_unstable();
    needs.dedup();
    needs
}

/// Each step one stage after the last that it waits for.
fn stages(needs: &[Vec<usize>], before: &[Vec<bool>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..needs.len()).collect();
    order.sort_by_key(|step| before[*step].iter().filter(|before| **before).count());
    let mut stages = vec![0; needs.len()];
    for step in order {
        stages[step] = needs[step].iter().map(|need| stages[*need] + 1).max().unwrap_or(0);
    }
    stages
}

/// Tells one circle, from step to step.
fn tell_circle(steps: &[Step], ids: &[String], direct: &[Vec<usize>], findings: &mut Findings) {
    // Steps that lead into the circle from outside are stripped first; from any that is left the way must close.
    let mut left = vec![true; steps.len()];
    while let Some(free) = (0..steps.len()).find(|step| left[*step] && !direct[*step].iter().any(|need| left[*need])) {
        left[free] = false;
    }
    let next = |step: usize| direct[step].iter().copied().find(|need| left[*need]);
    let Some(mut step) = (0..steps.len()).find(|step| left[*step]) else { return };
    let mut way = Vec::new();
    while !way.contains(&step) {
        way.push(step);
        let Some(need) = next(step) else { return };
        step = need;
    }
    way.drain(..way.iter().position(|seen| *seen == step).unwrap_or(0));
    way.push(step);
    let names: Vec<_> = way.iter().map(|step| format!("`{}`", ids[*step])).collect();
    // Mark a `needs` that somebody wrote; steps without one wait because of where they stand.
    let mark = way.iter().find_map(|step| steps[*step].needs.as_ref()).map_or(steps[step].mark, |needs| needs.mark);
    let message = format!("steps wait for each other in a circle: {}", names.join(" waits for "));
    let fix = "take one of the `needs` away; a step without `needs` waits for everything above it";
    findings.error(code::WF1024, mark, message).fix(fix);
}
