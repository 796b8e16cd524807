//! Questions about executions.

use crate::support::binary::Home;

const TWO_STEPS: &str = "name: Two Steps\nsteps:\n  - { type: test, name: One, id: one, config: { outputs: { text: hello, n: 1 } } }\n  - { type: noop, name: Two }\n";

fn home_with_a_run() -> (Home, String) {
    let home = Home::new();
    home.write("two.yaml", TWO_STEPS);
    let view = home.run(&["run", "two.yaml", "--json"]).json();
    let id = view["execution_id"].as_str().expect("an id").to_owned();
    (home, id)
}

#[test]
fn status_history_logs_and_output_tell_of_the_run() {
    let (home, id) = home_with_a_run();
    let status = home.run(&["status", &id, "--json"]).json();
    assert_eq!((status["status"].as_str(), status["progress"].as_u64()), (Some("completed"), Some(100)));
    let history = home.run(&["history"]);
    assert!(history.stdout.contains(&id) && history.stdout.contains("completed"), "{}", history.stdout);
    let logs = home.run(&["logs", &id]).stdout;
    let order = ["accepted", "One: attempt 1 started", "One: completed", "Two: completed", "Z  completed"];
    let places: Vec<_> =
        order.iter().map(|text| logs.find(text).unwrap_or_else(|| panic!("{text} in {logs}"))).collect();
    assert!(places.is_sorted(), "{logs}");
    assert_eq!(home.run(&["output", &id, "--step", "one", "--name", "text"]).stdout, "hello");
    assert_eq!(home.run(&["output", &id, "--step", "one", "--name", "n"]).stdout.trim(), "1");
}

#[test]
fn a_short_id_and_last_name_the_same_execution() {
    let (home, id) = home_with_a_run();
    for name in ["last", &id[..14], &id[5..14]] {
        let status = home.run(&["status", name, "--json"]);
        assert_eq!(status.json()["execution_id"], id.as_str(), "{name}: {}", status.stderr);
    }
}

#[test]
fn a_wrong_id_or_step_names_the_nearest() {
    let (home, id) = home_with_a_run();
    let mut wrong = id.clone();
    let last = wrong.pop().expect("ids are long");
    wrong.push(if last == '0' { '1' } else { '0' });
    let status = home.run(&["status", &wrong]);
    assert_eq!(status.code, 2);
    assert!(status.stderr.contains(&format!("did you mean `{id}`?")), "{}", status.stderr);
    let step = home.run(&["output", &id, "--step", "onne"]);
    assert!(step.stderr.contains("did you mean `one`?"), "{}", step.stderr);
}

#[test]
fn a_question_before_any_run_says_what_to_do() {
    let home = Home::new();
    let status = home.run(&["status"]);
    assert_eq!(status.code, 1);
    assert!(status.stderr.contains("workflow run"), "{}", status.stderr);
    assert!(!home.path().join("workflows").exists(), "a question leaves nothing behind");
}

#[test]
fn templates_and_types_are_listed_and_shown_as_they_are() {
    let home = Home::new();
    let list = home.run(&["list"]).stdout;
    for name in ["document_processing", "data_pipeline", "notification_flow"] {
        assert!(list.contains(name), "{list}");
    }
    let text = home.run(&["show", "document_processing"]).stdout;
    assert_eq!(text, include_str!("../../../templates/document_processing.yaml"));
    let types = home.run(&["templates", "--types"]).stdout;
    assert!(types.contains("ocr") && types.contains("analyze"), "{types}");
    assert!(home.run(&["show", "ocr"]).stdout.contains("languages"));
}

#[test]
fn a_template_in_the_storage_path_goes_before_the_shipped_one() {
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("workflows/templates")).expect("made");
    home.write("workflows/templates/document_processing.yaml", "name: Ours\nsteps:\n  - { type: noop }\n");
    let view = home.run(&["run", "document_processing", "--json"]).json();
    assert_eq!((view["name"].as_str(), view["status"].as_str()), (Some("Ours"), Some("completed")));
}

#[test]
fn a_plan_tells_everything_and_runs_nothing() {
    let home = Home::new();
    let plan = home.run(&["plan", "document_processing", "--json"]).json();
    let after: Vec<_> = plan["steps"].as_array().expect("steps").iter().map(|step| step["after"].clone()).collect();
    assert_eq!(after, ["the start", "upload_document", "extract_text", "analyze_content"]);
    assert_eq!(plan["steps"][1]["ports"][0], "document from upload_document.document");
    assert!(!home.path().join("workflows").exists(), "a plan leaves nothing behind");
}

#[test]
fn validate_reports_every_problem_with_its_place() {
    let home = Home::new();
    home.write(
        "bad.yaml",
        "name: Bad\nsteps:\n  - type: noop\n    retires: 3\n  - type: ocr\n    config: { langauges: [eng] }\n",
    );
    let ended = home.run(&["validate", "bad.yaml"]);
    assert_eq!(ended.code, 1);
    for needle in ["retires", "bad.yaml:4", "langauges", "languages"] {
        assert!(ended.stdout.contains(needle), "{needle} in {}", ended.stdout);
    }
    home.write("good.yaml", "name: Good\nsteps:\n  - type: noop\n");
    assert_eq!(home.run(&["validate", "good.yaml"]).code, 0);
    let json = home.run(&["validate", "bad.yaml", "good.yaml", "--json"]).json();
    assert_eq!(json.as_array().map(Vec::len), Some(2));
}

#[test]
fn config_shows_each_value_and_where_it_comes_from() {
    let home = Home::new();
    let rows = home.run(&["--set", "max_concurrent=7", "config", "--json"]).json();
    let row = |key: &str| rows.as_array().expect("rows").iter().find(|row| row["key"] == key).cloned().expect(key);
    assert_eq!(row("max_concurrent")["value"], "7");
    assert_eq!(row("retry_count")["value"], "3");
    assert_ne!(row("max_concurrent")["source"], row("retry_count")["source"]);
}

#[test]
fn explain_says_why_it_began_failed_and_left_out_what_it_did() {
    let home = Home::new();
    home.write(
        "why.yaml",
        "name: Why\nsteps:\n  - { type: noop, id: never, when: inputs.big | default(false) }\n  - { type: test, id: breaks, retry: 1, config: { fail: no luck } }\n  - { type: noop, id: after }\n",
    );
    assert_eq!(home.run(&["run", "why.yaml"]).code, 1);
    let why = home.run(&["explain"]).stdout;
    for said in [
        "It runs `Why` because ",
        "It is over: failed, at ",
        "failed after 2 attempts: WF3002 no luck",
        "was left out: its condition `inputs.big | default(false)` was false.",
        "was left out: something before it had failed.",
    ] {
        assert!(why.contains(said), "`{said}` is not in\n{why}");
    }
    let json: Vec<String> = serde_json::from_str(&home.run(&["explain", "last", "--json"]).stdout).expect("a list");
    assert_eq!(json.len(), why.lines().count());
}

#[test]
fn explain_says_whom_a_waiting_execution_waits_for() {
    let home = Home::new();
    home.write(
        "ask.yaml",
        "name: Ask\nsteps:\n  - { type: approve, id: book, config: { approvers: [bob, cleo], required: 2, expires: 1h } }\n",
    );
    let mut child = home.spawn(&["run", "ask.yaml"]);
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().expect("piped")));
    while !lines.next().expect("it waits").expect("text").trim().eq("waiting") {}
    let why = home.run(&["explain"]).stdout;
    assert!(why.contains("waits for bob, cleo to approve: 0 of 2 have, until "), "{why}");
    let refused = home.run(&["approve"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("somebody else has to decide"), "{}", refused.stderr);
    assert_eq!(home.run(&["cancel"]).code, 0);
    child.wait().expect("it ends");
    let over = home.run(&["explain"]).stdout;
    let line = over.lines().find(|line| line.starts_with("It is over: cancelled by ")).expect("it says by whom");
    assert_eq!(line.matches(", at ").count(), 1, "{line}");
}
