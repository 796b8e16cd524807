//! What a redirect asks for, and whether it may have it. Pure; the guard judges the address afterwards.

use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderName, USER_AGENT};
use reqwest::{Method, StatusCode};

use super::client::Request;
use super::error::RedirectError;

/// Headers that may follow to another origin. Everything else may be a credential under a name of its own.
const HARMLESS: [HeaderName; 4] = [ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, USER_AGENT];

/// Whether an answer with this status asks for another request.
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// The request that a redirect asks for.
pub(super) fn follow(request: Request, status: StatusCode, location: &[u8]) -> Result<Request, RedirectError> {
    let location = std::str::from_utf8(location).map_err(|_| RedirectError::Location)?;
    let mut url = request.url.join(location).map_err(|_| RedirectError::Location)?;
    url.set_fragment(None);
    if request.url.scheme() == "https" && url.scheme() == "http" {
        return Err(RedirectError::Downgrade);
    }
    let Request { mut method, mut headers, mut body, limits, url: from } = request;
    let forgets = match status.as_u16() {
        303 => method != Method::HEAD,
        301 | 302 => method == Method::POST,
        _ => false,
    };
    if forgets {
        method = Method::GET;
        body = None;
        drop_headers(&mut headers, |name| name.as_str().starts_with("content-") || *name == "idempotency-key");
    }
    if from.origin() != url.origin() {
        if body.is_some() {
            return Err(RedirectError::BodyElsewhere);
        }
        drop_headers(&mut headers, |name| !HARMLESS.contains(name));
    }
    Ok(Request { method, url, headers, body, limits })
}

fn drop_headers(headers: &mut HeaderMap, unwanted: impl Fn(&HeaderName) -> bool) {
    let names: Vec<_> = headers.keys().filter(|name| unwanted(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn request(method: Method, url: &str) -> Request {
        let mut request = Request::new(method, url.parse::<Url>().expect(url));
        for (name, value) in [("authorization", "Bearer x"), ("x-api-key", "x"), ("accept", "*/*"), ("cookie", "a=b")] {
            request.headers.insert(name, value.parse().expect("a value"));
        }
        if request.method != Method::GET {
            request.headers.insert(CONTENT_TYPE, "text/plain".parse().expect("a value"));
            request.body = Some(b"hello".to_vec());
        }
        request
    }

    fn to(request: Request, status: u16, location: &str) -> Result<Request, RedirectError> {
        follow(request, StatusCode::from_u16(status).expect("a status"), location.as_bytes())
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        let get = || request(Method::GET, "https://a.internal/x");
        let same = to(get(), 302, "/y").expect("the same origin");
        assert_eq!((same.url.as_str(), same.headers.len()), ("https://a.internal/y", 4));
        for elsewhere in
            ["https://b.internal/", "//b.internal/", "https://a.internal:8443/", "https://a.internal.evil/"]
        {
            let next = to(get(), 302, elsewhere).expect(elsewhere);
            assert_eq!(next.headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["accept"], "{elsewhere}");
        }
    }

    #[test]
    fn a_body_follows_only_where_the_status_says_so_and_never_to_another_origin() {
        let post = || request(Method::POST, "https://a.internal/x");
        for status in [301, 302, 303] {
            let next = to(post(), status, "https://b.internal/").expect("a plain question");
            assert!(next.method == Method::GET && next.body.is_none() && !next.headers.contains_key(CONTENT_TYPE));
        }
        for status in [307, 308] {
            let next = to(post(), status, "/y").expect("the same origin");
            assert!(next.method == Method::POST && next.body.is_some() && next.headers.contains_key(CONTENT_TYPE));
            assert!(matches!(to(post(), status, "https://b.internal/"), Err(RedirectError::BodyElsewhere)));
        }
        assert_eq!(to(request(Method::PUT, "https://a.internal/"), 302, "/y").expect("as it is").method, Method::PUT);
    }

    #[test]
    fn https_is_never_left_and_nonsense_is_never_followed() {
        let get = || request(Method::GET, "https://a.internal/x");
        assert!(matches!(to(get(), 302, "http://a.internal/x"), Err(RedirectError::Downgrade)));
        assert!(matches!(to(get(), 302, "https://[::1"), Err(RedirectError::Location)));
        let plain = to(request(Method::GET, "http://a.internal/"), 302, "https://a.internal/").expect("an upgrade");
        assert!(!plain.headers.contains_key("authorization"), "another scheme is another origin");
    }
}
