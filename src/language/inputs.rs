//! What a run is given: checked against the declared inputs, completed with their defaults.

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Number, Value};

use super::near;
use super::source::short;
use crate::domain::code;
use crate::domain::fault::Fault;
use crate::domain::plan::{InputSpec, InputType, Plan, Required};
use crate::domain::question::Question;
use crate::domain::time::Span;

/// The completed inputs and warnings, or everything that is wrong.
pub type Checked = Result<(Map<String, Value>, Vec<String>), Vec<Fault>>;

/// The inputs of a run, completed with defaults, and warnings about inputs that nobody declared (they are kept).
/// An input that is required `late` may be missing here.
///
/// # Errors
/// Every input that is missing or does not fit (`WF2005`).
pub fn check(plan: &Plan, given: &Map<String, Value>) -> Checked {
    let Completed { inputs, warnings, missing } = complete(plan, given)?;
    let missing: Vec<Fault> = missing.into_iter().map(absent).collect();
    if missing.is_empty() { Ok((inputs, warnings)) } else { Err(missing) }
}

/// Inputs completed with defaults.
#[derive(Debug)]
pub struct Completed<'p> {
    /// What was given and what has a default.
    pub inputs: Map<String, Value>,
    /// What is worth saying about them.
    pub warnings: Vec<String>,
    /// What must still be given before the run can begin.
    pub missing: Vec<&'p InputSpec>,
}

/// The inputs of a run that can still ask for what is missing.
///
/// # Errors
/// Every input that does not fit, and every one that is missing beside it (`WF2005`).
pub fn complete<'p>(plan: &'p Plan, given: &Map<String, Value>) -> Result<Completed<'p>, Vec<Fault>> {
    let mut completed = Completed { inputs: given.clone(), warnings: Vec::new(), missing: Vec::new() };
    let Some(declared) = &plan.inputs else { return Ok(completed) };
    let (mut faults, mut fits_so_far) = (Vec::new(), true);
    for spec in declared {
        let value = given.get(&spec.name).filter(|value| !value.is_null());
        match (value, &spec.default) {
            (Some(value), _) => {
                if let Err(reason) = fits(spec, value) {
                    fits_so_far = false;
                    faults.push(wrong(spec, format!("input `{}` {reason}", spec.name)));
                }
            }
            (None, Some(default)) => {
                completed.inputs.insert(spec.name.clone(), default.clone());
            }
            (None, None) if spec.required == Required::Yes => {
                completed.missing.push(spec);
                faults.push(absent(spec));
            }
            (None, None) => {}
        }
    }
    if !fits_so_far {
        return Err(faults);
    }
    completed.warnings = undeclared(declared, given);
    Ok(completed)
}

/// The inputs that `key=value` arguments mean. A declared input is read as its type says. An undeclared one stays text,
/// unless it is JSON: `true`, `null`, a list, a map, text in double quotes, or a number that reads back as it was
/// written. So `count=3` is a number; `name=Anna`, `version=1.10` and `postcode=01067` are texts.
#[must_use]
pub fn from_text(declared: &[InputSpec], given: &[(String, String)]) -> Map<String, Value> {
    let read = |(key, text): &(String, String)| {
        let value = match declared.iter().find(|spec| spec.name == *key) {
            Some(spec) => typed(spec, text),
            None => serde_json::from_str(text)
                .ok()
                .filter(|value: &Value| value.as_number().is_none_or(|number| number.to_string() == text.trim()))
                .unwrap_or_else(|| Value::String(text.clone())),
        };
        (key.clone(), value)
    };
    given.iter().map(read).collect()
}

/// What somebody answered, as the value that the question asks for: `4711` is a text where a text is asked for.
///
/// # Errors
/// It does not fit (`WF2005`).
pub fn answer(question: &Question, given: &Value) -> Result<Value, Fault> {
    let spec = InputSpec {
        name: question.key.clone(),
        kind: question.kind,
        required: Required::Yes,
        default: None,
        options: question.options.clone(),
        pattern: None,
        min: None,
        max: None,
        label: None,
        description: None,
        sensitive: false,
    };
    let value = match given {
        Value::String(text) => typed(&spec, text),
        Value::Number(_) | Value::Bool(_) if spec.kind == InputType::String => Value::String(written(given)),
        other => other.clone(),
    };
    match fits(&spec, &value) {
        Ok(()) => Ok(value),
        Err(reason) => Err(wrong(&spec, format!("the answer `{}` {reason}", question.key))),
    }
}

/// A text as the type of its input; a text that is none stays, and [`check`] tells what is wrong with it.
fn typed(spec: &InputSpec, text: &str) -> Value {
    let read = match spec.kind {
        InputType::Integer => text.trim().parse::<i64>().ok().map(Value::from),
        InputType::Number => match text.trim().parse::<i64>() {
            Ok(whole) => Some(Value::from(whole)),
            Err(_) => text.trim().parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number),
        },
        InputType::Boolean => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(Value::Bool(true)),
            "false" | "no" | "off" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        // `tags=a,b` and `tags=[a,b]` are what people type; JSON says it exactly.
        InputType::Array => serde_json::from_str(text).ok().filter(Value::is_array).or_else(|| {
            let bare = text.trim().strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
            let items = bare.split(',').map(|item| item.trim().trim_matches('"')).filter(|item| !item.is_empty());
            Some(Value::Array(items.map(Value::from).collect()))
        }),
        InputType::Object => serde_json::from_str(text).ok().filter(Value::is_object),
        InputType::Enum => spec.options.iter().find(|option| written(option) == text).cloned(),
        _ => None,
    };
    read.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Why a value does not fit its declaration: the rest of a sentence that begins with the input.
pub(super) fn fits(spec: &InputSpec, value: &Value) -> Result<(), String> {
    let shown = match value {
        _ if spec.sensitive => "what was given".to_owned(),
        Value::String(text) => format!("the text `{}`", short(text)),
        _ => format!("`{}`", short(&value.to_string())),
    };
    let fine = match spec.kind {
        InputType::String | InputType::File => value.is_string(),
        InputType::Integer => value.is_i64() || value.is_u64(),
        InputType::Number => value.is_number(),
        InputType::Decimal => value.is_number() || value.as_str().is_some_and(is_decimal),
        InputType::Boolean => value.is_boolean(),
        InputType::Date => value.as_str().is_some_and(is_date),
        InputType::Datetime => value.as_str().is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok()),
        InputType::Duration => {
            value.is_number() && value.as_f64().and_then(Span::from_secs_f64).is_some()
                || value.as_str().is_some_and(|text| text.parse::<Span>().is_ok())
        }
        InputType::Enum => spec.options.contains(value),
        InputType::Array => value.is_array(),
        InputType::Object => value.is_object(),
    };
    if !fine {
        return Err(format!("must be {}, not {shown}", noun(spec)));
    }
    bounds(spec, value, &shown)
}

fn bounds(spec: &InputSpec, value: &Value, shown: &str) -> Result<(), String> {
    if let (Some(pattern), Some(text)) = (&spec.pattern, value.as_str())
        && !self::pattern(pattern).is_ok_and(|regex| regex.is_match(text))
    {
        return Err(format!("must match `{pattern}`; {shown} does not"));
    }
    let (size, unit) = match value {
        Value::Number(number) => (number.as_f64(), ""),
        Value::String(text) if spec.kind == InputType::String => (Some(count(text.chars().count())), " characters"),
        Value::String(text) if spec.kind == InputType::Decimal => (text.parse().ok(), ""),
        Value::Array(items) => (Some(count(items.len())), " items"),
        _ => (None, ""),
    };
    let Some(size) = size else { return Ok(()) };
    match (spec.min, spec.max) {
        (Some(min), _) if size < min => Err(format!("must be at least {min}{unit}, not {size}")),
        (_, Some(max)) if size > max => Err(format!("must be at most {max}{unit}, not {size}")),
        _ => Ok(()),
    }
}

/// A pattern as a regular expression that a text must match as a whole; bounded in size, linear in time.
pub(super) fn pattern(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > 1_024 {
        return Err("it is longer than 1024 bytes".to_owned());
    }
    let whole = format!("^(?:{pattern})$");
    // Compiled alone first: `a)|(b` must not escape the group that is put around it.
    let build = |text: &str| RegexBuilder::new(text).size_limit(1 << 20).nest_limit(50).build();
    build(pattern).and_then(|_| build(&whole)).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        error => error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "a length beyond 2^52 does not exist")]
fn count(length: usize) -> f64 {
    length as f64
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let fine = |part: &str| (1..=38).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    fine(whole) && fine(fraction)
}

fn noun(spec: &InputSpec) -> String {
    let noun = match spec.kind {
        InputType::String => "a text",
        InputType::Integer => "a whole number",
        InputType::Number => "a number",
        InputType::Decimal => "a decimal number",
        InputType::Boolean => "true or false",
        InputType::Date => "a date, as 2026-11-23",
        InputType::Datetime => "a time, as 2026-11-23T05:30:00Z",
        InputType::Duration => "a duration, as 90s or 30m",
        InputType::Array => "a list",
        InputType::Object => "a map",
        InputType::File => "a file",
        InputType::Enum => {
            let words: Vec<_> = spec.options.iter().map(written).collect();
            return format!("one of {}", near::list(words.iter().map(String::as_str), 12));
        }
    };
    noun.to_owned()
}

/// A value as people write it.
fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn absent(spec: &InputSpec) -> Fault {
    wrong(spec, format!("input `{}` is missing", spec.name))
}

fn wrong(spec: &InputSpec, message: String) -> Fault {
    let fault = Fault::permanent(code::WF2005, message).at(format!("inputs.{}", spec.name));
    match &spec.description {
        Some(description) => fault.fix(format!("give `{}`: {description}", spec.name)),
        None => fault.fix(format!("give it: `{}=...`", spec.name)),
    }
}

fn undeclared(declared: &[InputSpec], given: &Map<String, Value>) -> Vec<String> {
    let names = || declared.iter().map(|spec| spec.name.as_str());
    let unknown = given.keys().filter(|key| names().all(|name| name != key.as_str()));
    let warn = |key: &String| match near::near(key, names()) {
        Some(meant) => format!("input `{}` is not declared; did you mean `{meant}`?", short(key)),
        None => format!("input `{}` is not declared", short(key)),
    };
    unknown.map(warn).collect()
}
