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
