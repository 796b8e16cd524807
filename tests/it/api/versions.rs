//! The versions of a workflow: every change is one, what runs keeps its own, differences are told by steps and keys.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::service::{Served, answer};

fn steps(text: &str, more: bool) -> Value {
    let gate = json!({ "type": "wait", "id": "gate", "config": { "event": "go" } });
    let says = json!({ "type": "test", "id": "says", "config": { "outputs": { "text": text } } });
    if more { json!([gate, says, { "type": "noop", "id": "more" }]) } else { json!([gate, says]) }
}

async fn said(served: &Served, execution: &str) -> Value {
    while served.get(&format!("/api/workflow/{execution}/status")).await.json["status"] != "waiting" {
        tokio::task::yield_now().await;
    }
    served.post(&format!("/api/workflow/{execution}/signal"), &json!({ "event": "go" })).await;
    assert_eq!(served.finished(execution).await["status"], "completed");
    let full = served.get(&format!("/api/workflow/{execution}/status?include=outputs")).await.json;
    full["steps"][1]["outputs"]["text"].clone()
}

#[tokio::test]
async fn every_change_is_a_version_and_going_back_is_one_too() {
    let served = Served::start();
    let id = served.create("Says", &steps("one", false)).await;
    let early = served.execute(&id, &json!({})).await;
    let put = async |steps: Value| {
        let body = json!({ "name": "Says", "steps": steps });
        answer(served.request(Method::PUT, &format!("/api/workflow/{id}")).json(&body)).await.status
    };
    assert_eq!(put(steps("two", true)).await, 200);
    assert_eq!(put(steps("two", true)).await, 200, "the same again");
    let versions = served.get(&format!("/api/workflow/{id}/versions")).await.json["versions"].clone();
    let told: Vec<_> =
        versions.as_array().expect("a list").iter().map(|v| (v["rev"].clone(), v["in_use"].clone())).collect();
    assert_eq!(told, [(json!(2), json!(true)), (json!(1), json!(false))], "{versions}");
    assert_eq!(versions[1]["executions"], 1, "{versions}");

    let changes = served.get(&format!("/api/workflow/{id}/diff?from=1")).await.json["changes"].clone();
    let places: Vec<_> =
        changes.as_array().expect("a list").iter().map(|c| c["place"].as_str().expect("a text")).collect();
    assert_eq!(places, ["steps.says.config.outputs.text", "steps.more"], "{changes}");
    assert_eq!((&changes[0]["from"], &changes[0]["to"]), (&json!("one"), &json!("two")));

    let late = served.execute(&id, &json!({})).await;
    let reverted = served.post(&format!("/api/workflow/{id}/revert"), &json!({ "rev": 1 })).await;
    assert_eq!((reverted.status, &reverted.json["versions"][0]["rev"]), (200, &json!(3)), "{}", reverted.json);
    let same = served.get(&format!("/api/workflow/{id}/diff?from=1&to=3")).await.json;
    assert_eq!(same["changes"], json!([]));
    let again = served.execute(&id, &json!({})).await;
    let texts = [said(&served, &early).await, said(&served, &late).await, said(&served, &again).await];
    assert_eq!(texts, [json!("one"), json!("two"), json!("one")], "each runs the version with which it began");
}

#[tokio::test]
async fn what_cannot_be_gone_back_to_is_refused_with_the_reason() {
    let served = Served::start();
    let id = served.create("Says", &steps("one", false)).await;
    let absent = served.post(&format!("/api/workflow/{id}/revert"), &json!({ "rev": 9 })).await;
    assert_eq!(absent.status, 404, "{}", absent.json);
    let nobody = served.get("/api/workflow/nobody/versions").await;
    assert_eq!(nobody.status, 404, "{}", nobody.json);
    // A template's file says what it is.
    served.post("/api/workflow/document_processing/plan", &json!({ "inputs": {} })).await;
    let of_file = served.post("/api/workflow/document_processing/revert", &json!({ "rev": 1 })).await;
    assert_eq!(of_file.status, 409, "{}", of_file.json);
}

#[tokio::test]
async fn a_retry_asks_which_version_is_meant_when_the_workflow_has_changed_since() {
    let served = Served::start();
    let fails = |text: &str| json!([{ "type": "test", "id": "says", "retry": 0, "config": { "fail": text } }]);
    let id = served.create("Fails", &fails("one")).await;
    let execution = served.execute(&id, &json!({})).await;
    let view = served.finished(&execution).await;
    assert_eq!((&view["status"], &view["version_changed"]), (&json!("failed"), &Value::Null), "{view}");
    let body = json!({ "name": "Fails", "steps": fails("two") });
    assert_eq!(answer(served.request(Method::PUT, &format!("/api/workflow/{id}")).json(&body)).await.status, 200);
    let view = served.get(&format!("/api/workflow/{execution}/status")).await.json;
    assert_eq!(view["version_changed"], true, "{view}");

    let said = json!({ "client_id": "1", "text": format!("/workflow retry {execution}") });
    assert_eq!(served.post("/api/chat/general/messages", &said).await.status, 200);
    let text = loop {
        let messages = served.get("/api/chat/general/messages?limit=20").await.json;
        let texts =
            messages["messages"].as_array().into_iter().flatten().filter_map(|message| message["text"].as_str());
        if let Some(text) = texts.into_iter().find(|text| text.contains("has changed")) {
            break text.to_owned();
        }
        tokio::task::yield_now().await;
    };
    for part in ["version 1 ran, 2 is in use", "steps.says.config.fail", "Retry version 1", "Rerun with version 2"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let untouched = served.get(&format!("/api/workflow/{execution}/status")).await.json;
    assert_eq!(untouched["seq"], view["seq"], "it only asked");

    // Whoever says so keeps what ran.
    let retried = served.post(&format!("/api/workflow/{execution}/retry"), &json!({})).await;
    assert_eq!(retried.status, 200, "{}", retried.json);
    let again = served.finished(&execution).await;
    assert!(again["error"]["message"].as_str().is_some_and(|text| text.contains("one")), "{again}");
    let shown = served.home.run(&["status", &execution]).stdout;
    assert!(shown.contains("workflow rerun"), "{shown}");
}
