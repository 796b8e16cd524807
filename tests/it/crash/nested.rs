//! A run that waits for another one survives the death of the process, whichever of the two was under way.

use serde_json::Value;

use super::lives::Life;
use crate::support::binary::Home;

const CHILD: &str = "name: Child
steps:
  - { type: test, id: first, config: { outputs: { n: 7 } } }
  - { type: test, id: slow, config: { sleep: 400ms } }
outputs: { n: \"${{ steps.first.outputs.n }}\" }
";
const PARENT: &str = "name: Parent
steps:
  - { type: workflow, id: inner, config: { id: child } }
outputs: { n: \"${{ steps.inner.outputs.n }}\" }
";

#[test]
fn killed_while_its_child_works_a_run_goes_on_with_the_same_child() {
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("workflows/templates")).expect("a folder");
    home.write("workflows/templates/child.yaml", CHILD);
    home.write("parent.yaml", PARENT);
    let mut life = Life::begin(&home, &["run", "parent.yaml"]);
    while life.hear_line().expect("it waits for its child").trim() != "waiting" {}
    life.kill();
    let ended = home.run(&["resume"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let rows = executions(&home);
    assert_eq!(rows.len(), 2, "no second child: {rows:?}");
    for row in &rows {
        assert_eq!(row["status"], "completed", "{row}");
    }
    let parent = rows.iter().find(|row| row["workflow"] == "parent").expect("it is there");
    let view = home.run(&["status", parent["execution_id"].as_str().expect("an id"), "--json"]).json();
    assert_eq!(view["outputs"]["n"], 7, "{view}");
    let child = view["steps"][0]["execution_id"].as_str().expect("an id");
    let log = home.run(&["logs", child]).stdout;
    assert_eq!(log.matches("attempt 1 started").count() - log.matches("interrupted").count(), 2, "{log}");
}

fn executions(home: &Home) -> Vec<Value> {
    let listed = home.run(&["history", "--json"]);
    listed.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
