//! What an expression sees. Only the names that it reads are made, and large values are looked into, not copied.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};
use serde_json::{Map, Value as Json};

use super::engine::Trouble;
use super::items::ItemFacts;
use super::outputs::Outputs;
use super::vocabulary;
use super::words::{Reference, Words};
use crate::domain::fault::Fault;
use crate::domain::id::RunId;
use crate::domain::time::Timestamp;
use crate::language::near;

/// What is known about the run.
#[derive(Debug, Clone, Copy)]
pub struct RunFacts<'a> {
    /// The execution id.
    pub id: RunId,
    /// The workflow's slug.
    pub workflow: &'a str,
    /// The author's label of the version.
    pub version: Option<&'a str>,
    /// Where the run began: `cli`, `api`, `chat`.
    pub origin: &'a str,
    /// Who asked for it.
    pub requester: Option<&'a str>,
    /// When it began.
    pub started_at: Timestamp,
    /// Which attempt at the run this is, from 1.
    pub attempt: u32,
    /// A step failed that the run does not tolerate: `failed()`.
    pub failing: bool,
    /// The run is being cancelled: `cancelled()`.
    pub cancelling: bool,
}

/// What is known about a step.
#[derive(Debug, Clone)]
pub struct StepFacts<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its status word, as `completed`, `failed`, `skipped`.
    pub status: &'static str,
    /// Its outputs, once it has some.
    pub outputs: Option<Outputs>,
    /// What went wrong.
    pub error: Option<&'a Fault>,
    /// How often it was tried.
    pub attempts: u32,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
}

/// Everything an expression of a run may read.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The run's inputs: an object.
    pub inputs: &'a Arc<Json>,
    /// The workflow's vars, rendered: an object.
    pub vars: &'a Arc<Json>,
    /// The run.
    pub run: RunFacts<'a>,
    /// The steps, in the order of the plan.
    pub steps: &'a [StepFacts<'a>],
    /// Which step the expression belongs to; `None` for the outputs of the run.
    pub current: Option<usize>,
    /// The items of the loops around it, from the inside out.
    pub items: &'a [ItemFacts<'a>],
}

/// The values for the names that an expression reads.
pub(super) fn build(words: &Words, scope: &Scope) -> Value {
    let mut names: Vec<&str> = words.references.iter().map(|found| found.path[0].as_str()).collect();
    names.sort_unstable();
    names.dedup();
    Value::from_pairs(names.into_iter().filter_map(|name| {
        let value = match name {
            "inputs" => Data::whole(Root::Value(Arc::clone(scope.inputs))),
            "vars" => Data::whole(Root::Value(Arc::clone(scope.vars))),
            "run" => run(&scope.run),
            "steps" => steps(words, scope),
            "prev" => step(previous(scope)?),
            "outputs" => outputs(&scope.steps[scope.current?])?,
            "item" => scope.items.first()?.value(),
            "loop" => scope.items.first()?.place(),
            _ => match scope.items.iter().find(|item| item.name == name) {
                Some(item) => item.value(),
                None => status(name, scope)?,
            },
        };
        Some((name, value))
    }))
}

fn previous<'a>(scope: &'a Scope) -> Option<&'a StepFacts<'a>> {
    scope.steps.get(scope.current?.checked_sub(1)?)
}

fn run(run: &RunFacts) -> Value {
    Value::from_pairs([
        ("id", Value::from(run.id.to_string())),
        ("workflow", Value::from(run.workflow)),
        ("version", run.version.map_or(Value::from(()), Value::from)),
        ("origin", Value::from(run.origin)),
        ("requester", run.requester.map_or(Value::from(()), Value::from)),
        ("started_at", Value::from(run.started_at.to_string())),
        ("attempt", Value::from(run.attempt)),
    ])
}

/// The steps that the expression names; all of them when it computes which.
fn steps(words: &Words, scope: &Scope) -> Value {
    let reads = || words.references.iter().filter(|found| found.path[0] == "steps");
    let all = reads().any(|found| found.path.len() == 1);
    let wanted = scope.steps.iter().filter(|facts| all || reads().any(|found| found.path[1] == facts.id));
    Value::from_pairs(wanted.map(|facts| (facts.id, step(facts))))
}

/// A step as a map. What it does not have is absent, so that `is defined` and `| default` work.
fn step(facts: &StepFacts) -> Value {
    let mut pairs = vec![("status", Value::from(facts.status)), ("attempts", Value::from(facts.attempts))];
    // Without outputs there is still a map, an empty one: `steps.x.outputs.y | default(0)` must work for a skipped step.
    pairs.push(("outputs", outputs(facts).unwrap_or_else(|| Value::from_pairs(std::iter::empty::<(&str, Value)>()))));
    if let Some(fault) = facts.error {
        let error = [("code", fault.code.id()), ("message", fault.message.as_str())];
        pairs.push(("error", Value::from_pairs(error)));
    }
    if let Some(at) = facts.started_at {
        pairs.push(("started_at", Value::from(at.to_string())));
    }
    Value::from_pairs(pairs)
}

fn outputs(facts: &StepFacts) -> Option<Value> {
    facts.outputs.as_ref().map(|outputs| Data::whole(Root::Map(outputs.clone())))
}

/// The functions about how the run goes.
fn status(name: &str, scope: &Scope) -> Option<Value> {
    let answer = match name {
        "always" => true,
        "success" => !scope.run.failing && !scope.run.cancelling,
        "failed" => scope.run.failing,
        "cancelled" => scope.run.cancelling,
        "skipped" => {
            let skipped: Vec<String> = skipped(scope).map(str::to_owned).collect();
            return Some(Value::from_function(move |id: String| skipped.contains(&id)));
        }
        _ => return None,
    };
    Some(Value::from_function(move || answer))
}

fn skipped<'a>(scope: &'a Scope) -> impl Iterator<Item = &'a str> {
    scope.steps.iter().filter(|facts| facts.status == "skipped").map(|facts| facts.id)
}

/// Tells what a reference does not find, if it finds nothing.
pub(super) fn missing(reference: &Reference, scope: &Scope) -> Option<Trouble> {
    let name = reference.path[0].as_str();
    if vocabulary::STATUS.contains(&name) {
        return None;
    }
    let words = Words { references: vec![reference.clone()], ..Words::default() };
    let mut value = build(&words, scope);
    for (depth, key) in reference.path.iter().enumerate() {
        let next = value.get_attr(key).unwrap_or_default();
        if !next.is_undefined() {
            value = next;
            continue;
        }
        let path = reference.path[..=depth].join(".");
        let there: Vec<String> = match depth {
            0 => vocabulary::ROOTS.iter().map(|root| (*root).to_owned()).collect(),
            // Only the steps that are read were made; all of them could have been meant.
            1 if name == "steps" => scope.steps.iter().map(|facts| facts.id.to_owned()).collect(),
            _ if value.kind() == ValueKind::Map => {
                let keys = value.try_iter().into_iter().flatten();
                keys.filter_map(|key| key.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        };
        let mut message = format!("`{path}` does not exist");
        if let Some(facts) = step_read(reference, scope)
            && depth >= 2
            && facts.outputs.is_none()
        {
            message = format!("`{path}` does not exist: step `{}` is {} and has no outputs", facts.id, facts.status);
        } else if let Some(meant) = near::near(key, there.iter().map(String::as_str)) {
            message.push_str(&format!("; did you mean `{meant}`?"));
        } else if !there.is_empty() {
            message.push_str(&format!("; there is {}", near::list(there.iter().map(String::as_str), 8)));
        }
        return Some(Trouble { message, place: Some(reference.places[depth].clone()) });
    }
    None
}

fn step_read<'a>(reference: &Reference, scope: &'a Scope) -> Option<&'a StepFacts<'a>> {
    match reference.path[0].as_str() {
        "steps" => scope.steps.iter().find(|facts| Some(facts.id) == reference.path.get(1).map(String::as_str)),
        "prev" => previous(scope),
        _ => None,
    }
}

/// Where a value lives.
#[derive(Debug, Clone)]
pub(super) enum Root {
    Value(Arc<Json>),
    /// All outputs of a step.
    Map(Outputs),
}

/// A list or map inside a shared value: the value and the way to it. Looking into it copies nothing but the way.
#[derive(Debug)]
pub(super) struct Data {
    pub(super) root: Root,
    pub(super) way: Vec<Turn>,
}

/// What a [`Data`] leads to.
pub(super) enum View<'a> {
    /// A JSON value.
    Value(&'a Json),
    /// All outputs of a step.
    Map(&'a Map<String, Json>),
}

#[derive(Debug, Clone)]
pub(super) enum Turn {
    Key(String),
    Index(usize),
}

static NULL: Json = Json::Null;

impl Root {
    /// The value that the way leads to; `None` for a map root itself, which is no JSON value of its own.
    pub(super) fn node(&self, way: &[Turn]) -> Option<&Json> {
        let (mut value, rest) = match (self, way.split_first()) {
            (Self::Value(value), _) => (&**value, way),
            (Self::Map(map), Some((Turn::Key(key), rest))) => (map.values().get(key)?, rest),
            (Self::Map(_), _) => return None,
        };
        for turn in rest {
            value = match turn {
                Turn::Key(key) => value.get(key)?,
                Turn::Index(index) => value.get(index)?,
            };
        }
        Some(value)
    }
}

impl Data {
    pub(super) fn whole(root: Root) -> Value {
        Value::from_object(Self { root, way: Vec::new() })
    }

    /// What is there, to be measured before it is copied.
    pub(super) fn view(&self) -> View<'_> {
        match (self.node(), &self.root) {
            (Some(value), _) => View::Value(value),
            (None, Root::Map(map)) => View::Map(map.values()),
            (None, Root::Value(_)) => View::Value(&NULL),
        }
    }

    fn node(&self) -> Option<&Json> {
        self.root.node(&self.way)
    }

    fn map(&self) -> Option<&Map<String, Json>> {
        match (&self.root, self.node()) {
            (_, Some(Json::Object(map))) => Some(map),
            (Root::Map(map), None) if self.way.is_empty() => Some(map.values()),
            _ => None,
        }
    }

    fn list(&self) -> Option<&Vec<Json>> {
        self.node().and_then(Json::as_array)
    }

    pub(super) fn child(&self, turn: Turn, value: &Json) -> Value {
        match value {
            Json::Null => Value::from(()),
            Json::Bool(value) => Value::from(*value),
            Json::Number(number) => number
                .as_i64()
                .map(Value::from)
                .or_else(|| number.as_u64().map(Value::from))
                .or_else(|| number.as_f64().map(Value::from))
                .unwrap_or_default(),
            Json::String(text) => Value::from(text.as_str()),
            Json::Array(_) | Json::Object(_) => {
                let way = self.way.iter().cloned().chain([turn]).collect();
                Value::from_object(Self { root: self.root.clone(), way })
            }
        }
    }
}

impl Object for Data {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        if self.list().is_some() { ObjectRepr::Seq } else { ObjectRepr::Map }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        if let Some(list) = self.list() {
            let index = key.as_usize()?;
            return list.get(index).map(|value| self.child(Turn::Index(index), value));
        }
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let value = self.map()?.get(key)?;
        Some(self.child(Turn::Key(key.to_owned()), value))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match (self.list(), self.map()) {
            (Some(list), _) => Enumerator::Seq(list.len()),
            (_, Some(map)) => Enumerator::Values(map.keys().map(|key| Value::from(key.as_str())).collect()),
            _ => Enumerator::Empty,
        }
    }
}
