//! The socket against those who hold it. Time is the test's own, so patience costs nothing.

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use workflow::http::{Door, Listening};

async fn listening() -> Listening {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let routes = Router::new().route("/", get(async || "here"));
    Listening::start(listener, routes, Door::default()).expect("it has an address")
}

async fn said(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text).await; // a reset is an end too
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test(start_paused = true)]
async fn a_head_that_never_ends_is_given_up() {
    let listening = listening().await;
    let mut stream = TcpStream::connect(listening.address).await.expect("it listens");
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nx-slow:").await.expect("written");
    let answer = said(&mut stream).await;
    assert!(!answer.contains("here"), "{answer}");
}

#[tokio::test]
async fn a_request_that_says_its_length_twice_is_refused() {
    let listening = listening().await;
    for smuggled in [
        "content-length: 5\r\ncontent-length: 6",
        "content-length: -1",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: xchunked",
    ] {
        let mut stream = TcpStream::connect(listening.address).await.expect("it listens");
        let request = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{smuggled}\r\n\r\nhello");
        stream.write_all(request.as_bytes()).await.expect("written");
        let answer = said(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{smuggled}: {answer}");
    }
}

#[tokio::test]
async fn heads_have_bounds() {
    let listening = listening().await;
    let many: String = (0..200).map(|number| format!("x-{number}: 1\r\n")).collect();
    let large = format!("x-large: {}\r\n", "x".repeat(200_000));
    for headers in [many, large] {
        let mut stream = TcpStream::connect(listening.address).await.expect("it listens");
        let request = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
        let _ = stream.write_all(request.as_bytes()).await; // it may have been refused by then
        let answer = said(&mut stream).await;
        assert!(!answer.contains("here"), "{answer}");
    }
}

#[tokio::test]
async fn a_drain_closes_what_lies_idle() {
    let listening = listening().await;
    let mut stream = TcpStream::connect(listening.address).await.expect("it listens");
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("written");
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.expect("an answer");
    listening.drain().await;
    assert!(said(&mut stream).await.ends_with("here"));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let take = async |_: workflow::http::json::Body<serde_json::Value>| "here";
    let routes = Router::new().route("/", axum::routing::post(take));
    let listening = Listening::start(listener, routes, Door::default()).expect("it has an address");
    let mut stream = TcpStream::connect(listening.address).await.expect("it listens");
    let head = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.expect("written");
    let answer = said(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}
