//! `fetch` against real servers: what comes back, what fails and how, and what never leaves.

use serde_json::{Value, json};
use workflow::contract::step::{Attempt, Done, StepHandler};
use workflow::domain::code;
use workflow::domain::code::Code;
use workflow::domain::fault::{Again, Fault};
use workflow::domain::time::Span;
use workflow::steps::script::{Fetch, FetchSettings};

use crate::support::attempt::{attempt, done};
use crate::support::names::client;
use crate::support::server::{Reply, Server, answer};

const JSON: &str = "content-type: application/json";

fn fetch(server: &Server) -> Fetch {
    Fetch::new(client(&[server.rule()]), FetchSettings::default())
}

/// What `fetch` gives for a server that replies so; `config` may hold all but the address.
async fn given(config: Value, reply: impl Fn() -> Reply + Send + Sync + 'static) -> Result<Done, Fault> {
    let server = Server::start(move |_| reply()).await;
    let outcome = fetch(&server).run(&asking(&server, "/", config)).await;
    outcome.map(|outcome| done(Ok(outcome)))
}

fn asking(server: &Server, path: &str, mut config: Value) -> Attempt {
    config["url"] = server.url(path).into();
    attempt(config)
}

#[tokio::test]
async fn an_answer_arrives_whole_and_its_rows_apart() {
    let reply =
        || answer("200 OK", &[JSON, "x-request-id: 7", "set-cookie: sid=s3cr3t"], r#"{"items":[{"id":1}],"total":1}"#);
    let outputs = given(json!({}), reply).await.expect("an answer").outputs;
    assert_eq!(outputs["records"], json!([{"id": 1}]));
    let response = &outputs["response"];
    assert_eq!(
        (&response["status"], &response["json"]["total"], &response["size"]),
        (&json!(200), &json!(1), &json!(30))
    );
    assert_eq!(response["headers"]["x-request-id"], "7");
    assert!(!json!(outputs).to_string().contains("s3cr3t"), "cookies are nobody's business");
    assert!(response["duration"].as_f64().is_some_and(|secs| secs > 0.0) && outputs["simulated"] == false);
}

#[tokio::test]
async fn text_stays_text_and_what_is_neither_is_said() {
    let text = given(json!({}), || answer("200 OK", &["content-type: text/plain"], "[1]")).await.expect("an answer");
    assert_eq!((&text.outputs["response"]["body"], text.outputs.get("records")), (&json!("[1]"), None));
    let bare = given(json!({}), || answer("200 OK", &[], "[1]")).await.expect("an answer");
    assert_eq!(bare.outputs["records"], json!([1]), "no declared type, and plainly a list");
    let broken = given(json!({}), || answer("200 OK", &[JSON], "{oops")).await.expect("an answer");
    assert!(broken.outputs["response"]["body"] == "{oops" && broken.warnings[0].contains("is not"), "{broken:?}");
    let picture = given(json!({}), || answer("200 OK", &["content-type: image/png"], b"\x89PNG\0")).await;
    let picture = picture.expect("an answer");
    assert!(picture.outputs["response"]["body"].is_null() && picture.warnings[0].contains("5 bytes"), "{picture:?}");
}

#[tokio::test]
async fn the_request_is_what_the_config_says() {
    let server = Server::start(|_| answer("201 Created", &[], "")).await;
    let config = json!({
        "method": "POST", "json": {"name": "Zoë"}, "timeout": "5s",
        "headers": {"X-Number": 7, "Authorization": "Bearer s3cr3t"}, "query": {"page": 2, "tag": ["a b", "c&d"]},
    });
    done(fetch(&server).run(&asking(&server, "/items?x=1#top", config)).await);
    let request = &server.requests()[0];
    assert!(request.starts_with("POST /items?x=1&page=2&tag=a+b&tag=c%26d HTTP/1.1\r\n"), "{request}");
    for line in [
        "x-number: 7",
        "authorization: Bearer s3cr3t",
        "content-type: application/json",
        "idempotency-key: key-of-step",
    ] {
        assert!(request.contains(&format!("\r\n{line}\r\n")), "{line}: {request}");
    }
    assert!(request.ends_with(r#"{"name":"Zoë"}"#) && request.contains("user-agent: workflow/"), "{request}");
}

#[tokio::test]
async fn only_what_may_change_something_carries_a_key_and_every_attempt_the_same() {
    let server = Server::start(|_| answer("200 OK", &[], "")).await;
    for method in ["GET", "head", "OPTIONS", "POST", "PUT", "patch", "DELETE"] {
        for number in [1, 2] {
            let mut attempt = asking(&server, "/", json!({"method": method}));
            attempt.number = number;
            done(fetch(&server).run(&attempt).await);
        }
    }
    let keyed: Vec<_> =
        server.requests().iter().map(|request| request.contains("idempotency-key: key-of-step")).collect();
    assert_eq!(keyed, [vec![false; 6], vec![true; 8]].concat());
    let own = asking(&server, "/", json!({"method": "POST", "headers": {"Idempotency-Key": "mine"}}));
    done(fetch(&server).run(&own).await);
    assert!(server.requests().last().is_some_and(|request| request.contains("idempotency-key: mine")));
}

#[tokio::test]
async fn a_status_decides_whether_to_try_again() {
    const NOT_AGAIN: bool = false;
    const AGAIN: bool = true;
    for (status, expected, again) in [
        ("400 Bad Request", code::WF3401, NOT_AGAIN),
        ("401 Unauthorized", code::WF3401, NOT_AGAIN),
        ("404 Not Found", code::WF3401, NOT_AGAIN),
        ("408 Request Timeout", code::WF3429, AGAIN),
        ("425 Too Early", code::WF3429, AGAIN),
        ("429 Too Many Requests", code::WF3429, AGAIN),
        ("500 Internal Server Error", code::WF3503, AGAIN),
        ("503 Service Unavailable", code::WF3503, AGAIN),
        ("304 Not Modified", code::WF3402, NOT_AGAIN),
        ("302 Found", code::WF3402, NOT_AGAIN),
        ("999 Whatever", code::WF3402, NOT_AGAIN),
    ] {
        let fault = given(json!({}), move || answer(status, &[], "")).await.expect_err(status);
        assert_eq!((fault.code, fault.again != Again::Permanent), (expected, again), "{status}: {fault}");
        assert!(fault.message.contains(&status[..3]) && fault.message.contains("127.0.0.1"), "{fault}");
    }
}

#[tokio::test]
async fn expected_statuses_are_the_only_success() {
    let reply = |status: &'static str| move || answer(status, &[], "");
    assert!(given(json!({"expect_status": 404}), reply("404 Not Found")).await.is_ok());
    assert!(given(json!({"expect_status": [200, 404]}), reply("404 Not Found")).await.is_ok());
    let code = |result: Result<Done, Fault>| -> Code { result.expect_err("not expected").code };
    assert_eq!(code(given(json!({"expect_status": [201]}), reply("200 OK")).await), code::WF3402);
    assert_eq!(code(given(json!({"expect_status": [201]}), reply("503 Service Unavailable")).await), code::WF3503);
}

#[tokio::test]
async fn the_other_side_may_say_how_long_to_wait() {
    let after = |status: &'static str, header: &'static str| async move {
        given(json!({}), move || answer(status, &[header], "")).await.expect_err(status).again
    };
    let seconds = |secs| Again::Transient { after: Some(Span::from_secs(secs)) };
    assert_eq!(after("429 Too Many Requests", "retry-after: 7").await, seconds(7));
    assert_eq!(after("503 Service Unavailable", "retry-after: Fri, 05 Dec 2025 10:05:30 GMT").await, seconds(30));
    assert_eq!(after("429 Too Many Requests", "retry-after: whenever").await, Again::Transient { after: None });
    assert_eq!(after("404 Not Found", "retry-after: 7").await, Again::Permanent, "waiting would not help");
}

#[tokio::test]
async fn no_fault_repeats_a_secret() {
    let echo = Server::start(|request| answer("400 Bad Request", &[], request)).await;
    let config = json!({"headers": {"Authorization": "Bearer s3cr3t-token"}, "query": {"key": "s3cr3t-query", "other": "s3cr3t/escaped"}});
    let fault =
        fetch(&echo).run(&asking(&echo, "/s3cr3t-path?inline=s3cr3t-inline", config)).await.expect_err("a refusal");
    let public = format!("{fault} {}", fault.remedy());
    assert!(!public.contains("s3cr3t"), "{public}");
    let context = fault.context.expect("what the server said");
    assert!(context.contains("HTTP/1.1") && context.contains("/s3cr3t-path?inline=***&key=***&other=***"), "{context}");
    assert!(!context.contains("s3cr3t-token"), "{context}");
    for config in [
        json!({"url": "http://user:s3cr3t@127.0.0.1/"}),
        json!({"url": "http://[?s3cr3t"}),
        json!({"url": "http://a.internal/?key=s3cr3t"}),
        json!({"url": "http://a.internal/", "headers": {"X-Key": "s3cr3t\r\nX-Other: 1"}}),
    ] {
        let fault = fetch(&echo).run(&attempt(config.clone())).await.expect_err("a refusal");
        assert!(!format!("{fault:?}").contains("s3cr3t"), "{config}: {fault:?}");
    }
}

#[tokio::test]
async fn a_config_that_cannot_be_sent_is_refused_where_it_stands() {
    let server = Server::start(|_| answer("200 OK", &[], "")).await;
    for (config, key, words) in [
        (json!({"headers": {"Host": "a.internal"}}), "headers", "belongs to the connection"),
        (json!({"headers": {"Transfer-Encoding": "chunked"}}), "headers", "belongs to the connection"),
        (json!({"headers": {"X A": "1"}}), "headers", "no header can hold"),
        (json!({"headers": {"X-A": "1\r\nX-B: 2"}}), "headers", "no header can hold"),
        (json!({"headers": {"X-A": null}}), "headers", "expected a text"),
        (json!({"body": "a", "json": 1}), "body", "only one"),
        (json!({"max_size": "1GB"}), "max_size", "at most"),
        (json!({"method": "BREW"}), "method", "unknown variant"),
        (json!({"methd": "GET"}), "methd", "unknown field"),
    ] {
        let fault = fetch(&server).run(&asking(&server, "/", config.clone())).await.expect_err("not to be sent");
        assert_eq!(fault.code, code::WF2001, "{config}: {fault}");
        assert!(fault.to_string().contains(key) && fault.message.contains(words), "{config}: {fault}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn size_and_time_are_bounded_as_the_config_says() {
    let big = || answer("200 OK", &[], vec![b'x'; 2_048]);
    assert_eq!(given(json!({"max_size": "1KB"}), big).await.expect_err("too large").code, code::WF3204);
    assert!(given(json!({"max_size": "2KB"}), big).await.is_ok());
    let silent = || Reply::Hang(Vec::new());
    assert_eq!(given(json!({"timeout": "150ms"}), silent).await.expect_err("too slow").code, code::WF3203);
}

#[tokio::test]
async fn the_timeout_of_the_step_stands_over_that_of_the_config() {
    let server = Server::start(|_| Reply::Hang(Vec::new())).await;
    let mut attempt = asking(&server, "/", json!({"timeout": "1h"}));
    attempt.timeout = Span::from_millis(150);
    assert_eq!(fetch(&server).run(&attempt).await.expect_err("too slow").code, code::WF3203);
}

#[tokio::test]
async fn a_request_that_is_no_longer_wanted_is_dropped() {
    let server = Server::start(|_| Reply::Hang(Vec::new())).await;
    let attempt = asking(&server, "/", json!({}));
    let fetch = fetch(&server);
    let (result, ()) = tokio::join!(fetch.run(&attempt), async {
        while server.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        attempt.cancel.cancel();
    });
    assert_eq!(result.expect_err("cancelled").code, code::WF4007);
}

#[tokio::test]
async fn inner_addresses_are_refused_at_the_key_that_names_them() {
    let forbidden = Server::forbidden("127.0.0.1:0").await.expect("a free port");
    let fetch = Fetch::new(client(&[]), FetchSettings::default());
    let fault = fetch.run(&attempt(json!({"url": forbidden.url("/")}))).await.expect_err("an inner address");
    assert_eq!((fault.code, fault.place.as_deref()), (code::WF3102, Some("step.config.url")));
    assert_eq!(forbidden.connections(), 0);
}

#[tokio::test]
async fn example_names_are_never_contacted_and_the_step_says_so() {
    let names = crate::support::names::Names::new(&[]);
    let egress = crate::support::names::egress(&names, &[]);
    let fetch = Fetch::new(workflow::connect::http::Client::new(egress.clone()), FetchSettings::default());
    for url in
        ["https://api.example.com/data", "http://example.org", "https://erp.test/x?key=s3cr3t", "https://a.invalid/"]
    {
        let result = done(fetch.run(&attempt(json!({"url": url, "method": "POST"}))).await);
        assert_eq!(result.outputs["simulated"], true, "{url}");
        assert_eq!(result.outputs["records"].as_array().map(Vec::len), Some(12), "{url}");
        assert!(result.warnings[0].starts_with("simulated") && !format!("{result:?}").contains("s3cr3t"), "{result:?}");
    }
    assert_eq!(names.lookups(), 0);
    let strict = FetchSettings { require_delivery: true, ..FetchSettings::default() };
    let strict = Fetch::new(workflow::connect::http::Client::new(egress), strict);
    let fault =
        strict.run(&attempt(json!({"url": "https://api.example.com/data"}))).await.expect_err("nothing pretended");
    assert_eq!(fault.code, code::WF3105);
}

#[tokio::test]
async fn an_address_that_begins_with_a_slash_belongs_to_its_base() {
    let server = Server::start(|_| answer("200 OK", &[JSON], "[]")).await;
    let with_base = asking(&server, "/", json!({}));
    let base = with_base.config["url"].clone();
    done(fetch(&server).run(&attempt(json!({"url": "/api/data", "base_url": base}))).await);
    let settings =
        FetchSettings { base_url: base.as_str().and_then(|base| base.parse().ok()), ..FetchSettings::default() };
    done(Fetch::new(client(&[server.rule()]), settings).run(&attempt(json!({"url": "/api/data"}))).await);
    assert!(
        server.requests().len() == 2 && server.requests().iter().all(|request| request.starts_with("GET /api/data "))
    );

    let sample = done(fetch(&server).run(&attempt(json!({"url": "/api/data"}))).await);
    assert!(sample.outputs["simulated"] == true && sample.warnings[0].contains("base_url"), "{sample:?}");
    let fault = fetch(&server).run(&attempt(json!({"url": "/other"}))).await.expect_err("no base");
    assert_eq!(fault.code, code::WF3101);
    let elsewhere = attempt(json!({"url": "/\\127.0.0.2/", "base_url": base}));
    assert_eq!(fetch(&server).run(&elsewhere).await.expect_err("another host").code, code::WF3101);
    assert_eq!(server.requests().len(), 2);
}
