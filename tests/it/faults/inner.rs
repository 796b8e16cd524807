//! The time of a run that waits for another one, while people take theirs.

use serde_json::{Value, json};

use super::pause;
use crate::support::service::Served;

/// Seconds that the outer run has: enough for a slow machine to come as far as the question.
const TIMEOUT: u64 = 12;

#[tokio::test]
async fn what_people_take_to_decide_in_an_inner_execution_is_not_the_time_of_the_outer_one() {
    let served = Served::start();
    served
        .create("Inner", &json!([{ "type": "approve", "config": { "title": "Go on?", "allow_requester": true } }]))
        .await;
    let outer = json!({
        "name": "Outer",
        "timeout": format!("{TIMEOUT}s"),
        "steps": [{ "type": "workflow", "id": "inner", "config": { "id": "inner" } }, { "type": "noop", "id": "after" }]
    });
    let made = served.post("/api/workflow/create", &json!({ "definition": outer.to_string() })).await;
    assert_eq!(made.status, 200, "{}", made.json);
    let outer = served.execute("outer", &json!({})).await;
    let status = async |execution: &str| served.get(&format!("/api/workflow/{execution}/status")).await.json;
    while status(&outer).await["status"] != "waiting" {
        pause().await;
    }
    let known = status(&outer).await["seq"].clone();
    // Its time comes, and it looks why it still waits: that is an event of its own.
    while status(&outer).await["seq"] == known {
        pause().await;
    }
    let view = status(&outer).await;
    assert_eq!(view["status"], "waiting", "{view}");
    let inner: Value = status(&outer).await["steps"][0]["execution_id"].clone();
    let inner = inner.as_str().expect("it was begun").to_owned();
    let approved = served.post(&format!("/api/workflow/{inner}/approve"), &json!({})).await;
    assert_eq!(approved.status, 200, "{}", approved.json);
    assert_eq!(served.finished(&outer).await["status"], "completed");
}
