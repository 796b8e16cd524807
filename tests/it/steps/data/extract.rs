//! `extract` against real servers: pages, limits, and what is refused.

use std::path::Path;

use serde_json::{Value, json};
use workflow::contract::step::{Attempt, Done};
use workflow::domain::code;
use workflow::domain::fault::{Again, Fault};

use super::{extract, run};
use crate::support::attempt::attempt;
use crate::support::server::{Reply, Server, answer};

const JSON: &str = "content-type: application/json";

fn asking(server: &Server, path: &str, mut config: Value) -> Attempt {
    config["endpoint"] = server.url(path).into();
    attempt(config)
}

async fn taken(server: &Server, path: &str, config: Value) -> Result<Done, Fault> {
    run(&extract(Path::new("/nowhere"), &[server.rule()]), &asking(server, path, config)).await
}

/// The page that a request asks for, from 1.
fn page(request: &str) -> u32 {
    let line = request.lines().next().unwrap_or_default();
    line.split_once("page=").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok()).unwrap_or(1)
}

#[tokio::test]
async fn without_an_address_the_sample_set_stands_in_and_says_so() {
    let step = extract(Path::new("/nowhere"), &[]);
    let sample = json!({ "source": "api", "endpoint": "/api/data", "method": "GET" });
    let done = run(&step, &attempt(sample)).await.expect("rows");
    let of = |key: &str| done.outputs[key].clone();
    assert_eq!((of("fetched"), of("pages"), of("simulated")), (json!(12), json!(1), json!(true)));
    assert!(done.warnings[0].starts_with("simulated: "), "{:?}", done.warnings);
    let asked = run(&step, &attempt(json!({ "source": "test_data" }))).await.expect("rows");
    assert_eq!((asked.outputs["simulated"].clone(), asked.warnings.len()), (json!(false), 0));
    assert_eq!(asked.outputs["records"], done.outputs["records"]);
    let reserved = run(&step, &attempt(json!({ "endpoint": "https://api.example.com/rows" }))).await.expect("rows");
    assert_eq!(reserved.outputs["simulated"], true, "reserved names are never contacted");
}

#[tokio::test]
async fn pages_are_followed_by_the_answer_and_by_the_link_header() {
    let server = Server::start(|request| match page(request) {
        number @ 1..=2 => {
            let next = format!("/rows?page={}", number + 1);
            answer("200 OK", &[JSON], json!({"items": [{"n": number}], "next": next}).to_string())
        }
        number => answer("200 OK", &[JSON], json!({"items": [{"n": number}], "next": null}).to_string()),
    })
    .await;
    let config = json!({ "headers": { "X-Key": "k" }, "query": { "size": 1 } });
    let done = taken(&server, "/rows", config).await.expect("rows");
    assert_eq!(done.outputs["records"], json!([{"n": 1}, {"n": 2}, {"n": 3}]));
    assert_eq!((&done.outputs["pages"], &done.outputs["source"]), (&json!(3), &json!("127.0.0.1")));
    assert!(server.requests()[0].starts_with("GET /rows?size=1 "), "{:?}", server.requests());
    assert!(server.requests().iter().all(|request| request.contains("x-key: k")));

    let linked = Server::start(|request| match page(request) {
        1 => answer("200 OK", &[JSON, "link: </r?page=2>; rel=\"next\""], r#"[{"n": 1}]"#),
        _ => answer("200 OK", &[JSON, "link: </r?page=1>; rel=prev"], r#"[{"n": 2}]"#),
    })
    .await;
    let done = taken(&linked, "/r", json!({})).await.expect("rows");
    assert_eq!(done.outputs["records"], json!([{"n": 1}, {"n": 2}]));
}

#[tokio::test]
async fn pages_that_lead_elsewhere_or_back_are_not_followed() {
    let reply =
        |next: &'static str| move |_: &str| answer("200 OK", &[JSON], format!(r#"{{"data": [], "next": {next}}}"#));
    for (next, why) in [
        (r#""http://127.0.0.2:1/rows""#, "only `127.0.0.1` was asked for"),
        (r#""//evil.example/rows""#, "only `127.0.0.1` was asked for"),
        (r#""/rows""#, "was there before"),
        (r#""eyJpZCI6NX0""#, "not at which address"),
        ("7", "not at which address"),
    ] {
        let server = Server::start(reply(next)).await;
        let refused = taken(&server, "/rows", json!({})).await.expect_err("refused");
        assert_eq!(refused.code, code::WF2405, "{refused}");
        assert!(refused.message.contains(why), "{refused}");
        assert_eq!(server.connections(), 1);
        let first = taken(&server, "/rows", json!({ "max_pages": 1 })).await.expect("one page was all that was asked");
        assert!(first.warnings[0].contains("more pages"), "{:?}", first.warnings);
    }
}

#[tokio::test]
async fn what_a_service_answers_is_judged_as_it_is_by_fetch() {
    let refuse = |status: &'static str| move |_: &str| -> Reply { answer(status, &[], "no k3y-for-you") };
    for (status, wanted, again) in [
        ("401 Unauthorized", code::WF3401, Again::Permanent),
        ("503 Service Unavailable", code::WF3503, Again::Transient { after: None }),
    ] {
        let server = Server::start(refuse(status)).await;
        let config = json!({ "headers": { "Authorization": "k3y-for-you" } });
        let fault = taken(&server, "/", config).await.expect_err("refused");
        assert_eq!((fault.code, fault.again), (wanted, again));
        assert!(!format!("{fault:?}").contains("k3y-for-you"), "{fault:?}");
    }
    let server =
        Server::start(|_| answer("200 OK", &[JSON], r#"{"status": "ok", "result": {"rows": [{"a": 1}]}}"#)).await;
    let fault = taken(&server, "/", json!({})).await.expect_err("where are the rows?");
    assert_eq!(fault.message, "page 1 of `127.0.0.1`: there is no list of rows; there are `status`, `result`");
    let done = taken(&server, "/", json!({ "records_path": "result.rows" })).await.expect("there");
    assert_eq!(done.outputs["records"], json!([{"a": 1}]));
    let fault = taken(&server, "/", json!({ "max_size": 10 })).await.expect_err("too large");
    assert_eq!(fault.code, code::WF2404);
}

#[tokio::test]
async fn csv_comes_over_the_web_too() {
    let server = Server::start(|_| answer("200 OK", &["content-type: text/csv"], "id;n\n007;x\n")).await;
    let done = taken(&server, "/", json!({ "format": "csv", "delimiter": ";" })).await.expect("rows");
    assert_eq!(done.outputs["records"], json!([{"id": "007", "n": "x"}]));
}

#[tokio::test]
async fn the_private_network_is_out_of_reach() {
    let server = Server::start(|_| answer("200 OK", &[JSON], "[]")).await;
    let step = extract(Path::new("/nowhere"), &[]);
    let fault = run(&step, &asking(&server, "/", json!({}))).await.expect_err("guarded");
    assert_eq!((fault.code, server.connections()), (code::WF3102, 0));
}

#[tokio::test]
async fn an_input_cannot_send_the_authors_headers_somewhere_else() {
    let server = Server::start(|_| answer("200 OK", &[JSON], "[]")).await;
    let step = extract(Path::new("/nowhere"), &[server.rule()]);
    let mut asked = asking(&server, "/", json!({ "headers": { "Authorization": "s3cr3t" } }));
    asked.inputs = std::sync::Arc::new(json!({ "endpoint": server.url("/") }));
    let fault = run(&step, &asked).await.expect_err("refused");
    assert_eq!((fault.code, server.connections()), (code::WF2001, 0));
}

#[tokio::test]
async fn what_is_not_there_is_refused_by_name() {
    let step = extract(Path::new("/nowhere"), &[]);
    for (config, part) in [
        (json!({ "source": "database" }), "database"),
        (json!({ "source": "api" }), "`endpoint`"),
        (json!({ "endpoint": "/api/data", "method": "POST" }), "POST"),
        (json!({ "source": "file", "delimiter": "é" }), "cannot separate"),
        (json!({ "source": "file", "max_size": "1 GB" }), "at most"),
        (json!({ "pages": 3 }), "pages"),
    ] {
        let fault = run(&step, &attempt(config.clone())).await.expect_err("refused");
        assert_eq!(fault.code, code::WF2001, "{config}");
        assert!(fault.message.contains(part), "{fault}");
    }
}

#[tokio::test]
async fn hostile_answers_end_in_a_fault() {
    for body in [
        "{oops".to_owned(),
        "NaN".to_owned(),
        "[".repeat(200_000),
        format!("[{}1]", "[],".repeat(3)),
        "[{\"a\":".to_owned(),
    ] {
        let server = Server::start(move |_| answer("200 OK", &[JSON], &body)).await;
        let fault = taken(&server, "/", json!({})).await.expect_err("no rows");
        assert!([code::WF2402, code::WF2403].contains(&fault.code), "{fault}");
    }
}
