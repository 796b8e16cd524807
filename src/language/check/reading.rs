//! What expressions of a template may read, and what to say about the rest.

use std::cell::Cell;

use super::super::bodies::Bodies;
use super::super::catalog::{Catalog, StepType};
use super::super::expression::{FILTERS, ROOTS, Reference, STATUS};
use super::super::graph::Graph;
use super::super::near;
use super::super::source::{Kind, short};
use super::super::template::Template;
use crate::domain::code::{self, Code};

/// What an expression belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// `vars`: reads inputs only.
    Vars,
    /// `concurrency.group`: reads inputs and vars, for it is looked at before the run begins.
    Group,
    /// A step, by its index.
    Step(usize),
    /// What is looked at before a step begins, and before its items are known: `when`, the list of `foreach`.
    Before(usize),
    /// `outputs` of a step: reads the step's own outputs as well.
    StepOutputs(usize),
    /// `outputs` of the run: reads every step.
    RunOutputs,
    /// A trigger: reads what happened, for there is no run yet.
    Trigger,
}

/// Something that an expression must not read.
pub(super) struct Unreadable {
    pub code: Code,
    pub message: String,
    /// Which part of the path is wrong.
    pub part: usize,
    pub near: Option<String>,
    pub fix: Option<String>,
}

impl Unreadable {
    fn new(code: Code, part: usize, message: String) -> Self {
        Self { code, message, part, near: None, fix: None }
    }

    fn near(mut self, word: Option<&str>) -> Self {
        self.near = word.map(str::to_owned);
        self
    }

    fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// Names of the language whose rooms are not built yet.
const LATER: &[&str] = &["trigger", "tenant"];
/// What a step with `foreach` gives.
const LOOP_OUTPUTS: &[&str] = &["items", "count", "failed", "failed_keys"];
/// What an expression in a loop knows of where it is.
const LOOP_FIELDS: &[&str] = &["index", "number", "count"];
const STEP_FIELDS: &[&str] = &["outputs", "status", "error", "attempts", "started_at"];
const ERROR_FIELDS: &[&str] = &["code", "message"];
const RUN_FIELDS: &[&str] = &["id", "workflow", "version", "origin", "requester", "started_at", "attempt"];

/// What can be read, and from where.
pub(super) struct Readable<'a> {
    pub template: &'a Template,
    pub graph: &'a Graph,
    pub catalog: &'a Catalog,
    /// How many expressions were looked at.
    pub seen: Cell<usize>,
}

/// A trigger is looked at before there is a run.
fn only_what_happened(root: &str) -> Unreadable {
    let message = format!("a trigger reads what happened, as `trigger.data.id`; there is no `{}` yet", short(root));
    Unreadable::new(code::WF1040, 0, message).fix("begin with `trigger`")
}

impl Readable<'_> {
    /// Why a reference cannot be read at this place.
    pub(super) fn check(&self, reference: &Reference, place: Place) -> Option<Unreadable> {
        let root = reference.path[0].as_str();
        if reference.called {
            return if reference.path.len() == 1 { function(root) } else { Some(method(reference)) };
        }
        if place == Place::Trigger {
            return (root != "trigger").then(|| only_what_happened(root));
        }
        let early = matches!(place, Place::Vars | Place::Group);
        match root {
            "inputs" => self.input(reference),
            "run" if !early => field(reference, 1, RUN_FIELDS, "`run`"),
            "vars" if place != Place::Vars => self.var(reference),
            "steps" if !early => self.step(reference, place),
            "prev" => self.previous(reference, place),
            "outputs" => self.own(reference, place),
            "item" | "loop" if self.loops(place).next().is_none() => Some(no_loop(root, place)),
            "item" => None,
            "loop" => field(reference, 1, LOOP_FIELDS, "`loop`"),
            name if self.loops(place).any(|known| known == name) => None,
            "vars" | "steps" | "run" => {
                let (what, fix) = match place {
                    Place::Group => ("the `group` is", "read `inputs` or `vars`"),
                    _ => ("`vars` are", "read `inputs`, or compute it in a step"),
                };
                let message = format!("{what} computed at the start of a run and cannot read `{root}`");
                Some(Unreadable::new(code::WF1040, 0, message).fix(fix))
            }
            "secrets" => {
                let message = "`secrets` are not supported yet".to_owned();
                Some(Unreadable::new(code::WF1048, 0, message).fix(code::WF1048.remedy()))
            }
            _ => Some(unknown_root(root)),
        }
    }

    /// The names of the items that can be read at a place.
    fn loops(&self, place: Place) -> impl Iterator<Item = &str> {
        let around = match place {
            Place::Step(index) | Place::StepOutputs(index) => Some((index, true)),
            Place::Before(index) => Some((index, false)),
            Place::Vars | Place::Group | Place::RunOutputs | Place::Trigger => None,
        };
        let bodies = Bodies::of(&self.template.steps);
        let loops = around.map(|(index, own)| bodies.loops(index, own)).unwrap_or_default();
        loops
            .into_iter()
            .filter_map(|index| self.template.steps[index].foreach.as_ref())
            .map(|foreach| foreach.name.as_ref().map_or("item", |name| name.value.as_str()))
    }

    fn input(&self, reference: &Reference) -> Option<Unreadable> {
        let declared = self.template.inputs.as_ref()?;
        let name = reference.path.get(1)?;
        let names = || declared.iter().map(|input| input.value.name.as_str());
        if names().any(|known| known == name) {
            return None;
        }
        let message = format!("`inputs.{}` is not declared", short(name));
        let unreadable = Unreadable::new(code::WF1041, 1, message).near(near::near(name, names()));
        Some(unreadable.fix(format!("declare it under `inputs`; declared: {}", near::list(names(), 20))))
    }

    fn var(&self, reference: &Reference) -> Option<Unreadable> {
        let name = reference.path.get(1)?;
        let vars = self.template.vars.as_ref().map(|node| &node.kind);
        let Some(Kind::Map(entries)) = vars else {
            let message = format!("`vars.{}` does not exist: the file has no `vars`", short(name));
            return Some(Unreadable::new(code::WF1042, 1, message).fix("add it under `vars:`"));
        };
        let names = || entries.iter().map(|entry| entry.key.as_str());
        if names().any(|known| known == name) {
            return None;
        }
        let message = format!("`vars.{}` does not exist", short(name));
        let unreadable = Unreadable::new(code::WF1042, 1, message).near(near::near(name, names()));
        Some(unreadable.fix(format!("vars: {}", near::list(names(), 20))))
    }

    fn step(&self, reference: &Reference, place: Place) -> Option<Unreadable> {
        let id = reference.path.get(1)?;
        let here = match place {
            Place::Step(index) | Place::StepOutputs(index) | Place::Before(index) => Some(index),
            Place::Vars | Place::Group | Place::RunOutputs | Place::Trigger => None,
        };
        let ids = &self.graph.ids;
        let Some(found) = ids.iter().position(|known| known == id) else {
            let message = format!("step `{}` does not exist", short(id));
            let meant = near::near(id, ids.iter().map(String::as_str));
            let there: Vec<&str> = match here {
                Some(index) => self.graph.ids_before(index).collect(),
                None => ids.iter().map(String::as_str).collect(),
            };
            let fix = match there.is_empty() {
                true => "no step runs before this one".to_owned(),
                false => format!("steps before this one: {}", near::list(there, 20)),
            };
            return Some(Unreadable::new(code::WF1044, 1, message).near(meant).fix(fix));
        };
        match here {
            Some(index) if index == found && place != Place::StepOutputs(index) => {
                let message = format!("step `{id}` cannot read itself");
                return Some(Unreadable::new(code::WF1046, 1, message).fix("read an earlier step"));
            }
            Some(index) if index != found && !self.graph.before[index][found] => {
                return Some(self.not_waited_for(index, found));
            }
            _ => {}
        }
        self.fields(reference, 2, found)
    }

    fn not_waited_for(&self, index: usize, found: usize) -> Unreadable {
        let (reader, read) = (&self.graph.ids[index], &self.graph.ids[found]);
        let message = format!("step `{reader}` does not wait for `{read}`, which it reads");
        let bodies = Bodies::of(&self.template.steps);
        let outside =
            bodies.loops(found, false).into_iter().find(|around| !bodies.loops(index, false).contains(around));
        if let Some(around) = outside {
            let around = &self.graph.ids[around];
            let message = format!("`{read}` runs once for each item of `{around}`, and `{reader}` stands outside");
            return Unreadable::new(code::WF1046, 1, message)
                .fix(format!("read `steps.{around}.outputs.items`, which has what each item gave"));
        }
        let fix = match (&self.template.steps[index].needs, self.graph.before[found][index]) {
            (_, true) => format!("`{read}` runs after `{reader}`: turn their order round"),
            (Some(_), false) => format!("add `{read}` to its `needs`"),
            (None, false) if self.template.steps[index].group.is_some() => {
                "they run side by side: move the reader into a later group".to_owned()
            }
            (None, false) => format!("move it below `{read}`"),
        };
        Unreadable::new(code::WF1046, 1, message).fix(fix)
    }

    /// `outputs.name`, `status`, ... of a step, from this part of the path on.
    fn fields(&self, reference: &Reference, part: usize, step: usize) -> Option<Unreadable> {
        let owner = format!("step `{}`", self.graph.ids[step]);
        match reference.path.get(part)?.as_str() {
            "outputs" => self.output(reference, part + 1, step),
            "error" => field(reference, part + 1, ERROR_FIELDS, &format!("the error of {owner}")),
            name if STEP_FIELDS.contains(&name) => None,
            // The commonest slip: `steps.ocr.text` for `steps.ocr.outputs.text`.
            name if self.outputs(step).is_some_and(|names| names.contains(&name)) => {
                let message = format!("{owner} has no `{name}` of its own; it is one of its outputs");
                let path = reference.path[..part].join(".");
                Some(Unreadable::new(code::WF1045, part, message).fix(format!("write `{path}.outputs.{name}`")))
            }
            _ => field(reference, part, STEP_FIELDS, &owner),
        }
    }

    fn output(&self, reference: &Reference, part: usize, step: usize) -> Option<Unreadable> {
        let name = reference.path.get(part)?;
        let names = self.outputs(step)?;
        if names.contains(&name.as_str()) {
            return None;
        }
        let message = format!("step `{}` has no output `{}`", self.graph.ids[step], short(name));
        let meant = near::near(name, names.iter().copied());
        let fix = match names.is_empty() {
            true => "this step gives no outputs".to_owned(),
            false => format!("its outputs: {}", near::list(names, 20)),
        };
        Some(Unreadable::new(code::WF1045, part, message).near(meant).fix(fix))
    }

    /// What a step gives, where that is known: what it declares, else what its type does.
    fn outputs(&self, step: usize) -> Option<Vec<&str>> {
        let step = &self.template.steps[step];
        if step.foreach.is_some() {
            return Some(LOOP_OUTPUTS.to_vec());
        }
        if !step.outputs.is_empty() {
            return Some(step.outputs.iter().map(|(name, _)| name.value.as_str()).collect());
        }
        let kind = self.catalog.get(&step.kind.value)?;
        if kind.outputs.contains(&StepType::ANY_OUTPUT) {
            return None;
        }
        let mut names = kind.outputs.to_vec();
        names.extend(kind.produces.iter().map(|port| port.name).filter(|name| !kind.outputs.contains(name)));
        // A type that lists none gives what its config or its input says.
        (!names.is_empty()).then_some(names)
    }

    fn previous(&self, reference: &Reference, place: Place) -> Option<Unreadable> {
        let (Place::Step(index) | Place::StepOutputs(index) | Place::Before(index)) = place else {
            let message = "`prev` is the step before this one; here is no step".to_owned();
            return Some(Unreadable::new(code::WF1040, 0, message).fix("name the step: `steps.ID.outputs...`"));
        };
        let Some(before) = index.checked_sub(1) else {
            let message = "`prev` in the first step: there is no step before it".to_owned();
            return Some(Unreadable::new(code::WF1044, 0, message).fix("read `inputs`"));
        };
        if !self.graph.before[index][before] {
            return Some(Unreadable { part: 0, ..self.not_waited_for(index, before) });
        }
        self.fields(reference, 1, before)
    }

    /// `outputs.name` in the `outputs` of a step: what the step itself gave.
    fn own(&self, reference: &Reference, place: Place) -> Option<Unreadable> {
        let Place::StepOutputs(index) = place else {
            let message = "`outputs` can only be read in the `outputs` of a step".to_owned();
            return Some(Unreadable::new(code::WF1040, 0, message).fix("name the step: `steps.ID.outputs...`"));
        };
        let kind = self.catalog.get(&self.template.steps[index].kind.value)?;
        let name = reference.path.get(1)?;
        if kind.outputs.contains(&StepType::ANY_OUTPUT) {
            return None;
        }
        let known = |known: &&str| *known == name.as_str();
        if kind.outputs.is_empty()
            || kind.outputs.iter().any(known)
            || kind.produces.iter().any(|port| port.name == name)
        {
            return None;
        }
        let message = format!("steps of type `{}` have no output `{}`", kind.name, short(name));
        let names = || kind.outputs.iter().copied();
        Some(
            Unreadable::new(code::WF1045, 1, message)
                .near(near::near(name, names()))
                .fix(format!("outputs: {}", near::list(names(), 20))),
        )
    }
}

/// Why a part of the path is not one of these fields.
fn field(reference: &Reference, part: usize, fields: &[&str], owner: &str) -> Option<Unreadable> {
    let name = reference.path.get(part)?;
    if fields.contains(&name.as_str()) {
        return None;
    }
    let message = format!("{owner} has no `{}`", short(name));
    let unreadable = Unreadable::new(code::WF1045, part, message).near(near::near(name, fields.iter().copied()));
    Some(unreadable.fix(format!("there is {}", near::list(fields.iter().copied(), 12))))
}

fn function(name: &str) -> Option<Unreadable> {
    if STATUS.contains(&name) {
        return None;
    }
    let message = format!("there is no function `{}`", short(name));
    let meant = near::near(name, STATUS.iter().copied());
    let fix = format!("functions: {}; filters are written `value | name`", near::list(STATUS.iter().copied(), 12));
    Some(Unreadable::new(code::WF1032, 0, message).near(meant).fix(fix))
}

fn method(reference: &Reference) -> Unreadable {
    let part = reference.path.len() - 1;
    let name = &reference.path[part];
    let message = format!("values have no methods, so there is no `{}()`", short(name));
    let unreadable = Unreadable::new(code::WF1032, part, message);
    match near::near(name, FILTERS.iter().copied()).or(FILTERS.iter().copied().find(|filter| filter == name)) {
        Some(filter) => unreadable.fix(format!("write the filter: `... | {filter}`")),
        None => unreadable.fix("use a filter: `value | name`"),
    }
}

fn no_loop(root: &str, place: Place) -> Unreadable {
    let (message, fix) = match place {
        Place::Before(_) => (
            format!("`{root}` is not known yet: this is looked at once, before the items are"),
            "put the step into a `group` with `foreach`; conditions in there are looked at for each item",
        ),
        _ => (format!("`{root}` belongs to a loop, and this step is in none"), "add `foreach` to the step"),
    };
    Unreadable::new(code::WF1040, 0, message).fix(fix)
}

fn unknown_root(root: &str) -> Unreadable {
    if LATER.contains(&root) {
        return Unreadable::new(code::WF1013, 0, format!("`{root}` in expressions is not supported yet"));
    }
    if STATUS.contains(&root) {
        let message = format!("`{root}` is a function and needs brackets");
        return Unreadable::new(code::WF1032, 0, message).fix(format!("write `{root}()`"));
    }
    let message = format!("unknown name `{}`", short(root));
    let fix = format!("names begin with {}; text stands in quotes", near::list(ROOTS.iter().copied(), 12));
    Unreadable::new(code::WF1040, 0, message).near(near::near(root, ROOTS.iter().copied())).fix(fix)
}
