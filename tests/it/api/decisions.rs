//! What people decide over HTTP: approvals, steps left out, events.

use serde_json::{Value, json};

use crate::support::service::Served;

async fn standing(served: &Served, execution: &str, step: &str) -> Value {
    let path = format!("/api/workflow/{execution}/status");
    loop {
        let view = served.get(&path).await.json;
        let found = view["steps"].as_array().expect("steps").iter().find(|found| found["id"] == step).cloned();
        let found = found.expect("the step is there");
        if view["status"] == "waiting" && found["status"] == "waiting" {
            return view;
        }
        assert!(view["finished_at"].is_null(), "it ended: {view}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_approval_is_shown_refused_to_who_asked_and_given_where_that_is_allowed() {
    let served = Served::start();
    let approve = |own: bool| {
        json!([
            { "type": "approve", "id": "book", "config": { "title": "Book it", "allow_requester": own, "show": { "total": 12 } } },
            { "type": "test", "id": "after", "config": { "outputs": { "ok": "${{ steps.book.outputs.approved }}" } } }
        ])
    };
    let strict = served.create("Strict", &approve(false)).await;
    let execution = served.execute(&strict, &json!({})).await;
    let view = standing(&served, &execution, "book").await;
    let asked = &view["approvals"][0];
    assert_eq!(
        (&asked["step"], &asked["title"], &asked["show"]),
        (&json!("book"), &json!("Book it"), &json!({ "total": 12 }))
    );
    let refused = served.post(&format!("/api/workflow/{execution}/approve"), &json!({})).await;
    assert_eq!((refused.status, &refused.json["code"]), (403, &json!("WF5123")), "{}", refused.json);
    let nowhere = served.post(&format!("/api/workflow/{execution}/approve"), &json!({ "step": "after" })).await;
    assert_eq!(nowhere.status, 409, "{}", nowhere.json);
    assert_eq!(served.post(&format!("/api/workflow/{execution}/cancel"), &json!({})).await.status, 200);
    let late = served.post(&format!("/api/workflow/{execution}/approve"), &json!({})).await;
    assert_eq!(late.status, 409, "{}", late.json);

    let open = served.create("Open", &approve(true)).await;
    let execution = served.execute(&open, &json!({})).await;
    standing(&served, &execution, "book").await;
    let given = served.post(&format!("/api/workflow/{execution}/approve"), &json!({ "comment": "fine" })).await;
    assert_eq!(given.status, 200, "{}", given.json);
    let view = served.finished(&execution).await;
    assert_eq!(view["status"], "completed", "{view}");
}

#[tokio::test]
async fn a_rejection_fails_the_step_with_its_reason() {
    let served = Served::start();
    let steps = json!([{ "type": "approve", "id": "book", "config": { "allow_requester": true } }]);
    let execution = served.execute(&served.create("Refused", &steps).await, &json!({})).await;
    standing(&served, &execution, "book").await;
    let body = json!({ "step": "book", "comment": "wrong supplier" });
    assert_eq!(served.post(&format!("/api/workflow/{execution}/reject"), &body).await.status, 200);
    let view = served.finished(&execution).await;
    assert_eq!((&view["status"], &view["error"]["code"]), (&json!("failed"), &json!("WF4011")));
    assert!(view["error"]["message"].as_str().is_some_and(|text| text.ends_with(": wrong supplier")), "{view}");
}

#[tokio::test]
async fn an_event_reaches_a_step_that_waits_and_one_that_will() {
    let served = Served::start();
    let wait = |event: &str| json!({ "type": "wait", "id": event, "config": { "event": event } });
    let steps = json!([wait("first"), wait("second")]);
    let execution = served.execute(&served.create("Events", &steps).await, &json!({})).await;
    standing(&served, &execution, "first").await;
    let send = async |event: &str| {
        let body = json!({ "event": event, "payload": { "amount": event } });
        served.post(&format!("/api/workflow/{execution}/signal"), &body).await.status
    };
    assert_eq!(send("second").await, 200, "kept until it is waited for");
    assert_eq!(send("first").await, 200);
    assert_eq!(served.finished(&execution).await["status"], "completed");
    let full = served.get(&format!("/api/workflow/{execution}/status?include=outputs")).await.json;
    assert_eq!(full["steps"][1]["outputs"], json!({ "event": "second", "payload": { "amount": "second" } }), "{full}");
    assert_eq!(send("first").await, 409, "it is over");
}

#[tokio::test]
async fn a_failed_step_is_left_out_and_the_execution_goes_on() {
    let served = Served::start();
    let steps = json!([
        { "type": "test", "id": "breaks", "retry": 0, "config": { "fail": "no luck" } },
        { "type": "noop", "id": "after" }
    ]);
    let execution = served.execute(&served.create("Skipped", &steps).await, &json!({})).await;
    assert_eq!(served.finished(&execution).await["status"], "failed");
    let skipped = served.post(&format!("/api/workflow/{execution}/skip"), &json!({ "step": "breaks" })).await;
    assert_eq!(skipped.status, 200, "{}", skipped.json);
    let view = served.finished(&execution).await;
    assert_eq!(view["status"], "completed", "{view}");
    assert_eq!((&view["steps"][0]["status"], &view["steps"][1]["status"]), (&json!("skipped"), &json!("completed")));
    let lines = served.get(&format!("/api/workflow/{execution}/explain")).await.json["lines"].to_string();
    assert!(lines.contains("was left out: somebody said so."), "{lines}");
    let done = served.post(&format!("/api/workflow/{execution}/skip"), &json!({ "step": "after" })).await;
    assert_eq!(done.status, 409, "what is done cannot be left out: {}", done.json);
}
