//! Steps that hold steps: `group`, `switch`, and a list of steps under `on_error`. They are read into one list, each
//! step with the one that it stands in, so that everything behind this sees a flat list.

use super::super::report::Findings;
use super::super::source::{Entry, Kind, Node};
use super::fields::Fields;
use super::{Branch, Inside, Step, keys, step};
use crate::domain::code;

/// The type of a step that holds steps.
pub const GROUP: &str = "group";
/// The type of a step that holds steps for each case.
pub const SWITCH: &str = "switch";
/// The most steps of one workflow, nested ones included.
pub(super) const MAX_STEPS: usize = 200;
/// Steps stand in steps at most so deep.
const DEEPEST: usize = 10;

/// What of a step holds others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compound {
    /// `group`; its steps stand one after the other, or side by side.
    Group {
        /// `mode: parallel`.
        parallel: bool,
    },
    /// `switch`.
    Switch,
}

/// Reads a list of steps into `steps`.
pub(super) fn list(items: &[Node], inside: &Inside, steps: &mut Vec<Step>, findings: &mut Findings) {
    for (index, item) in items.iter().enumerate() {
        if steps.len() >= MAX_STEPS {
            let message = format!("a workflow has at most {MAX_STEPS} steps, those in steps included");
            findings.error(code::WF1014, item.mark, message).fix("split it into several workflows");
            return;
        }
        step::read(item, index + 1, inside, steps, findings);
    }
}

/// Reads what a `group` or `switch` holds; gives the config that is left for the step itself.
pub(super) fn config(
    node: &Node,
    parent: usize,
    steps: &mut Vec<Step>,
    findings: &mut Findings,
) -> (Option<Compound>, Option<Node>) {
    if depth(parent, steps) >= DEEPEST {
        let message = format!("steps stand in steps deeper than {DEEPEST} levels");
        findings.error(code::WF1014, node.mark, message).fix("make the inner ones a workflow of their own");
        return (None, None);
    }
    match steps[parent].kind.value.as_str() {
        GROUP => group(node, parent, steps, findings),
        SWITCH => switch(node, parent, steps, findings),
        _ => (None, Some(node.clone())),
    }
}

fn depth(step: usize, steps: &[Step]) -> usize {
    std::iter::successors(Some(step), |&step| steps[step].inside.parent).count()
}

fn group(
    node: &Node,
    parent: usize,
    steps: &mut Vec<Step>,
    findings: &mut Findings,
) -> (Option<Compound>, Option<Node>) {
    let owner = "the `config` of a group".to_owned();
    let Some(fields) = Fields::of(node, &keys::GROUP, owner, findings) else { return (None, None) };
    let parallel = fields.word("mode", &[("sequence", false), ("parallel", true)], findings).unwrap_or(false);
    let inside = Inside { parent: Some(parent), branch: Branch::Body };
    match fields.list("steps", findings) {
        Some([]) | None => missing(node, "the group has no `steps`", findings),
        Some(items) => list(items, &inside, steps, findings),
    }
    (Some(Compound::Group { parallel }), None)
}

fn switch(
    node: &Node,
    parent: usize,
    steps: &mut Vec<Step>,
    findings: &mut Findings,
) -> (Option<Compound>, Option<Node>) {
    let owner = "the `config` of a switch".to_owned();
    let Some(fields) = Fields::of(node, &keys::SWITCH, owner, findings) else { return (None, None) };
    let Some(on) = fields.entry("on") else {
        missing(node, "the switch has no `on`", findings);
        return (None, None);
    };
    let cases = fields.entries("cases", findings).unwrap_or_default();
    if cases.is_empty() {
        missing(node, "the switch has no `cases`", findings);
    }
    let mut labels = Vec::new();
    for (place, case) in cases.iter().enumerate() {
        let branch = Branch::Case(place, case.key.clone());
        branch_of(&case.value, &case.key, &Inside { parent: Some(parent), branch }, steps, findings);
        labels.push(Node { mark: case.mark, kind: Kind::Text(case.key.clone()) });
    }
    if let Some(other) = fields.get("else") {
        branch_of(other, "else", &Inside { parent: Some(parent), branch: Branch::Else }, steps, findings);
    }
    let entry = |key: &str, value: Node| Entry { key: key.to_owned(), mark: on.mark, value };
    let left = vec![on.clone(), entry("cases", Node { mark: on.mark, kind: Kind::List(labels) })];
    (Some(Compound::Switch), Some(Node { mark: node.mark, kind: Kind::Map(left) }))
}

/// The steps of one case: a list, or a single step.
fn branch_of(node: &Node, label: &str, inside: &Inside, steps: &mut Vec<Step>, findings: &mut Findings) {
    match &node.kind {
        Kind::List(items) => list(items, inside, steps, findings),
        Kind::Map(_) => list(std::slice::from_ref(node), inside, steps, findings),
        Kind::Null => {}
        _ => {
            let message = format!("`{label}` must be a list of steps, not {}", node.describe());
            findings.error(code::WF1011, node.mark, message);
        }
    }
}

fn missing(node: &Node, message: &str, findings: &mut Findings) {
    let fix = "docs/templates.md shows groups and switches";
    findings.error(code::WF1010, node.mark, message).fix(fix);
}

/// What a step cannot say because it does no work of its own.
pub(super) fn check_compound(fields: &Fields, step: &Step, findings: &mut Findings) {
    if step.compound.is_none() {
        return;
    }
    for key in ["retry", "timeout", "cache", "concurrency", "on_error", "critical", "outputs", "ports"] {
        let Some(entry) = fields.entry(key) else { continue };
        let message = format!("a `{}` holds steps and does nothing itself, so `{key}` has no meaning", step.kind.value);
        findings.error(code::WF1015, entry.mark, message).fix("write it in the steps that it holds");
    }
    if step.compound == Some(Compound::Switch) && step.foreach.is_some() {
        let mark = fields.entry("foreach").map_or(step.mark, |entry| entry.mark);
        findings
            .error(code::WF1015, mark, "a `switch` cannot run once for each item")
            .fix("put it into a `group` with `foreach`");
    }
}
