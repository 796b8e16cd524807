//! Redirects: each hop is a new address to judge, and credentials stay where they were meant for.

use workflow::connect::http::{Client, HttpError, Method, RedirectError, Request, Url, header};

use crate::support::names::{Names, client, egress};
use crate::support::server::{Server, answer};

fn get(url: &str) -> Request {
    Request::new(Method::GET, url.parse::<Url>().expect("an address"))
}

/// A server that redirects every request to this place.
async fn redirecting(to: String) -> Server {
    Server::start(move |_| answer("302 Found", &[&format!("location: {to}")], "")).await
}

fn reason(result: Result<workflow::connect::http::Answer, HttpError>) -> RedirectError {
    match result {
        Err(HttpError::Redirect { reason, .. }) => reason,
        other => panic!("the redirect should be refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_redirect_to_an_inner_address_ends_there() {
    let forbidden = Server::forbidden("127.0.0.1:0").await.expect("a free port");
    let port = forbidden.address.port();
    let places = ["127.0.0.1", "2130706433", "[::ffff:127.0.0.1]", "inner.internal", "0"];
    for place in places.map(|host| format!("http://{host}:{port}/")).into_iter().chain([format!("//127.1:{port}/")]) {
        let outer = redirecting(place.clone()).await;
        let names = Names::new(&[("inner.internal", &["127.0.0.1"])]);
        let client = Client::new(egress(&names, &[outer.rule()]));
        let reason = reason(client.send(get(&outer.url("/"))).await);
        assert!(matches!(reason, RedirectError::Refused(_)), "{place}: {reason:?}");
        assert_eq!(outer.connections(), 1, "{place}");
    }
    assert_eq!(forbidden.connections(), 0);
}

#[tokio::test]
async fn a_redirect_out_of_http_ends_there() {
    for place in [
        "file:///etc/passwd",
        "gopher://a.internal/",
        "data:,x",
        "http://u:p@a.internal/",
        "http://[",
        "https://api.example.com/",
    ] {
        let outer = redirecting(place.to_owned()).await;
        let reason = reason(client(&[outer.rule()]).send(get(&outer.url("/"))).await);
        assert!(matches!(reason, RedirectError::Refused(_) | RedirectError::Location), "{place}: {reason:?}");
    }
}

#[tokio::test]
async fn five_redirects_are_followed_and_a_sixth_is_not() {
    let server = Server::start(|request| {
        let left: u32 = request.split(['/', ' ']).nth(2).and_then(|n| n.parse().ok()).expect("a number in the path");
        match left {
            0 => answer("200 OK", &[], "arrived"),
            _ => answer("302 Found", &[&format!("location: /{}", left - 1)], ""),
        }
    })
    .await;
    let client = client(&[server.rule()]);
    let arrived = client.send(get(&server.url("/5"))).await.expect("five redirects");
    assert_eq!((arrived.body.as_slice(), arrived.url.path()), (b"arrived".as_slice(), "/0"));
    let before = server.connections();
    assert!(matches!(reason(client.send(get(&server.url("/50"))).await), RedirectError::TooMany(5)));
    assert_eq!(server.connections() - before, 6);
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_server() {
    let other = Server::start(|_| answer("200 OK", &[], "")).await;
    let first = redirecting(other.url("/next")).await;
    let mut request = get(&first.url("/"));
    for (name, value) in [("authorization", "Bearer s3cr3t"), ("x-api-key", "s3cr3t"), ("cookie", "sid=s3cr3t")] {
        request.headers.insert(name, value.parse().expect("a value"));
    }
    request.headers.insert(header::ACCEPT, "text/plain".parse().expect("a value"));
    client(&[first.rule(), other.rule()]).send(request).await.expect("both are open");
    assert_eq!(first.requests()[0].matches("s3cr3t").count(), 3);
    let second = &other.requests()[0];
    assert!(!second.contains("s3cr3t") && second.contains("accept: text/plain"), "{second}");
    assert!(!second.contains("referer"), "{second}");
}

#[tokio::test]
async fn a_body_is_not_handed_on_to_another_server() {
    let other = Server::start(|_| answer("200 OK", &[], "")).await;
    let to = other.url("/next");
    let first = Server::start(move |_| answer("307 Temporary Redirect", &[&format!("location: {to}")], "")).await;
    let mut request = get(&first.url("/"));
    request.method = Method::POST;
    request.body = Some(b"the payroll".to_vec());
    let result = client(&[first.rule(), other.rule()]).send(request).await;
    assert!(matches!(reason(result), RedirectError::BodyElsewhere));
    assert_eq!(other.connections(), 0);
}
