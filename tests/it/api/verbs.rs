//! The verbs over HTTP, as the specification and its examples use them.

use serde_json::json;

use crate::support::service::Served;

#[tokio::test]
async fn an_execution_is_paused_resumed_and_cancelled() {
    let served = Served::start();
    let steps = json!([{ "type": "wait", "config": { "for": "1h" } }, { "type": "noop" }]);
    let id = served.create("Steered", &steps).await;
    let execution = served.execute(&id, &json!({})).await;
    let act = async |act: &str| served.post(&format!("/api/workflow/{execution}/{act}"), &json!({})).await;
    let paused = act("pause").await;
    assert_eq!(paused.status, 200, "{}", paused.json);
    assert!(["pausing", "paused"].iter().any(|status| paused.json["status"] == *status), "{}", paused.json);
    assert_eq!(act("resume").await.status, 200);
    let cancelled = act("cancel").await;
    assert_eq!(cancelled.status, 200);
    assert_eq!(served.finished(&execution).await["status"], "cancelled");
}

#[tokio::test]
async fn a_failed_execution_is_retried_and_a_finished_one_is_run_again_with_another_input() {
    let served = Served::start();
    let steps = json!([{ "type": "assert", "config": { "that": "${{ inputs.go == 'yes' }}" } }]);
    let definition = json!({ "name": "Gate", "inputs": { "go": { "type": "string" } }, "steps": steps }).to_string();
    let made = served.post("/api/workflow/create", &json!({ "definition": definition })).await;
    assert_eq!(made.status, 200, "{}", made.json);
    let id = made.json["workflow_id"].as_str().expect("an id");
    let execution = served.execute(id, &json!({ "go": "no" })).await;
    let view = served.finished(&execution).await;
    assert_eq!((&view["status"], &view["error"]["code"]), (&json!("failed"), &json!("WF2006")));
    let retried = served.post(&format!("/api/workflow/{execution}/retry"), &json!({ "step": 0 })).await;
    assert_eq!(retried.status, 200, "{}", retried.json);
    assert_eq!(served.finished(&execution).await["status"], "failed");
    let again = served.post(&format!("/api/workflow/{execution}/rerun"), &json!({ "inputs": { "go": "yes" } })).await;
    assert_eq!(again.status, 200, "{}", again.json);
    let second = again.json["execution_id"].as_str().expect("an id");
    assert_eq!(served.finished(second).await["status"], "completed");
    let step = served.post(&format!("/api/workflow/{execution}/retry"), &json!({ "step": "nobody" })).await;
    assert_eq!(step.status, 404);
}

#[tokio::test]
async fn status_tells_more_where_more_is_asked() {
    let served = Served::start();
    let id = served.create("Tells", &json!([{ "type": "test", "config": { "outputs": { "answer": 42 } } }])).await;
    let execution = served.execute(&id, &json!({ "note": "x" })).await;
    served.finished(&execution).await;
    let path = format!("/api/workflow/{execution}/status");
    let bare = served.get(&path).await.json;
    assert!(bare.get("inputs").is_none() && bare.get("log").is_none());
    let full = served.get(&format!("{path}?include=outputs,inputs,log")).await.json;
    assert_eq!((&full["steps"][0]["outputs"]["answer"], &full["inputs"]["note"]), (&json!(42), &json!("x")), "{full}");
    assert!(full["log"].as_array().is_some_and(|log| log.len() >= 3), "{full}");
    let wrong = served.get(&format!("{path}?include=everything")).await;
    assert_eq!((wrong.status, &wrong.json["where"]), (422, &json!("include")));
    let early = served.get(&format!("/api/workflow/{execution}/wait?timeout=0")).await;
    assert_eq!(early.status, 200, "it is over already");
}

#[tokio::test]
async fn waiting_for_what_does_not_end_answers_202() {
    let served = Served::start();
    let id = served.create("Long", &json!([{ "type": "wait", "config": { "for": "1h" } }])).await;
    let execution = served.execute(&id, &json!({})).await;
    let waited = served.get(&format!("/api/workflow/{execution}/wait?timeout=0")).await;
    assert_eq!(waited.status, 202, "{}", waited.json);
    let answered = served.post(&format!("/api/workflow/{execution}/answer"), &json!({ "inputs": { "a": 1 } })).await;
    assert_eq!(answered.status, 409, "it asks nothing: {}", answered.json);
}

#[tokio::test]
async fn what_can_be_run_and_made_of_is_listed() {
    let served = Served::start();
    let templates = served.get("/api/workflow/templates").await.json;
    let ids: Vec<_> =
        templates["templates"].as_array().expect("templates").iter().map(|one| one["id"].clone()).collect();
    assert_eq!(ids, ["data_pipeline", "document_processing", "notification_flow"]);
    let types = served.get("/api/step-types").await.json;
    let upload = types["types"].as_array().expect("types").iter().find(|kind| kind["name"] == "upload");
    assert!(upload.is_some_and(|kind| kind["config"]["properties"].is_object()), "{types}");
    let detail = served.get("/api/workflow/document_processing").await.json;
    assert!(detail["definition"].as_str().is_some_and(|text| text.contains("type: ocr")), "{detail}");
    assert_eq!(detail["inputs"][0]["name"], "file_path");
    let health = served.get("/healthz").await.json;
    assert_eq!((&health["status"], &health["checks"]["database"]), (&json!("ok"), &json!("ok")));
    assert_eq!(health["links"], json!([]), "nothing elsewhere is connected");
    assert_eq!(served.get("/api/documents").await.json["documents"], json!([]));
    assert_eq!(served.get("/api/documents/search?q=rechnung").await.json["documents"], json!([]));
}

#[tokio::test]
async fn figures_are_told_to_whoever_watches() {
    let served = Served::start();
    let id = served.create("Held", &json!([{ "type": "wait", "config": { "for": "1h" } }])).await;
    served.execute(&id, &json!({})).await;
    let answer = served.request(reqwest::Method::GET, "/metrics").send().await.expect("an answer");
    assert!(answer.headers()["content-type"].to_str().is_ok_and(|kind| kind.starts_with("text/plain")));
    let text = answer.text().await.expect("a text");
    for line in ["workflow_info{version=", "# TYPE workflow_executions_open gauge", "workflow_disk_free_bytes "] {
        assert!(text.contains(line), "{line} is missing:\n{text}");
    }
    let open = text.lines().filter(|line| line.starts_with("workflow_executions_open{"));
    let open: f64 = open.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum();
    assert!((open - 1.0).abs() < f64::EPSILON, "one is open:\n{text}");
}
