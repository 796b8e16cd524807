//! Messages on their way to people: listed, tried again, dropped.

use serde_json::{Value, json};

use crate::support::service::Served;

fn messages(answer: &Value) -> &Vec<Value> {
    answer["messages"].as_array().expect("a list")
}

#[tokio::test]
async fn what_was_given_up_is_listed_tried_again_and_dropped() {
    let served = Served::start();
    let lost =
        json!([{ "type": "notify", "id": "tell", "config": { "channel": "web:nowhere", "text": "Hello\nyou" } }]);
    let workflow = served.create("Lost", &lost).await;
    let execution = served.execute(&workflow, &json!({})).await;
    let ended = served.finished(&execution).await;
    assert_eq!(ended["error"]["code"], "WF2150", "{ended}");

    let listed = served.get("/api/outbox").await.json;
    assert_eq!((&listed["queued"], &listed["dead"], &listed["oldest_seconds"]), (&json!(0), &json!(1), &json!(0)));
    let letter = messages(&listed)[0].clone();
    for (key, value) in [
        ("platform", json!("web")),
        ("channel", json!("nowhere")),
        ("title", json!("Hello")),
        ("execution_id", json!(execution)),
        ("step", json!("tell")),
        ("state", json!("dead")),
        ("attempts", json!(1)),
    ] {
        assert_eq!(letter[key], value, "{key}");
    }
    let health = served.get("/healthz").await;
    assert_eq!((health.status, &health.json["outbox"]["dead"]), (200, &json!(1)));

    let id = letter["id"].as_str().expect("an id");
    let tried = served.post(&format!("/api/outbox/{id}/retry"), &json!({})).await;
    assert_eq!((tried.status, &tried.json["state"]), (200, &json!("queued")), "{}", tried.json);
    let dropped = served.post(&format!("/api/outbox/{}/drop", &id[..8]), &json!({})).await;
    assert_eq!((dropped.status, &dropped.json["id"]), (200, &json!(id)));
    assert!(messages(&served.get("/api/outbox").await.json).is_empty());
    for path in [format!("/api/outbox/{id}/retry"), "/api/outbox/none/drop".to_owned()] {
        assert_eq!(served.post(&path, &json!({})).await.status, 404, "{path}");
    }
    assert_eq!(served.get("/api/outbox?state=ded").await.status, 404);
    assert_eq!(served.get("/api/outbox?stat=dead").await.status, 422);
}

#[tokio::test]
async fn what_was_sent_is_there_and_cannot_be_taken_back() {
    let served = Served::start();
    let steps = json!([{ "type": "notify", "id": "tell", "config": { "channel": "web", "text": "Hello" } }]);
    let workflow = served.create("Tell", &steps).await;
    let execution = served.execute(&workflow, &json!({})).await;
    assert_eq!(served.finished(&execution).await["status"], "completed");
    let sent = served.get("/api/outbox?state=sent").await.json;
    let letter = &messages(&sent)[0];
    let said = served.get("/api/chat/general/messages").await.json;
    let ids: Vec<_> =
        said["messages"].as_array().expect("a list").iter().map(|message| message["id"].clone()).collect();
    assert_eq!(ids, [letter["message"].clone()]);
    let dropped = served.post(&format!("/api/outbox/{}/drop", letter["id"].as_str().expect("an id")), &json!({})).await;
    assert_eq!(dropped.status, 409, "{}", dropped.json);
    let effects = served.get(&format!("/api/workflow/{execution}/effects")).await.json;
    assert_eq!((&effects["effects"][0]["type"], &effects["effects"][0]["undo"]), (&json!("notify"), &json!("never")));
}
