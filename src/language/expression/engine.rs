//! Compiling and evaluating. Compiled expressions are kept: a run renders the same few again and again.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use minijinja::value::ValueKind;
use minijinja::{Environment, ErrorKind, Expression, Value};
use serde_json::{Map, Value as Json};

use super::bounds::{self, Guards};
use super::context::{self, Scope};
use super::variables::{self, Variables};
use super::vocabulary;
use super::words::{Reference, Words, words};

/// The longest expression, in bytes.
pub(in crate::language) const MAX_SOURCE: usize = 16 * 1024;
/// The largest value an expression may give, in bytes of JSON.
const MAX_RESULT: usize = 1024 * 1024;
/// How many compiled expressions are kept.
const KEPT: usize = 2_000;

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(vocabulary::environment);
static CACHE: LazyLock<RwLock<HashMap<String, Arc<Compiled>>>> = LazyLock::new(RwLock::default);

/// An expression, ready to evaluate.
pub(in crate::language) struct Compiled {
    expression: Expression<'static, 'static>,
    guards: Guards,
    /// What it reads and uses.
    pub words: Words,
}

/// Why an expression cannot be compiled or evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::language) struct Trouble {
    /// One sentence without a full stop.
    pub message: String,
    /// Where in the expression, in bytes.
    pub place: Option<Range<usize>>,
}

impl Trouble {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), place: None }
    }

    fn placed_by(self, guards: &Guards) -> Self {
        Self { place: self.place.map(|place| guards.written(&place)), ..self }
    }
}

/// What an expression gave.
pub(in crate::language) struct Evaluated(Value);

/// Compiles an expression, or finds it compiled.
pub(in crate::language) fn compile(source: &str) -> Result<Arc<Compiled>, Trouble> {
    if let Some(found) = CACHE.read().unwrap_or_else(PoisonError::into_inner).get(source) {
        return Ok(Arc::clone(found));
    }
    if source.len() > MAX_SOURCE {
        return Err(Trouble::new(format!("the expression is longer than {MAX_SOURCE} bytes")));
    }
    if source.is_empty() {
        return Err(Trouble::new("the expression is empty"));
    }
    let (guarded, guards) = bounds::guarded(source);
    let expression = ENVIRONMENT.compile_expression_owned(guarded);
    let expression = expression.map_err(|error| trouble(&error).placed_by(&guards))?;
    let compiled = Arc::new(Compiled { expression, guards, words: words(source) });
    let mut cache = CACHE.write().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= KEPT {
        cache.clear();
    }
    cache.insert(source.to_owned(), Arc::clone(&compiled));
    Ok(compiled)
}

/// Evaluates an expression. A value that is not there is an error, never nothing.
pub(in crate::language) fn evaluate(source: &str, scope: &Scope) -> Result<Evaluated, Trouble> {
    let compiled = compile(source)?;
    let values = context::build(&compiled.words, scope);
    compiled.evaluate(values, |reference| context::missing(reference, scope))
}

/// The same with names of their own instead of those that a run has.
pub(in crate::language) fn evaluate_with(source: &str, variables: &Variables) -> Result<Evaluated, Trouble> {
    let compiled = compile(source)?;
    let values = variables::build(&compiled.words, variables);
    compiled.evaluate(values, |reference| variables::missing(reference, variables))
}

impl Compiled {
    /// Evaluates with these values. `missing` names what a reference does not find.
    fn evaluate(&self, values: Value, missing: impl Fn(&Reference) -> Option<Trouble>) -> Result<Evaluated, Trouble> {
        let absent = || {
            let found = self.words.references.iter().find_map(&missing);
            found.unwrap_or_else(|| Trouble::new("the expression reads something that does not exist"))
        };
        match self.expression.eval(values) {
            Ok(value) if value.is_undefined() => Err(absent()),
            Ok(value) => Ok(Evaluated(value)),
            Err(error) if error.kind() == ErrorKind::UndefinedError => Err(absent()),
            Err(error) => Err(trouble(&error).placed_by(&self.guards)),
        }
    }
}

impl Evaluated {
    /// The value as JSON.
    pub(in crate::language) fn json(&self) -> Result<Json, Trouble> {
        json(&self.0)
    }

    /// The value as it stands inside a text.
    pub(in crate::language) fn text(&self) -> Result<String, Trouble> {
        text(&self.0)
    }

    /// The value as the answer to a condition.
    pub(in crate::language) fn boolean(&self) -> Result<bool, Trouble> {
        match self.0.kind() {
            ValueKind::Bool => Ok(self.0.is_true()),
            kind => Err(Trouble::new(format!("a condition must be true or false, not {}", noun(kind)))),
        }
    }
}

/// A value as JSON, refused beyond the size that a result may have.
pub(super) fn json(value: &Value) -> Result<Json, Trouble> {
    let mut left = MAX_RESULT;
    convert(value, &mut left)
}

fn convert(value: &Value, left: &mut usize) -> Result<Json, Trouble> {
    spend(left, 8)?;
    if let Some(data) = value.downcast_object_ref::<context::Data>() {
        return match data.view() {
            context::View::Value(found) => measure(found, left).map(|()| found.clone()),
            context::View::Map(map) => measure_map(map, left).map(|()| Json::Object(map.clone())),
        };
    }
    Ok(match value.kind() {
        ValueKind::None => Json::Null,
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number => serde_json::to_value(value).map_err(|error| Trouble::new(error.to_string()))?,
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            spend(left, text.len())?;
            Json::String(text.to_owned())
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(|error| trouble(&error))?;
            Json::Array(items.map(|item| convert(&item, left)).collect::<Result<_, _>>()?)
        }
        ValueKind::Map => {
            let mut map = Map::new();
            for key in value.try_iter().map_err(|error| trouble(&error))? {
                let item = value.get_item(&key).map_err(|error| trouble(&error))?;
                let key = text(&key)?;
                spend(left, key.len())?;
                map.insert(key, convert(&item, left)?);
            }
            Json::Object(map)
        }
        kind => return Err(Trouble::new(format!("{} is not a value that can be kept", noun(kind)))),
    })
}

fn measure(value: &Json, left: &mut usize) -> Result<(), Trouble> {
    spend(left, 8)?;
    match value {
        Json::String(text) => spend(left, text.len()),
        Json::Array(items) => items.iter().try_for_each(|item| measure(item, left)),
        Json::Object(map) => measure_map(map, left),
        _ => Ok(()),
    }
}

fn measure_map(map: &Map<String, Json>, left: &mut usize) -> Result<(), Trouble> {
    map.iter().try_for_each(|(key, item)| {
        spend(left, key.len())?;
        measure(item, left)
    })
}

fn spend(left: &mut usize, bytes: usize) -> Result<(), Trouble> {
    *left = left.checked_sub(bytes).ok_or_else(|| {
        Trouble::new("the value is larger than 1 MiB; large values flow through ports, not through expressions")
    })?;
    Ok(())
}

/// A value as it stands inside a text. Lists and maps have no such form, and nothing is not an empty text.
pub(super) fn text(value: &Value) -> Result<String, Trouble> {
    match value.kind() {
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            spend(&mut MAX_RESULT.clone(), text.len())?;
            Ok(text.to_owned())
        }
        ValueKind::Number => Ok(value.to_string()),
        ValueKind::Bool => Ok(value.is_true().to_string()),
        ValueKind::None => {
            Err(Trouble::new("the value is null, which has no text; say what to write with `| default('...', true)`"))
        }
        kind => Err(Trouble::new(format!("{} has no text of its own; write it as JSON with `| json`", noun(kind)))),
    }
}

fn noun(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Undefined => "nothing",
        ValueKind::None => "null",
        ValueKind::Bool => "true or false",
        ValueKind::Number => "a number",
        ValueKind::String => "a text",
        ValueKind::Seq | ValueKind::Iterable => "a list",
        ValueKind::Map => "a map",
        _ => "this",
    }
}

/// The engine's error in our words.
fn trouble(error: &minijinja::Error) -> Trouble {
    let detail = error.detail().unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::OutOfFuel => "the expression does too much work".to_owned(),
        ErrorKind::SyntaxError => format!("the expression cannot be read: {detail}"),
        ErrorKind::UnknownMethod => format!("{detail}; values have no methods, use filters: `x | upper`"),
        kind if detail.is_empty() => kind.to_string(),
        _ => detail.to_owned(),
    };
    Trouble { message, place: error.range() }
}
