//! What a reader cannot see alone: types against the catalog, expressions against what they read.

mod reading;
mod references;
mod steps;

use std::cell::Cell;

use super::catalog::Catalog;
use super::graph::Graph;
use super::options::Options;
use super::report::Findings;
use super::schedule;
use super::template::{REFERENCE, Template};
use crate::domain::code;
use crate::domain::trigger::TriggerKind;

/// Checks a template whose parts were read.
pub(super) fn check(
    template: &Template,
    graph: &Graph,
    (catalog, options): (&Catalog, &Options),
    findings: &mut Findings,
) {
    steps::check(template, catalog, options.strict, findings);
    for trigger in &template.triggers {
        if let TriggerKind::Schedule(spec) = &trigger.spec.kind
            && let Some(wrong) = schedule::too_often(spec, REFERENCE, options.shortest)
        {
            findings.error(code::WF1061, trigger.mark, wrong.message).fix(wrong.fix);
        }
    }
    references::check(&reading::Readable { template, graph, catalog, seen: Cell::default() }, findings);
}
