//! What a reader cannot see alone: types against the catalog, expressions against what they read.

mod reading;
mod references;
mod steps;

use std::cell::Cell;

use super::catalog::Catalog;
use super::graph::Graph;
use super::report::Findings;
use super::template::Template;

/// Checks a template whose parts were read. With `strict`, an unknown step type is an error.
pub(super) fn check(template: &Template, graph: &Graph, (catalog, strict): (&Catalog, bool), findings: &mut Findings) {
    steps::check(template, catalog, strict, findings);
    references::check(&reading::Readable { template, graph, catalog, seen: Cell::default() }, findings);
}
