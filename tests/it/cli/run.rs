//! `workflow run`.

use serde_json::json;

use crate::support::binary::{Home, fixture};

const THREE_STEPS: &str = "name: Three Steps\nsteps:\n  - { type: test, name: One, config: { outputs: { n: 1 } } }\n  - { type: noop, name: Two }\n  - { type: test, name: Three, config: { outputs: { n: 3 } } }\n";

#[test]
fn a_run_prints_its_id_first_then_its_steps_and_ends_with_zero() {
    let home = Home::new();
    home.write("three.yaml", THREE_STEPS);
    let ended = home.run(&["run", "three.yaml"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let first = ended.stderr.lines().next().expect("a first line");
    let id = first.strip_prefix("Workflow started: ").expect(first);
    assert!(id.starts_with("exec_"), "{id}");
    for name in ["One", "Two", "Three"] {
        assert!(ended.stderr.contains(&format!("✔ {name}")), "{}", ended.stderr);
    }
    assert!(ended.stdout.contains("completed"), "{}", ended.stdout);
}

#[test]
fn json_is_one_object_with_the_promised_keys_and_nothing_else() {
    let home = Home::new();
    home.write("three.yaml", THREE_STEPS);
    let ended = home.run(&["run", "three.yaml", "--json"]);
    let view = ended.json();
    assert_eq!(view["status"], "completed");
    assert!(view["execution_id"].as_str().is_some_and(|id| id.starts_with("exec_")), "{view}");
    assert!(view["workflow_id"].as_str().is_some_and(|id| id.starts_with("wf_")), "{view}");
    let step = &view["steps"][2];
    assert_eq!((&step["index"], &step["name"], &step["type"]), (&json!(2), &json!("Three"), &json!("test")));
    assert_eq!((&step["status"], &step["attempts"], &step["error"]), (&json!("completed"), &json!(1), &json!(null)));
    assert_eq!(step["outputs"], json!({ "n": 3 }));
    assert!(step["duration"].is_number());
    assert_eq!((&view["warnings"], &view["error"]), (&json!([]), &json!(null)));
}

#[test]
fn a_failed_run_ends_with_one_and_says_what_to_do() {
    let home = Home::new();
    home.write(
        "broken.yaml",
        "name: Broken\nsteps:\n  - { type: test, config: { fail: no luck }, retry: 1 }\n  - { type: noop }\n",
    );
    let ended = home.run(&["run", "broken.yaml", "--json"]);
    assert_eq!(ended.code, 1);
    let view = ended.json();
    assert_eq!(view["status"], "failed");
    assert_eq!(view["steps"][0]["attempts"], 2);
    assert_eq!(view["steps"][1]["status"], "skipped");
    let message = view["error"]["message"].as_str().expect("a message");
    assert!(message.contains("no luck"), "{message}");
    assert!(view["error"]["fix"].is_string() && view["error"]["code"].is_string());
}

#[test]
fn wrong_use_ends_with_two_and_names_what_is_near() {
    let home = Home::new();
    let typo = home.run(&["run", "document_procesing"]);
    assert_eq!(typo.code, 2, "{}", typo.stderr);
    assert!(typo.stderr.contains("did you mean `document_processing`?"), "{}", typo.stderr);
    let verb = home.run(&["rum"]);
    assert_eq!(verb.code, 2);
    assert!(verb.stderr.contains("run"), "{}", verb.stderr);
    let file = home.run(&["run", "document_processing", "--file", "nowhere.pdf"]);
    assert_eq!(file.code, 2);
    assert!(file.stderr.contains("nowhere.pdf"), "{}", file.stderr);
    let input = home.run(&["run", "document_processing", "not-a-pair"]);
    assert_eq!(input.code, 2);
    assert!(input.stderr.contains("key=value"), "{}", input.stderr);
}

#[test]
fn a_workflow_without_its_file_fails_with_what_is_missing() {
    let home = Home::new();
    let ended = home.run(&["run", "document_processing", "--json"]);
    assert_eq!(ended.code, 1);
    let view = ended.json();
    assert_eq!((&view["status"], &view["error"]["code"]), (&json!("failed"), &json!("WF2101")));
}

#[test]
fn the_promised_template_makes_a_document_searchable() {
    let home = Home::new();
    let file = fixture("documents/invoice.pdf");
    let ended = home.run(&["run", "document_processing", "--file", &file, "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let view = ended.json();
    let text = view["steps"][1]["outputs"]["text"].as_str().expect("a text");
    assert!(text.contains("471102"), "{text}");
    let analysis = &view["steps"][2]["outputs"];
    assert_eq!(analysis["language"], "deu");
    assert!(analysis["entities"].as_array().is_some_and(|found| !found.is_empty()));
    let found = home.run(&["search", "Lieferant", "GmbH", "--json"]);
    assert_eq!(found.code, 0, "{}", found.stderr);
    assert!(found.stdout.contains("invoice.pdf"), "{}", found.stdout);
    let nothing = home.run(&["search", "Xylophonkonzert", "--json"]);
    assert!(!nothing.stdout.contains("invoice.pdf"), "{}", nothing.stdout);
}

#[test]
fn several_files_are_several_executions() {
    let home = Home::new();
    let file = fixture("documents/invoice.pdf");
    let ended = home.run(&["run", "document_processing", "--file", &file, &file, "--json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let lines: Vec<serde_json::Value> =
        ended.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2);
    assert_ne!(lines[0]["execution_id"], lines[1]["execution_id"]);
}

#[test]
fn switched_off_workflows_are_not_run() {
    let home = Home::new();
    home.write("three.yaml", THREE_STEPS);
    let ended = home.run(&["--set", "enabled=false", "run", "three.yaml"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("WORKFLOW_ENABLED"), "{}", ended.stderr);
}

#[test]
fn a_run_over_its_time_ends_with_four() {
    let home = Home::new();
    home.write("slow.yaml", "name: Slow\ntimeout: 100ms\nsteps:\n  - { type: test, config: { sleep: 600 } }\n");
    let ended = home.run(&["run", "slow.yaml", "--json"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    let view = ended.json();
    assert_eq!((&view["status"], &view["error"]["code"]), (&json!("timed_out"), &json!("WF4004")));
}

#[test]
fn values_flow_through_expressions_and_conditions() {
    let home = Home::new();
    let text = concat!(
        "name: Flow\n",
        "inputs: { n: { type: integer, required: true } }\n",
        "steps:\n",
        "  - { type: test, id: a, config: { outputs: { double: \"${{ inputs.n * 2 }}\" } } }\n",
        "  - { type: test, id: big, when: \"steps.a.outputs.double > 10\", config: { outputs: { n: 1 } } }\n",
        "  - { type: test, id: last, config: { outputs: { text: \"got ${{ steps.a.outputs.double }}\" } } }\n",
        "outputs: { result: \"${{ steps.last.outputs.text }}\" }\n",
    );
    home.write("flow.yaml", text);
    let view = home.run(&["run", "flow.yaml", "n=4", "--json"]).json();
    assert_eq!(view["outputs"], json!({ "result": "got 8" }), "{view}");
    assert_eq!(view["steps"][1]["status"], "skipped");
    let wrong = home.run(&["run", "flow.yaml", "n=four"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("WF2005") && wrong.stderr.contains('n'), "{}", wrong.stderr);
}

#[test]
fn a_finished_run_leaves_a_readable_copy() {
    let home = Home::new();
    home.write("three.yaml", THREE_STEPS);
    let view = home.run(&["run", "three.yaml", "--json"]).json();
    let copy = |folder: &str, id: &str| {
        let path =
            home.path().join("workflows").join(folder).join(format!("{}.json", view[id].as_str().expect("an id")));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON")
    };
    assert_eq!(copy("executions", "execution_id"), view);
    assert_eq!(copy("definitions", "workflow_id")["name"], "Three Steps");
}
