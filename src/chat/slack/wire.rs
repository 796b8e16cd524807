//! What the Web API client cannot do: answers with their headers, files as streams, answers by URL, and the socket.
//!
//! Invariant: a token, a file and an answer leave for Slack's own hosts and the configured base alone, and nothing that an
//! answer says leads elsewhere: redirects are not followed.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use http_body_util::{BodyDataStream, BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use slack_socket::tungstenite::protocol::WebSocketConfig;
use slack_socket::{Connector, MaybeTlsStream, WebSocketStream};
use tokio::net::TcpStream;
use url::{Host, Url};

/// How long a connection, and the first byte of an answer, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the next piece of a file may take.
const PIECE: Duration = Duration::from_secs(30);
/// Bytes of an answer that is read as a whole.
const LARGEST_ANSWER: usize = 1 << 20;
/// Bytes of one message on the socket.
const LARGEST_FRAME: usize = 4 << 20;

/// A connector that also speaks plain HTTP, for a base on this machine.
pub type Https = HttpsConnector<HttpConnector>;
/// A socket to Slack.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why nothing came back.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WireError {
    /// The address is not one of Slack's.
    #[error("`{0}` is not one of Slack's hosts")]
    Foreign(String),
    /// No answer, or not all of it. What was asked may have happened.
    #[error("Slack cannot be reached: {0}")]
    Lost(String),
}

/// An answer that was read as a whole.
pub struct Answer {
    /// Its status number.
    pub status: u16,
    /// For how long nothing more is to be sent, where it says so.
    pub retry_after: Option<Duration>,
    /// The scopes of the token with which was asked.
    pub scopes: Option<String>,
    /// Its body.
    pub body: Bytes,
}

/// The line to Slack. Cheap to clone.
#[derive(Clone)]
pub struct Wire {
    http: Client<Https, Full<Bytes>>,
    tls: Arc<ClientConfig>,
    base: Url,
}

impl Wire {
    /// A line to this base.
    ///
    /// # Errors
    /// The base is no address.
    pub fn new(base: &str) -> Result<Self, String> {
        let base = Url::parse(base).map_err(|error| format!("`slack_api_url` is no address: {error}"))?;
        let tls = tls();
        Ok(Self { http: Client::builder(TokioExecutor::new()).build(connector(&tls)), tls: Arc::new(tls), base })
    }

    /// A connector of the same kind, for the Web API client.
    pub fn connector(&self) -> Https {
        connector(&self.tls)
    }

    /// Whether an address that Slack told is one of Slack's.
    fn check(&self, url: &str) -> Result<Url, WireError> {
        let foreign = || {
            WireError::Foreign(
                Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default(),
            )
        };
        let url = Url::parse(url).map_err(|_| foreign())?;
        let is_base = (url.scheme(), url.host(), url.port_or_known_default())
            == (self.base.scheme(), self.base.host(), self.base.port_or_known_default());
        let is_slack = match url.host() {
            Some(Host::Domain(name)) => {
                let name = name.to_ascii_lowercase();
                ["slack.com", "slack-gov.com"].iter().any(|own| name == *own || name.ends_with(&format!(".{own}")))
            }
            _ => false,
        };
        if is_base || (is_slack && url.scheme() == "https") { Ok(url) } else { Err(foreign()) }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, WireError> {
        let late = |_| WireError::Lost(format!("no answer within {} s", PATIENCE.as_secs()));
        let answer = tokio::time::timeout(PATIENCE, self.http.request(request)).await.map_err(late)?;
        answer.map_err(|error| WireError::Lost(cause(&error)))
    }

    /// Posts a body and reads the whole answer.
    ///
    /// # Errors
    /// Not one of Slack's addresses, or no whole answer.
    pub async fn post(
        &self,
        url: &str,
        token: Option<&str>,
        kind: &'static str,
        body: Bytes,
    ) -> Result<Answer, WireError> {
        let url = self.check(url)?;
        let request = Request::builder().method(Method::POST).uri(url.as_str()).header(CONTENT_TYPE, kind);
        let request = match token.map(bearer) {
            Some(value) => request.header(AUTHORIZATION, value),
            None => request,
        };
        let request = request.body(Full::new(body)).map_err(|error| WireError::Lost(error.to_string()))?;
        let response = self.send(request).await?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let retry_after = header("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs);
        let (status, scopes) = (response.status().as_u16(), header("x-oauth-scopes"));
        let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect();
        let body =
            tokio::time::timeout(PATIENCE, body).await.map_err(|_| WireError::Lost("the answer stopped".to_owned()))?;
        let body = body.map_err(|_| WireError::Lost("the answer broke off".to_owned()))?.to_bytes();
        Ok(Answer { status, retry_after, scopes, body })
    }

    /// Asks for a file; its content is read from what comes back.
    ///
    /// # Errors
    /// Not one of Slack's addresses, or no answer.
    pub async fn fetch(&self, url: &str, token: &str) -> Result<Response<Incoming>, WireError> {
        let url = self.check(url)?;
        let request = Request::builder().uri(url.as_str()).header(AUTHORIZATION, bearer(token));
        let request = request.body(Full::default()).map_err(|error| WireError::Lost(error.to_string()))?;
        self.send(request).await
    }

    /// Opens the socket at this address, which Slack has just told. The address is a secret: it is in no error.
    ///
    /// # Errors
    /// It cannot be opened.
    pub async fn open_socket(&self, url: &str) -> Result<Socket, WireError> {
        let own = url.replacen("ws", "http", 1);
        self.check(&own)?;
        let settings = WebSocketConfig::default().max_message_size(Some(LARGEST_FRAME));
        let connector = Connector::Rustls(Arc::clone(&self.tls));
        let opened = slack_socket::connect_async_tls_with_config(url, Some(settings), true, Some(connector));
        match tokio::time::timeout(PATIENCE, opened).await {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(slack_socket::tungstenite::Error::Http(answer))) => {
                Err(WireError::Lost(format!("the socket is answered with {}", answer.status())))
            }
            Ok(Err(slack_socket::tungstenite::Error::Io(error))) => Err(WireError::Lost(error.to_string())),
            Ok(Err(_)) => Err(WireError::Lost("the socket cannot be opened".to_owned())),
            Err(_) => Err(WireError::Lost(format!("the socket was not opened within {} s", PATIENCE.as_secs()))),
        }
    }
}

/// The pieces of a file, ended with an error where the next one is too late.
pub fn pieces(response: Response<Incoming>) -> impl futures::Stream<Item = std::io::Result<Bytes>> + Send {
    futures::stream::unfold(Some(BodyDataStream::new(response.into_body())), |state| async move {
        let mut body = state?;
        match tokio::time::timeout(PIECE, body.next()).await {
            Ok(Some(Ok(piece))) => Some((Ok(piece), Some(body))),
            Ok(None) => None,
            Ok(Some(Err(error))) => Some((Err(std::io::Error::other(error)), None)),
            Err(_) => Some((Err(std::io::ErrorKind::TimedOut.into()), None)),
        }
    })
}

fn bearer(token: &str) -> HeaderValue {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap_or(HeaderValue::from_static("Bearer"));
    value.set_sensitive(true);
    value
}

/// What lies at the bottom of an error: "connection refused" rather than "client error".
pub fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

fn connector(tls: &ClientConfig) -> Https {
    let builder = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(PATIENCE));
    builder.enable_http1().enable_http2().wrap_connector(http)
}

/// TLS with ring, trusting the authorities of this machine. Old certificates that nobody can parse any more are left out.
fn tls() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_to_slack_and_to_the_base_and_nowhere_else() {
        let wire = Wire::new("http://127.0.0.1:9101/api").expect("an address");
        for good in ["https://files.slack.com/x", "https://hooks.slack.com/commands/1", "http://127.0.0.1:9101/files"] {
            assert!(wire.check(good).is_ok(), "{good}");
        }
        let bad = [
            "http://files.slack.com/x",
            "https://slack.com.evil.org/x",
            "https://evilslack.com/",
            "http://127.0.0.1:9102/files",
            "https://127.0.0.1:9101/files",
            "http://169.254.169.254/",
            "file:///etc/passwd",
            "https://slack.com@evil.org/",
        ];
        for bad in bad {
            assert!(wire.check(bad).is_err(), "{bad}");
        }
    }
}
