//! Who asks. Programs of this machine and pages of this service may; pages of other sites may not, although a browser
//! on this machine would carry their requests; with a token set, whoever does not know it may not either.
//!
//! `Host` is checked against names that are ours, so that a foreign name that resolves to this machine (DNS rebinding)
//! reaches nothing. `Origin`, where a browser sends one, must be that host.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::problem::{Problem, shown};
use crate::contract::clock::Clock;
use crate::domain::code;
use crate::service::Caller;

/// The session cookie's name.
const COOKIE: &str = "workflow_session";
/// How long a session lasts, in seconds.
const SESSION: i64 = 7 * 24 * 3_600;

/// A secret text that never shows in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps this text.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for whoever must send it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Decides who may come in.
#[derive(Clone)]
pub struct Guard {
    token: Option<Secret>,
    hosts: Arc<[String]>,
    /// The name by which history calls whoever comes in.
    name: Arc<str>,
    clock: Arc<dyn Clock>,
}

impl Guard {
    /// A guard for these further host names; with a token, only who knows it comes in. `name`: what history calls
    /// them.
    #[must_use]
    pub fn new(token: Option<Secret>, hosts: &[String], name: &str, clock: Arc<dyn Clock>) -> Self {
        let hosts = hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        Self { token, hosts, name: name.into(), clock }
    }

    /// Whether a token is asked for.
    #[must_use]
    pub const fn wants_token(&self) -> bool {
        self.token.is_some()
    }

    /// Whether this host name is ours; `here` is the address at which the request arrived.
    fn serves(&self, host: &str, here: Option<IpAddr>) -> bool {
        let host = host.to_ascii_lowercase();
        let name = without_port(&host);
        let ip: Option<IpAddr> = name.trim_matches(['[', ']']).parse().ok();
        name == "localhost"
            || ip.is_some_and(|ip| ip.is_loopback() || Some(ip.to_canonical()) == here.map(|ip| ip.to_canonical()))
            || self.hosts.iter().any(|allowed| *allowed == host || allowed == name)
    }

    /// Checks `Host` and `Origin`.
    ///
    /// # Errors
    /// The name is not ours (421), or the request comes from a page of another site (403).
    pub fn check_place(&self, uri: &Uri, headers: &HeaderMap, here: Option<IpAddr>) -> Result<(), Problem> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = uri.authority().map(axum::http::uri::Authority::as_str);
        let host = host.or_else(|| hosts.next().and_then(|host| host.to_str().ok())).unwrap_or_default();
        if hosts.next().is_some() || !self.serves(host, here) {
            let message = format!("the host name `{}` is not served here", shown(host));
            return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, code::WF5122, message));
        }
        let foreign = |from: &str| {
            let message = format!("the request comes from a page of `{}`", shown(from));
            Err(Problem::new(StatusCode::FORBIDDEN, code::WF5121, message))
        };
        if let Some(origin) = headers.get(header::ORIGIN) {
            let origin = origin.to_str().unwrap_or_default();
            let from = origin.split_once("://").map_or("", |(_, from)| from).to_ascii_lowercase();
            let ours = from == host.to_ascii_lowercase() || self.hosts.contains(&from);
            return if ours { Ok(()) } else { foreign(origin) };
        }
        match headers.get("sec-fetch-site").map(axum::http::HeaderValue::as_bytes) {
            // Somebody who follows a link to the page is no other site's script.
            Some(b"cross-site" | b"same-site") if !is_navigation(headers) => foreign("another site"),
            _ => Ok(()),
        }
    }

    /// Who this is; `None` when a token is asked for and not given.
    #[must_use]
    pub fn identify(&self, headers: &HeaderMap) -> Option<Caller> {
        let page = headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN);
        let known = match &self.token {
            None => true,
            Some(token) => bearer(headers).is_some_and(|given| same(given, &token.0)) || self.has_session(headers),
        };
        known.then(|| self.through(if page { "page" } else { "api" }))
    }

    /// Whoever sits at the page.
    #[must_use]
    pub fn somebody(&self) -> Caller {
        self.through("page")
    }

    fn through(&self, door: &'static str) -> Caller {
        Caller::owner(door, &self.name)
    }

    /// The cookie of a new session, for who gives the right token.
    #[must_use]
    pub fn sign_in(&self, given: &str, headers: &HeaderMap) -> Option<String> {
        let token = self.token.as_ref()?;
        if !same(given, &token.0) {
            return None;
        }
        let expires = self.now().saturating_add(SESSION);
        let seal = seal(&token.0, expires);
        // The browser says itself that it came over TLS, whatever stands between.
        let tls = headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"));
        let secure = if tls { "; Secure" } else { "" };
        Some(format!("{COOKIE}={expires}.{seal}; Path=/; HttpOnly; SameSite=Strict; Max-Age={SESSION}{secure}"))
    }

    /// The cookie that ends a session in this browser.
    #[must_use]
    pub fn sign_out() -> String {
        format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
    }

    fn has_session(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return false };
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let ours = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        ours.filter(|(name, _)| *name == COOKIE).any(|(_, value)| {
            let Some((expires, given)) = value.split_once('.') else { return false };
            let Ok(expires) = expires.parse::<i64>() else { return false };
            expires > self.now() && same(given, &seal(&token.0, expires))
        })
    }

    fn now(&self) -> i64 {
        self.clock.now().micros() / 1_000_000
    }
}

/// Ties a session to the token and to its end, so that nothing needs to be kept and a new token ends all sessions.
fn seal(token: &str, expires: i64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(format!("workflow session until {expires}").as_bytes());
    let bytes: [u8; 32] = mac.finalize().into_bytes().into();
    crate::contract::blob::Digest::from_bytes(&bytes).as_str().to_owned()
}

fn same(given: &str, wanted: &str) -> bool {
    given.as_bytes().ct_eq(wanted.as_bytes()).into()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn is_navigation(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate")
        && headers.get("sec-fetch-dest").is_some_and(|to| to == "document")
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Where a connection came from and arrived; the listener puts it beside each request.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// The other side.
    pub peer: SocketAddr,
    /// This side.
    pub here: SocketAddr,
}

/// Who asks, for handlers. The porch has found out before.
#[derive(Debug, Clone)]
pub struct Who(pub Caller);

impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(unknown)
    }
}

/// Who asks, where it may also be nobody that is known.
#[derive(Debug, Clone)]
pub struct Perhaps(pub Option<Caller>);

impl<S: Send + Sync> FromRequestParts<S> for Perhaps {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<Who>().map(|who| who.0.clone())))
    }
}

/// Nobody that is known. The same for no token and a wrong one.
#[must_use]
pub fn unknown() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, code::WF5120, "not signed in")
        .header(header::WWW_AUTHENTICATE, "Bearer realm=\"workflow\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::clock::SystemClock;

    fn guard(token: Option<&str>) -> Guard {
        let token = token.map(|token| Secret::new(token.to_owned()));
        Guard::new(token, &["flows.example.org".to_owned()], "ana", Arc::new(SystemClock))
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| ((*name).parse().expect("a name"), value.parse().expect("a value"))).collect()
    }

    fn status(pairs: &[(&'static str, &str)]) -> u16 {
        let here = Some("192.168.1.5".parse().expect("an address"));
        let checked = guard(None).check_place(&Uri::from_static("/api/x"), &headers(pairs), here);
        checked.map_or_else(|problem| problem.status().as_u16(), |()| 200)
    }

    #[test]
    fn only_names_that_are_ours_are_served() {
        for host in [
            "localhost:8080",
            "127.0.0.1:1",
            "[::1]:8080",
            "127.8.8.8",
            "LOCALHOST",
            "flows.example.org",
            "192.168.1.5:80",
        ] {
            assert_eq!(status(&[("host", host)]), 200, "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "192.168.1.6", "", "127.0.0.1.nip.io:8080"] {
            assert_eq!(status(&[("host", host)]), 421, "{host}");
        }
        assert_eq!(status(&[("host", "localhost"), ("host", "evil.example")]), 421, "two of them");
    }

    #[test]
    fn a_page_of_another_site_is_kept_out() {
        for (origin, expected) in [
            ("http://localhost:8080", 200),
            ("https://localhost:8080", 200),
            ("https://flows.example.org", 200),
            ("http://localhost:5173", 403),
            ("https://evil.example", 403),
            ("null", 403),
        ] {
            assert_eq!(status(&[("host", "localhost:8080"), ("origin", origin)]), expected, "{origin}");
        }
        assert_eq!(status(&[("host", "localhost"), ("sec-fetch-site", "cross-site")]), 403);
        let link = [
            ("host", "localhost"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        assert_eq!(status(&link), 200, "a link to the page");
    }

    #[test]
    fn with_a_token_only_the_token_or_its_session_comes_in() {
        let guard = guard(Some("correct horse"));
        let who = |name: &'static str, value: &str| guard.identify(&headers(&[(name, value)]));
        assert!(who("authorization", "Bearer correct horse").is_some());
        for wrong in ["Bearer correct hors", "Bearer ", "Basic correct horse", "correct horse"] {
            assert!(who("authorization", wrong).is_none(), "{wrong}");
        }
        let cookie = guard.sign_in("correct horse", &HeaderMap::new()).expect("the right token");
        assert!(guard.sign_in("wrong", &HeaderMap::new()).is_none());
        let pair = cookie.split(';').next().expect("a pair");
        assert!(who("cookie", &format!("a=b; {pair}")).is_some(), "{cookie}");
        assert!(!cookie.contains("correct horse") && cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
        let (_, seal) = pair.split_once('.').expect("a seal");
        assert!(who("cookie", &format!("{COOKIE}=99999999999.{seal}")).is_none(), "the end is sealed too");
        assert_eq!(format!("{:?}", Secret::new("x".to_owned())), "***");
    }
}
