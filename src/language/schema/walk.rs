//! The walk down a config and its schema side by side.

use serde_json::{Map, Value};

use super::super::expression;
use super::super::inputs;
use super::super::near;
use super::super::report::{Findings, Mark};
use super::super::source::{Kind, Node, short};
use crate::domain::code::{self, Code};

/// `$ref`s that lead to `$ref`s are followed this far.
pub(super) const MAX_DEPTH: usize = 64;

/// A value that does not fit.
pub(super) struct Misfit {
    code: Code,
    mark: Mark,
    message: String,
    near: Option<String>,
    fix: Option<String>,
    /// How deep in the config it lies: of several alternatives the one is told that fits furthest.
    pub(super) depth: usize,
}

/// Checks a config against the schema of its step type. `kind` is where that type stands: there a missing key is told.
/// Keys in `optional` may be left out although required.
pub(in crate::language) fn check(
    schema: &Value,
    config: &Node,
    (owner, kind): (&str, Mark),
    optional: &[&str],
    findings: &mut Findings,
) {
    let walk = Walk { root: schema, owner, optional, kind };
    for misfit in walk.value(schema, config, &Path::default()) {
        let problem = findings.error(misfit.code, misfit.mark, misfit.message);
        problem.near(misfit.near.as_deref());
        if let Some(fix) = misfit.fix {
            problem.fix(fix);
        }
    }
}

pub(super) struct Walk<'a> {
    root: &'a Value,
    owner: &'a str,
    optional: &'a [&'a str],
    kind: Mark,
}

/// The way from the config to a value.
#[derive(Clone, Default)]
pub(super) struct Path {
    /// As messages show it: `fields.total.type`.
    text: String,
    /// How far down, `$ref`s and alternatives counted.
    pub(super) depth: usize,
    /// Where the key stands that leads here.
    key: Option<Mark>,
}

impl Path {
    pub(super) fn down(&self, key: &str, mark: Option<Mark>) -> Self {
        let text = if self.text.is_empty() { key.to_owned() } else { format!("{}.{key}", self.text) };
        Self { text, depth: self.depth + 1, key: mark }
    }

    pub(super) fn item(&self, index: usize) -> Self {
        Self { text: format!("{}[{index}]", self.text), depth: self.depth + 1, key: None }
    }

    pub(super) fn same(&self) -> Self {
        Self { depth: self.depth + 1, ..self.clone() }
    }

    fn name(&self) -> String {
        if self.text.is_empty() { "`config`".to_owned() } else { format!("`{}`", self.text) }
    }
}

impl Walk<'_> {
    pub(super) fn value(&self, schema: &Value, node: &Node, path: &Path) -> Vec<Misfit> {
        let Some(schema) = schema.as_object() else {
            // `false` allows nothing; `true` and anything else that is no schema allow everything.
            return if *schema == Value::Bool(false) {
                vec![self.misfit(node, path, "is not allowed")]
            } else {
                Vec::new()
            };
        };
        if path.depth > MAX_DEPTH || node.text().is_some_and(expression::has_marker) {
            return Vec::new();
        }
        let mut misfits = Vec::new();
        if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|name| self.resolve(name)) {
            misfits.extend(self.value(target, node, &path.same()));
        }
        for part in schemas(schema, "allOf") {
            misfits.extend(self.value(part, node, &path.same()));
        }
        for keyword in ["oneOf", "anyOf"] {
            let alternatives: Vec<_> = schemas(schema, keyword).collect();
            if !alternatives.is_empty() {
                misfits.extend(self.alternatives(&alternatives, node, path));
            }
        }
        if let Some(misfit) = self.kind(schema, node, path).or_else(|| self.word(schema, node, path)) {
            misfits.push(misfit);
            return misfits;
        }
        match &node.kind {
            Kind::Map(_) => misfits.extend(self.map(schema, node, path)),
            Kind::List(items) => {
                if let Some(item) = schema.get("items") {
                    let each = items.iter().enumerate();
                    misfits.extend(each.flat_map(|(index, node)| self.value(item, node, &path.item(index))));
                }
                misfits.extend(self.bound(
                    schema,
                    ("minItems", "maxItems"),
                    items.len() as f64,
                    (node, path, " items"),
                ));
            }
            Kind::Number(number) => {
                let size = number.as_f64().unwrap_or_default();
                misfits.extend(self.bound(schema, ("minimum", "maximum"), size, (node, path, "")));
            }
            Kind::Text(text) => {
                misfits.extend(self.bound(
                    schema,
                    ("minLength", "maxLength"),
                    text.chars().count() as f64,
                    (node, path, " characters"),
                ));
                misfits.extend(self.pattern(schema, text, node, path));
            }
            Kind::Null | Kind::Bool(_) => {}
        }
        misfits
    }

    pub(super) fn resolve(&self, reference: &str) -> Option<&Value> {
        self.root.pointer(reference.strip_prefix('#')?)
    }

    fn kind(&self, schema: &Map<String, Value>, node: &Node, path: &Path) -> Option<Misfit> {
        let kinds = types(schema);
        if kinds.is_empty() || kinds.iter().any(|kind| is(node, kind)) {
            return None;
        }
        let nouns: Vec<_> = kinds.iter().filter(|kind| **kind != "null").map(|kind| noun(kind)).collect();
        let mut misfit = self.misfit(node, path, &format!("must be {}, not {}", nouns.join(" or "), node.describe()));
        if kinds.contains(&"string") && matches!(node.kind, Kind::Number(_) | Kind::Bool(_)) {
            misfit.fix = Some("put it in quotes".to_owned());
        }
        Some(misfit)
    }

    fn word(&self, schema: &Map<String, Value>, node: &Node, path: &Path) -> Option<Misfit> {
        let allowed: Vec<&Value> = match (schema.get("const"), schema.get("enum").and_then(Value::as_array)) {
            (Some(value), _) => vec![value],
            (None, Some(values)) => values.iter().collect(),
            (None, None) => return None,
        };
        if allowed.iter().any(|value| **value == node.json()) {
            return None;
        }
        let words: Vec<String> =
            allowed.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Some(self.not_a_word(&words, node.text().unwrap_or_default(), node, path))
    }

    pub(super) fn not_a_word(&self, words: &[&str], text: &str, node: &Node, path: &Path) -> Misfit {
        let mut misfit = self.misfit(
            node,
            path,
            &format!("must be one of {}, not {}", near::list(words.iter().copied(), 12), node.describe()),
        );
        misfit.near = near::near(text, words.iter().copied()).map(str::to_owned);
        misfit
    }

    fn map(&self, schema: &Map<String, Value>, node: &Node, path: &Path) -> Vec<Misfit> {
        let Kind::Map(entries) = &node.kind else { return Vec::new() };
        let none = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let others = schema.get("additionalProperties");
        let mut misfits = Vec::new();
        for entry in entries {
            let below = path.down(&entry.key, Some(entry.mark));
            match (properties.get(&entry.key), others) {
                (Some(property), _) => misfits.extend(self.value(property, &entry.value, &below)),
                (None, Some(Value::Bool(false))) => {
                    misfits.push(self.unknown(&entry.key, entry.mark, properties, path));
                }
                (None, Some(other)) => misfits.extend(self.value(other, &entry.value, &below)),
                (None, None) => {}
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let given = |key: &str| node.entry(key).is_some() || (path.text.is_empty() && self.optional.contains(&key));
        for key in required.filter(|key| !given(key)) {
            let place = if path.text.is_empty() { String::new() } else { format!(" in `{}`", path.text) };
            misfits.push(Misfit {
                code: code::WF1051,
                mark: path.key.unwrap_or(self.kind),
                message: format!("the config of {} has no `{key}`{place}", self.owner),
                near: None,
                fix: Some(format!("add `{key}:`")),
                depth: path.depth,
            });
        }
        misfits
    }

    fn unknown(&self, key: &str, mark: Mark, properties: &Map<String, Value>, path: &Path) -> Misfit {
        let place = if path.text.is_empty() { String::new() } else { format!(" in `{}`", path.text) };
        let keys = || properties.keys().map(String::as_str);
        let near = near::near(key, keys()).map(str::to_owned);
        let fix = match properties.len() {
            0 => "this type takes no config".to_owned(),
            _ => format!("known keys: {}", near::list(keys(), 20)),
        };
        let message = format!("unknown key `{}`{place} in the config of {}", short(key), self.owner);
        Misfit { code: code::WF1050, mark, message, fix: near.is_none().then_some(fix), near, depth: path.depth }
    }

    fn bound(
        &self,
        schema: &Map<String, Value>,
        (min, max): (&str, &str),
        size: f64,
        (node, path, unit): (&Node, &Path, &str),
    ) -> Option<Misfit> {
        let limit = |key: &str| schema.get(key).and_then(Value::as_f64);
        let message = match (limit(min), limit(max), limit("exclusiveMinimum"), limit("exclusiveMaximum")) {
            (Some(min), ..) if size < min => at_least(min, unit, size),
            (_, Some(max), ..) if size > max => at_most(max, unit, size),
            (_, _, Some(min), _) if unit.is_empty() && size <= min => format!("must be more than {min}, not {size}"),
            (.., Some(max)) if unit.is_empty() && size >= max => format!("must be less than {max}, not {size}"),
            _ => return None,
        };
        Some(self.misfit(node, path, &message))
    }

    fn pattern(&self, schema: &Map<String, Value>, text: &str, node: &Node, path: &Path) -> Option<Misfit> {
        let pattern = schema.get("pattern").and_then(Value::as_str)?;
        // JSON Schema searches; a pattern that cannot be compiled here binds nobody.
        let searching = format!("[\\s\\S]*(?:{pattern})[\\s\\S]*");
        let regex = inputs::pattern(&searching).ok()?;
        (!regex.is_match(text))
            .then(|| self.misfit(node, path, &format!("must match `{pattern}`, and `{}` does not", short(text))))
    }

    pub(super) fn misfit(&self, node: &Node, path: &Path, rest: &str) -> Misfit {
        let mark = if node.mark.end > node.mark.start { node.mark } else { path.key.unwrap_or(node.mark) };
        let message = format!("{} of {} {rest}", path.name(), self.owner);
        Misfit { code: code::WF1052, mark, message, near: None, fix: None, depth: path.depth }
    }
}

fn at_least(min: f64, unit: &str, size: f64) -> String {
    match unit {
        "" => format!("must be at least {min}, not {size}"),
        _ => format!("must have at least {min}{}, not {size}", plural(unit, min)),
    }
}

fn at_most(max: f64, unit: &str, size: f64) -> String {
    match unit {
        "" => format!("must be at most {max}, not {size}"),
        _ => format!("must have at most {max}{}, not {size}", plural(unit, max)),
    }
}

fn plural(unit: &str, count: f64) -> &str {
    if count == 1.0 { unit.trim_end_matches('s') } else { unit }
}

pub(super) fn schemas<'a>(schema: &'a Map<String, Value>, keyword: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    schema.get(keyword).and_then(Value::as_array).into_iter().flatten()
}

pub(super) fn types(schema: &Map<String, Value>) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is(node: &Node, kind: &str) -> bool {
    match &node.kind {
        Kind::Null => kind == "null",
        Kind::Bool(_) => kind == "boolean",
        Kind::Number(number) => {
            kind == "number" || (kind == "integer" && number.as_f64().is_some_and(|number| number.fract() == 0.0))
        }
        Kind::Text(_) => kind == "string",
        Kind::List(_) => kind == "array",
        Kind::Map(_) => kind == "object",
    }
}

pub(super) fn noun(kind: &str) -> &'static str {
    match kind {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        "object" => "a map",
        _ => "nothing",
    }
}
