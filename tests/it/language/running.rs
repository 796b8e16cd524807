//! Run time: expressions of a plan become values, or faults that say what is missing.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use workflow::domain::code;
use workflow::domain::fault::Fault;
use workflow::domain::id::RunId;
use workflow::domain::plan::{Plan, PlanStep};
use workflow::domain::time::Timestamp;
use workflow::language::{Compiled, Options, Outputs, RunFacts, Scope, Source, StepFacts, compile, render};

use super::stock;

fn plan(text: &str) -> Plan {
    let Compiled { plan, report } = compile(&Source::new("running.yaml", text), &stock::catalog(), &Options::default());
    plan.unwrap_or_else(|| panic!("{}", report.text(false)))
}

struct World {
    inputs: Arc<Value>,
    vars: Arc<Value>,
    ocr: Arc<Map<String, Value>>,
    fault: Fault,
}

impl World {
    fn new() -> Self {
        let pages = json!([{"n": 1, "text": "one"}, {"n": 2, "text": "two"}]);
        let Value::Object(ocr) = json!({"text": "Total 12", "pages": pages, "big": u64::MAX, "float": 1.0}) else {
            unreachable!("an object was written")
        };
        Self {
            inputs: Arc::new(json!({"name": "Anna", "count": 3, "list": [1, 2], "source": "test_data", "none": null})),
            vars: Arc::new(json!({"limit": 1000.5})),
            ocr: Arc::new(ocr),
            fault: Fault::permanent(code::WF2006, "the total is wrong"),
        }
    }

    fn steps(&self) -> Vec<StepFacts<'_>> {
        let facts = |id, status, outputs, error| StepFacts {
            id,
            status,
            outputs,
            error,
            attempts: 2,
            started_at: Some(Timestamp::from_micros(1_764_929_100_000_000)),
        };
        vec![
            facts("ocr", "completed", Some(Outputs::Values(Arc::clone(&self.ocr))), None),
            facts("check", "failed", None, Some(&self.fault)),
            facts("maybe", "skipped", None, None),
            facts("here", "running", None, None),
        ]
    }

    fn with<T>(&self, failing: bool, ask: impl FnOnce(&Scope) -> T) -> T {
        let steps = self.steps();
        let run = RunFacts {
            id: RunId::from_bits(7),
            workflow: "invoice_intake",
            version: None,
            origin: "cli",
            requester: Some("@ana"),
            started_at: Timestamp::from_micros(0),
            attempt: 1,
            failing,
            cancelling: false,
        };
        ask(&Scope { inputs: &self.inputs, vars: &self.vars, run, steps: &steps, current: Some(3), items: &[] })
    }

    fn value(&self, text: &str) -> Value {
        self.with(false, |scope| render::scalar(text, scope)).unwrap_or_else(|fault| panic!("{text}: {fault}"))
    }

    fn fault(&self, text: &str) -> String {
        let fault = self.with(false, |scope| render::scalar(text, scope)).expect_err(text);
        assert_eq!((fault.code, fault.place.as_deref()), (code::WF2002, Some("here")), "{text}");
        fault.message
    }
}

#[test]
fn a_whole_expression_keeps_its_type_and_text_around_it_makes_text() {
    let world = World::new();
    for (text, expected) in [
        ("${{ inputs.count }}", json!(3)),
        (" ${{ inputs.count }}\n", json!(3)),
        ("n=${{ inputs.count }}", json!("n=3")),
        ("${{ inputs.list }}", json!([1, 2])),
        ("${{ steps.ocr.outputs.pages[1] }}", json!({"n": 2, "text": "two"})),
        ("${{ steps.ocr.outputs.pages | map(attribute='text') | join('+') }}", json!("one+two")),
        ("${{ steps.ocr.outputs.pages | length }}", json!(2)),
        ("${{ steps.ocr.outputs.big }}", json!(u64::MAX)),
        ("${{ steps.ocr.outputs.float }}", json!(1.0)),
        ("${{ vars.limit > 1000 and inputs.count == 3 }}", json!(true)),
        ("ok: ${{ inputs.count == 3 }}", json!("ok: true")),
        ("${{ inputs.list | json }} of ${{ {'a': none} | json }}", json!("[1,2] of {\"a\":null}")),
        ("${{ inputs.none }}", Value::Null),
        ("${{ inputs.count if inputs.name == 'Anna' else null }}", json!(3)),
        ("${{ 'dynamic' }}", json!("dynamic")),
        ("$${{ inputs.count }}", json!("${{ inputs.count }}")),
        ("5 $ and }} and {{ x }}", json!("5 $ and }} and {{ x }}")),
        (
            "${{ run.id }} ${{ run.workflow }} ${{ run.requester }}",
            json!("exec_00000000000000000000000007 invoice_intake @ana"),
        ),
        ("${{ steps.check.error.code }} after ${{ steps.check.attempts }}", json!("WF2006 after 2")),
        ("${{ prev.status }}", json!("skipped")),
        ("${{ steps['ocr'].outputs['text'] | lower }}", json!("total 12")),
    ] {
        assert_eq!(world.value(text), expected, "{text}");
    }
}

#[test]
fn a_value_that_is_not_there_is_an_error_with_the_near_name() {
    let world = World::new();
    for (text, message) in [
        ("${{ inputs.nmae }}", "`${{ inputs.nmae }}`: `inputs.nmae` does not exist; did you mean `name`?"),
        (
            "${{ inputs.nmae | upper }}",
            "`${{ inputs.nmae | upper }}`: `inputs.nmae` does not exist; did you mean `name`?",
        ),
        ("${{ inputs.name.first.letter }}", "`${{ inputs.name.first.letter }}`: `inputs.name.first` does not exist"),
        (
            "a ${{ steps.ocr.outputs.txt }}",
            "`${{ steps.ocr.outputs.txt }}`: `steps.ocr.outputs.txt` does not exist; did you mean `text`?",
        ),
        (
            "${{ steps.maybe.outputs.total }}",
            "`${{ steps.maybe.outputs.total }}`: `steps.maybe.outputs.total` does not exist: step `maybe` is skipped and has no outputs",
        ),
        ("${{ steps.orc.status }}", "`${{ steps.orc.status }}`: `steps.orc` does not exist; did you mean `ocr`?"),
    ] {
        assert_eq!(world.fault(text), message, "{text}");
    }
    assert_eq!(world.value("${{ steps.maybe.outputs.total | default(0) }}"), json!(0));
    assert_eq!(world.value("${{ steps.maybe.outputs.total is defined }}"), json!(false));
    assert_eq!(world.value("${{ steps.ocr.error is defined }}"), json!(false));
}

#[test]
fn nothing_is_guessed_when_values_are_put_together() {
    let world = World::new();
    for (text, part) in [
        ("x ${{ inputs.list }}", "a list has no text of its own"),
        ("x ${{ inputs.none }}", "the value is null, which has no text"),
        ("${{ inputs.count + inputs.name }}", "+"),
        ("${{ inputs.name.upper() }}", "use filters"),
    ] {
        let fault = world.fault(text);
        assert!(fault.contains(part), "{text}: {fault}");
    }
    assert_eq!(world.value("${{ inputs.count == '3' }}"), json!(false));
}

#[test]
fn work_and_results_are_bounded() {
    let world = World::new();
    for (text, part) in [
        ("${{ 'x' * 2000000000 }}", "does too much work"),
        ("${{ ('x' * 1000000) | replace('x', 'xxxxxxxxxxxxxxxx') }}", "does too much work"),
        ("${{ 'x' * 1100000 }}", "larger than 1 MiB"),
        ("a ${{ 'x' * 1100000 }}", "larger than 1 MiB"),
    ] {
        let fault = world.fault(text);
        assert!(fault.contains(part), "{text}: {fault}");
    }
}

#[test]
fn data_is_never_searched_for_expressions() {
    let mut world = World::new();
    world.inputs = Arc::new(json!({"name": "${{ run.id }}", "source": "${{ run.id }}"}));
    assert_eq!(world.value("Hello ${{ inputs.name }}"), json!("Hello ${{ run.id }}"));
    let plan = plan("name: Data\nsteps:\n  - type: extract\n    config: { source: api, method: GET }\n");
    let config = world.with(false, |scope| render::config(&plan.steps[0], scope)).expect("nothing to fail");
    assert_eq!(config["source"], "${{ run.id }}");
}

#[test]
fn conditions_are_true_or_false_and_know_how_the_run_goes() {
    let world = World::new();
    for (expression, failing, answer) in [
        ("inputs.count > 2", false, true),
        ("${{ inputs.count > 5 }}", false, false),
        ("success()", false, true),
        ("success()", true, false),
        ("failed() and steps.check.status == 'failed'", true, true),
        ("always()", true, true),
        ("cancelled()", true, false),
        ("skipped('maybe') and not skipped('ocr')", false, true),
    ] {
        let told = world.with(failing, |scope| render::condition(expression, scope));
        assert_eq!(told.ok(), Some(answer), "{expression}");
    }
    let fault = world.with(false, |scope| render::condition("inputs.list", scope)).expect_err("a list is no answer");
    assert_eq!(fault.message, "`${{ inputs.list }}`: a condition must be true or false, not a list");
    assert_eq!(fault.place.as_deref(), Some("here.when"));
}

#[test]
fn an_input_takes_the_place_of_a_config_key_that_the_type_lets_it() {
    let world = World::new();
    let plan = plan(
        "name: Data\nsteps:\n  - type: extract\n    id: here\n    config: { source: \"${{ inputs.missing }}\", method: GET }\n",
    );
    let rendered = world.with(false, |scope| render::config(&plan.steps[0], scope));
    assert_eq!(
        rendered.expect("the overridden expression is not read"),
        json!({"source": "test_data", "method": "GET"})
    );
    let step = PlanStep { overridable: Vec::new(), ..plan.steps[0].clone() };
    let fault = world.with(false, |scope| render::config(&step, scope)).expect_err("now it is read");
    assert_eq!(fault.place.as_deref(), Some("here.config.source"));
}

#[test]
fn vars_are_computed_from_inputs_once() {
    let plan = plan(
        "name: Vars\nvars:\n  limit: 10\n  twice: ${{ inputs.count * 2 }}\n  list: [\"${{ inputs.count }}\", x]\nsteps:\n  - type: noop\n",
    );
    let inputs = Arc::new(json!({"count": 3}));
    let vars = render::vars(&plan, &inputs).expect("all there");
    assert_eq!(vars, json!({"limit": 10, "twice": 6, "list": [3, "x"]}));
    let fault = render::vars(&plan, &Arc::new(json!({}))).expect_err("no count");
    assert_eq!(fault.place.as_deref(), Some("vars.twice"));
}
