//! Many executions at once: counted, then done.

use serde_json::json;

use crate::support::service::Served;

#[tokio::test]
async fn many_are_counted_then_cancelled_then_retried() {
    let served = Served::start();
    let gate = json!([{ "type": "wait", "id": "gate", "config": { "event": "go" } }]);
    let (waits, other) = (served.create("Waits", &gate).await, served.create("Other", &gate).await);
    let mut begun = Vec::new();
    for _ in 0..30 {
        begun.push(served.execute(&waits, &json!({})).await);
    }
    let apart = served.execute(&other, &json!({})).await;
    let ask = async |body| served.post("/api/workflow/bulk", &body).await;
    let counted = ask(json!({ "act": "cancel", "workflow": "waits", "preview": true })).await;
    assert_eq!((counted.status, counted.json), (200, json!({ "matched": 30, "done": 0 })));
    let done = ask(json!({ "act": "cancel", "workflow": "waits" })).await;
    assert_eq!(done.json, json!({ "matched": 30, "done": 30 }));
    for execution in &begun {
        assert_eq!(served.finished(execution).await["status"], "cancelled");
    }
    let left = served.get(&format!("/api/workflow/{apart}/status")).await.json;
    assert!(left["finished_at"].is_null(), "it is of another workflow: {left}");
    let retried = ask(json!({ "act": "retry", "status": "cancelled" })).await;
    assert_eq!(retried.json, json!({ "matched": 30, "done": 30 }));
    let wrong = ask(json!({ "act": "retry", "status": "completed" })).await;
    assert_eq!(wrong.status, 422, "{}", wrong.json);
}
