//! Who comes in, and how the service starts and stops.

use reqwest::Method;
use serde_json::json;

use crate::support::binary::Home;
use crate::support::service::{Served, answer};

const TOKEN: &str = "0123456789abcdef-secret";

fn with_token() -> Served {
    Served::with(&[&format!("api_token={TOKEN}")])
}

#[tokio::test]
async fn with_a_token_nobody_else_comes_in_and_all_are_told_the_same() {
    let served = with_token();
    let list = || served.request(Method::GET, "/api/workflow/list");
    let none = answer(list()).await;
    assert_eq!((none.status, &none.json["code"]), (401, &json!("WF5120")));
    assert!(none.headers.contains_key("www-authenticate"));
    let wrong = answer(list().bearer_auth("0123456789abcdef-secreT")).await;
    assert_eq!((wrong.status, &wrong.json["message"]), (401, &none.json["message"]));
    assert_eq!(answer(list().bearer_auth(TOKEN)).await.status, 200);
    let absent = served.get("/api/workflow/wf_00000000000000000000000000/status").await;
    assert_eq!(absent.status, 401, "nothing is told before");
    assert_eq!(served.get("/healthz").await.status, 200);
    let session = served.get("/api/session").await.json;
    assert_eq!((&session["authentication"], &session["signed_in"]), (&json!("token"), &json!(false)));
}

#[tokio::test]
async fn the_page_signs_in_with_a_cookie_that_scripts_cannot_read() {
    let served = with_token();
    let wrong = served.post("/api/session", &json!({ "token": "guess" })).await;
    assert_eq!(wrong.status, 401);
    let right = served.post("/api/session", &json!({ "token": TOKEN })).await;
    assert_eq!((right.status, &right.json["signed_in"]), (200, &json!(true)), "{}", right.json);
    let cookie = right.headers["set-cookie"].to_str().expect("text");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains(TOKEN), "{cookie}");
    let pair = cookie.split(';').next().expect("a pair");
    let list = served.request(Method::GET, "/api/workflow/list").header("cookie", pair);
    assert_eq!(answer(list).await.status, 200);
    let out = served.request(Method::DELETE, "/api/session").send().await.expect("an answer");
    assert!(out.headers()["set-cookie"].to_str().expect("text").contains("Max-Age=0"));
}

#[tokio::test]
async fn foreign_pages_and_foreign_names_are_kept_out() {
    let served = Served::start();
    let create = || served.request(Method::POST, "/api/workflow/document_processing/execute").json(&json!({}));
    for (header, value, status, code) in [
        ("origin", "https://evil.example", 403, "WF5121"),
        ("origin", "null", 403, "WF5121"),
        ("sec-fetch-site", "cross-site", 403, "WF5121"),
        ("host", "evil.example", 421, "WF5122"),
    ] {
        let refused = answer(create().header(header, value)).await;
        assert_eq!((refused.status, &refused.json["code"]), (status, &json!(code)), "{header}: {value}");
    }
    assert_eq!(answer(create().header("origin", &served.url)).await.status, 200);
    let port = served.url.rsplit(':').next().expect("a port");
    assert_eq!(answer(create().header("host", format!("localhost:{port}"))).await.status, 200);
    let named = Served::with(&["allowed_hosts=flows.example.org"]);
    let request = named.request(Method::GET, "/api/workflow/list").header("host", "flows.example.org");
    assert_eq!(answer(request.header("origin", "https://flows.example.org")).await.status, 200);
}

#[tokio::test]
async fn every_answer_has_a_number_and_keeps_that_of_the_caller() {
    let served = Served::start();
    let own = answer(served.request(Method::GET, "/api/nothing").header("x-request-id", "mine-7")).await;
    assert_eq!(
        (&own.json["request_id"], &own.headers["x-request-id"]),
        (&json!("mine-7"), &"mine-7".parse().expect("a value"))
    );
    let made = answer(served.request(Method::GET, "/api/nothing").header("x-request-id", "no good")).await;
    assert!(made.json["request_id"].as_str().is_some_and(|id| id.starts_with("req_")), "{}", made.json);
}

#[test]
fn an_address_that_others_reach_is_not_listened_on_without_a_token() {
    let home = Home::new();
    let ended = home.run(&["serve", "--set", "listen=0.0.0.0:0"]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("WF6006") && ended.stderr.contains("WORKFLOW_API_TOKEN"), "{}", ended.stderr);
    assert!(!home.path().join("workflows/workflow.db").exists(), "nothing was begun");
}

#[tokio::test]
async fn an_address_that_is_taken_is_told_and_a_stop_takes_the_note_away() {
    let mut served = Served::start();
    let address = served.url.strip_prefix("http://").expect("an address").to_owned();
    let note = served.home.path().join("workflows/http.addr");
    assert_eq!(std::fs::read_to_string(&note).expect("a note").trim(), address);
    let other = Home::new();
    let ended = other.run(&["serve", "--set", &format!("listen={address}")]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("WF6007") && ended.stderr.contains(&address), "{}", ended.stderr);
    assert_eq!(served.stop(), 0);
    assert!(!note.exists());
}

#[tokio::test]
async fn a_stop_lets_a_request_that_waits_have_its_answer() {
    let mut served = Served::start();
    let id = served.create("Waits", &json!([{ "type": "wait", "config": { "for": "1h" } }])).await;
    let execution = served.execute(&id, &json!({})).await;
    let mut events = super::live::Events::of(&served, &execution, 0).await;
    events.until(|event| event["status"] == "waiting").await;
    let request = served.request(Method::GET, &format!("/api/workflow/{execution}/wait?timeout=60"));
    let waiting = tokio::spawn(async move { request.send().await.expect("an answer").status().as_u16() });
    // Whoever listens to the execution is told goodbye; by then the other request is certainly under way or refused.
    served.get("/healthz").await;
    served.ask_to_stop();
    let status = waiting.await.expect("it does not panic");
    assert_eq!(status, 202, "it stands where it stood");
    assert_eq!(served.ended(), 0);
}
