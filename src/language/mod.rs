//! Text to checked template to plan; expressions. Pure: reads no file, asks no clock.
//!
//! The way of a file: [`source`] (text to tree, every value with its place) -> [`template`] (tree to typed template)
//! -> `graph` (order) -> `check` and `ports` -> `lower` ([`Plan`](crate::domain::plan::Plan)). Every reader tells its
//! problems to one [`report`] and goes on, so that a file's problems are told all at once.
//! At run time: [`inputs`] and [`render`]. docs/templates.md is the language for its users.

mod bodies;
pub mod catalog;
mod check;
mod diff;
mod excerpt;
mod expression;
mod graph;
mod happening;
pub mod inputs;
mod lower;
mod names;
mod near;
mod options;
mod ports;
pub mod render;
pub mod report;
pub mod schedule;
mod schema;
pub mod source;
pub mod template;

use catalog::Catalog;
use graph::Graph;
use lower::Lowering;
use report::Findings;

pub use diff::{Change, diff};
pub use expression::{ItemFacts, Items, Outputs, RunFacts, Scope, StepFacts, Variables};
pub use happening::Happening;
pub use names::slug;
pub use near::near;
pub use options::{Compiled, Defaults, Options};
pub use report::{Report, Severity};
pub use source::Source;

/// Compiles a workflow file. JSON is YAML, so a request's body with `name` and `steps` is compiled alike.
#[must_use]
pub fn compile(source: &Source, catalog: &Catalog, options: &Options) -> Compiled {
    let mut findings = Findings::new(source);
    let Some(root) = source::read(source, &mut findings) else {
        return Compiled { plan: None, report: findings.report() };
    };
    let template = template::read(&root, &mut findings);
    let graph = Graph::of(&template.steps, &mut findings);
    check::check(&template, &graph, (catalog, options), &mut findings);
    let ports = ports::bind(&template, &graph, catalog, &mut findings);
    let plan = (!findings.has_errors()).then(|| {
        let lowering = Lowering { source, catalog, defaults: &options.defaults, graph, ports };
        lower::lower(&template, lowering, &findings)
    });
    Compiled { plan, report: findings.report() }
}
