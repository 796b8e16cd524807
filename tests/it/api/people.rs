//! People over HTTP, and who did what.

use reqwest::Method;
use serde_json::json;

use crate::support::service::{Served, answer};

#[tokio::test]
async fn people_are_taken_in_changed_and_taken_away() {
    let served = Served::start();
    let made = served.post("/api/people", &json!({ "name": "ana", "role": "operator" })).await;
    assert_eq!((made.status, &made.json["role"], &made.json["links"]), (200, &json!("operator"), &json!([])));
    let again = served.post("/api/people", &json!({ "name": "ana", "role": "operator" })).await;
    assert_eq!((again.status, &again.json["code"]), (422, &json!("WF5001")), "{}", again.json);
    let wrong = served.post("/api/people", &json!({ "name": "leo", "role": "boss" })).await;
    assert_eq!((wrong.status, &wrong.json["where"]), (422, &json!("role")), "{}", wrong.json);
    for name in ["slack:T01/U01", "Ana", ""] {
        assert_eq!(served.post("/api/people", &json!({ "name": name, "role": "viewer" })).await.status, 422, "{name}");
    }
    let changed = answer(served.request(Method::PUT, "/api/people/ana").json(&json!({ "role": "editor" }))).await;
    assert_eq!((changed.status, &changed.json["role"]), (200, &json!("editor")));

    let code = served.post("/api/people/ana/code", &json!({})).await;
    let plain = code.json["code"].as_str().expect("a code");
    assert_eq!((code.status, &code.json["say"]), (200, &json!(format!("link {plain}"))));
    let unlinked = served.post("/api/people/ana/unlink", &json!({ "identity": "slack:T01/U01" })).await;
    assert_eq!(unlinked.status, 404, "{}", unlinked.json);
    assert_eq!(served.post("/api/people/ana/unlink", &json!({})).await.status, 200);
    assert_eq!(served.post("/api/people/nobody/code", &json!({})).await.status, 404);

    let listed = served.get("/api/people").await;
    assert_eq!(listed.json["people"][0]["name"], "ana", "{}", listed.json);
    assert_eq!(answer(served.request(Method::DELETE, "/api/people/ana")).await.status, 200);
    assert_eq!(served.get("/api/people").await.json, json!({ "people": [] }));
    assert_eq!(answer(served.request(Method::DELETE, "/api/people/ana")).await.status, 404);

    let lines = served.get("/api/audit?limit=200").await.json;
    let lines = lines["lines"].as_array().expect("lines");
    assert!(lines.iter().all(|line| line["verb"] == "people" && line["door"] == "api"), "{lines:?}");
    assert!(lines.iter().any(|line| line["about"] == "ana" && line["allowed"] == json!(true)), "{lines:?}");
    let newest = lines[0]["id"].as_str().expect("an id");
    let rest = served.get(&format!("/api/audit?before={newest}&limit=200")).await.json;
    assert_eq!(rest["lines"].as_array().map(Vec::len), Some(lines.len() - 1), "all but the newest");
}

#[tokio::test]
async fn what_changes_a_workflow_leaves_a_line_from_every_door() {
    let served = Served::start();
    let id = served.create("Noted", &json!([{ "type": "noop" }])).await;
    let execution = served.execute(&id, &json!({})).await;
    served.finished(&execution).await;
    let lines = served.get("/api/audit").await.json;
    let verbs: Vec<_> = lines["lines"].as_array().expect("lines").iter().map(|line| line["verb"].clone()).collect();
    assert_eq!(verbs, [json!("edit")], "starting stands in the history of the execution: {lines}");
}
