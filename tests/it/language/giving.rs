//! Inputs: what a run is given against what its workflow declares.

use serde_json::{Map, Value, json};
use workflow::domain::plan::Plan;
use workflow::language::{Compiled, Options, Source, compile, inputs};

use super::stock;

fn plan(inputs: &str) -> Plan {
    let text = format!("name: Inputs\n{inputs}\nsteps:\n  - type: noop\n");
    let Compiled { plan, report } = compile(&Source::new("inputs.yaml", text), &stock::catalog(), &Options::default());
    plan.unwrap_or_else(|| panic!("{}", report.text(false)))
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

const DECLARED: &str = "inputs:
  file_path: { type: file, required: late }
  code: { type: string, required: true, pattern: '[0-9]{4}', description: the cost centre }
  count: { type: integer, default: 2, min: 1, max: 5 }
  due: date
  price: decimal
  colour: { options: [red, green] }
  tags: { type: array, max: 2 }
  wait: duration
  secret: { type: string, min: 8, sensitive: true }
";

#[test]
fn inputs_that_fit_are_completed_with_defaults() {
    let given =
        json!({"code": "0815", "due": "2026-11-23", "price": "12.50", "colour": "red", "wait": "90s", "tags": []});
    let (complete, warnings) = inputs::check(&plan(DECLARED), &map(given)).expect("all fit");
    assert_eq!(complete.get("count"), Some(&json!(2)));
    assert_eq!(complete.get("code"), Some(&json!("0815")));
    assert!(!complete.contains_key("file_path") && warnings.is_empty());
}

#[test]
fn every_input_that_does_not_fit_is_told_at_once() {
    let given = json!({
        "count": 9, "due": "2026-02-30", "price": "12,50", "colour": "blue", "tags": [1, 2, 3], "wait": "soon", "secret": "hunter2"
    });
    let faults = inputs::check(&plan(DECLARED), &map(given)).expect_err("nothing fits");
    let told: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(
        told,
        [
            "input `code` is missing",
            "input `count` must be at most 5, not 9",
            "input `due` must be a date, as 2026-11-23, not the text `2026-02-30`",
            "input `price` must be a decimal number, not the text `12,50`",
            "input `colour` must be one of `red`, `green`, not the text `blue`",
            "input `tags` must be at most 2 items, not 3",
            "input `wait` must be a duration, as 90s or 30m, not the text `soon`",
            "input `secret` must be at least 8 characters, not 7",
        ]
    );
    assert_eq!(faults[0].remedy(), "give `code`: the cost centre");
    let given = json!({"code": "12345", "secret": 7});
    let faults = inputs::check(&plan(DECLARED), &map(given)).expect_err("neither fits");
    assert_eq!(faults[0].message, "input `code` must match `[0-9]{4}`; the text `12345` does not");
    assert_eq!(faults[1].message, "input `secret` must be a text, not what was given");
}

#[test]
fn an_undeclared_input_is_kept_and_told() {
    let (complete, warnings) = inputs::check(&plan(DECLARED), &map(json!({"code": "0815", "coutn": 3}))).expect("fits");
    assert_eq!(complete.get("coutn"), Some(&json!(3)));
    assert_eq!(warnings, ["input `coutn` is not declared; did you mean `count`?"]);
    let (complete, warnings) = inputs::check(&plan(""), &map(json!({"any": 1}))).expect("nothing is declared");
    assert_eq!((complete.len(), warnings.len()), (1, 0));
}

#[test]
fn text_from_a_command_line_becomes_what_is_declared() {
    let text = |pairs: &[(&str, &str)]| {
        let pairs: Vec<_> = pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        Value::Object(inputs::from_text(plan(DECLARED).inputs.as_deref().unwrap_or_default(), &pairs))
    };
    let declared = [("code", "0815"), ("count", "3"), ("price", "1.10"), ("tags", "a, b"), ("due", "2026-11-23")];
    assert_eq!(
        text(&declared),
        json!({"code": "0815", "count": 3, "price": "1.10", "tags": ["a", "b"], "due": "2026-11-23"})
    );
    assert_eq!(text(&[("count", "three"), ("tags", "[1, 2]")]), json!({"count": "three", "tags": [1, 2]}));
    let undeclared =
        [("a", "3"), ("b", "true"), ("c", "1.10"), ("d", "007"), ("e", "Anna"), ("f", "{\"g\": null}"), ("h", "\"3\"")];
    assert_eq!(
        text(&undeclared),
        json!({"a": 3, "b": true, "c": "1.10", "d": "007", "e": "Anna", "f": {"g": null}, "h": "3"})
    );
}
