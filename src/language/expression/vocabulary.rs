//! Every name an expression may use. A function that is not in these lists does not exist.

use minijinja::value::{Kwargs, StringInput};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value, filters, tests as predicates};

use super::bounds;

/// Names that an expression may begin with.
pub(in crate::language) const ROOTS: &[&str] = &["inputs", "vars", "steps", "prev", "run", "outputs", "item", "loop"];

/// Functions about how the run goes.
pub(in crate::language) const STATUS: &[&str] = &["success", "failed", "cancelled", "always", "skipped"];

/// Filters: `value | name`.
pub(in crate::language) const FILTERS: &[&str] = &[
    "abs",
    "bool",
    "capitalize",
    "default",
    "first",
    "float",
    "int",
    "join",
    "json",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "urlencode",
];

/// Tests: `value is name`.
pub(in crate::language) const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "even",
    "false",
    "float",
    "ge",
    "gt",
    "in",
    "integer",
    "le",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
];

/// Work that one evaluation may do. One unit pays for one operation or 64 bytes.
const FUEL: u64 = 100_000;

/// An environment that holds exactly the lists above.
pub(super) fn environment() -> Environment<'static> {
    let mut env = Environment::empty();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_fuel(Some(FUEL));
    env.set_debug(true);
    env.add_global("null", Value::from(()));
    add_filters(&mut env);
    add_tests(&mut env);
    env
}

fn add_filters(env: &mut Environment) {
    env.add_filter("abs", filters::abs);
    env.add_filter("bool", filters::bool);
    env.add_filter("capitalize", filters::capitalize);
    env.add_filter("default", filters::default);
    env.add_filter("first", filters::first);
    env.add_filter("float", filters::float);
    env.add_filter("int", filters::int);
    env.add_filter("join", join);
    env.add_filter("json", json);
    env.add_filter("last", filters::last);
    env.add_filter("length", filters::length);
    env.add_filter("lines", filters::lines);
    env.add_filter("list", filters::list);
    env.add_filter("lower", filters::lower);
    env.add_filter("map", filters::map);
    env.add_filter("max", filters::max);
    env.add_filter("min", filters::min);
    env.add_filter("reject", filters::reject);
    env.add_filter("rejectattr", filters::rejectattr);
    env.add_filter("replace", filters::replace);
    env.add_filter("reverse", filters::reverse);
    env.add_filter("round", filters::round);
    env.add_filter("select", filters::select);
    env.add_filter("selectattr", filters::selectattr);
    env.add_filter("sort", filters::sort);
    env.add_filter("split", filters::split);
    env.add_filter("string", string);
    env.add_filter("sum", filters::sum);
    env.add_filter("title", filters::title);
    env.add_filter("tojson", json);
    env.add_filter("trim", filters::trim);
    env.add_filter("unique", filters::unique);
    env.add_filter("upper", filters::upper);
    env.add_filter("urlencode", filters::urlencode);
    env.add_filter(bounds::FILTER, bounds::single_value);
}

fn add_tests(env: &mut Environment) {
    env.add_test("boolean", predicates::is_boolean);
    env.add_test("defined", predicates::is_defined);
    env.add_test("divisibleby", predicates::is_divisibleby);
    env.add_test("endingwith", predicates::is_endingwith);
    env.add_test("eq", predicates::is_eq);
    env.add_test("equalto", predicates::is_eq);
    env.add_test("even", predicates::is_even);
    env.add_test("false", predicates::is_false);
    env.add_test("float", predicates::is_float);
    env.add_test("ge", predicates::is_ge);
    env.add_test("gt", predicates::is_gt);
    env.add_test("in", predicates::is_in);
    env.add_test("integer", predicates::is_integer);
    env.add_test("le", predicates::is_le);
    env.add_test("lt", predicates::is_lt);
    env.add_test("mapping", predicates::is_mapping);
    env.add_test("ne", predicates::is_ne);
    env.add_test("none", predicates::is_none);
    env.add_test("number", predicates::is_number);
    env.add_test("odd", predicates::is_odd);
    env.add_test("sequence", predicates::is_sequence);
    env.add_test("startingwith", predicates::is_startingwith);
    env.add_test("string", predicates::is_string);
    env.add_test("true", predicates::is_true);
    env.add_test("undefined", predicates::is_undefined);
}

/// The engine's own `join`, for as much text as the fuel pays for: it would charge for the text only when it is there, and
/// a list that repeats one long text a million times needs next to no room itself.
fn join(
    state: &mut State,
    value: &Value,
    joiner: Option<StringInput<'_>>,
    attribute: Option<&str>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let mut left = usize::try_from(FUEL * 64).unwrap_or(usize::MAX);
    for item in value.try_iter().into_iter().flatten() {
        let length = item.as_str().map_or(1, |text| text.len().max(1));
        left = left.checked_sub(length).ok_or_else(|| Error::from(ErrorKind::OutOfFuel))?;
    }
    filters::join(state, value, joiner, attribute, kwargs)
}

/// A value as JSON text; the engine's own `tojson` would escape for HTML.
fn json(value: &Value) -> Result<String, Error> {
    let value =
        super::engine::json(value).map_err(|trouble| Error::new(ErrorKind::InvalidOperation, trouble.message))?;
    Ok(value.to_string())
}

/// A value as text, spelled as in YAML: `true`, not `True`.
fn string(value: &Value) -> Result<String, Error> {
    super::engine::text(value).map_err(|trouble| Error::new(ErrorKind::InvalidOperation, trouble.message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_name_exactly_what_the_environment_holds_and_the_manual_tells() {
        let env = environment();
        let manual = include_str!("../../../docs/templates.md");
        let unknown = |source: String, kind: ErrorKind| {
            let expression = env.compile_expression_owned(source).expect("well formed");
            expression.eval(Value::from_pairs([("x", "text")])).is_err_and(|error| error.kind() == kind)
        };
        for filter in FILTERS {
            assert!(!unknown(format!("x | {filter}"), ErrorKind::UnknownFilter), "{filter}");
        }
        for test in TESTS {
            assert!(!unknown(format!("x is {test}(1)"), ErrorKind::UnknownTest), "{test}");
        }
        for name in FILTERS.iter().chain(TESTS).chain(ROOTS).chain(STATUS) {
            assert!(manual.contains(&format!("`{name}")), "docs/templates.md does not tell `{name}`");
        }
        for builtin in ["attr", "dictsort", "escape", "groupby", "indent", "pprint", "safe", "slice", "tojson"] {
            let known = !unknown(format!("x | {builtin}"), ErrorKind::UnknownFilter);
            assert_eq!(known, FILTERS.contains(&builtin), "{builtin}");
        }
    }
}
