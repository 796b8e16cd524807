//! Everything that a client may send and should not, row by row: each is answered, in one shape, with what to do.

use std::io::Write as _;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::service::{Served, answer};

const CREATE: &str = "/api/workflow/create";
const EXECUTE: &str = "/api/workflow/document_processing/execute";

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_packed_or_not() {
    let served = Served::start();
    let large = format!("{{\"inputs\": {{\"text\": \"{}\"}}}}", "x".repeat(2 << 20));
    let plain = served.post_text(EXECUTE, large.clone()).await;
    assert_eq!((plain.status, &plain.json["code"]), (413, &json!("WF5104")));
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(large.as_bytes()).expect("packed");
    let packed = packer.finish().expect("packed");
    assert!(packed.len() < 1 << 16, "small on the line");
    let request = served.request(Method::POST, EXECUTE).header("content-type", "application/json");
    let bomb = answer(request.header("content-encoding", "gzip").body(packed)).await;
    assert_eq!(bomb.status, 413, "{}", bomb.json);
    // Without a length, piece by piece.
    let pieces = futures::stream::iter((0..64).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1 << 16])));
    let chunked = served.post_text(EXECUTE, reqwest::Body::wrap_stream(pieces)).await;
    assert_eq!(chunked.status, 413);
}

#[tokio::test]
async fn a_packed_body_is_unpacked() {
    let served = Served::start();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(br#"{"definition": "name: A\nsteps: [{type: noop}]"}"#).expect("packed");
    let request = served.request(Method::POST, "/api/workflow/validate").header("content-type", "application/json");
    let checked = answer(request.header("content-encoding", "gzip").body(packer.finish().expect("packed"))).await;
    assert_eq!((checked.status, &checked.json["valid"]), (200, &json!(true)), "{}", checked.json);
    let request = served.request(Method::POST, CREATE).header("content-encoding", "br").body("x");
    assert_eq!(answer(request).await.status, 415);
}

#[tokio::test]
async fn json_that_is_none_is_told_with_its_place() {
    let served = Served::start();
    for (body, place) in [
        ("{\n  \"name\": ,\n}", "line 2, column 11"),
        ("{\"name\": \"x\"", "line 1, column 12"),
        ("{\"name\": NaN}", "line 1, column 10"),
        ("{} x", "line 1, column 4"),
    ] {
        let refused = served.post_text(CREATE, body).await;
        assert_eq!((refused.status, &refused.json["code"]), (400, &json!("WF5101")), "{body}: {}", refused.json);
        assert_eq!(refused.json["where"], place, "{body}");
    }
    assert_eq!(served.post_text(CREATE, vec![b'"', 0xff, b'"']).await.status, 400);
}

#[tokio::test]
async fn only_json_in_utf_8_is_read() {
    let served = Served::start();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "multipart/form-data; boundary=x",
    ] {
        let request = served.request(Method::POST, CREATE).header("content-type", kind).body("{\"name\":\"x\"}");
        let refused = answer(request).await;
        assert_eq!((refused.status, &refused.json["code"]), (415, &json!("WF5102")), "{kind}");
    }
    let none = answer(served.request(Method::POST, CREATE).body("{\"name\":\"x\"}")).await;
    assert_eq!(none.status, 415);
}

#[tokio::test]
async fn what_would_be_changed_in_silence_is_refused() {
    let served = Served::start();
    let deep = format!("{{\"inputs\": {}1{}}}", "[".repeat(80), "]".repeat(80));
    for (body, says) in [
        (deep.as_str(), "nests deeper"),
        (r#"{"inputs": {"a": 1, "a": 2}}"#, "`a` is written twice"),
        (r#"{"inputs": {"a": "\ud800"}}"#, "hex escape"),
        (r#"{"inputs": {"a": 1e999}}"#, "out of range"),
        (r#"{"inputs": {"a": 123456789012345678901234567890}}"#, "would not be kept exactly"),
        (r#"{"inputs": {"a": 0.12345678901234567890123}}"#, "would not be kept exactly"),
        (r#"{"inptus": {}}"#, "unknown field `inptus`"),
        (r#"{"inputs": []}"#, "invalid type"),
        (r#"[{}]"#, "must be an object"),
    ] {
        let refused = served.post_text(EXECUTE, body.to_owned()).await;
        assert_eq!(refused.status, 422, "{body}: {}", refused.json);
        assert!(refused.json["message"].as_str().expect("text").contains(says), "{}", refused.json);
    }
}

#[tokio::test]
async fn large_whole_numbers_are_kept_exactly() {
    let served = Served::start();
    let id = served.create("Numbers", &json!([{ "type": "noop" }])).await;
    let body = r#"{"inputs": {"a": 9007199254740993, "b": 18446744073709551615, "c": 0.1, "d": -9223372036854775808}}"#;
    let started = served.post_text(&format!("/api/workflow/{id}/execute"), body).await;
    assert_eq!(started.status, 200, "{}", started.json);
    let execution = started.json["execution_id"].as_str().expect("an id");
    let shown = served.request(Method::GET, &format!("/api/workflow/{execution}/status?include=inputs"));
    let text = shown.send().await.expect("an answer").text().await.expect("text");
    for number in ["9007199254740993", "18446744073709551615", "0.1", "-9223372036854775808"] {
        assert!(text.contains(number), "{number} in {text}");
    }
}

#[tokio::test]
async fn ids_that_are_none_are_answered_404_alike() {
    let served = Served::start();
    let id = served.create("One", &json!([{ "type": "noop" }])).await;
    let long = "x".repeat(10_000);
    for name in [
        "exec_00000000000000000000000000",
        "wf_00000000000000000000000000",
        "file_00000000000000000000000000",
        "..%2f..%2fetc%2fpasswd",
        "exec_%27%20OR%201=1",
        "exec_%00",
        "%ff%fe",
        "ex%C3%A9c",
        &long,
    ] {
        let status = served.get(&format!("/api/workflow/{name}/status")).await;
        assert_eq!(status.status, 404, "{name}: {}", status.json);
        // An address that cannot be read at all names nothing.
        let code = if name.starts_with("%ff") { "WF5114" } else { "WF5111" };
        assert_eq!(status.json["code"], code, "{name}: {}", status.json);
        let cancel = served.post(&format!("/api/workflow/{name}/cancel"), &json!({})).await;
        assert_eq!(cancel.status, 404, "{name}");
        let execute = served.post(&format!("/api/workflow/{name}/execute"), &json!({})).await;
        assert_eq!(execute.status, 404, "{name}: {}", execute.json);
        assert_eq!(served.get(&format!("/api/files/{name}")).await.status, 404, "{name}");
    }
    assert_eq!(served.get(&format!("/api/files/{id}")).await.status, 404, "an id of another kind");
    assert_eq!(served.post(&format!("/api/workflow/{id}/cancel"), &json!({})).await.status, 404, "it never ran");
}

#[tokio::test]
async fn a_misspelt_name_is_answered_with_the_nearest() {
    let served = Served::start();
    let refused = served.post("/api/workflow/documnet_processing/execute", &json!({})).await;
    assert_eq!((refused.status, &refused.json["near"]), (404, &json!("document_processing")), "{}", refused.json);
}

#[tokio::test]
async fn files_of_the_machine_cannot_be_named_over_http() {
    let served = Served::start();
    let inside = served.home.write("secret.txt", "secret");
    for path in [
        "/etc/passwd",
        "../secret.txt",
        "/proc/self/environ",
        "\\\\server\\share",
        "a\u{0}b",
        inside.to_str().expect("text"),
    ] {
        let started = served.post(EXECUTE, &json!({ "inputs": { "file_path": path } })).await;
        if started.status == 200 {
            let view = served.finished(started.json["execution_id"].as_str().expect("an id")).await;
            assert_eq!(view["status"], "failed", "{path}");
            assert!(
                ["WF2102", "WF2105", "WF2113"].iter().any(|code| view["error"]["code"] == *code),
                "{path}: {}",
                view["error"]
            );
        } else {
            assert_eq!(started.status, 422, "{path}: {}", started.json);
        }
    }
    // Nor workflow files.
    let file = served.home.write("mine.yaml", "name: Mine\nsteps: [{type: noop}]");
    let asked = file.to_str().expect("text").replace('/', "%2f");
    assert_eq!(served.post(&format!("/api/workflow/{asked}/execute"), &json!({})).await.status, 404);
}

#[tokio::test]
async fn pages_of_lists_have_bounds() {
    let served = Served::start();
    let id = served.create("Listed", &json!([{ "type": "noop" }])).await;
    for _ in 0..3 {
        served.finished(&served.execute(&id, &json!({})).await).await;
    }
    let count = |answer: &Value| answer["executions"].as_array().expect("rows").len();
    for (limit, rows) in [("-1", 1), ("0", 1), ("2", 2), ("1000000000", 3)] {
        let page = served.get(&format!("/api/workflow/history?limit={limit}")).await;
        assert_eq!((page.status, count(&page.json)), (200, rows), "{limit}");
    }
    let first = served.get("/api/workflow/history?limit=2").await.json;
    let next = first["next"].as_str().expect("there is more");
    let second = served.get(&format!("/api/workflow/history?limit=2&before={next}")).await.json;
    assert_eq!((count(&second), &second["next"]), (1, &Value::Null));
    for wrong in ["limit=ten", "status=done", "sort=id;drop", "before=wf_1"] {
        let refused = served.get(&format!("/api/workflow/history?{wrong}")).await;
        assert!([404, 422].contains(&refused.status), "{wrong}: {}", refused.json);
    }
}

#[tokio::test]
async fn what_the_state_does_not_allow_is_told_with_the_state() {
    let served = Served::start();
    let id = served.create("Over", &json!([{ "type": "noop" }])).await;
    let execution = served.execute(&id, &json!({})).await;
    served.finished(&execution).await;
    for act in ["pause", "resume", "cancel"] {
        let refused = served.post(&format!("/api/workflow/{execution}/{act}"), &json!({})).await;
        assert_eq!((refused.status, &refused.json["code"]), (409, &json!("WF5113")), "{act}: {}", refused.json);
        assert_eq!(refused.json["current"], "completed");
        assert!(refused.json["possible"].as_str().is_some_and(|text| !text.is_empty()));
    }
}

#[tokio::test]
async fn a_definition_with_errors_is_answered_with_all_of_them_and_their_places() {
    let served = Served::start();
    let definition = "name: Broken\nsteps:\n  - type: noop\n    nmae: x\n  - type: noop\n    needs: [nobody]\n";
    let refused = served.post(CREATE, &json!({ "definition": definition })).await;
    assert_eq!(refused.status, 422);
    let errors = refused.json["errors"].as_array().expect("errors");
    let codes: Vec<_> = errors.iter().map(|error| error["code"].as_str().expect("text")).collect();
    assert_eq!(codes, ["WF1012", "WF1023"], "{}", refused.json);
    assert_eq!(errors[0]["where"], "line 4, column 5");
    let checked = served.post("/api/workflow/validate", &json!({ "definition": definition })).await;
    assert_eq!((checked.status, &checked.json["valid"]), (200, &json!(false)));
    assert_eq!(checked.json["problems"][0]["line"], 4);
}

#[tokio::test]
async fn a_method_that_an_address_does_not_take_is_refused() {
    let served = Served::start();
    let refused = answer(served.request(Method::DELETE, "/api/workflow/list")).await;
    assert!([404, 405].contains(&refused.status), "{}", refused.json);
    let refused = answer(served.request(Method::PUT, "/api/files").json(&json!({}))).await;
    assert_eq!((refused.status, &refused.json["code"]), (405, &json!("WF5115")));
    assert!(refused.headers.contains_key("allow"));
}
