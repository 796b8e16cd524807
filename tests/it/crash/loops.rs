//! A loop survives the death of its process: its items are known again, and what they have done stays done.

use serde_json::json;

use super::lives::{Life, log};
use crate::support::binary::Home;

const PILES: &str = "name: Piles
steps:
  - type: group
    id: around
    foreach: { in: [1, 2, 3], as: row, key: \"${{ 'row ' ~ row }}\", max_parallel: 1, on_item_error: collect }
    config:
      steps:
        - { type: test, name: Slow, config: { sleep: 200ms, outputs: { n: \"${{ row }}\" } } }
        - { type: noop, id: odd, when: row != 2 }
        - { type: test, id: inner, foreach: [a, b], config: { outputs: { s: \"${{ item }}${{ row }}\" } } }
        - { type: assert, id: fine, config: { that: \"${{ row != 1 }}\" } }
";

#[test]
fn killed_amid_its_items_a_loop_knows_them_again_and_repeats_none() {
    let home = Home::new();
    home.write("piles.yaml", PILES);
    let mut life = Life::begin(&home, &["run", "piles.yaml"]);
    life.hear_started(1);
    let id = life.started[0].clone();
    while !log(&home, &id).iter().any(|line| line.starts_with("Slow #2: attempt 1 started")) {}
    life.kill();
    let ended = home.run(&["resume"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let outputs = home.run(&["output", &id, "--step", "around"]).json();
    assert_eq!((&outputs["count"], &outputs["failed_keys"]), (&json!(3), &json!(["row 1"])), "{outputs}");
    assert_eq!(outputs["items"][1]["inner"]["items"], json!([{ "s": "a2" }, { "s": "b2" }]), "{outputs}");
    assert!(outputs["items"][1].get("odd").is_none() && outputs["items"][2].get("odd").is_some(), "{outputs}");
    let lines = log(&home, &id);
    let times = |wanted: &str| lines.iter().filter(|line| line.starts_with(wanted)).count();
    assert_eq!((times("Slow #1: attempt"), times("Slow #2: attempt"), times("Slow #3: attempt")), (1, 2, 1));
    assert_eq!(times("Slow #2: interrupted by a crash"), 1);
}
