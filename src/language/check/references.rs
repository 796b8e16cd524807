//! Every expression of a file: can it be read, and does what it reads exist?

use std::ops::Range;

use super::super::expression::{self, FILTERS, MAX_SOURCE, Part, ROOTS, TESTS, Words};
use super::super::near;
use super::super::report::{Findings, Mark};
use super::super::source::{Kind, Node, short};
use super::super::template::{Marked, Named, Rollback};
use super::reading::{Place, Readable};
use crate::domain::code;

/// The most expressions of one file.
const MAX_EXPRESSIONS: usize = 2_000;

/// Checks every expression of the template.
pub(super) fn check(readable: &Readable, findings: &mut Findings) {
    let template = readable.template;
    if let Some(vars) = &template.vars {
        node(vars, Place::Vars, readable, findings);
    }
    if let Some(group) = template.concurrency.as_ref().and_then(|concurrency| concurrency.group.as_ref()) {
        scalar(&group.value, group.mark, Place::Group, readable, findings);
    }
    if let Some(key) = template.cache.as_ref().and_then(|cache| cache.key.as_ref()) {
        scalar(&key.value, key.mark, Place::Group, readable, findings);
    }
    for trigger in &template.triggers {
        if let Some(when) = &trigger.when {
            condition(when, Place::Trigger, readable, findings);
        }
        if let Some(inputs) = &trigger.inputs {
            node(inputs, Place::Trigger, readable, findings);
        }
        if let Some(key) = &trigger.key {
            scalar(&key.value, key.mark, Place::Trigger, readable, findings);
        }
    }
    for (index, step) in template.steps.iter().enumerate() {
        let place = Place::Step(index);
        if let Some(config) = &step.config {
            node(config, place, readable, findings);
        }
        named(&step.ports, place, readable, findings);
        named(&step.outputs, Place::StepOutputs(index), readable, findings);
        if let Some(when) = &step.when {
            condition(when, Place::Before(index), readable, findings);
        }
        if let Some(group) = step.room.as_ref().and_then(|room| room.group.as_ref()) {
            scalar(&group.value, group.mark, place, readable, findings);
        }
        if let Some(key) = step.cache.as_ref().and_then(|cache| cache.key.as_ref()) {
            scalar(&key.value, key.mark, place, readable, findings);
        }
        if let Some(Rollback::Steps(written, _)) = &step.rollback {
            node(written, Place::StepOutputs(index), readable, findings);
        }
        if let Some(foreach) = &step.foreach {
            node(&foreach.list, Place::Before(index), readable, findings);
            if let Some(key) = &foreach.key {
                scalar(&key.value, key.mark, place, readable, findings);
            }
        }
    }
    named(&template.outputs, Place::RunOutputs, readable, findings);
}

fn named(named: &[Named], place: Place, readable: &Readable, findings: &mut Findings) {
    for (_, value) in named {
        scalar(&value.value, value.mark, place, readable, findings);
    }
}

fn node(value: &Node, place: Place, readable: &Readable, findings: &mut Findings) {
    match &value.kind {
        Kind::Text(text) => scalar(text, value.mark, place, readable, findings),
        Kind::List(items) => items.iter().for_each(|item| node(item, place, readable, findings)),
        Kind::Map(entries) => entries.iter().for_each(|entry| node(&entry.value, place, readable, findings)),
        _ => {}
    }
}

fn scalar(text: &str, mark: Mark, place: Place, readable: &Readable, findings: &mut Findings) {
    if !expression::has_marker(text) {
        bare_braces(text, mark, findings);
        return;
    }
    let Ok(parts) = expression::parts(text) else {
        findings
            .error(code::WF1031, mark, "an expression does not end: `${{` without `}}`")
            .fix("add `}}`, or write `$${{` for the characters themselves");
        return;
    };
    let mut from = mark.start;
    for part in parts {
        let Part::Expression(source, _) = part else { continue };
        let within = Within::find(source, mark, from, findings.text());
        from = within.mark.end.min(mark.end);
        expression(source, &within, place, readable, findings);
    }
}

/// A text with `{{ inputs.x }}` in quotes is valid and stays as it is, which is hardly what was meant.
fn bare_braces(text: &str, mark: Mark, findings: &mut Findings) {
    let Some((_, rest)) = text.split_once("{{") else { return };
    let inside = rest.split("}}").next().unwrap_or_default().trim();
    let root = inside.split(['.', '[']).next().unwrap_or_default();
    if inside.len() > root.len() && ROOTS.contains(&root) {
        let message = format!("`{{{{ {} }}}}` stays as it is; only `${{{{ ... }}}}` is an expression", short(inside));
        let meant = format!("${{{{ {} }}}}", short(inside));
        findings.warning(code::WF1030, mark, message).near(Some(&meant));
    }
}

fn condition(when: &Marked<String>, place: Place, readable: &Readable, findings: &mut Findings) {
    let (source, _) = expression::inside(&when.value);
    let within = Within::find(source, when.mark, when.mark.start, findings.text());
    if expression::has_marker(source) {
        let fix = "write one expression, as in `when: ${{ inputs.a and inputs.b }}`";
        findings.error(code::WF1031, when.mark, "`when` is one expression, not a text with expressions in it").fix(fix);
        return;
    }
    let Some(words) = expression(source, &within, place, readable, findings) else { return };
    if words.references.is_empty() {
        let message = format!("the condition `{}` does not depend on anything", short(source));
        findings
            .warning(code::WF1047, within.mark, message)
            .fix("leave it out, or use `disabled: true` to switch a step off");
    }
}

/// An expression and where its bytes stand in the file.
struct Within {
    mark: Mark,
    /// The text stands there as it is, so that places in it can be marked.
    exact: bool,
}

impl Within {
    /// Finds the expression's text in the file. Escapes and folded lines can hide it: then the whole scalar is marked.
    fn find(source: &str, mark: Mark, from: usize, text: &str) -> Self {
        let found = text.get(from..mark.end).and_then(|raw| raw.find(source)).filter(|_| !source.is_empty());
        match found {
            Some(at) => Self { mark: Mark { start: from + at, end: from + at + source.len() }, exact: true },
            None => Self { mark, exact: false },
        }
    }

    fn at(&self, place: &Range<usize>) -> Mark {
        if self.exact {
            Mark { start: self.mark.start + place.start, end: self.mark.start + place.end }
        } else {
            self.mark
        }
    }
}

/// Checks one expression; its words, unless it cannot be read at all.
fn expression(
    source: &str,
    within: &Within,
    place: Place,
    readable: &Readable,
    findings: &mut Findings,
) -> Option<Words> {
    readable.seen.set(readable.seen.get() + 1);
    if findings.is_settled() || readable.seen.get() > MAX_EXPRESSIONS {
        if readable.seen.get() == MAX_EXPRESSIONS + 1 {
            let message = format!("more than {MAX_EXPRESSIONS} expressions");
            findings.error(code::WF1014, within.mark, message).fix(code::WF1014.remedy());
        }
        return None;
    }
    if source.len() > MAX_SOURCE {
        let message = format!("an expression of {} bytes; at most {MAX_SOURCE} are read", source.len());
        findings.error(code::WF1033, within.mark, message).fix(code::WF1033.remedy());
        return None;
    }
    let words = expression::words(source);
    if let Err(trouble) = expression::compile(source) {
        if words.foreign.is_empty() {
            let mark = trouble.place.as_ref().map_or(within.mark, |place| within.at(place));
            findings
                .error(code::WF1031, mark, trouble.message)
                .fix("docs/templates.md shows what an expression may hold");
        }
        foreign(&words, within, findings);
        return None;
    }
    for (list, known, noun) in [(&words.filters, FILTERS, "filter"), (&words.tests, TESTS, "test")] {
        for (name, range) in list {
            if !known.contains(&name.as_str()) {
                let message = format!("there is no {noun} `{}`", short(name));
                let fix = format!("{noun}s: {}", near::list(known.iter().copied(), 50));
                findings
                    .error(code::WF1032, within.at(range), message)
                    .near_or(near::near(name, known.iter().copied()), fix);
            }
        }
    }
    for reference in &words.references {
        let Some(unreadable) = readable.check(reference, place) else { continue };
        let mark = within.at(&reference.places[unreadable.part.min(reference.places.len() - 1)]);
        let problem = findings.error(unreadable.code, mark, unreadable.message).near(unreadable.near.as_deref());
        if let Some(fix) = unreadable.fix {
            problem.fix(fix);
        }
    }
    Some(words)
}

fn foreign(words: &Words, within: &Within, findings: &mut Findings) {
    for (sign, word, range) in &words.foreign {
        let message = format!("`{sign}` is not an operator here");
        findings.error(code::WF1031, within.at(range), message).near(Some(word)).fix(format!("write `{word}`"));
    }
}
