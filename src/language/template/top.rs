//! The top level of a file.

use super::super::report::{Findings, Mark};
use super::super::source::{Kind, Node};
use super::fields::{Fields, visible};
use super::{
    Branch, Inside, Policy, RunTimeout, Template, cache, concurrency, inputs, keys, nested, permissions, policy, step,
    triggers,
};
use crate::domain::code;

/// The language level of this version.
const SPEC: i64 = 1;

/// Reads the whole tree. What could be read is there even when `findings` has errors, so that checks can go on.
pub(in crate::language) fn read(root: &Node, findings: &mut Findings) -> Template {
    if let Kind::List(_) = root.kind {
        let fix = "begin with `name:` and put the list under `steps:`";
        findings.error(code::WF1011, root.mark, "a workflow is a map of keys, not a list").fix(fix);
        return Template::default();
    }
    let Some(fields) = Fields::of(root, &keys::TOP, String::new(), findings) else { return Template::default() };
    let name = fields.text("name", findings);
    if name.as_ref().is_none_or(|name| name.value.trim().is_empty()) && !wrong_kind(&fields, "name") {
        let mark = fields.entry("name").map_or_else(|| first(root), visible);
        findings.error(code::WF1010, mark, "the workflow has no `name`").fix("add `name:` at the top");
    }
    check_spec(&fields, findings);
    if let Some(labels) = fields.entries("labels", findings) {
        for label in labels.iter().filter(|label| matches!(label.value.kind, Kind::List(_) | Kind::Map(_))) {
            fields.wrong::<()>(&label.key, &label.value, "a text", findings);
        }
    }
    fields.text("owner", findings);
    Template {
        name,
        description: fields.text("description", findings).map(|text| text.value),
        id: fields.text("id", findings).filter(|id| step::check_id(id, findings)),
        version: fields.text("version", findings).map(|text| text.value),
        inputs: inputs::read(&fields, findings),
        vars: fields.entries("vars", findings).and_then(|_| fields.get("vars").cloned()),
        defaults: defaults(&fields, findings),
        timeout: fields.get("timeout").map(|node| run_timeout(node, findings)).unwrap_or_default(),
        concurrency: concurrency::read(&fields, findings),
        priority: concurrency::priority(&fields, findings),
        triggers: triggers::read(&fields, findings),
        steps: steps(&fields, root, findings),
        outputs: step::outputs(&fields, findings),
        cache: cache::read(&fields, findings),
        permissions: permissions::read(&fields, findings),
    }
}

fn wrong_kind(fields: &Fields, key: &str) -> bool {
    fields.get(key).is_some_and(|node| matches!(node.kind, Kind::List(_) | Kind::Map(_)))
}

/// The first key of the file: where something that is missing would stand.
fn first(root: &Node) -> Mark {
    match &root.kind {
        Kind::Map(entries) => entries.first().map_or(root.mark, |entry| entry.mark),
        _ => root.mark,
    }
}

fn check_spec(fields: &Fields, findings: &mut Findings) {
    let Some(spec) = fields.whole("spec", findings) else { return };
    if spec.value > SPEC {
        let message = format!("the file is written for language level {}; this version knows level {SPEC}", spec.value);
        findings.error(code::WF1018, spec.mark, message).fix("upgrade `workflow`, or write the file for level 1");
    } else if spec.value < 1 {
        findings.error(code::WF1015, spec.mark, "language levels begin with 1").fix("write `spec: 1`, or leave it out");
    }
}

fn defaults(fields: &Fields, findings: &mut Findings) -> Policy {
    let Some(node) = fields.get("defaults") else { return Policy::default() };
    let Some(fields) = Fields::of(node, &keys::DEFAULTS, "`defaults`".to_owned(), findings) else {
        return Policy::default();
    };
    if let Some(node) = fields.get("on_error").filter(|node| matches!(node.kind, Kind::List(_) | Kind::Map(_))) {
        let message = format!("`on_error` of `defaults` is a word, not {}", node.describe());
        let fix = "handlers of all steps stand at the top level: `on_error:`";
        findings.error(code::WF1011, node.mark, message).fix(fix);
        return Policy::default();
    }
    policy::read(&fields, findings)
}

/// Where `on_error: rollback` stands, if anywhere, and whether only for some steps.
fn rolls_back(fields: &Fields, steps: &[super::Step]) -> Option<(Mark, bool)> {
    let says = |node: &&Node| node.text() == Some(policy::ROLLBACK);
    let of_defaults = fields.get("defaults").and_then(|node| node.entry("on_error")).map(|entry| &entry.value);
    let of_file = fields.get("on_error").into_iter().chain(of_defaults).find(says).map(|node| (node.mark, false));
    of_file.or_else(|| steps.iter().find(|step| step.policy.rolls_back).map(|step| (step.mark, true)))
}

fn run_timeout(node: &Node, findings: &mut Findings) -> RunTimeout {
    if !matches!(node.kind, Kind::Map(_)) {
        return RunTimeout { total: policy::positive("timeout", node, findings), ..RunTimeout::default() };
    }
    let Some(fields) = Fields::of(node, &keys::RUN_TIMEOUT, "`timeout`".to_owned(), findings) else {
        return RunTimeout::default();
    };
    let mut read = |key| fields.get(key).and_then(|node| policy::positive(key, node, findings));
    let (total, queue) = (read("total"), read("queue"));
    RunTimeout { total, queue, include_waits: fields.boolean("include_waits", findings).unwrap_or(false) }
}

fn steps(fields: &Fields, root: &Node, findings: &mut Findings) -> Vec<super::Step> {
    let Some(entry) = fields.entry("steps") else {
        findings
            .error(code::WF1010, first(root), "the workflow has no `steps`")
            .fix("add `steps:` with at least one step");
        return Vec::new();
    };
    if entry.value.is_null() || entry.value.kind == Kind::List(Vec::new()) {
        let fix = "add a step, as in `- type: noop`";
        findings.error(code::WF1010, visible(entry), "`steps` is empty").fix(fix);
        return Vec::new();
    }
    let mut steps = Vec::new();
    let lists = [("steps", Branch::Body), ("on_error", Branch::OnError), ("finally", Branch::Finally)];
    for (key, branch) in lists {
        if branch == Branch::OnError
            && let Some((mark, for_some)) = rolls_back(fields, &steps)
        {
            steps.push(step::rolls_back(mark, for_some));
            if fields.get(key).is_some_and(|node| node.text() == Some(policy::ROLLBACK)) {
                continue;
            }
        }
        let items = fields.list(key, findings).unwrap_or_default();
        nested::list(items, &Inside { parent: None, branch }, &mut steps, findings);
    }
    steps
}
