//! A line to one server that the user of this machine has named: our own service, elsewhere. No guard stands between,
//! for nobody but that user chose the address; nothing is redirected and nothing is retried.

use std::path::Path;
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt as _};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, USER_AGENT};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use url::Url;

use super::client::{AGENT, Limits};
use super::error::HttpError;
use super::tls::Tls;

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest line of a stream.
const LONGEST_LINE: usize = 1 << 20;

/// Why there is no line.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The address is none.
    #[error("`{0}` is no address of a service; write it as http://127.0.0.1:8080")]
    Address(String),
    /// The token cannot be sent.
    #[error("the token holds characters that no header can carry")]
    Token,
    /// A file of this machine cannot be sent.
    #[error("`{path}` cannot be read: {source}")]
    File {
        /// Its path.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// No answer.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The status number.
    pub status: u16,
    /// The body; `null` where there is none.
    pub body: Value,
}

/// The line.
#[derive(Debug, Clone)]
pub struct Link {
    base: Url,
    client: reqwest::Client,
}

impl Link {
    /// A line to the service at this address.
    ///
    /// # Errors
    /// The address or the token cannot be used, or this machine trusts no authority.
    #[expect(clippy::disallowed_methods, reason = "the address is the user's own choice, so no guard stands before it")]
    pub async fn new(address: &str, token: Option<&str>) -> Result<Self, LinkError> {
        let wrong = || LinkError::Address(address.to_owned());
        let mut base = Url::parse(address).map_err(|_| wrong())?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(wrong());
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let mut headers = HeaderMap::from_iter([(USER_AGENT, HeaderValue::from_static(AGENT))]);
        if let Some(token) = token {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| LinkError::Token)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let tls = if base.scheme() == "https" { Tls::default().config().await? } else { Tls::unused() };
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .default_headers(headers)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT)
            .build()
            .map_err(|error| HttpError::sort(base.host_str().unwrap_or_default(), &error, Limits::default()))?;
        Ok(Self { base, client })
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> String {
        self.base.to_string()
    }

    /// Asks for a path, which is relative to the address, with these query pairs and this JSON body.
    ///
    /// # Errors
    /// There is no answer, or it is no JSON.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Reply, LinkError> {
        let mut request = self.request(method, path).query(query);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.reply(request).await
    }

    /// Sends a file of this machine, as it is read.
    ///
    /// # Errors
    /// It cannot be read, or there is no answer.
    pub async fn send_file(&self, path: &str, field: &'static str, file: &Path) -> Result<Reply, LinkError> {
        let unreadable = |source| LinkError::File { path: file.display().to_string(), source };
        let part = Part::file(file).await.map_err(unreadable)?;
        let request = self.request(Method::POST, path).multipart(Form::new().part(field, part));
        self.reply(request).await
    }

    /// The lines of an endless answer, as they come.
    ///
    /// # Errors
    /// There is no answer, or it is a refusal (whose status is the reply's).
    pub async fn lines(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<BoxStream<'static, Result<String, LinkError>>, LinkError> {
        let host = self.host();
        let request = self.request(Method::GET, path).query(query).header(ACCEPT, "text/event-stream");
        let response = request.send().await.map_err(|error| self.sort(&error))?;
        let response = response.error_for_status().map_err(|error| self.sort(&error))?;
        let state = (response, Vec::new(), host);
        let lines = futures::stream::try_unfold(state, |(mut response, mut buffer, host)| async move {
            loop {
                if let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = buffer.drain(..=end).collect();
                    let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                    return Ok(Some((line, (response, buffer, host))));
                }
                let sort = |error: reqwest::Error| HttpError::sort(&host, &error, Limits::default());
                match response.chunk().await.map_err(sort)? {
                    Some(chunk) if buffer.len() + chunk.len() <= LONGEST_LINE => buffer.extend_from_slice(&chunk),
                    _ => return Ok(None),
                }
            }
        });
        Ok(lines.boxed())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{}", self.base.path(), path.trim_start_matches('/')));
        self.client.request(method, url)
    }

    async fn reply(&self, request: RequestBuilder) -> Result<Reply, LinkError> {
        let response: Response = request.send().await.map_err(|error| self.sort(&error))?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.map_err(|error| self.sort(&error))?;
        // What is no JSON came from something that is not our service; its text is of no use to anybody.
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Reply { status, body })
    }

    fn host(&self) -> String {
        self.base.host_str().unwrap_or_default().to_owned()
    }

    fn sort(&self, error: &reqwest::Error) -> LinkError {
        HttpError::sort(&self.host(), error, Limits::default()).into()
    }
}
