//! Sizes and times: whatever the other side does, a request ends and stays small.

use std::time::Duration;

use workflow::connect::http::{Answer, HttpError, Limits, Method, Request, Url};
use workflow::domain::code;
use workflow::domain::code::Code;
use workflow::domain::fault::{Again, Fault};
use workflow::domain::time::Span;

use crate::support::names::client;
use crate::support::server::{Reply, Server, answer};

const ZEROS: &[u8] = include_bytes!("../../fixtures/http/zeros-2mib.gz");

/// Asks a server that replies so, within these limits.
async fn ask(limits: Limits, reply: impl Fn() -> Reply + Send + Sync + 'static) -> Result<Answer, HttpError> {
    let server = Server::start(move |_| reply()).await;
    let mut request = Request::new(Method::GET, server.url("/").parse::<Url>().expect("an address"));
    request.limits = limits;
    // Far beyond every limit here: a request that does not end fails its test instead of stopping them all.
    let watched = tokio::time::timeout(Duration::from_secs(10), client(&[server.rule()]).send(request)).await;
    watched.expect("a request ends")
}

fn fault(result: Result<Answer, HttpError>) -> (Code, bool) {
    let fault = Fault::from(result.expect_err("the answer should not be taken"));
    (fault.code, fault.again != Again::Permanent)
}

fn small() -> Limits {
    Limits { body: 1_000, ..Limits::default() }
}

fn hasty() -> Limits {
    let soon = Span::from_millis(150);
    Limits { first_byte: soon, total: soon, ..Limits::default() }
}

#[tokio::test]
async fn a_body_may_be_as_large_as_allowed_and_not_a_byte_larger() {
    let body = |size: usize| move || answer("200 OK", &[], vec![b'x'; size]);
    assert_eq!(ask(small(), body(1_000)).await.expect("just fits").body.len(), 1_000);
    assert_eq!(fault(ask(small(), body(1_001)).await), (code::WF3204, false));
}

#[tokio::test]
async fn a_body_of_unknown_length_is_cut_off_too() {
    let flood = || Reply::Flood(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; 4_096]);
    assert_eq!(fault(ask(small(), flood).await), (code::WF3204, false));
    let chunks =
        || Reply::Flood(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(), b"3\r\nabc\r\n".to_vec());
    assert_eq!(fault(ask(small(), chunks).await), (code::WF3204, false));
}

#[tokio::test]
async fn a_compressed_body_counts_with_its_real_size() {
    let bomb = || answer("200 OK", &["content-encoding: gzip"], ZEROS);
    let limits = Limits { body: 100_000, ..Limits::default() };
    assert!((ZEROS.len() as u64) < limits.body, "what travels is small");
    assert_eq!(fault(ask(limits, bomb).await), (code::WF3204, false));
    assert_eq!(ask(Limits::default(), bomb).await.expect("fits the default").body.len(), 2 << 20);
}

#[tokio::test]
async fn a_flood_of_headers_is_cut_off() {
    let long = || answer("200 OK", &[&format!("x-long: {}", "x".repeat(65_536))], "");
    assert_eq!(fault(ask(Limits::default(), long).await), (code::WF3204, false));
    let endless = || Reply::Flood(b"HTTP/1.1 200 OK\r\nx-long: ".to_vec(), vec![b'x'; 4_096]);
    assert_eq!(fault(ask(Limits::default(), endless).await), (code::WF3204, false));
    let many = || Reply::Flood(b"HTTP/1.1 200 OK\r\n".to_vec(), b"a: b\r\n".to_vec());
    assert_eq!(fault(ask(Limits::default(), many).await), (code::WF3204, false));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left() {
    let limits = Limits { first_byte: Span::from_millis(150), ..Limits::default() };
    let error = ask(limits, || Reply::Hang(Vec::new())).await.expect_err("nothing came");
    assert!(error.to_string().contains("did not begin to answer"), "{error}");
    assert_eq!(fault(Err(error)), (code::WF3203, true));
    assert_eq!(fault(ask(limits, || Reply::Hang(b"HTTP/1.1 200 OK\r\nx: ".to_vec())).await), (code::WF3203, true));
}

#[tokio::test]
async fn a_server_that_never_finishes_is_left() {
    let drip = || Reply::Drip(b"HTTP/1.1 200 OK\r\n\r\n".to_vec());
    let error = ask(hasty(), drip).await.expect_err("it never ends");
    assert!(error.to_string().contains("did not finish its answer"), "{error}");
    let header_drip = || Reply::Drip(b"HTTP/1.1 200 OK\r\nx: ".to_vec());
    assert_eq!(fault(ask(hasty(), header_drip).await), (code::WF3203, true));
    let half = || Reply::Hang(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec());
    assert_eq!(fault(ask(hasty(), half).await), (code::WF3203, true));
    let not_yet = || Reply::Flood(Vec::new(), b"HTTP/1.1 100 Continue\r\n\r\n".to_vec());
    assert_eq!(fault(ask(hasty(), not_yet).await), (code::WF3203, true));
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    let half = || Reply::Whole(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec());
    assert_eq!(fault(ask(small(), half).await), (code::WF3205, true));
    assert_eq!(fault(ask(small(), || Reply::Whole(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec())).await), (code::WF3205, true));
    assert_eq!(fault(ask(small(), || Reply::Whole(Vec::new())).await), (code::WF3205, true));
    let no_gzip = || answer("200 OK", &["content-encoding: gzip"], "this is no gzip");
    assert_eq!(fault(ask(small(), no_gzip).await), (code::WF3205, true));
}

#[tokio::test]
async fn nobody_listening_is_worth_another_attempt() {
    let server = Server::start(|_| answer("200 OK", &[], "")).await;
    let (rule, url) = (server.rule(), server.url("/secret-path?token=s3cr3t"));
    drop(server);
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    drop(gone);
    let mut result = client(&[rule]).send(Request::new(Method::GET, url.parse::<Url>().expect("an address"))).await;
    // The server's task ends soon after it is dropped; until then it may still answer.
    while result.is_ok() {
        tokio::task::yield_now().await;
        result = client(&[rule]).send(Request::new(Method::GET, url.parse::<Url>().expect("an address"))).await;
    }
    let error = result.expect_err("nobody listens");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("s3cr3t") && !shown.contains("secret-path"), "{shown}");
    assert_eq!(fault(Err(error)), (code::WF3201, true));
}
