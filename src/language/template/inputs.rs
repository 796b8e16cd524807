//! `inputs`: what a run may be given, and of what type.

use serde_json::Value;

use super::super::inputs;
use super::super::near;
use super::super::report::Findings;
use super::super::source::{Entry, Kind, Node};
use super::Marked;
use super::fields::Fields;
use super::keys;
use crate::domain::code;
use crate::domain::plan::{InputSpec, InputType, Required};

const MAX_INPUTS: usize = 100;

const TYPES: &[(&str, InputType)] = &[
    ("string", InputType::String),
    ("integer", InputType::Integer),
    ("number", InputType::Number),
    ("decimal", InputType::Decimal),
    ("boolean", InputType::Boolean),
    ("date", InputType::Date),
    ("datetime", InputType::Datetime),
    ("duration", InputType::Duration),
    ("enum", InputType::Enum),
    ("array", InputType::Array),
    ("object", InputType::Object),
    ("file", InputType::File),
];

/// Types of the language that need rooms which are not built yet.
const LATER: &[&str] = &["secret", "user", "channel"];

/// Reads `inputs`; `None` when the key is absent.
pub(super) fn read(fields: &Fields, findings: &mut Findings) -> Option<Vec<Marked<InputSpec>>> {
    fields.entry("inputs")?;
    let entries = fields.entries("inputs", findings).unwrap_or_default();
    if let Some(entry) = entries.get(MAX_INPUTS) {
        let message = format!("{} inputs; a workflow has at most {MAX_INPUTS}", entries.len());
        findings.error(code::WF1014, entry.mark, message).fix("collect some of them in one input of type `object`");
    }
    Some(entries.iter().take(MAX_INPUTS).map(|entry| input(entry, findings)).collect())
}

fn input(entry: &Entry, findings: &mut Findings) -> Marked<InputSpec> {
    let mut spec = blank(&entry.key);
    let mark = entry.mark;
    if let Kind::Text(_) = entry.value.kind {
        // `cost_center: string` says all that is needed.
        spec.kind = kind(&entry.value, findings).unwrap_or(spec.kind);
        return Marked { value: spec, mark };
    }
    if entry.value.is_null() {
        return Marked { value: spec, mark };
    }
    let owner = format!("input `{}`", super::super::source::short(&entry.key));
    let Some(fields) = Fields::of(&entry.value, &keys::INPUT, owner, findings) else {
        return Marked { value: spec, mark };
    };
    let written = fields.get("type").and_then(|node| kind(node, findings));
    spec.options = fields.list("options", findings).unwrap_or_default().iter().map(Node::json).collect();
    spec.kind = match written {
        // A text with options is one of them: whoever lists options wants nothing else.
        None | Some(InputType::String) if !spec.options.is_empty() => InputType::Enum,
        written => written.unwrap_or(InputType::String),
    };
    spec.required = required(&fields, findings);
    spec.pattern = fields.text("pattern", findings).map(|text| text.value);
    spec.min = fields.number("min", findings);
    spec.max = fields.number("max", findings);
    spec.label = fields.text("label", findings).map(|text| text.value);
    spec.description = fields.text("description", findings).map(|text| text.value);
    spec.sensitive = fields.boolean("sensitive", findings).unwrap_or(false);
    spec.default = fields.get("default").map(Node::json);
    check(&fields, entry, &mut spec, findings);
    Marked { value: spec, mark }
}

fn blank(name: &str) -> InputSpec {
    InputSpec {
        name: name.to_owned(),
        kind: InputType::String,
        required: Required::No,
        default: None,
        options: Vec::new(),
        pattern: None,
        min: None,
        max: None,
        label: None,
        description: None,
        sensitive: false,
    }
}

fn kind(node: &Node, findings: &mut Findings) -> Option<InputType> {
    let text = node.text().unwrap_or_default();
    if let Some((_, kind)) = TYPES.iter().find(|(name, _)| *name == text) {
        return Some(*kind);
    }
    if LATER.contains(&text) {
        let message = format!("inputs of type `{text}` are not supported yet");
        findings.error(code::WF1013, node.mark, message).fix("use `string`");
        return None;
    }
    let names = || TYPES.iter().map(|(name, _)| *name);
    let message = format!("{} is no type of input", node.describe());
    let fix = format!("types: {}", near::list(names(), 20));
    findings.error(code::WF1015, node.mark, message).near_or(near::near(text, names()), fix);
    None
}

fn required(fields: &Fields, findings: &mut Findings) -> Required {
    match fields.get("required").map(|node| (&node.kind, node)) {
        None | Some((Kind::Bool(false), _)) => Required::No,
        Some((Kind::Bool(true), _)) => Required::Yes,
        Some((Kind::Text(text), _)) if text == "late" => Required::Late,
        Some((_, node)) => {
            let message = format!("`required` is `true`, `false` or `late`, not {}", node.describe());
            findings.error(code::WF1015, node.mark, message);
            Required::No
        }
    }
}

/// Finds declarations that contradict themselves.
fn check(fields: &Fields, entry: &Entry, spec: &mut InputSpec, findings: &mut Findings) {
    if let (Some(pattern), Some(node)) = (spec.pattern.as_deref(), fields.get("pattern"))
        && let Err(reason) = inputs::pattern(pattern)
    {
        let message = format!("the pattern of input `{}` cannot be read: {reason}", spec.name);
        findings.error(code::WF1060, node.mark, message).fix("write a regular expression without look-around");
        spec.pattern = None;
    }
    if let (Some(min), Some(max), Some(node)) = (spec.min, spec.max, fields.get("max"))
        && min > max
    {
        findings.error(code::WF1060, node.mark, format!("`max` ({max}) is below `min` ({min})"));
    }
    if spec.kind == InputType::Enum && spec.options.is_empty() {
        let message = format!("input `{}` is an `enum` without `options`", spec.name);
        findings.error(code::WF1060, entry.mark, message).fix("add `options: [...]`");
    }
    let default = spec.default.clone().filter(|value| *value != Value::Null);
    if let (Some(default), Some(node)) = (default, fields.get("default")) {
        if spec.required == Required::Yes {
            let message = format!("input `{}` is required and has a default", spec.name);
            findings
                .warning(code::WF1060, node.mark, message)
                .fix("with a default it can be left out: drop `required`");
        }
        if let Err(reason) = inputs::fits(spec, &default) {
            findings.error(code::WF1060, node.mark, format!("the default of input `{}` {reason}", spec.name));
        }
    }
}
