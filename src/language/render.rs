//! Run time: the expressions of a plan become values. What goes wrong is a `Fault` that names the expression.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::expression::{self, Evaluated, Part, RunFacts, Scope, Trouble, Variables};
use super::source::short;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::id::RunId;
use crate::domain::plan::{Plan, PlanStep};
use crate::domain::time::Timestamp;

/// The config of a step with every expression rendered. An input named like one of the step's overridable keys takes
/// the place of that key; it is data and is never rendered. Costs one copy of the config when nothing needs rendering.
///
/// # Errors
/// `WF2002` at `step.config.key`.
pub fn config(step: &PlanStep, scope: &Scope) -> Result<Value, Fault> {
    let given = |key: &str| scope.inputs.get(key).filter(|value| !value.is_null());
    let overrides = || step.overridable.iter().filter_map(|key| given(key).map(|value| (key, value)));
    let mut config = match &step.config {
        Value::Object(written) if step.config_has_expressions => {
            let mut rendered = Map::new();
            for (key, value) in written {
                // What is overridden anyway must not fail for what it reads.
                if step.overridable.contains(key) && given(key).is_some() {
                    rendered.insert(key.clone(), Value::Null);
                    continue;
                }
                let place = format!("{}.config.{key}", step.id);
                rendered.insert(key.clone(), render(value, scope).map_err(|fault| fault.under(&place))?);
            }
            Value::Object(rendered)
        }
        other => other.clone(),
    };
    if let Value::Object(map) = &mut config {
        for (key, value) in overrides() {
            map.insert(key.clone(), value.clone());
        }
    }
    Ok(config)
}

/// One template scalar: a whole `${{ expression }}` keeps its JSON type, inside text it is written out.
///
/// # Errors
/// `WF2002` at the step that `scope` belongs to.
pub fn scalar(text: &str, scope: &Scope) -> Result<Value, Fault> {
    render_text(text, scope).map_err(|failed| failed.under(&place(scope)))
}

/// The answer of a condition: a bare expression or one whole `${{ expression }}`.
///
/// # Errors
/// `WF2002` when it cannot be evaluated or is neither true nor false.
pub fn condition(expression: &str, scope: &Scope) -> Result<bool, Fault> {
    let (source, _) = expression::inside(expression);
    let answer = expression::evaluate(source, scope).and_then(|value| value.boolean());
    answer.map_err(|trouble| Failed::new(source, trouble).under(&format!("{}.when", place(scope))))
}

/// One text of a message template, filled with these variables. What fills it is data and is not searched for
/// expressions.
///
/// # Errors
/// `WF2002` when it cannot be read, or names what is not there.
pub fn filled(text: &str, variables: &Variables) -> Result<String, Fault> {
    write_out(text, &|source| expression::evaluate_with(source, variables)).map_err(Failed::fault)
}

/// The variables that a text of a message template names.
#[must_use]
pub fn named(text: &str) -> Vec<String> {
    let parts = expression::parts(text).unwrap_or_default();
    let sources = parts.iter().filter_map(|part| match part {
        Part::Expression(source, _) => Some(*source),
        Part::Text(_) => None,
    });
    sources.flat_map(|source| expression::words(source).references).map(|found| found.path[0].clone()).collect()
}

/// The list of a `foreach` as the file has it: a list, or one whole expression.
///
/// # Errors
/// `WF2002` at `step.foreach`.
pub fn list(written: &Value, scope: &Scope) -> Result<Value, Fault> {
    render(written, scope).map_err(|failed| failed.under(&format!("{}.foreach", place(scope))))
}

/// The vars of a run: constants, and expressions over `inputs`. Evaluated once, at start.
///
/// # Errors
/// `WF2002` at `vars.name`.
pub fn vars(plan: &Plan, inputs: &Arc<Value>) -> Result<Value, Fault> {
    let Value::Object(written) = &plan.vars else { return Ok(Value::Object(Map::new())) };
    let none = Arc::new(Value::Object(Map::new()));
    let run = RunFacts {
        id: RunId::from_bits(0),
        workflow: &plan.slug,
        version: plan.version.as_deref(),
        origin: "",
        requester: None,
        started_at: Timestamp::from_micros(0),
        attempt: 1,
        failing: false,
        cancelling: false,
    };
    let scope = Scope { inputs, vars: &none, run, steps: &[], current: None, items: &[] };
    let mut rendered = Map::new();
    for (name, value) in written {
        let value = render(value, &scope).map_err(|failed| failed.under(&format!("vars.{name}")))?;
        rendered.insert(name.clone(), value);
    }
    Ok(Value::Object(rendered))
}

/// Whether any text in this value holds an expression (or the escape of one).
pub(super) fn has_expressions(value: &Value) -> bool {
    match value {
        Value::String(text) => expression::has_marker(text),
        Value::Array(items) => items.iter().any(has_expressions),
        Value::Object(map) => map.values().any(has_expressions),
        _ => false,
    }
}

/// An expression that failed, before it is known to which step it belongs.
struct Failed {
    source: String,
    trouble: Trouble,
}

impl Failed {
    fn new(source: &str, trouble: Trouble) -> Self {
        Self { source: source.to_owned(), trouble }
    }

    fn fault(self) -> Fault {
        let message = format!("`${{{{ {} }}}}`: {}", short(&self.source), self.trouble.message);
        Fault::permanent(code::WF2002, message)
    }

    fn under(self, place: &str) -> Fault {
        self.fault().at(place)
    }
}

fn place<'a>(scope: &Scope<'a>) -> Cow<'a, str> {
    let step = scope.current.and_then(|current| scope.steps.get(current));
    step.map_or(Cow::Borrowed("outputs"), |step| Cow::Borrowed(step.id))
}

fn render(value: &Value, scope: &Scope) -> Result<Value, Failed> {
    Ok(match value {
        Value::String(text) => return render_text(text, scope),
        Value::Array(items) => Value::Array(items.iter().map(|item| render(item, scope)).collect::<Result<_, _>>()?),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, item)| Ok((key.clone(), render(item, scope)?)));
            Value::Object(entries.collect::<Result<_, Failed>>()?)
        }
        other => other.clone(),
    })
}

fn render_text(text: &str, scope: &Scope) -> Result<Value, Failed> {
    if let Some((source, _)) = expression::whole(text) {
        let value = expression::evaluate(source, scope).and_then(|value| value.json());
        return value.map_err(|trouble| Failed::new(source, trouble));
    }
    write_out(text, &|source| expression::evaluate(source, scope)).map(Value::String)
}

/// A text with its expressions written out.
fn write_out(text: &str, evaluate: &dyn Fn(&str) -> Result<Evaluated, Trouble>) -> Result<String, Failed> {
    if !expression::has_marker(text) {
        return Ok(text.to_owned());
    }
    let unclosed = Trouble { message: "`${{` without `}}`".to_owned(), place: None };
    let parts = expression::parts(text).map_err(|_| Failed::new(text, unclosed))?;
    let mut out = String::with_capacity(text.len());
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Expression(source, _) => {
                let written = evaluate(source).and_then(|value| value.text());
                out.push_str(&written.map_err(|trouble| Failed::new(source, trouble))?);
            }
        }
    }
    Ok(out)
}
