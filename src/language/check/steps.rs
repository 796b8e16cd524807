//! Step types and their configs.

use super::super::catalog::Catalog;
use super::super::near;
use super::super::report::{Findings, Mark};
use super::super::schema;
use super::super::source::{Kind, Node, short};
use super::super::template::{Rollback, Step, Template};
use crate::domain::code;
use crate::domain::plan::EffectClass;

pub(super) fn check(template: &Template, catalog: &Catalog, strict: bool, findings: &mut Findings) {
    let compensates = |step: &Step| match &step.rollback {
        Some(Rollback::Steps(_, steps)) => steps.clone(),
        _ => Vec::new(),
    };
    let steps = template.steps.iter().flat_map(|step| std::iter::once(step.clone()).chain(compensates(step)));
    spared(template, catalog, findings);
    for step in &steps.collect::<Vec<_>>() {
        if step.kind.value.is_empty() {
            continue;
        }
        let Some(kind) = catalog.get(&step.kind.value) else {
            unknown(step, catalog, strict, findings);
            continue;
        };
        let owner = step.name.as_ref().map_or_else(
            || format!("the `{}` step", short(&step.kind.value)),
            |name| format!("step `{}`", short(&name.value)),
        );
        if step.compound.is_some() {
            continue; // read key by key already
        }
        if let Some(cache) = step.cache.as_ref().filter(|cache| !kind.cacheable && !cache.force) {
            let message = format!("what a `{}` gives does not follow from its config and ports alone", kind.name);
            findings
                .error(code::WF1015, cache.mark, message)
                .fix("leave `cache` out, or add `force: true` if an earlier result is as good");
        }
        if let Some(queue) = step.policy.queue.as_ref().filter(|_| step.room.is_none()) {
            let message = "`queue` is how long a step waits for room, and this one has no `concurrency`";
            findings.error(code::WF1015, queue.mark, message).fix("leave it out, or say what the step waits for");
        }
        // A step without config has an empty one; what it lacks is told at its type.
        let empty =
            Node { mark: Mark { start: step.kind.mark.start, end: step.kind.mark.end }, kind: Kind::Map(Vec::new()) };
        schema::check(
            &kind.config,
            step.config.as_ref().unwrap_or(&empty),
            (&owner, step.kind.mark),
            kind.overridable,
            findings,
        );
    }
}

/// A run that takes what an earlier one gave does nothing: its author should know what is then not done.
fn spared(template: &Template, catalog: &Catalog, findings: &mut Findings) {
    let Some(cache) = template.cache.as_ref().filter(|cache| !cache.force) else { return };
    let acts = |step: &&Step| {
        let kind = catalog.get(&step.kind.value);
        step.compound.is_none() && kind.is_some_and(|kind| !kind.cacheable && kind.effect != EffectClass::Pure)
    };
    let Some(step) = template.steps.iter().find(acts) else { return };
    let message = format!(
        "an execution that takes an earlier result does nothing, and so leaves out what `{}` does",
        step.kind.value
    );
    findings.warning(code::WF1015, cache.mark, message).fix("add `force: true` if that is meant");
}

/// A type that nobody has built is no reason not to save a workflow: its run fails at that step.
fn unknown(step: &Step, catalog: &Catalog, strict: bool, findings: &mut Findings) {
    let names = || catalog.iter().map(|kind| kind.name);
    let meant = near::near(&step.kind.value, names());
    let message = format!("unknown step type `{}`", short(&step.kind.value));
    let problem = match strict {
        true => findings.error(code::WF1022, step.kind.mark, message),
        false => findings.warning(code::WF1022, step.kind.mark, format!("{message}; a run would fail at this step")),
    };
    problem.near(meant).fix(format!("step types: {}", near::list(names(), 30)));
}
