//! One entry of `steps`.

use super::super::report::{Findings, Mark};
use super::super::source::{Entry, Kind, Node};
use super::fields::{Fields, visible};
use super::keys;
use super::{Branch, Inside, Marked, Named, Policy, Rollback, Step, cache, concurrency, foreach, nested, policy};
use crate::domain::code;

/// Reads one step into `steps`, and behind it those that it holds; what is no map is told and left out. A step without
/// type (told) is kept, so that others may name it.
pub(super) fn read(node: &Node, number: usize, inside: &Inside, steps: &mut Vec<Step>, findings: &mut Findings) {
    let owner = owner(node, number);
    let Some(fields) = Fields::of(node, &keys::STEP, owner.clone(), findings) else { return };
    let kind = fields.text("type", findings);
    if kind.is_none() && fields.get("type").is_none() {
        let mark = fields.entry("type").or(fields.entry("name")).map_or(node.mark, |entry| entry.mark);
        findings.error(code::WF1010, mark, format!("{owner} has no `type`")).fix("add `type:`, as in `type: fetch`");
    }
    let step = Step {
        kind: kind.unwrap_or(Marked { value: String::new(), mark: node.mark }),
        name: fields.text("name", findings),
        id: fields.text("id", findings).filter(|id| check_id(id, findings)),
        config: None,
        group: fields.whole("parallel_group", findings),
        needs: needs(&fields, findings),
        when: when(&fields, findings),
        policy: policy::read(&fields, findings),
        outputs: outputs(&fields, findings),
        ports: named(&fields, "ports", findings),
        disabled: fields.boolean("disabled", findings).unwrap_or(false),
        foreach: foreach::read(&fields, findings),
        cache: cache::read(&fields, findings),
        room: concurrency::room(&fields, findings),
        rollback: rollback(&fields, findings),
        for_some: false,
        compound: None,
        inside: inside.clone(),
        mark: node.mark,
    };
    fields.text("label", findings);
    let place = steps.len();
    steps.push(step);
    let config = fields.get("config").filter(|node| is_map(&fields, "config", node, findings));
    let held = steps[place].kind.value == nested::GROUP || steps[place].kind.value == nested::SWITCH;
    match config {
        Some(config) => {
            let (compound, left) = nested::config(config, place, steps, findings);
            steps[place].compound = compound;
            steps[place].config = left;
        }
        None if held => {
            let message = format!("{owner} has no `config` with the steps that it holds");
            let mark = steps[place].kind.mark;
            findings.error(code::WF1010, mark, message).fix("docs/templates.md shows groups and switches");
        }
        None => {}
    }
    nested::check_compound(&fields, &steps[place], findings);
    if let Some(Node { kind: Kind::List(handlers), .. }) = fields.get("on_error") {
        nested::list(handlers, &Inside { parent: Some(place), branch: Branch::OnError }, steps, findings);
    }
}

/// `rollback`: `auto`, `none`, or a list of steps.
fn rollback(fields: &Fields, findings: &mut Findings) -> Option<Rollback> {
    let node = fields.get("rollback")?;
    let Kind::List(items) = &node.kind else {
        let keeps = fields.word("rollback", &[("auto", false), ("none", true)], findings)?;
        return keeps.then_some(Rollback::Keep);
    };
    let mut steps = Vec::new();
    nested::list(items, &Inside::default(), &mut steps, findings);
    Some(Rollback::Steps(node.clone(), steps))
}

/// The step that takes back what a run has done, where `on_error: rollback` wants it.
pub(super) fn rolls_back(mark: Mark, for_some: bool) -> Step {
    let text = |value: &str| Marked { value: value.to_owned(), mark };
    Step {
        kind: text(policy::ROLLBACK),
        name: Some(text("Rollback")),
        id: None,
        config: None,
        group: None,
        needs: None,
        when: None,
        policy: Policy::default(),
        outputs: Vec::new(),
        ports: Vec::new(),
        disabled: false,
        foreach: None,
        cache: None,
        room: None,
        rollback: None,
        for_some,
        compound: None,
        inside: Inside { parent: None, branch: Branch::OnError },
        mark,
    }
}

/// What messages call the step: by name, else by type, else by its number.
fn owner(node: &Node, number: usize) -> String {
    let text = |key| node.entry(key).and_then(|entry| entry.value.text());
    match (text("name").or_else(|| text("id")), text("type")) {
        (Some(name), _) => format!("step `{}`", super::super::source::short(name)),
        (None, Some(kind)) => format!("step {number} (`{}`)", super::super::source::short(kind)),
        (None, None) => format!("step {number}"),
    }
}

/// Ids are what expressions name, so they are words that an expression can hold.
pub(super) fn check_id(id: &Marked<String>, findings: &mut Findings) -> bool {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let text = &id.value;
    if (1..=64).contains(&text.len()) && text.chars().all(fine) && !text.starts_with(|c: char| c.is_ascii_digit()) {
        return true;
    }
    let meant = super::super::slug(text);
    let message = format!("`{}` is no id", super::super::source::short(text));
    let fix = "an id is 1 to 64 small letters, digits and `_`, and does not begin with a digit";
    findings
        .error(code::WF1015, id.mark, message)
        .near(Some(&meant).filter(|m| !m.is_empty()).map(String::as_str))
        .fix(fix);
    false
}

fn is_map(fields: &Fields, key: &str, node: &Node, findings: &mut Findings) -> bool {
    let is_map = matches!(node.kind, Kind::Map(_));
    if !is_map {
        fields.wrong::<()>(key, node, "a map", findings);
    }
    is_map
}

fn needs(fields: &Fields, findings: &mut Findings) -> Option<Marked<Vec<Marked<String>>>> {
    let mark = fields.entry("needs")?.mark;
    // `needs: []` and an empty `needs:` both mean: waits for nothing.
    let value = if fields.get("needs").is_some() { fields.texts("needs", findings)? } else { Vec::new() };
    Some(Marked { value, mark })
}

fn when(fields: &Fields, findings: &mut Findings) -> Option<Marked<String>> {
    let node = fields.get("when")?;
    match &node.kind {
        Kind::Text(text) => Some(Marked { value: text.clone(), mark: node.mark }),
        Kind::Bool(value) => Some(Marked { value: value.to_string(), mark: node.mark }),
        _ => fields.wrong("when", node, "an expression", findings),
    }
}

/// A map of names to template scalars.
pub(super) fn named(fields: &Fields, key: &str, findings: &mut Findings) -> Vec<Named> {
    let entries = fields.entries(key, findings).unwrap_or_default();
    entries.iter().filter_map(|entry| scalar(fields, entry, &entry.value, findings)).collect()
}

/// `outputs`: names to template scalars, or to maps with a `value`.
pub(super) fn outputs(fields: &Fields, findings: &mut Findings) -> Vec<Named> {
    let entries = fields.entries("outputs", findings).unwrap_or_default();
    let read = entries.iter().filter_map(|entry| {
        if !matches!(entry.value.kind, Kind::Map(_)) {
            return scalar(fields, entry, &entry.value, findings);
        }
        let inner = Fields::of(&entry.value, &keys::OUTPUT, format!("output `{}`", entry.key), findings)?;
        let Some(value) = inner.get("value") else {
            let message = format!("output `{}` has no `value`", entry.key);
            findings.error(code::WF1010, entry.mark, message).fix("add `value: ${{ ... }}`");
            return None;
        };
        scalar(fields, entry, value, findings)
    });
    read.collect()
}

fn scalar(fields: &Fields, entry: &Entry, node: &Node, findings: &mut Findings) -> Option<Named> {
    let value = match &node.kind {
        Kind::Text(text) => text.clone(),
        // As an expression a number or a boolean stays what it is.
        Kind::Number(number) => format!("${{{{ {number} }}}}"),
        Kind::Bool(value) => format!("${{{{ {value} }}}}"),
        _ => {
            let node = Node { mark: visible(entry), kind: node.kind.clone() };
            return fields.wrong(&entry.key, &node, "a text or an expression", findings);
        }
    };
    Some((Marked { value: entry.key.clone(), mark: entry.mark }, Marked { value, mark: node.mark }))
}
