//! One request and all its hops. Each hop has a client of its own that can reach the checked addresses and nothing
//! else, so that no name is resolved twice and no connection outlives its check.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderValue, LOCATION, USER_AGENT};
use reqwest::{Method, Response};
use rustls::RootCertStore;
use tokio::time::{Instant, timeout};
use url::Url;

use super::answer::{Answer, header_bytes, read_body};
use super::error::{HttpError, Phase, RedirectError};
use super::redirect;
use super::tls::Tls;
use crate::connect::egress::{Admitted, Egress};
use crate::domain::time::Span;

pub(super) const AGENT: &str = concat!("workflow/", env!("CARGO_PKG_VERSION"));

/// How much one request may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until a connection stands, TLS included.
    pub connect: Span,
    /// Until the first byte of an answer, for each hop.
    pub first_byte: Span,
    /// Until the last byte, all redirects included.
    pub total: Span,
    /// Bytes of the body after decompression.
    pub body: u64,
    /// Bytes of all headers together.
    pub headers: usize,
    /// Redirects that are followed.
    pub redirects: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Span::from_secs(5),
            first_byte: Span::from_secs(30),
            total: Span::from_secs(300),
            body: 10 * 1024 * 1024,
            headers: 64 * 1024,
            redirects: 5,
        }
    }
}

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// GET, POST, ...
    pub method: Method,
    /// Where to; the fragment is never sent.
    pub url: Url,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Option<Vec<u8>>,
    /// What it may cost.
    pub limits: Limits,
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: None, limits: Limits::default() }
    }
}

/// Asks the outside world over HTTP. Cloning shares it. Dropping a request ends its connection.
#[derive(Clone)]
pub struct Client {
    egress: Egress,
    tls: Arc<Tls>,
}

impl Client {
    /// A client behind this guard that trusts the certificate authorities of the machine.
    #[must_use]
    pub fn new(egress: Egress) -> Self {
        Self { egress, tls: Arc::default() }
    }

    /// The same client, trusting these authorities instead.
    #[must_use]
    pub fn trusting(mut self, roots: RootCertStore) -> Self {
        self.tls = Arc::new(Tls::trusting(roots));
        self
    }

    /// Sends a request, follows its redirects, reads the answer.
    ///
    /// # Errors
    /// Why there is no answer; an answer of any status is none of them.
    pub async fn send(&self, mut request: Request) -> Result<Answer, HttpError> {
        let limit = request.limits.total;
        request.url.set_fragment(None);
        let host = request.url.host_str().unwrap_or_default().to_owned();
        // Large, because it holds the whole chain: boxed, so that callers stay small.
        let answer = timeout(limit.duration(), Box::pin(self.chain(request))).await;
        answer.unwrap_or(Err(HttpError::Timeout { host, phase: Phase::Whole, limit }))
    }

    /// The request and what its redirects ask for.
    async fn chain(&self, mut request: Request) -> Result<Answer, HttpError> {
        let began = Instant::now();
        let mut admitted = self.egress.admit(&request.url).await?;
        let mut followed = 0;
        loop {
            let response = self.hop(&request, &admitted).await?;
            let host = admitted.host().to_owned();
            let location = response.headers().get(LOCATION).cloned();
            let Some(location) = location.filter(|_| redirect::is_redirect(response.status())) else {
                let answer = read_body(response, &host, request.limits).await?;
                return Ok(Answer { url: request.url, duration: began.elapsed(), ..answer });
            };
            let refuse = |reason| HttpError::Redirect { host, reason };
            if followed == request.limits.redirects {
                return Err(refuse(RedirectError::TooMany(followed)));
            }
            followed += 1;
            request = match redirect::follow(request, response.status(), location.as_bytes()) {
                Ok(next) => next,
                Err(reason) => return Err(refuse(reason)),
            };
            admitted = match self.egress.admit(&request.url).await {
                Ok(admitted) => admitted,
                Err(refusal) => return Err(refuse(RedirectError::Refused(refusal))),
            };
        }
    }

    /// One request to checked addresses, until its headers are there.
    async fn hop(&self, request: &Request, admitted: &Admitted) -> Result<Response, HttpError> {
        let limits = request.limits;
        let host = admitted.host();
        let client = self.client_for(request, admitted).await?;
        let mut headers = request.headers.clone();
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(AGENT));
        let mut outgoing = client.request(request.method.clone(), request.url.clone()).headers(headers);
        if let Some(body) = &request.body {
            outgoing = outgoing.body(body.clone());
        }
        let late = |_| HttpError::Timeout { host: host.to_owned(), phase: Phase::FirstByte, limit: limits.first_byte };
        let response = timeout(limits.first_byte.duration(), outgoing.send())
            .await
            .map_err(late)?
            .map_err(|error| HttpError::sort(host, &error, limits))?;
        if let Some(peer) = response.remote_addr() {
            admitted.confirm(peer)?;
        }
        if header_bytes(response.headers()) > limits.headers {
            return Err(HttpError::HeadersTooLarge { host: host.to_owned(), limit: limits.headers });
        }
        Ok(response)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that makes HTTP clients, behind the guard")]
    async fn client_for(&self, request: &Request, admitted: &Admitted) -> Result<reqwest::Client, HttpError> {
        let limits = request.limits;
        let tls = if request.url.scheme() == "https" { self.tls.config().await? } else { Tls::unused() };
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Arc::new(Pinned(admitted.addresses().to_vec())))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(limits.connect.duration())
            .http2_max_header_list_size(u32::try_from(limits.headers).unwrap_or(u32::MAX))
            .build()
            .map_err(|error| HttpError::sort(admitted.host(), &error, limits))
    }
}

/// Answers every name with the addresses that were checked: what was not checked cannot be reached.
struct Pinned(Vec<SocketAddr>);

impl Resolve for Pinned {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses: Addrs = Box::new(self.0.clone().into_iter());
        Box::pin(async move { Ok(addresses) })
    }
}
