//! Much that waits: it is let go from memory, and comes back when it is called.

use futures::stream::{StreamExt as _, iter};
use serde_json::json;

use super::pause;
use crate::support::service::Served;

/// Items of a long loop, each of which gives a hundred bytes.
const ITEMS: usize = 20_000;
/// KiB that the service may grow by for them; with their values in memory it was 80,000 and more.
const GROWTH_OF_ITEMS: u64 = 45_000;
const RUNS: usize = 160;
/// Bytes of each run's inputs: close to what a request may hold.
const EACH: usize = 900_000;
/// KiB that the service may grow by: the inputs together are 140,000, and twice that as they are held while in use.
const GROWTH: u64 = 70_000;

#[tokio::test]
async fn executions_that_wait_hold_no_memory() {
    let served = Served::with(&["durability=relaxed"]);
    let definition = json!({
        "name": "Waits",
        "inputs": { "text": { "type": "string" } },
        "steps": [{ "type": "wait", "id": "gate", "config": { "event": "go" } },
            { "type": "assert", "config": { "that": "${{ inputs.text | length == 900000 }}" } }]
    });
    let made = served.post("/api/workflow/create", &json!({ "definition": definition.to_string() })).await;
    assert_eq!(made.status, 200, "{}", made.json);
    let text = "x".repeat(EACH);
    let one = |_| async {
        let execution = served.execute("waits", &json!({ "text": text })).await;
        while served.get(&format!("/api/workflow/{execution}/status")).await.json["status"] != "waiting" {
            pause().await;
        }
        execution
    };
    // Whatever is taken once, for buffers and the like, is taken by the first ones.
    let _first: Vec<String> = iter(0..16).map(one).buffer_unordered(4).collect().await;
    let (before, _) = served.memory();
    let runs: Vec<String> = iter(0..RUNS).map(one).buffer_unordered(4).collect().await;
    let (after, _) = served.memory();
    println!("{before} KiB before, {after} KiB with {RUNS} more that wait");
    assert!(after < before + GROWTH, "{before} KiB before, {after} KiB after");
    for run in &runs[..8] {
        let sent = served.post(&format!("/api/workflow/{run}/signal"), &json!({ "event": "go" })).await;
        assert_eq!(sent.status, 200, "{}", sent.json);
        assert_eq!(served.finished(run).await["status"], "completed");
    }
}

#[tokio::test]
async fn a_long_loop_takes_little_more_than_what_its_items_gave() {
    let served = Served::with(&["durability=relaxed"]);
    let steps = json!([{
        "type": "test",
        "id": "each",
        "foreach": { "in": "${{ inputs.list }}", "max_parallel": 500 },
        "config": { "outputs": { "text": "0123456789".repeat(10) } }
    }, {
        "type": "assert",
        "config": { "that": "${{ steps.each.outputs.count == inputs.list | length }}" }
    }]);
    let definition = json!({ "name": "Long", "inputs": { "list": { "type": "array" } }, "steps": steps });
    let made = served.post("/api/workflow/create", &json!({ "definition": definition.to_string() })).await;
    assert_eq!(made.status, 200, "{}", made.json);
    let run = async |items: usize| {
        let list: Vec<usize> = (0..items).collect();
        let execution = served.execute("long", &json!({ "list": list })).await;
        assert_eq!(served.finished(&execution).await["status"], "completed");
        served.memory().1
    };
    let before = run(2_000).await;
    let after = run(ITEMS).await;
    println!("{before} KiB at the most before, {after} KiB with {ITEMS} items");
    assert!(after < before + GROWTH_OF_ITEMS, "{before} KiB before, {after} KiB after");
}
