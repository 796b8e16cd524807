//! `Idempotency-Key`: a request that comes twice is done once.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::service::{Answer, Served, answer};

async fn keyed(served: &Served, path: &str, key: &str, body: &Value) -> Answer {
    answer(served.request(Method::POST, path).header("idempotency-key", key).json(body)).await
}

const EXECUTE: &str = "/api/workflow/document_processing/execute";

async fn executions(served: &Served) -> usize {
    served.get("/api/workflow/history").await.json["executions"].as_array().expect("rows").len()
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_and_one_execution() {
    let served = Served::start();
    let body = json!({ "inputs": { "note": "x" } });
    let first = keyed(&served, EXECUTE, "k1", &body).await;
    let second = keyed(&served, EXECUTE, "k1", &body).await;
    assert_eq!((first.status, &first.json), (200, &second.json), "{}", second.json);
    assert!(!first.headers.contains_key("idempotent-replay"));
    assert_eq!(second.headers["idempotent-replay"], "true");
    assert_eq!(executions(&served).await, 1);

    let other = keyed(&served, EXECUTE, "k1", &json!({ "inputs": { "note": "y" } })).await;
    assert_eq!((other.status, &other.json["code"]), (422, &json!("WF5116")));
    let elsewhere =
        keyed(&served, "/api/workflow/create", "k1", &json!({ "name": "x", "template": "document_processing" })).await;
    assert_eq!(elsewhere.status, 422);
    let create = json!({ "name": "x", "template": "document_processing" });
    let made = keyed(&served, "/api/workflow/create", "k2", &create).await;
    assert_eq!(keyed(&served, "/api/workflow/create", "k2", &create).await.json, made.json);
    assert_eq!(keyed(&served, EXECUTE, "", &body).await.status, 422);
}

#[tokio::test]
async fn twenty_at_once_start_one_execution() {
    let served = Served::start();
    let body = json!({ "inputs": {} });
    let answers = join_all((0..20).map(|_| keyed(&served, EXECUTE, "race", &body))).await;
    let started: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert!(!started.is_empty());
    assert!(started.iter().all(|answer| answer.json == started[0].json));
    for busy in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!((busy.status, &busy.json["code"]), (409, &json!("WF5117")));
        assert_eq!(busy.headers["retry-after"], "1");
    }
    assert_eq!(executions(&served).await, 1);
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let served = Served::start();
    let wrong = keyed(&served, "/api/workflow/create", "k", &json!({ "name": "x" })).await;
    assert_eq!(wrong.status, 422);
    let right =
        keyed(&served, "/api/workflow/create", "k", &json!({ "name": "x", "steps": [{ "type": "noop" }] })).await;
    assert_eq!(right.status, 200, "{}", right.json);
}

#[tokio::test]
async fn an_answer_is_kept_over_a_crash() {
    let served = Served::start();
    let body = json!({ "inputs": { "note": "x" } });
    let first = keyed(&served, EXECUTE, "k", &body).await;
    let served = Served::within(served.kill(), &[]);
    let second = keyed(&served, EXECUTE, "k", &body).await;
    assert_eq!((second.status, &second.json), (200, &first.json));
    assert_eq!(executions(&served).await, 1);
}
