//! Who waits for whom, and what a plan says about it.

use serde_json::json;
use workflow::domain::lane::Room;
use workflow::domain::plan::{OnError, Plan, PortSource};
use workflow::domain::retry::Backoff;
use workflow::domain::time::Span;
use workflow::language::{Compiled, Defaults, Options, Source, compile};

use super::stock;

fn plan(text: &str) -> Plan {
    let Compiled { plan, report } = compile(&Source::new("order.yaml", text), &stock::catalog(), &Options::default());
    plan.unwrap_or_else(|| panic!("{}", report.text(false)))
}

fn needs(plan: &Plan) -> Vec<(&str, Vec<&str>)> {
    let name = |index: &usize| plan.steps[*index].id.as_str();
    plan.steps.iter().map(|step| (step.id.as_str(), step.needs.iter().map(name).collect())).collect()
}

#[test]
fn without_needs_a_step_waits_for_everything_above_it() {
    let plan = plan("name: A\nsteps: [{type: noop, id: a}, {type: noop, id: b}, {type: noop, id: c}]");
    assert_eq!(needs(&plan), [("a", vec![]), ("b", vec!["a"]), ("c", vec!["b"])]);
}

#[test]
fn groups_run_side_by_side_in_the_order_of_their_numbers() {
    let plan = plan(
        "name: A\nsteps: [{type: noop, id: first}, {type: noop, id: two, parallel_group: 2}, \
         {type: noop, id: between}, {type: noop, id: one, parallel_group: 1}, {type: noop, id: uno, parallel_group: 1}, {type: noop, id: last}]",
    );
    let stages: Vec<_> = plan.steps.iter().map(|step| (step.id.as_str(), step.stage)).collect();
    assert_eq!(stages, [("first", 0), ("two", 3), ("between", 2), ("one", 1), ("uno", 1), ("last", 4)]);
    assert_eq!(needs(&plan)[2], ("between", vec!["one", "uno"]));
    assert_eq!(needs(&plan)[5], ("last", vec!["two"]));
}

#[test]
fn needs_free_a_step_and_those_below_wait_for_it_all_the_same() {
    let plan = plan(
        "name: A\nsteps: [{type: noop, id: a}, {type: noop, id: b}, {type: noop, id: c, needs: [a]}, {type: noop, id: d, needs: []}, {type: noop, id: e}]",
    );
    assert_eq!(
        needs(&plan),
        [("a", vec![]), ("b", vec!["a"]), ("c", vec!["a"]), ("d", vec![]), ("e", vec!["b", "c", "d"])]
    );
    assert_eq!(plan.steps.iter().map(|step| step.stage).collect::<Vec<_>>(), [0, 1, 1, 0, 2]);
}

#[test]
fn policies_come_from_the_step_then_the_file_then_the_configuration() {
    let text = "name: A\ndefaults: { retry: { delay: 7 }, on_error: continue, timeout: 60 }\nsteps:\n  - { type: noop, id: plain }\n  - { type: noop, id: own, retry: 1, timeout: 90s, on_error: stop }\n  - { type: noop, id: long, retry: { delay: 1h, backoff: linear } }\n";
    let mut options =
        Options { defaults: Defaults { timeout: Span::from_secs(30), ..Defaults::default() }, ..Options::default() };
    options.defaults.retry.count = 9;
    let plan = compile(&Source::new("a.yaml", text), &stock::catalog(), &options).plan.expect("fine");
    let [plain, own, long] = plan.steps.as_slice() else { panic!("three steps") };
    assert_eq!((plain.retry.count, plain.retry.delay, plain.timeout), (9, Span::from_secs(7), Span::from_secs(60)));
    assert_eq!((own.retry.count, own.retry.delay, own.timeout), (1, Span::from_secs(7), Span::from_secs(90)));
    assert_eq!((plain.on_error, own.on_error), (OnError::Continue, OnError::Stop));
    assert_eq!((long.retry.backoff, long.retry.max_delay), (Backoff::Linear, Span::from_secs(3_600)));
}

#[test]
fn clocks_and_what_attempts_share_are_those_of_the_file() {
    let text = "name: A\ntimeout: { total: 1h, queue: 5m, include_waits: true }\ndefaults: { timeout: { heartbeat: 9 } }\nsteps:\n  - { type: noop, id: a, concurrency: 2, timeout: { queue: 3 } }\n  - { type: noop, id: b, concurrency: { group: erp }, timeout: { attempt: 4, total: 8, heartbeat: 2 } }\n";
    let compiled = compile(&Source::new("a.yaml", text), &stock::catalog(), &Options::default());
    let plan = compiled.plan.unwrap_or_else(|| panic!("{}", compiled.report.text(false)));
    assert_eq!((plan.timeout, plan.queue), (Some(Span::from_secs(3_600)), Some(Span::from_secs(300))));
    assert!(plan.includes_waits);
    let [a, b] = plan.steps.as_slice() else { panic!("two steps") };
    let room = |group: &str, limit| Some(Room { group: group.to_owned(), limit });
    assert_eq!((&a.room, &b.room), (&room("a.a", 2), &room("erp", 1)), "without a group the step is its own");
    assert_eq!((a.queue, a.heartbeat), (Some(Span::from_secs(3)), Some(Span::from_secs(9))));
    assert_eq!(
        (b.timeout, b.total, b.heartbeat),
        (Span::from_secs(4), Some(Span::from_secs(8)), Some(Span::from_secs(2)))
    );
}

#[test]
fn ports_that_are_written_out_are_bound_without_a_copy_where_possible() {
    let plan = plan(
        "name: A\nsteps:\n  - type: upload\n    ports: { file: \"${{ inputs.scan }}\" }\n  - { type: ocr, id: one, parallel_group: 1 }\n  - { type: ocr, id: two, parallel_group: 1 }\n  - type: analyze\n    ports: { text: \"${{ steps.two.outputs.text }}\", pages: \"${{ steps.one.outputs.pages | list }}\" }\n",
    );
    assert_eq!(plan.steps[0].ports[0].source, PortSource::Input("scan".to_owned()));
    let bound: Vec<_> = plan.steps[3].ports.iter().map(|binding| binding.source.clone()).collect();
    let expression = PortSource::Expression("${{ steps.one.outputs.pages | list }}".to_owned());
    assert_eq!(bound, [PortSource::Step { step: 2, output: "text".to_owned() }, expression]);
}

#[test]
fn a_step_that_needs_something_else_is_not_fed_by_what_it_does_not_wait_for() {
    let plan = plan(
        "name: A\nsteps: [{type: upload}, {type: ocr, id: read}, {type: store, needs: [upload], config: {destination: database}}]",
    );
    assert_eq!(plan.steps[2].ports.iter().map(|binding| binding.port.as_str()).collect::<Vec<_>>(), ["document"]);
}

#[test]
fn a_declared_file_feeds_the_upload_whatever_it_is_called() {
    let source = |inputs: &str| {
        let plan = plan(&format!("name: A\ninputs: {inputs}\nsteps: [{{type: upload}}]"));
        plan.steps[0].ports[0].source.clone()
    };
    assert_eq!(source("{ scan: file }"), PortSource::Input("scan".to_owned()));
    assert_eq!(source("{ scan: file, file: file }"), PortSource::Input("file".to_owned()));
    assert_eq!(source("{ name: string }"), PortSource::Input("file_path".to_owned()));
}

#[test]
fn conditions_that_ask_about_failure_are_known() {
    let plan = plan(
        "name: A\nsteps: [{type: noop}, {type: noop, id: b, when: \"${{ failed() or cancelled() }}\"}, {type: noop, id: c, when: \"success()\"}, {type: noop, id: d, when: always()}, {type: noop, id: e, disabled: true}]",
    );
    let survive: Vec<_> = plan.steps.iter().map(|step| step.condition.survives_failure).collect();
    assert_eq!(survive, [false, true, false, true, false]);
    assert_eq!(plan.steps[1].condition.expression.as_deref(), Some("failed() or cancelled()"));
    assert_eq!(plan.steps[4].condition.expression.as_deref(), Some("false"));
}

#[test]
fn the_hash_names_what_a_workflow_does_and_not_how_it_is_written() {
    let hash = |text: &str| plan(text).hash;
    let one = hash("name: A\nid: a\nsteps:\n  - type: noop\n    config: { x: 1, y: 2 }\n");
    let same = hash("# a remark\nid: a\nsteps: [{config: {y: 2, x: 1}, type: noop}]\nname: A\n");
    let other = hash("name: A\nid: a\nsteps:\n  - type: noop\n    config: { x: 1, y: 3 }\n");
    assert_eq!(one, same);
    assert_ne!(one, other);
    assert_eq!(one.len(), 64);
}

#[test]
fn a_report_as_json_names_every_place() {
    let source = Source::new("a.yaml", "name: A\nsteps:\n  - type: noop\n    retires: 3\n");
    let report = compile(&source, &stock::catalog(), &Options::default()).report;
    let expected = json!({"file": "a.yaml", "problems": [{
        "code": "WF1012", "severity": "error", "message": "unknown key `retires` in step 1 (`noop`)", "file": "a.yaml",
        "line": 4, "column": 5, "length": 7, "suggestion": "retry"
    }]});
    assert_eq!(serde_json::to_value(&report).expect("plain data"), expected);
    assert!(report.text(true).contains("\u{1b}[1;31merror[WF1012]\u{1b}[0m"));
}

#[test]
fn what_collects_gets_the_nearest_of_each_name_and_what_the_file_writes_out() {
    let plan = plan(
        "name: A\nsteps:\n  - { type: extract, id: rows, config: { source: test_data } }\n  - { type: transform, id: clean }\n  \
         - { type: extract, id: each, foreach: [1], config: { source: test_data } }\n  \
         - { type: noop, id: sum, outputs: { total: \"${{ 1 + 1 }}\" } }\n  - { type: extract, id: aside, needs: [], config: { source: test_data } }\n  \
         - { type: prepare, id: say, needs: [sum], ports: { extra: \"${{ inputs.extra }}\" } }\n  - { type: prepare, id: again }\n",
    );
    let bound = |step: usize| -> Vec<(&str, PortSource)> {
        plan.steps[step].ports.iter().map(|binding| (binding.port.as_str(), binding.source.clone())).collect()
    };
    let from = |step: usize, output: &str| PortSource::Step { step, output: output.to_owned() };
    let extra = PortSource::Input("extra".to_owned());
    assert_eq!(bound(5), [("records", from(1, "records")), ("total", from(3, "total")), ("extra", extra)]);
    assert_eq!(bound(6)[0], ("message", from(5, "message")), "and what other steps of its kind give");
}
