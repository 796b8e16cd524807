//! Loops: each item is run, and none of them twice without need.

use serde_json::{Value, json};
use workflow::domain::command::Command;
use workflow::domain::plan::{Foreach, ListSource, OnItemError, Plan};
use workflow::domain::run::StepState;
use workflow::domain::time::Span;
use workflow::engine::Settings;

use crate::support::workbench::{Script, Workbench, plan};

/// `each` runs for so many items, and `after` behind it.
fn looping(count: usize, max_parallel: u32, on_item_error: OnItemError) -> Plan {
    let mut plan = plan(&[("each", &[]), ("after", &[0])]);
    plan.steps[0].foreach = Some(Foreach { max_parallel, on_item_error, ..items(count) });
    plan
}

/// So many items, eight at a time.
pub fn items(count: usize) -> Foreach {
    Foreach {
        list: ListSource::Written((0..count).collect()),
        name: "item".to_owned(),
        key: None,
        max_parallel: 8,
        batch: None,
        on_item_error: OnItemError::Stop,
        limit: 100_000,
    }
}

fn starts(bench: &Workbench, count: usize) -> Vec<usize> {
    (0..count).map(|item| bench.ledger.starts(&format!("each[{item}]")).len()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_only_the_items_in_flight_run_again() {
    let settings =
        Settings { drain_grace: Span::from_millis(20), stop_grace: Span::from_millis(20), ..Settings::default() };
    let bench = Workbench::with(looping(20, 3, OnItemError::Stop), settings).await;
    bench.script("each[7]", Script::Deaf);
    bench.script("each[9]", Script::Deaf);
    let run = bench.start().await;
    bench.ledger.until_started("each[12]", 1).await;
    for item in [7, 9] {
        bench.script(&format!("each[{item}]"), Script::Give(json!({ "item": item })));
    }
    let bench = bench.restart().await;
    let history = bench.until(run, "completed").await;
    let expected: Vec<usize> = (0..20).map(|item| if [7, 9].contains(&item) { 2 } else { 1 }).collect();
    assert_eq!(starts(&bench, 20), expected);
    let outputs: Value = serde_json::from_str(history.outputs[&0].get()).expect("JSON");
    assert_eq!((&outputs["count"], &outputs["items"][9]), (&json!(20), &json!({ "item": 9 })));
    assert_eq!(bench.ledger.starts("after"), [1]);
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_runs_only_what_is_missing() {
    let bench = Workbench::new(looping(6, 1, OnItemError::Stop)).await;
    bench.script("each[2]", Script::FailForGood);
    let run = bench.start().await;
    let history = bench.until(run, "failed").await;
    let fault = history.row.fault.expect("it failed");
    assert_eq!(fault.message, "item 3 of 6: the script says so");
    assert_eq!(starts(&bench, 6), [1, 1, 1, 0, 0, 0], "nothing began after the failure");
    bench.script("each[2]", Script::Give(json!({})));
    retry(&bench, run, None).await;
    bench.until(run, "completed").await;
    assert_eq!(starts(&bench, 6), [1, 1, 2, 1, 1, 1]);
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_item_is_run_again_and_then_what_stands_behind_the_loop() {
    let bench = Workbench::new(looping(4, 4, OnItemError::Collect)).await;
    bench.script("each[1]", Script::FailForGood);
    bench.script("after", Script::FailForGood);
    let run = bench.start().await;
    let history = bench.until(run, "failed").await;
    let outputs: Value = serde_json::from_str(history.outputs[&0].get()).expect("JSON");
    assert_eq!(outputs["failed_keys"], json!([1]));
    bench.script("each[1]", Script::Give(json!({ "now": true })));
    bench.script("after", Script::Give(json!({})));
    retry(&bench, run, Some(3)).await; // two steps of the plan, then the items
    let history = bench.until(run, "completed").await;
    assert_eq!(starts(&bench, 4), [1, 2, 1, 1]);
    let outputs: Value = serde_json::from_str(history.outputs[&0].get()).expect("JSON");
    assert_eq!((&outputs["failed"], &outputs["items"][1]), (&json!(0), &json!({ "now": true })));
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_loop_begins_no_further_items() {
    let bench = Workbench::new(looping(1_000, 2, OnItemError::Stop)).await;
    bench.script("each[4]", Script::Hold);
    bench.script("each[5]", Script::Hold);
    let run = bench.start().await;
    bench.ledger.until_started("each[5]", 1).await;
    bench.engine.command(run, Command::Cancel { by: "ana".to_owned() }).await.expect("it runs");
    let history = bench.until(run, "cancelled").await;
    assert_eq!(starts(&bench, 10), [1, 1, 1, 1, 1, 1, 0, 0, 0, 0]);
    let folded = bench.fold(&history);
    assert_eq!(folded.steps[0].state, StepState::Cancelled);
    bench.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_items_are_one_row_each() {
    let bench = Workbench::new(looping(3_000, 200, OnItemError::Stop)).await;
    let run = bench.start().await;
    let history = bench.until(run, "completed").await;
    assert_eq!(history.outputs.len(), 3_002, "a row for each item, one for the loop, one for the step behind it");
    assert!(starts(&bench, 3_000).iter().all(|&starts| starts == 1));
    bench.engine.stop().await;
}

async fn retry(bench: &Workbench, run: workflow::domain::id::RunId, step: Option<usize>) {
    let retry = Command::Retry { step, inputs: Default::default(), by: "ana".to_owned() };
    bench.engine.command(run, retry).await.expect("it failed");
}
